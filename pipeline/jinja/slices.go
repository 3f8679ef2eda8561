package jinja

import (
	"math"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// slice is Python's v[start:stop:step]; nil bounds are absent.
func (r *run) slice(v, start, stop, step value.Value) (value.Value, error) {
	switch v := v.(type) {
	case *value.List:
		items, err := r.sliceItems(v.Items, start, stop, step)
		return &value.List{Items: items}, err
	case value.Tuple:
		items, err := r.sliceItems(v, start, stop, step)
		return value.Tuple(items), err
	case *groupTuple:
		return r.slice(v.pair, start, stop, step)
	case value.Str, markup:
		s, _ := str(v)
		out, err := r.sliceText(s, start, stop, step)
		return like(v, out), err
	case value.Bytes:
		at, n, by, err := bounds(len(v), start, stop, step)
		if err != nil {
			return nil, err
		}
		out := make([]byte, 0, n)
		for i := range n {
			out = append(out, v[at+i*by])
		}
		return value.Bytes(out), r.alloc(n)
	case *rangeVal:
		return v.slice(start, stop, step)
	case *undefined:
		if v.kind == Chainable {
			return v, nil
		}
		return nil, v.fail()
	case *value.Dict:
		return nil, typeErr("unhashable type: 'slice'")
	}
	switch v := v.(type) {
	case *templateRef:
		return nil, typeErr("unhashable type: 'slice'")
	case *genericAlias:
		return v.item(r, nil)
	case *goFunc:
		if v.class == "dict" {
			return r.newAlias(v, newSliceArg(start, stop, step))
		}
		if v.class != "" {
			return nil, typeErr("type '%s' is not subscriptable", v.class[strings.LastIndexByte(v.class, '.')+1:])
		}
	}
	return nil, typeErr("'%s' object is not subscriptable", typeName(v))
}

func (r *run) sliceItems(items []value.Value, start, stop, step value.Value) ([]value.Value, error) {
	at, n, by, err := bounds(len(items), start, stop, step)
	if err != nil {
		return nil, err
	}
	if err := r.allocItems(n); err != nil {
		return nil, err
	}
	out := make([]value.Value, n)
	for i := range out {
		out[i] = items[at+i*by]
	}
	return out, nil
}

func (r *run) sliceText(s string, start, stop, step value.Value) (string, error) {
	if isASCII(s) {
		at, n, by, err := bounds(len(s), start, stop, step)
		if err != nil {
			return "", err
		}
		if by == 1 {
			return s[at : at+n], r.read(len(s))
		}
		out := make([]byte, n)
		for i := range out {
			out[i] = s[at+i*by]
		}
		return bytesString(out), r.alloc(n + len(s)/16)
	}
	if err := r.alloc(4 * len(s)); err != nil {
		return "", err
	}
	runes := []rune(s)
	at, n, by, err := bounds(len(runes), start, stop, step)
	if err != nil {
		return "", err
	}
	out := make([]rune, n)
	for i := range out {
		out[i] = runes[at+i*by]
	}
	return string(out), nil
}

// sliceIndex is one bound of a slice; ok is false for None.
func sliceIndex(v value.Value) (n int, ok bool, err error) {
	if value.IsNone(v) {
		return 0, false, nil
	}
	if !isInt(v) {
		return 0, false, typeErr("slice indices must be integers or None or have an __index__ method")
	}
	n, err = clampIndex(v)
	return n, true, err
}

// bounds turns a slice of a sequence of length n into the first position, the number of items and the step.
func bounds(n int, start, stop, step value.Value) (at, count, by int, err error) {
	at, end, by, err := span(n, start, stop, step)
	if err != nil {
		return 0, 0, 0, err
	}
	switch count = items(at, end, by); count {
	case 0:
		at = 0
	case 1:
		by = 1
	}
	return at, count, by, nil
}

// items is how many a span has.
func items(at, end, by int) int {
	switch {
	case by > 0 && at < end:
		return (end-at-1)/by + 1
	case by < 0 && at > end:
		return (at-end-1)/(-by) + 1
	}
	return 0
}

// span turns a slice of a sequence of length n into the first position, the one it ends before, and the step.
func span(n int, start, stop, step value.Value) (at, end, by int, err error) {
	by, ok, err := sliceIndex(step)
	if err != nil {
		return 0, 0, 0, err
	}
	if !ok {
		by = 1
	}
	if by == 0 {
		return 0, 0, 0, valueErr("slice step cannot be zero")
	}
	by = max(by, -math.MaxInt)
	low, high := 0, n
	if by < 0 {
		low, high = -1, n-1
	}
	at, end = low, high
	if by < 0 {
		at, end = high, low
	}
	if i, ok, err := sliceIndex(start); err != nil {
		return 0, 0, 0, err
	} else if ok {
		at = clip(i, n, low, high)
	}
	if i, ok, err := sliceIndex(stop); err != nil {
		return 0, 0, 0, err
	} else if ok {
		end = clip(i, n, low, high)
	}
	return at, end, by, nil
}

func clip(i, n, low, high int) int {
	if i < 0 {
		i += n
	}
	return min(max(i, low), high)
}
