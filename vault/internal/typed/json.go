package typed

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// maxDepth bounds how deep JSON nests.
const maxDepth = 64

// marshal is json.Marshal without escaping of <, > and &.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fault.New(fault.Invalid, "the value cannot be written as JSON: %s", firstLine(err)).At(atValue)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// firstLine keeps what the encoder says about the shape; it never quotes a value.
func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(text, "json: ")
}

func encodeJSON(v any) (Encoded, error) {
	b, err := marshal(v)
	if err != nil {
		return Encoded{}, err
	}
	return encodeRaw(b)
}

// encodeRaw checks JSON text and writes it in one form: no spaces, keys in order, every digit kept.
func encodeRaw(b []byte) (Encoded, error) {
	if len(b) > MaxSize {
		return Encoded{}, fault.New(fault.TooLarge, "the value has %d bytes; the most is %d", len(b), MaxSize).At(atValue)
	}
	v, err := ParseJSON(b)
	if err != nil {
		return Encoded{}, err
	}
	out, err := marshal(v)
	return Encoded{JSON, string(out)}, err
}

// ParseJSON reads one JSON document into a tree. An integer becomes an int64, or a uint64 beyond that; other numbers a
// float64 if that prints as the same number, else they stay a json.Number, so that no digit is lost.
func ParseJSON(b []byte) (any, error) {
	v, err := parse(b)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the value is not JSON: %s", firstLine(err)).At(atValue)
	}
	return v, nil
}

func parse(b []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fault.New(fault.Invalid, "there is something behind its end")
	}
	return settle(v, 0)
}

// settle replaces each number in a fresh tree.
func settle(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fault.New(fault.TooLarge, "it nests deeper than %d levels", maxDepth)
	}
	var err error
	switch x := v.(type) {
	case json.Number:
		return number(x)
	case map[string]any:
		for k := range x {
			if x[k], err = settle(x[k], depth+1); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range x {
			if x[i], err = settle(x[i], depth+1); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func number(n json.Number) (any, error) {
	s := string(n)
	if i, err := strconv.ParseInt(s, 10, 64); err == nil && s != "-0" {
		return i, nil
	}
	if u, err := strconv.ParseUint(s, 10, 64); err == nil {
		return u, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err == nil && exact(s, f):
		return f, nil
	case !json.Valid([]byte(s)):
		return nil, fault.New(fault.Invalid, "a number is not one").At(atValue)
	case tooBig(s):
		return nil, fault.New(fault.TooLarge, "a number has more than %d digits", maxDigits).At(atValue)
	}
	return n, nil
}

// maxDigits bounds a number written out: what compares such numbers exactly must not be kept busy by one of them.
const maxDigits = 4300

func tooBig(s string) bool {
	mantissa, e, _ := cutExponent(s)
	exp, err := strconv.Atoi("0" + strings.TrimPrefix(e, "-"))
	return len(mantissa) > maxDigits || err != nil || exp > maxDigits
}

// exact reports whether the number written as s is f to every digit that f prints.
func exact(s string, f float64) bool {
	if math.IsInf(f, 0) {
		return false
	}
	m1, e1 := decimal(s)
	m2, e2 := decimal(strconv.FormatFloat(f, 'e', -1, 64))
	return m1 == m2 && (e1 == e2 || m1 == "0" || m1 == "-0")
}

// decimal returns a number's digits without zeros at either end, and the power of ten of the last one.
func decimal(s string) (digits string, exp int) {
	if mantissa, e, ok := cutExponent(s); ok {
		n, err := strconv.Atoi(e)
		if err != nil {
			return s, math.MaxInt // an exponent of nine digits and more is no float64 anyway
		}
		s, exp = mantissa, n
	}
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	if whole, frac, ok := strings.Cut(s, "."); ok {
		s, exp = whole+frac, exp-len(frac)
	}
	s = strings.TrimLeft(s, "0")
	trimmed := strings.TrimRight(s, "0")
	exp += len(s) - len(trimmed)
	if trimmed == "" {
		trimmed = "0"
	}
	if neg {
		trimmed = "-" + trimmed
	}
	return trimmed, exp
}

func cutExponent(s string) (mantissa, exp string, ok bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, "", false
	}
	return s[:i], strings.TrimPrefix(s[i+1:], "+"), true
}

// Clone returns a tree that shares nothing mutable with v.
func Clone(v any) any {
	switch x := v.(type) {
	case map[string]any:
		c := maps.Clone(x)
		for k := range c {
			c[k] = Clone(c[k])
		}
		return c
	case []any:
		c := slices.Clone(x)
		for i := range c {
			c[i] = Clone(c[i])
		}
		return c
	}
	return v
}

// Mutable reports whether a decoded value must be cloned before it is handed out.
func Mutable(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}
