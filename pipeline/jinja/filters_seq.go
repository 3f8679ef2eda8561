package jinja

import (
	"math/rand/v2"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

func randomIndex(n int) int { return rand.IntN(n) }

// pathParts splits "a.0.b" at the points; digits are positions. The parts are markup if the whole is.
func pathParts(whole value.Value, s string) []value.Value {
	var out []value.Value
	for _, p := range strings.Split(s, ".") {
		if p != "" && strings.Trim(p, "0123456789") == "" {
			if n, err := parseInt(p, 10); err == nil {
				out = append(out, n)
				continue
			}
		}
		out = append(out, like(whole, p))
	}
	return out
}

func filterList(r *run, a []value.Value) (value.Value, error) {
	items, err := r.list(a[0])
	return &value.List{Items: items}, err
}

func filterFirst(r *run, a []value.Value) (value.Value, error) {
	it, err := r.iter(a[0])
	if err != nil {
		return nil, err
	}
	v, ok, err := r.pull(it)
	if err == nil && !ok {
		v = r.undefHint("No first item, sequence was empty.", "")
	}
	return v, err
}

// reverse gives the items of what Python's reversed() takes, from the end.
func (r *run) reverse(v value.Value) ([]value.Value, error) {
	switch v := v.(type) {
	case *value.List, value.Tuple, *groupTuple, *mappingProxy, value.Str, markup, *value.Dict, *rangeVal, value.Bytes:
	case *dictView:
	case *undefined:
		return nil, strict(v)
	case *templateRef: // it has items, and so is asked for its length
		_, err := r.length(v)
		return nil, err
	default:
		return nil, typeErr("'%s' object is not reversible", typeName(v))
	}
	items, err := r.list(v)
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
	return items, err
}

// reversedClass names the class of what reversed() gives.
func reversedClass(v value.Value) string {
	switch v := v.(type) {
	case *value.List:
		return "list_reverseiterator"
	case *value.Dict, *mappingProxy:
		return "dict_reversekeyiterator"
	case *rangeVal:
		return "range_iterator"
	case *dictView:
		switch v.kind {
		case "dict_values":
			return "dict_reversevalueiterator"
		case "dict_items":
			return "dict_reverseitemiterator"
		}
		return "dict_reversekeyiterator"
	}
	return "reversed"
}

func filterLast(r *run, a []value.Value) (value.Value, error) {
	if l, ok := a[0].(*value.List); ok && len(l.Items) > 0 {
		return l.Items[len(l.Items)-1], nil
	}
	items, err := r.reverse(a[0])
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return r.undefHint("No last item, sequence was empty.", ""), nil
	}
	if s, ok := items[0].(value.Str); ok { // reversed() takes the items of markup by their index, and those are markup
		return like(a[0], string(s)), nil
	}
	return items[0], nil
}

func filterReverse(r *run, a []value.Value) (value.Value, error) {
	if s, ok := str(a[0]); ok {
		out, err := r.sliceText(s, value.None, value.None, value.Int(-1))
		return like(a[0], out), err
	}
	items, err := r.reverse(a[0])
	if err == nil {
		return &generator{class: reversedClass(a[0]), it: &sliceIter{items: items}}, nil
	}
	if !catchable(err, "TypeError") {
		return nil, err
	}
	if items, err = r.list(a[0]); err != nil {
		if catchable(err, "TypeError") {
			err = filterArgErr("argument must be iterable")
		}
		return nil, err
	}
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
	return &value.List{Items: items}, nil
}

func filterItems(r *run, a []value.Value) (value.Value, error) {
	v := a[0]
	return lazy("do_items", func(r *run) (iterator, error) {
		if asUndefined(v) != nil {
			return &sliceIter{}, nil
		}
		d, ok := v.(*value.Dict)
		if !ok {
			return nil, typeErr("Can only get item pairs from a mapping.")
		}
		return (&dictView{d: d, kind: "dict_items"}).iter(r)
	}), nil
}

func filterBatch(_ *run, a []value.Value) (value.Value, error) {
	src, count, fill := a[0], a[1], a[2]
	return lazy("do_batch", func(r *run) (iterator, error) {
		it, err := r.iter(src)
		if err != nil {
			return nil, err
		}
		done := false
		var tmp []value.Value
		return funcIter(func(r *run) (value.Value, bool, error) {
			for !done {
				v, ok, err := r.pull(it)
				if err != nil {
					return nil, false, err
				}
				if !ok {
					done = true
					break
				}
				full, err := r.equal(value.Int(len(tmp)), count)
				if err != nil {
					return nil, false, err
				}
				out := tmp
				if full {
					tmp = nil
				}
				tmp = append(tmp, v)
				if err := r.allocItems(1); err != nil {
					return nil, false, err
				}
				if full {
					return &value.List{Items: out}, true, nil
				}
			}
			if len(tmp) == 0 {
				return nil, false, nil
			}
			out, err := r.fillBatch(tmp, count, fill)
			tmp = nil
			return &value.List{Items: out}, true, err
		}), nil
	}), nil
}

