package typed

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// MaxSize is the most bytes a value may have when written down.
const MaxSize = 256 << 10

// Kinds of values: the Go type they had, "duration", or "json" for everything with structure.
const (
	Bool, String, Duration, JSON = "bool", "string", "duration", "json"
)

// Encoded is a value as it is written down: its kind, and JSON text.
type Encoded struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Encode writes a value down. It refuses what would not come back as it was: NaN, text that is not UTF-8, functions,
// sealed values, and what is longer than [MaxSize].
func Encode(v any) (Encoded, error) {
	e, err := encode(v)
	if err == nil && len(e.Text) > MaxSize {
		return Encoded{}, fault.New(fault.TooLarge, "the value has %d bytes when written down; the most is %d", len(e.Text), MaxSize).At(atValue)
	}
	return e, err
}

var atValue = fault.Where{Field: "value"}

func encode(v any) (Encoded, error) {
	switch x := v.(type) {
	case nil:
		return Encoded{JSON, "null"}, nil
	case bool:
		return Encoded{Bool, strconv.FormatBool(x)}, nil
	case string:
		return encodeText(x)
	case time.Duration:
		return Encoded{Duration, strconv.FormatInt(int64(x), 10)}, nil
	case json.Number:
		return encodeNumber(x)
	case json.RawMessage:
		return encodeRaw(x)
	case []byte:
		return Encoded{}, fault.New(fault.Invalid, "bytes are neither text nor JSON").At(atValue).
			WithHint("give a string, or a json.RawMessage for JSON")
	case sealed.Value, *sealed.Value:
		return Encoded{}, fault.New(fault.Invalid, "a secret is not kept as a value").At(atValue).
			WithHint("keep it in the vault and refer to it by name")
	}
	return encodeKind(reflect.ValueOf(v))
}

func encodeText(s string) (Encoded, error) {
	if !utf8.ValidString(s) {
		return Encoded{}, fault.New(fault.Invalid, "the text is not valid UTF-8").At(atValue)
	}
	b, err := marshal(s)
	return Encoded{String, string(b)}, err
}

// encodeKind is for the sized numbers, for named types over a basic one, and for everything JSON can say.
func encodeKind(v reflect.Value) (Encoded, error) {
	if _, own := v.Interface().(json.Marshaler); own {
		return encodeJSON(v.Interface())
	}
	switch k := v.Kind(); k {
	case reflect.Bool:
		return encode(v.Bool())
	case reflect.String:
		return encodeText(v.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Encoded{k.String(), strconv.FormatInt(v.Int(), 10)}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Encoded{k.String(), strconv.FormatUint(v.Uint(), 10)}, nil
	case reflect.Float32:
		return encodeFloat(v.Float(), 32)
	case reflect.Float64:
		return encodeFloat(v.Float(), 64)
	case reflect.Map, reflect.Slice, reflect.Array, reflect.Struct, reflect.Pointer:
		return encodeJSON(v.Interface())
	}
	return Encoded{}, fault.New(fault.Invalid, "a %s cannot be written down", v.Kind()).At(atValue).
		WithHint("use a bool, a number, a string, a duration or JSON")
}

func encodeFloat(f float64, bits int) (Encoded, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Encoded{}, fault.New(fault.Invalid, "NaN and infinities are not values").At(atValue)
	}
	return Encoded{"float" + strconv.Itoa(bits), strconv.FormatFloat(f, 'g', -1, bits)}, nil
}

func encodeNumber(n json.Number) (Encoded, error) {
	v, err := number(n)
	if err != nil {
		return Encoded{}, err
	}
	if _, big := v.(json.Number); big {
		return Encoded{JSON, string(n)}, nil
	}
	return encode(v)
}

// Decode reads a value back. JSON comes as map[string]any, []any, string, bool, nil and numbers as [number] has them; each
// call returns a tree of its own.
func Decode(e Encoded) (any, error) {
	v, err := decode(e)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "a stored value cannot be read")
	}
	return v, nil
}

func decode(e Encoded) (any, error) {
	switch e.Kind {
	case JSON:
		return parse([]byte(e.Text))
	case Bool:
		return strconv.ParseBool(e.Text)
	case String:
		var s string
		err := json.Unmarshal([]byte(e.Text), &s)
		return s, err
	case Duration:
		n, err := strconv.ParseInt(e.Text, 10, 64)
		return time.Duration(n), err
	case "float32":
		f, err := strconv.ParseFloat(e.Text, 32)
		return float32(f), err
	case "float64":
		return strconv.ParseFloat(e.Text, 64)
	}
	return decodeInt(e)
}

func decodeInt(e Encoded) (any, error) {
	t, ok := intTypes[e.Kind]
	if !ok {
		return nil, fault.New(fault.Internal, "there is no kind of value named %q", e.Kind)
	}
	v := reflect.New(t).Elem()
	if v.CanInt() {
		n, err := strconv.ParseInt(e.Text, 10, t.Bits())
		v.SetInt(n)
		return v.Interface(), err
	}
	n, err := strconv.ParseUint(e.Text, 10, t.Bits())
	v.SetUint(n)
	return v.Interface(), err
}

var intTypes = map[string]reflect.Type{
	"int": reflect.TypeFor[int](), "int8": reflect.TypeFor[int8](), "int16": reflect.TypeFor[int16](),
	"int32": reflect.TypeFor[int32](), "int64": reflect.TypeFor[int64](),
	"uint": reflect.TypeFor[uint](), "uint8": reflect.TypeFor[uint8](), "uint16": reflect.TypeFor[uint16](),
	"uint32": reflect.TypeFor[uint32](), "uint64": reflect.TypeFor[uint64](),
}
