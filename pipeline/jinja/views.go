package jinja

import "github.com/haywardhq/hayward/pipeline/value"

// setLike reports whether a value is a view of a dict that behaves as a set: of its keys or items.
func setLike(v value.Value) bool {
	d, ok := v.(*dictView)
	return ok && d.kind != "dict_values"
}

// minusViews is a - b where one of them is such a view: a set of a without what b gives.
func (r *run) minusViews(a, b value.Value) (value.Value, error) {
	out, err := r.setOf(a)
	if err != nil {
		return nil, err
	}
	gone, err := r.setOf(b)
	if err != nil {
		return nil, err
	}
	return keep(out, gone.Items(), false), r.allocItems(3 * out.Len())
}

// setOf is Python's set(v).
func (r *run) setOf(v value.Value) (*value.Set, error) {
	out := &value.Set{}
	return out, r.each(v, func(x value.Value) error {
		k, err := r.key(x)
		if err != nil {
			return err
		}
		out.Add(k)
		return r.allocItems(3)
	})
}

// orderViews compares two sets or views, one of them a view, as sets are compared: by what they hold.
func (r *run) orderViews(op tokenKind, a, b value.Value) (bool, error) {
	if op == tokGt || op == tokGtEq {
		a, b = b, a
	}
	n, err := r.length(a)
	if err != nil {
		return false, err
	}
	m, err := r.length(b)
	if err != nil || n > m || n == m && (op == tokLt || op == tokGt) {
		return false, err
	}
	it, err := r.iter(a)
	if err != nil {
		return false, err
	}
	for {
		x, more, err := r.pull(it)
		if err != nil || !more {
			return err == nil, err
		}
		if has, err := r.contains(b, x); err != nil || !has {
			return false, err
		}
	}
}

// inView is "item in view" for keys and items.
func (r *run) inView(v *dictView, item value.Value) (bool, error) {
	key := item
	if v.kind == "dict_items" {
		pair, ok := plain(item).(value.Tuple)
		if !ok || len(pair) != 2 {
			return false, nil
		}
		key = pair[0]
	}
	if err := r.hashable(key); err != nil {
		return false, err
	}
	got, ok := v.d.GetKey(plain(key))
	if !ok || v.kind == "dict_keys" {
		return ok, nil
	}
	return r.same(got, plain(item).(value.Tuple)[1], 0)
}

// equalViews compares where one is a view of a dict's keys or items and the other such a view or a set, as sets.
func (r *run) equalViews(a, b value.Value) (eq, both bool, err error) {
	_, set := a.(*value.Set)
	_, set2 := b.(*value.Set)
	if !setLike(a) && !setLike(b) || !setLike(a) && !set || !setLike(b) && !set2 {
		return false, false, nil
	}
	n, err := r.length(a)
	if err != nil {
		return false, true, err
	}
	m, err := r.length(b)
	if err != nil || n != m {
		return false, true, err
	}
	eq, err = r.orderViews(tokLtEq, a, b)
	return eq, true, err
}
