package pipelinetest

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/pipeline/vectortest"
)

// Decode turns a recorded value into what the engine works with, by [vectortest.Decode]. What has no Go type, such as the
// state of an agent, stays a dict with its "$type".
func Decode(v value.Value) value.Value {
	switch v := v.(type) {
	case *value.List:
		out := make([]value.Value, len(v.Items))
		for i, it := range v.Items {
			out[i] = Decode(it)
		}
		return &value.List{Items: out}
	case *value.Dict:
		if known, err := vectortest.Decode(v); err == nil {
			return known
		}
		out := &value.Dict{}
		for k, x := range v.All() {
			out.SetKey(k, Decode(x))
		}
		return out
	}
	return v
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
