package component

import (
	"reflect"
	"unsafe"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// codec moves one Go type in and out of a struct field.
type codec struct {
	typ      string // the type string
	item     string // of a list's item, or of what an optional one holds
	optional bool   // None is nil
	read     func(field unsafe.Pointer, v value.Value) bool
	write    func(field unsafe.Pointer) value.Value // nil when there is nothing
}

// kind says how one Go type and Python's values become each other.
type kind[T any] struct {
	typ  string
	from func(v value.Value) (T, bool)
	to   func(x T) value.Value
}

// codecs is the closed table of field types.
func codecs() map[reflect.Type]codec {
	t := map[reflect.Type]codec{}
	addScalar(t, kind[string]{"str", func(v value.Value) (string, bool) { s, ok := v.(value.Str); return string(s), ok },
		func(x string) value.Value { return value.Str(x) }})
	addScalar(t, kind[int]{"int", func(v value.Value) (int, bool) { n, ok := v.(value.Int); return int(n), ok },
		func(x int) value.Value { return value.Int(x) }})
	addScalar(t, kind[float64]{"float", fromNumber, func(x float64) value.Value { return value.Float(x) }})
	addScalar(t, kind[bool]{"bool", func(v value.Value) (bool, bool) { b, ok := v.(value.Bool); return bool(b), ok },
		func(x bool) value.Value { return value.Bool(x) }})
	add(t, kind[value.Value]{"typing.Any", func(v value.Value) (value.Value, bool) { return v, true }, func(x value.Value) value.Value { return x }})
	addObject[value.Dict](t, "dict")
	addObject[document.Document](t, "haystack.dataclasses.document.Document")
	addObject[document.ByteStream](t, "haystack.dataclasses.byte_stream.ByteStream")
	addObject[document.GeneratedAnswer](t, "haystack.dataclasses.answer.GeneratedAnswer")
	addObject[chat.Message](t, "haystack.dataclasses.chat_message.ChatMessage")
	return t
}

func fromNumber(v value.Value) (float64, bool) {
	switch v := v.(type) {
	case value.Float:
		return float64(v), true
	case value.Int:
		return float64(v), true
	}
	return 0, false
}

// add registers T, []T and [][]T.
func add[T any](t map[reflect.Type]codec, k kind[T]) {
	list := listOf(k)
	t[reflect.TypeFor[T]()] = codec{typ: k.typ, read: reader(k.from), write: writer(k.to)}
	t[reflect.TypeFor[[]T]()] = codec{typ: list.typ, item: k.typ, read: reader(list.from), write: writer(list.to)}
	nested := listOf(list)
	t[reflect.TypeFor[[][]T]()] = codec{typ: nested.typ, item: list.typ, read: reader(nested.from), write: writer(nested.to)}
}

// addScalar also registers *T, with None as nil.
func addScalar[T any](t map[reflect.Type]codec, k kind[T]) {
	add(t, k)
	read := func(p unsafe.Pointer, v value.Value) bool {
		if v == value.None {
			return true
		}
		x, ok := k.from(v)
		*(**T)(p) = &x
		return ok
	}
	write := func(p unsafe.Pointer) value.Value {
		if x := *(**T)(p); x != nil {
			return k.to(*x)
		}
		return nil
	}
	t[reflect.TypeFor[*T]()] = codec{typ: k.typ + " | None", item: k.typ, optional: true, read: read, write: write}
}

// addObject registers *T for a value that is used by reference; a nil one is nothing.
func addObject[T any, P interface {
	*T
	value.Value
}](t map[reflect.Type]codec, typ string) {
	add(t, kind[P]{typ, func(v value.Value) (P, bool) { x, ok := v.(P); return x, ok && x != nil }, func(x P) value.Value {
		if x == nil {
			return nil
		}
		return x
	}})
}

func reader[T any](from func(value.Value) (T, bool)) func(unsafe.Pointer, value.Value) bool {
	return func(p unsafe.Pointer, v value.Value) bool {
		x, ok := from(v)
		*(*T)(p) = x
		return ok
	}
}

func writer[T any](to func(T) value.Value) func(unsafe.Pointer) value.Value {
	return func(p unsafe.Pointer) value.Value { return to(*(*T)(p)) }
}

func listOf[T any](k kind[T]) kind[[]T] {
	from := func(v value.Value) ([]T, bool) {
		var items []value.Value
		switch v := v.(type) {
		case *value.List:
			items = v.Items
		case value.Tuple:
			items = v
		default:
			return nil, false
		}
		out := make([]T, len(items))
		for i, it := range items {
			x, ok := k.from(it)
			if !ok {
				return nil, false
			}
			out[i] = x
		}
		return out, true
	}
	to := func(xs []T) value.Value {
		out := &value.List{Items: make([]value.Value, len(xs))}
		for i, x := range xs {
			v := k.to(x)
			if v == nil {
				v = value.None
			}
			out.Items[i] = v
		}
		return out
	}
	return kind[[]T]{"list[" + k.typ + "]", from, to}
}

// wrongInput is what a typed component says where a Python one would fail somewhere inside: Haystack checks no values.
func wrongInput(in Input, v value.Value) error {
	want := in.Type.Display()
	if in.Variadic != Single {
		want = "list[" + want + "]"
	}
	return fault.New(fault.Failed, "input '%s' must be %s, but is %s", in.Name, want, value.TypeName(v)).WithCode("TypeError")
}
