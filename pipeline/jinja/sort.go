package jinja

import (
	"slices"

	"github.com/haywardhq/hayward/pipeline/value"
)

func sortList(r *run, self value.Value, a *args) (value.Value, error) {
	got, err := (&cKeywords{name: "sort", params: []string{"key", "reverse"}}).unpack(a)
	if err != nil {
		return nil, err
	}
	reverse, err := intArg(got[1], 0)
	if err != nil {
		return nil, err
	}
	l := self.(*value.List)
	key := func(v value.Value) (value.Value, error) { return v, nil }
	if !value.IsNone(got[0]) {
		key = func(v value.Value) (value.Value, error) { return r.callValue(got[0], &args{pos: []value.Value{v}}) }
	}
	items, err := r.sorted(append([]value.Value(nil), l.Items...), key, reverse != 0)
	if err != nil {
		return nil, err
	}
	l.Items = items
	return value.None, nil
}

// sorted is Python's sorted: stable, by keys made once. It may reorder items itself.
func (r *run) sorted(items []value.Value, key func(value.Value) (value.Value, error), reverse bool) ([]value.Value, error) {
	n := len(items)
	if err := r.allocItems(2 * n); err != nil {
		return nil, err
	}
	keys := make([]value.Value, n)
	order := make([]int, n)
	for i, v := range items {
		k, err := key(v)
		if err != nil {
			return nil, err
		}
		keys[i], order[i] = k, i
	}
	if reverse { // as Python: turned round before and after, so that equal items keep their order
		slices.Reverse(order)
	}
	var failed error
	less := func(a, b int) bool {
		if failed != nil {
			return false
		}
		ok, err := r.order(tokLt, keys[a], keys[b], 0)
		if err != nil {
			failed = err
		}
		return ok
	}
	mergeSort(order, make([]int, n), less)
	if failed != nil {
		return nil, failed
	}
	if reverse {
		slices.Reverse(order)
	}
	out := make([]value.Value, n)
	for i, at := range order {
		out[i] = items[at]
	}
	return out, nil
}

// mergeSort sorts stably. Up to 63 items it compares the same pairs as Python, so that the message of a failed
// comparison names the same types.
func mergeSort(order, tmp []int, less func(a, b int) bool) {
	n := len(order)
	if n < 64 {
		binarySort(order, sortedRun(order, less), less)
		return
	}
	mid := n / 2
	mergeSort(order[:mid], tmp[:mid], less)
	mergeSort(order[mid:], tmp[mid:], less)
	copy(tmp, order)
	i, j := 0, mid
	for k := range order {
		if i < mid && (j >= n || !less(tmp[j], tmp[i])) {
			order[k] = tmp[i]
			i++
		} else {
			order[k] = tmp[j]
			j++
		}
	}
}

// sortedRun returns how many items at the start are in order, after turning a falling run round.
func sortedRun(order []int, less func(a, b int) bool) int {
	n := len(order)
	if n < 2 {
		return n
	}
	falling, i := less(order[1], order[0]), 2
	for i < n && less(order[i], order[i-1]) == falling {
		i++
	}
	if falling {
		slices.Reverse(order[:i])
	}
	return i
}

// binarySort inserts the items from start on.
func binarySort(order []int, start int, less func(a, b int) bool) {
	for ; start < len(order); start++ {
		item, l, r := order[start], 0, start
		for l < r {
			if p := l + (r-l)/2; less(item, order[p]) {
				r = p
			} else {
				l = p + 1
			}
		}
		copy(order[l+1:start+1], order[l:start])
		order[l] = item
	}
}
