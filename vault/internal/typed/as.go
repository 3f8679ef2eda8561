package typed

import (
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// CodeMismatch is the code of errors about a value of another type than was asked for.
const CodeMismatch = "TypeMismatch"

func mismatch(v any, want string) error {
	return fault.New(fault.Invalid, "the value is %s, not %s", Name(v), want).WithCode(CodeMismatch)
}

func lossy(v any, want string) error {
	return fault.New(fault.Invalid, "the value is %s that is not exactly %s", Name(v), want).WithCode(CodeMismatch)
}

// Name says what type a value has, in words: "an integer", "text".
func Name(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case time.Duration:
		return "a duration"
	case map[string]any:
		return "a JSON object"
	case []any:
		return "a JSON array"
	case json.Number:
		return "a number too long for a float"
	}
	switch k := reflect.ValueOf(v); {
	case k.CanInt(), k.CanUint():
		return "an integer"
	case k.CanFloat():
		return "a number"
	case k.Kind() == reflect.Bool:
		return "a bool"
	case k.Kind() == reflect.String:
		return "text"
	}
	return "JSON"
}

// Type is the documented name of a value's type: string, bool, int, float, duration or json.
func Type(v any) string {
	switch v.(type) {
	case time.Duration:
		return Duration
	case json.Number, nil:
		return JSON
	}
	switch k := reflect.ValueOf(v); {
	case k.CanInt(), k.CanUint():
		return "int"
	case k.CanFloat():
		return "float"
	case k.Kind() == reflect.Bool:
		return Bool
	case k.Kind() == reflect.String:
		return String
	}
	return JSON
}

// AsInt returns an integer, or a float that is one, if an int64 holds it exactly. A duration is not a number.
func AsInt(v any) (int64, error) {
	switch x := v.(type) {
	case int:
		return int64(x), nil
	case int64:
		return x, nil
	case time.Duration, nil, json.Number:
		return 0, mismatch(v, "an integer")
	}
	switch k := reflect.ValueOf(v); {
	case k.CanInt():
		return k.Int(), nil
	case k.CanUint():
		if k.Uint() > math.MaxInt64 {
			return 0, lossy(v, "an int64")
		}
		return int64(k.Uint()), nil
	case k.CanFloat():
		// Beyond 2^53 a float no longer tells integers apart: which one was meant is not known.
		if f := k.Float(); f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
			return int64(f), nil
		}
		return 0, lossy(v, "an integer")
	}
	return 0, mismatch(v, "an integer")
}

// AsFloat returns a number if a float64 holds it exactly.
func AsFloat(v any) (float64, error) {
	switch x := v.(type) {
	case float64:
		return x, nil
	case time.Duration, nil, json.Number:
		return 0, mismatch(v, "a number")
	}
	switch k := reflect.ValueOf(v); {
	case k.CanFloat():
		if _, narrow := v.(float32); narrow { // 0.1 as it was written, not as its bits widen
			return strconv.ParseFloat(strconv.FormatFloat(k.Float(), 'g', -1, 32), 64)
		}
		return k.Float(), nil
	case k.CanInt():
		if f := float64(k.Int()); f < math.MaxInt64 && int64(f) == k.Int() {
			return f, nil
		}
		return 0, lossy(v, "a float64")
	case k.CanUint():
		if f := float64(k.Uint()); f < math.MaxUint64 && uint64(f) == k.Uint() {
			return f, nil
		}
		return 0, lossy(v, "a float64")
	}
	return 0, mismatch(v, "a number")
}

// AsBool returns a bool.
func AsBool(v any) (bool, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return false, mismatch(v, "a bool")
}

// AsString returns text.
func AsString(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return "", mismatch(v, "text")
}

// AsDuration returns a duration, or text such as "1m30s" that is one. A number is refused: nobody knows of what.
func AsDuration(v any) (time.Duration, error) {
	switch x := v.(type) {
	case time.Duration:
		return x, nil
	case string:
		d, err := time.ParseDuration(x)
		if err != nil {
			return 0, fault.New(fault.Invalid, "the value is text that is not a duration").WithCode(CodeMismatch).
				WithHint("write it like 1m30s, or set a time.Duration")
		}
		return d, nil
	}
	return 0, fault.From(mismatch(v, "a duration")).WithHint("set a time.Duration, or text such as 30s")
}

// AsJSON decodes a value into target, which is a pointer, as encoding/json would; every digit of a number is kept.
func AsJSON(v any, target any) error {
	e, err := Encode(v)
	if err == nil && e.Kind == Duration {
		err = mismatch(v, "JSON")
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(e.Text), target); err != nil {
		return fault.New(fault.Invalid, "the value does not fit what it is read into: %s", firstLine(err)).WithCode(CodeMismatch)
	}
	return nil
}

// Equal reports whether two values are the same; numbers compare by amount, whatever type they have.
func Equal(a, b any) bool {
	if a == nil || b == nil {
		return a == b
	}
	if t := Type(a); t == "int" || t == "float" {
		return equalNumbers(a, b)
	}
	return reflect.DeepEqual(a, b) || equalTrees(a, b)
}

func equalNumbers(a, b any) bool {
	if i, err := AsInt(a); err == nil {
		j, err := AsInt(b)
		return err == nil && i == j
	}
	if f, err := AsFloat(a); err == nil {
		g, err := AsFloat(b)
		return err == nil && f == g
	}
	return reflect.DeepEqual(a, b)
}

func equalTrees(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k := range x {
			if other, ok := y[k]; !ok || !Equal(x[k], other) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !Equal(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	return false
}

// Compare orders two numbers by amount, exactly also where a float64 would round.
func Compare(a, b any) int { return rational(a).Cmp(rational(b)) }

func rational(v any) *big.Rat {
	switch k := reflect.ValueOf(v); {
	case k.CanInt():
		return new(big.Rat).SetInt64(k.Int())
	case k.CanUint():
		return new(big.Rat).SetUint64(k.Uint())
	}
	f, _ := AsFloat(v)
	if r := new(big.Rat).SetFloat64(f); r != nil {
		return r
	}
	return new(big.Rat) // NaN and infinities are no values
}
