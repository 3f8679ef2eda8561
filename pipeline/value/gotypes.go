package value

import (
	"encoding/json"
	"math/big"
	"slices"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// FromGo turns plain Go data into a value: nil, bools, numbers, strings, []byte, time.Time, slices and string-keyed maps
// of such (maps in sorted order), json.Number and *big.Int. Values stay as they are. Any other Go type is an error.
func FromGo(v any) (Value, error) {
	switch v := v.(type) {
	case nil:
		return None, nil
	case Value:
		return v, nil
	case bool:
		return Bool(v), nil
	case string:
		return Str(v), nil
	case []byte:
		return Bytes(v), nil
	case float64:
		return Float(v), nil
	case float32:
		return Float(v), nil
	case json.Number:
		return FromJSON([]byte(v))
	case *big.Int:
		return NewInt(new(big.Int).Set(v)), nil
	case time.Time:
		return DateTime{Time: v.Truncate(time.Microsecond), Aware: true}, nil
	case []any:
		return fromSlice(v)
	case []string:
		return Strs(v...), nil
	case map[string]any:
		return fromMap(v)
	}
	return fromInt(v)
}

func fromInt(v any) (Value, error) {
	switch v := v.(type) {
	case int:
		return Int(v), nil
	case int8:
		return Int(v), nil
	case int16:
		return Int(v), nil
	case int32:
		return Int(v), nil
	case int64:
		return Int(v), nil
	case uint8:
		return Int(v), nil
	case uint16:
		return Int(v), nil
	case uint32:
		return Int(v), nil
	case uint:
		return NewInt(new(big.Int).SetUint64(uint64(v))), nil
	case uint64:
		return NewInt(new(big.Int).SetUint64(v)), nil
	}
	return nil, fault.New(fault.Invalid, "a Go value of type %T has no Python counterpart", v).WithCode("TypeError")
}

func fromSlice(items []any) (Value, error) {
	out := &List{Items: make([]Value, len(items))}
	for i, it := range items {
		v, err := FromGo(it)
		if err != nil {
			return nil, err
		}
		out.Items[i] = v
	}
	return out, nil
}

func fromMap(m map[string]any) (Value, error) {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := &Dict{}
	for _, k := range keys {
		v, err := FromGo(m[k])
		if err != nil {
			return nil, err
		}
		out.Set(k, v)
	}
	return out, nil
}

// ToGo turns a value into plain Go data: nil, bool, int64, *big.Int, float64, string, []byte, time.Time, []any and
// map[string]any. Data classes become their dict, keys that are no str their text, dates midnight in UTC.
func ToGo(v Value) any { return toGo(v, 0) }

func toGo(v Value, depth int) any {
	if depth > maxReprDepth {
		return nil
	}
	switch v := v.(type) {
	case Bool:
		return bool(v)
	case Int:
		return int64(v)
	case *BigInt:
		return new(big.Int).Set(v.N)
	case Float:
		return float64(v)
	case Str:
		return string(v)
	case Bytes:
		return []byte(v)
	case *List:
		return toSlice(v.Items, depth)
	case Tuple:
		return toSlice(v, depth)
	case *Set:
		return toSlice(v.Items(), depth)
	case *Dict:
		return toMap(v, depth)
	case Date:
		return time.Date(v.Year, time.Month(v.Month), v.Day, 0, 0, 0, 0, time.UTC)
	case DateTime:
		return v.Time
	case *Enum:
		return toGo(v.Value, depth+1)
	case Object:
		return toMap(ObjectDict(v), depth)
	}
	return nil
}

func toSlice(items []Value, depth int) []any {
	out := make([]any, len(items))
	for i, it := range items {
		out[i] = toGo(it, depth+1)
	}
	return out
}

func toMap(d *Dict, depth int) map[string]any {
	out := make(map[string]any, d.Len())
	for k, v := range d.All() {
		out[ToStr(k)] = toGo(v, depth+1)
	}
	return out
}
