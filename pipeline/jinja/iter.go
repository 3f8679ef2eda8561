package jinja

import (
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

// iterator gives one item after the other; ok is false at the end.
type iterator interface {
	next(r *run) (v value.Value, ok bool, err error)
}

// iterable is a value of this room that can be iterated over.
type iterable interface {
	iter(r *run) (iterator, error)
}

// listIter follows a list live, as Python does.
type listIter struct {
	list *value.List
	i    int
}

func (it *listIter) next(*run) (value.Value, bool, error) {
	if it.i >= len(it.list.Items) {
		return nil, false, nil
	}
	it.i++
	return it.list.Items[it.i-1], true, nil
}

type sliceIter struct {
	items []value.Value
	i     int
}

func (it *sliceIter) next(*run) (value.Value, bool, error) {
	if it.i >= len(it.items) {
		return nil, false, nil
	}
	it.i++
	return it.items[it.i-1], true, nil
}

// strIter gives the code points of a text.
type strIter struct{ s string }

func (it *strIter) next(*run) (value.Value, bool, error) {
	if it.s == "" {
		return nil, false, nil
	}
	_, n := utf8.DecodeRuneInString(it.s)
	c := it.s[:n]
	it.s = it.s[n:]
	return value.Str(c), true, nil
}

// dictIter goes over the keys a dict had at the start, and fails if its size changes.
type dictIter struct {
	d    *value.Dict
	keys []value.Value
	i    int
}

func (it *dictIter) next(*run) (value.Value, bool, error) {
	if it.d.Len() != len(it.keys) {
		return nil, false, raise("RuntimeError", "dictionary changed size during iteration")
	}
	if it.i >= len(it.keys) {
		return nil, false, nil
	}
	it.i++
	return it.keys[it.i-1], true, nil
}

func dictKeys(d *value.Dict) []value.Value {
	keys := make([]value.Value, 0, d.Len())
	for k := range d.All() {
		keys = append(keys, k)
	}
	return keys
}

// funcIter is an iterator made of a function.
type funcIter func(r *run) (value.Value, bool, error)

func (f funcIter) next(r *run) (value.Value, bool, error) { return f(r) }

// iter is Python's iter(v).
func (r *run) iter(v value.Value) (iterator, error) {
	switch v := v.(type) {
	case *value.List:
		return &listIter{list: v}, nil
	case value.Tuple:
		return &sliceIter{items: v}, nil
	case *value.Dict:
		if err := r.allocItems(v.Len()); err != nil {
			return nil, err
		}
		return &dictIter{d: v, keys: dictKeys(v)}, nil
	case *value.Set:
		return &sliceIter{items: v.Items()}, r.allocItems(v.Len())
	case value.Str:
		return &strIter{s: string(v)}, nil
	case markup:
		return &strIter{s: v.text}, nil
	case value.Bytes:
		i := 0
		return funcIter(func(*run) (value.Value, bool, error) {
			if i >= len(v) {
				return nil, false, nil
			}
			i++
			return value.Int(v[i-1]), true, nil
		}), nil
	case *undefined:
		return &sliceIter{}, strict(v)
	case iterable:
		return v.iter(r)
	case *value.Enum:
		if v.Mixin {
			return r.iter(v.Value)
		}
	}
	return nil, typeErr("'%s' object is not iterable", typeName(v))
}

// pull takes the next item and counts a step.
func (r *run) pull(it iterator) (value.Value, bool, error) {
	if err := r.step(); err != nil {
		return nil, false, err
	}
	return it.next(r)
}

// list is Python's list(v).
func (r *run) list(v value.Value) ([]value.Value, error) {
	if l, ok := v.(*value.List); ok {
		return append([]value.Value(nil), l.Items...), r.allocItems(len(l.Items))
	}
	it, err := r.iter(v)
	if err != nil {
		return nil, err
	}
	return r.drain(it)
}

func (r *run) drain(it iterator) ([]value.Value, error) {
	var out []value.Value
	for {
		v, ok, err := r.pull(it)
		if err != nil || !ok {
			return out, err
		}
		if err := r.allocItems(1); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
}

// items gives the items of v without copying lists and tuples; the result must not be changed.
func (r *run) items(v value.Value) ([]value.Value, error) {
	switch v := v.(type) {
	case *value.List:
		return v.Items, r.spend(len(v.Items))
	case value.Tuple:
		return v, r.spend(len(v))
	}
	return r.list(v)
}

// each calls visit for every item of v.
func (r *run) each(v value.Value, visit func(value.Value) error) error {
	it, err := r.iter(v)
	if err != nil {
		return err
	}
	for {
		item, ok, err := r.pull(it)
		if err != nil || !ok {
			return err
		}
		if err := visit(item); err != nil {
			return err
		}
	}
}

// sized is a value of this room with a length.
type sized interface {
	length(r *run) (int, error)
}

// length is Python's len(v).
func (r *run) length(v value.Value) (int, error) {
	switch v := v.(type) {
	case value.Str:
		return utf8.RuneCountInString(string(v)), r.read(len(v))
	case markup:
		return utf8.RuneCountInString(v.text), r.read(len(v.text))
	case value.Bytes:
		return len(v), nil
	case *value.List:
		return len(v.Items), nil
	case value.Tuple:
		return len(v), nil
	case *value.Dict:
		return v.Len(), nil
	case *value.Set:
		return v.Len(), nil
	case *undefined:
		return 0, strict(v)
	case sized:
		return v.length(r)
	case *value.Enum:
		if v.Mixin {
			return r.length(v.Value)
		}
	case value.Lener:
		return v.PyLen(), nil
	}
	return 0, typeErr("object of type '%s' has no len()", typeName(v))
}
