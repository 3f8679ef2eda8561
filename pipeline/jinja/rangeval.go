package jinja

import (
	"math"
	"strconv"

	"github.com/haywardhq/hayward/pipeline/value"
)

// rangeVal is Python's range.
type rangeVal struct {
	internal
	start, stop, step int64
	n                 int
}

func (v *rangeVal) Class() string { return "range" }

// Repr returns "range(0, 3)".
func (v *rangeVal) Repr() string {
	s := "range(" + strconv.FormatInt(v.start, 10) + ", " + strconv.FormatInt(v.stop, 10)
	if v.step != 1 {
		s += ", " + strconv.FormatInt(v.step, 10)
	}
	return s + ")"
}

// PyLen is the number of items.
func (v *rangeVal) PyLen() int { return v.n }

func (v *rangeVal) length(*run) (int, error) { return v.n, nil }

func (v *rangeVal) at(i int) value.Value { return value.Int(v.start + int64(i)*v.step) }

func (v *rangeVal) iter(*run) (iterator, error) {
	i := 0
	return funcIter(func(*run) (value.Value, bool, error) {
		if i >= v.n {
			return nil, false, nil
		}
		i++
		return v.at(i - 1), true, nil
	}), nil
}

// slice is v[start:stop:step], a range again. A step beyond 64 bits is cut down where no second item comes of it, and
// refused where one would.
func (v *rangeVal) slice(start, stop, step value.Value) (value.Value, error) {
	at, end, by, err := span(v.n, start, stop, step)
	if err != nil {
		return nil, err
	}
	out := &rangeVal{start: v.start + int64(at)*v.step, stop: v.start + int64(end)*v.step, step: v.step * int64(by), n: items(at, end, by)}
	if out.step/int64(by) != v.step {
		if out.n > 1 {
			return nil, raise("OverflowError", "Python int too large to convert to C ssize_t")
		}
		out.step = math.MaxInt64
	}
	return out, nil
}

// index returns the position of x, or -1.
func (v *rangeVal) index(x value.Value) int {
	if f, ok := x.(value.Float); ok && value.Float(int64(f)) == f {
		x = value.Int(f)
	}
	i, ok := smallInt(x)
	if !ok || v.n == 0 {
		return -1
	}
	d := int64(i) - v.start
	if d%v.step != 0 || d/v.step < 0 || d/v.step >= int64(v.n) {
		return -1
	}
	return int(d / v.step)
}

// makeRange is range(...) of the sandbox: 100,000 items at most.
func (r *run) makeRange(args []value.Value) (value.Value, error) {
	switch len(args) {
	case 0:
		return nil, typeErr("range expected at least 1 argument, got 0")
	case 1, 2, 3:
	default:
		return nil, typeErr("range expected at most 3 arguments, got %d", len(args))
	}
	var n [3]int64
	n[2] = 1
	var big error
	for i, a := range args {
		x, err := index(a)
		if catchable(err, "OverflowError") { // which is met once all are ints
			big, err = err, nil
		}
		if err != nil {
			return nil, err
		}
		n[i] = int64(x)
	}
	if big != nil {
		return nil, big
	}
	if len(args) == 1 {
		n[0], n[1] = 0, n[0]
	}
	if n[2] == 0 {
		return nil, valueErr("range() arg 3 must not be zero")
	}
	v := &rangeVal{start: n[0], stop: n[1], step: n[2]}
	count := rangeLen(n[0], n[1], n[2])
	if count > uint64(r.lim.Range) {
		return nil, raise("OverflowError", "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).", r.lim.Range)
	}
	v.n = int(count)
	return v, nil
}

func rangeLen(start, stop, step int64) uint64 {
	switch {
	case step > 0 && start < stop:
		return (uint64(stop)-uint64(start)-1)/uint64(step) + 1
	case step < 0 && start > stop:
		return (uint64(start)-uint64(stop)-1)/(uint64(-(step+1))+1) + 1
	}
	return 0
}

// dictView is dict.keys(), dict.values() or dict.items().
type dictView struct {
	internal
	d    *value.Dict
	kind string // "dict_keys", "dict_values", "dict_items"
}

func (v *dictView) Class() string            { return v.kind }
func (v *dictView) Repr() string             { return v.kind + "(...)" }
func (v *dictView) PyLen() int               { return v.d.Len() }
func (v *dictView) length(*run) (int, error) { return v.d.Len(), nil }

func (v *dictView) appendRepr(p *reprWriter, dst []byte) ([]byte, error) {
	list := make([]value.Value, 0, v.d.Len())
	for k, item := range v.d.All() {
		list = append(list, v.pick(k, item))
	}
	dst, err := p.append(append(append(dst, v.kind...), '('), value.NewList(list...))
	return append(dst, ')'), err
}

func (v *dictView) pick(k, item value.Value) value.Value {
	switch v.kind {
	case "dict_keys":
		return k
	case "dict_values":
		return item
	}
	return value.Tuple{k, item}
}

func (v *dictView) iter(r *run) (iterator, error) {
	if err := r.allocItems(v.d.Len()); err != nil {
		return nil, err
	}
	keys := dictIter{d: v.d, keys: dictKeys(v.d)}
	if v.kind == "dict_keys" {
		return &keys, nil
	}
	return funcIter(func(r *run) (value.Value, bool, error) {
		k, ok, err := keys.next(r)
		if err != nil || !ok {
			return nil, false, err
		}
		item, _ := v.d.GetKey(k)
		return v.pick(k, item), true, nil
	}), nil
}