func (r *run) fillBatch(tmp []value.Value, count, fill value.Value) ([]value.Value, error) {
	if value.IsNone(fill) {
		return tmp, nil
	}
	short, err := r.compareOp(tokLt, value.Int(len(tmp)), count)
	if err != nil || !short {
		return tmp, err
	}
	if !isInt(count) {
		return nil, typeErr("can't multiply sequence by non-int of type '%s'", typeName(count))
	}
	n, err := index(count)
	if err != nil {
		return nil, err
	}
	if err := r.reserve(n, 16); err != nil {
		return nil, err
	}
	for len(tmp) < n {
		tmp = append(tmp, fill)
	}
	return tmp, nil
}

func filterSlice(_ *run, a []value.Value) (value.Value, error) {
	src, slices, fill := a[0], a[1], a[2]
	return lazy("sync_do_slice", func(r *run) (iterator, error) {
		seq, err := r.list(src)
		if err != nil {
			return nil, err
		}
		for _, op := range []tokenKind{tokFloorDiv, tokMod} { // what cannot divide is refused for that
			if _, err := r.arith(op, value.Int(len(seq)), slices); err != nil {
				return nil, err
			}
		}
		n, err := index(slices)
		if err != nil {
			return nil, err
		}
		if n < 0 {
			return &sliceIter{}, nil
		}
		per, extra, i, offset := len(seq)/n, len(seq)%n, 0, 0
		return funcIter(func(r *run) (value.Value, bool, error) {
			if i >= n {
				return nil, false, nil
			}
			start := offset + i*per
			if i < extra {
				offset++
			}
			tmp := append([]value.Value(nil), seq[start:offset+(i+1)*per]...)
			if !value.IsNone(fill) && i >= extra {
				tmp = append(tmp, fill)
			}
			i++
			return &value.List{Items: tmp}, true, r.allocItems(len(tmp) + 2)
		}), nil
	}), nil
}

func filterSum(r *run, a []value.Value) (value.Value, error) {
	g := newGetter(a[1], false)
	sum := a[2]
	if sum == nil {
		sum = value.Int(0)
	}
	if _, err := r.iter(a[0]); err != nil {
		return nil, err
	}
	if _, ok := str(sum); ok {
		return nil, typeErr("sum() can't sum strings [use ''.join(seq) instead]")
	}
	if _, ok := sum.(value.Bytes); ok {
		return nil, typeErr("sum() can't sum bytes [use b''.join(seq) instead]")
	}
	err := r.each(a[0], func(v value.Value) error {
		v, err := g.get(r, v)
		if err != nil {
			return err
		}
		sum, err = r.arith(tokAdd, sum, v)
		return err
	})
	return sum, err
}

// filterJoin takes items one by one, so that the first that is wrong in any way is the one told of, but with autoescaping all
// of them first: any may be markup, and then the others are escaped.
func filterJoin(r *run, a []value.Value) (value.Value, error) {
	g := newGetter(a[2], false)
	d := a[1]
	if d == nil {
		d = value.Str("")
	}
	if r.autoescape && !isMarkup(d) {
		return r.joinEscaped(a[0], g, d)
	}
	sep, err := r.str(d)
	if err != nil {
		return nil, err
	}
	var out []byte
	n, safe := 0, isMarkup(d) && r.autoescape
	err = r.each(a[0], func(v value.Value) error {
		v, err := g.get(r, v)
		if err != nil {
			return err
		}
		text, err := r.str(v)
		if err == nil && safe && !isMarkup(v) {
			text, err = r.escapeText(text)
		}
		if err != nil {
			return err
		}
		if n++; n > 1 {
			out = append(out, sep...)
		}
		out = append(out, text...)
		return r.alloc(len(sep) + len(text))
	})
	if safe {
		return markup{text: bytesString(out)}, err
	}
	return value.Str(bytesString(out)), err
}

func (r *run) joinEscaped(items value.Value, g attrGetter, d value.Value) (value.Value, error) {
	var parts []value.Value
	err := r.each(items, func(v value.Value) error {
		v, err := g.get(r, v)
		parts = append(parts, v)
		if err == nil {
			err = r.allocItems(1)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	safe := false
	for i, v := range parts {
		if isMarkup(v) {
			safe = true
			continue
		}
		text, err := r.str(v)
		if err != nil {
			return nil, err
		}
		parts[i] = value.Str(text)
	}
	sep, err := r.str(d)
	if err == nil && safe {
		sep, err = r.escapeText(sep)
	}
	if err != nil {
		return nil, err
	}
	out, err := r.joinParts(parts, sep, safe)
	if safe {
		return markup{text: out}, err
	}
	return value.Str(out), err
}

func (r *run) joinParts(parts []value.Value, sep string, safe bool) (string, error) {
	var out []byte
	for i, v := range parts {
		text, err := r.str(v)
		if err == nil && safe && !isMarkup(v) {
			text, err = r.escapeText(text)
		}
		if err != nil {
			return "", err
		}
		if err := r.alloc(len(sep) + len(text)); err != nil {
			return "", err
		}
		if i > 0 {
			out = append(out, sep...)
		}
		out = append(out, text...)
	}
	return bytesString(out), nil
}
