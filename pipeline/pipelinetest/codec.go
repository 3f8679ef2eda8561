package pipelinetest

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Decode turns a recorded value into what the engine works with: {"$type": "Document", ...} into a Document, {"$tuple":
// [...]} into a tuple, and so on. What has no Go type stays a dict.
func Decode(v value.Value) value.Value {
	switch v := v.(type) {
	case *value.List:
		return value.NewList(decodeAll(v.Items)...)
	case *value.Dict:
		return decodeDict(v)
	}
	return v
}

func decodeAll(items []value.Value) []value.Value {
	out := make([]value.Value, len(items))
	for i, it := range items {
		out[i] = Decode(it)
	}
	return out
}

func decodeDict(d *value.Dict) value.Value {
	if list, ok := marked(d, "$tuple"); ok {
		return value.Tuple(decodeAll(list))
	}
	if list, ok := marked(d, "$set"); ok {
		if s, ok := value.NewSet(decodeAll(list)...); ok {
			return s
		}
	}
	if list, ok := marked(d, "$bytes"); ok {
		b := make([]byte, len(list))
		for i, it := range list {
			b[i] = byte(it.(value.Int))
		}
		return value.Bytes(b)
	}
	if v, ok := d.Get("$path"); ok && d.Len() == 1 {
		return v
	}
	if class, ok := d.Get("$type"); ok {
		plain := d.Clone()
		plain.Delete("$type")
		if obj := decodeObject(value.ToStr(class), plain); obj != nil {
			return obj
		}
	}
	out := &value.Dict{}
	for k, x := range d.All() {
		out.SetKey(k, Decode(x))
	}
	return out
}

func marked(d *value.Dict, key string) ([]value.Value, bool) {
	v, ok := d.Get(key)
	list, isList := v.(*value.List)
	if !ok || !isList || d.Len() != 1 {
		return nil, false
	}
	return list.Items, true
}

func decodeObject(class string, d *value.Dict) value.Value {
	var obj value.Value
	var err error
	switch class {
	case "ChatMessage":
		obj, err = chat.FromDict(d)
	case "Document":
		obj, err = document.FromDict(d)
	case "ByteStream":
		obj, err = document.BytesFromDict(d)
	case "GeneratedAnswer":
		obj, err = document.GeneratedFromDict(d)
	case "ExtractedAnswer":
		obj, err = document.ExtractedFromDict(d)
	default:
		return nil
	}
	if err != nil {
		return nil
	}
	return obj
}

// Same reports whether two values are the same for a reader of JSON: data classes are compared by their fields, whether a
// document's meta is flattened or not.
func Same(a, b value.Value) bool { return value.Equal(canonical(a), canonical(b)) }

// Show writes a value for a failure message.
func Show(v value.Value) string {
	if v == nil {
		return "nothing"
	}
	return value.Repr(canonical(v))
}

func canonical(v value.Value) value.Value {
	switch v := v.(type) {
	case nil:
		return value.None
	case *value.List:
		return value.NewList(canonicalAll(v.Items)...)
	case value.Tuple:
		return value.Tuple(canonicalAll(v))
	case *value.Dict:
		if v == nil {
			return value.None
		}
		return canonicalDict(v)
	case value.Object:
		return canonicalDict(v.ToDict())
	}
	return v
}

func canonicalAll(items []value.Value) []value.Value {
	out := make([]value.Value, len(items))
	for i, it := range items {
		out[i] = canonical(it)
	}
	return out
}

func canonicalDict(d *value.Dict) value.Value {
	if params, ok := d.Get("init_parameters"); ok {
		if inner, ok := params.(*value.Dict); ok && d.Len() == 2 {
			return canonicalDict(inner)
		}
	}
	_, isDocument := d.Get("sparse_embedding")
	out := &value.Dict{}
	for k, x := range d.All() {
		key, _ := k.(value.Str)
		if strings.HasPrefix(string(key), "$type") {
			continue
		}
		if meta, ok := x.(*value.Dict); ok && key == "meta" && isDocument {
			for mk, mv := range meta.All() {
				out.SetKey(mk, canonical(mv))
			}
			continue
		}
		out.SetKey(k, canonical(x))
	}
	return out
}
