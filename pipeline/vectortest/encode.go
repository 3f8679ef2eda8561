package vectortest

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// Encode returns v in the notation of the vectors.
func Encode(v value.Value) value.Value {
	switch v := v.(type) {
	case nil:
		return value.None
	case *value.List:
		return encodeItems(v.Items)
	case value.Tuple:
		return value.NewDict("$tuple", encodeItems(v))
	case *value.Set:
		return value.NewDict("$set", encodeItems(v.Items()))
	case value.Bytes:
		out := &value.List{}
		for i := range len(v) {
			out.Items = append(out.Items, value.Int(v[i]))
		}
		return value.NewDict("$bytes", out)
	case value.DateTime:
		return value.NewDict("$datetime", value.Str(v.ISO('T')))
	case value.Date:
		return value.NewDict("$date", value.Str(v.ISO()))
	case *value.Enum:
		return value.NewDict("$enum", value.Str(v.PyStr()))
	case *value.Dict:
		return encodeFields(&value.Dict{}, v)
	case value.Object:
		class := v.Class()
		out := value.NewDict("$type", value.Str(class[strings.LastIndexByte(class, '.')+1:]))
		return encodeFields(out, value.ObjectDict(v))
	}
	return v
}

func encodeItems(items []value.Value) *value.List {
	out := &value.List{Items: make([]value.Value, len(items))}
	for i, it := range items {
		out.Items[i] = Encode(it)
	}
	return out
}

func encodeFields(out, d *value.Dict) *value.Dict {
	for k, v := range d.All() {
		out.SetKey(k, Encode(v))
	}
	return out
}
