package value

import (
	"math"
	"strconv"
)

// AppendJSON appends v as compact JSON for HTTP: no spaces, text as UTF-8, data classes as their dict, bytes as a list of
// numbers, tuples and sets as lists, dates as ISO text, other keys than strings as their text. NaN and the infinities,
// which JSON does not have, become null. A value that holds itself or is nested beyond 1,000 levels becomes null there.
func AppendJSON(dst []byte, v Value) []byte { return appendCompact(dst, v, 0) }

func appendCompact(dst []byte, v Value, depth int) []byte {
	if depth > maxReprDepth {
		return append(dst, "null"...)
	}
	switch v := v.(type) {
	case nil, noneType:
		return append(dst, "null"...)
	case Bool:
		return strconv.AppendBool(dst, bool(v))
	case Int:
		return strconv.AppendInt(dst, int64(v), 10)
	case *BigInt:
		return v.N.Append(dst, 10)
	case Float:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return append(dst, "null"...)
		}
		return AppendFloat(dst, float64(v))
	case Str:
		return AppendJSONString(dst, string(v), false)
	case *List:
		return compactItems(dst, v.Items, depth)
	case Tuple:
		return compactItems(dst, v, depth)
	case *Dict:
		return compactDict(dst, v, depth)
	case Bytes:
		return AppendByteList(dst, string(v))
	case JSONAppender:
		return v.AppendJSON(dst)
	}
	plain, ok := jsonForm(v)
	if !ok {
		return append(dst, "null"...)
	}
	return appendCompact(dst, plain, depth+1)
}

// JSONAppender is an [Object] that writes its dict as compact JSON without making the dict.
type JSONAppender interface {
	// AppendJSON appends what [AppendJSON] would append for the object's dict.
	AppendJSON(dst []byte) []byte
}

// AppendByteList appends bytes as a JSON list of numbers.
func AppendByteList[T string | []byte](dst []byte, data T) []byte {
	dst = append(dst, '[')
	for i := range len(data) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(data[i]), 10)
	}
	return append(dst, ']')
}

func compactItems(dst []byte, items []Value, depth int) []byte {
	dst = append(dst, '[')
	for i, v := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCompact(dst, v, depth+1)
	}
	return append(dst, ']')
}

func compactDict(dst []byte, d *Dict, depth int) []byte {
	dst = append(dst, '{')
	first := true
	for k, v := range d.All() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendCompactKey(dst, k), ':')
		dst = appendCompact(dst, v, depth+1)
	}
	return append(dst, '}')
}

func appendCompactKey(dst []byte, key Value) []byte {
	switch k := Plain(key).(type) {
	case Str:
		return AppendJSONString(dst, string(k), false)
	case Bool, noneType:
		return append(appendCompact(append(dst, '"'), k, 0), '"')
	}
	return AppendJSONString(dst, ToStr(key), false)
}
