package jinja

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

// sortKey compares by attributes, of which there may be several ("age,name").
func (r *run) sortKey(attribute value.Value, folded bool) func(v value.Value) (value.Value, error) {
	var getters []attrGetter
	if s, ok := str(attribute); ok {
		for _, part := range splitComma(s) {
			getters = append(getters, attrGetter{parts: pathParts(attribute, part), folded: folded})
		}
	} else {
		getters = append(getters, newGetter(attribute, folded))
	}
	return func(v value.Value) (value.Value, error) {
		key := make([]value.Value, len(getters))
		for i, g := range getters {
			var err error
			if key[i], err = g.get(r, v); err != nil {
				return nil, err
			}
		}
		return value.NewList(key...), r.allocItems(len(key))
	}
}

func splitComma(s string) []string {
	out := []string{""}
	for _, c := range s {
		if c == ',' {
			out = append(out, "")
		} else {
			out[len(out)-1] += string(c)
		}
	}
	return out
}

func filterSort(r *run, a []value.Value) (value.Value, error) {
	exact, err := truthArg(a[2], false)
	if err != nil {
		return nil, err
	}
	items, err := r.list(a[0])
	if err != nil {
		return nil, err
	}
	reverse, err := reverseArg(a[1])
	if err != nil {
		return nil, err
	}
	items, err = r.sorted(items, r.sortKey(a[3], !exact), reverse)
	return &value.List{Items: items}, err
}

// reverseArg reads the argument that sorted() takes as an int.
func reverseArg(v value.Value) (bool, error) {
	if v == nil {
		return false, nil
	}
	n, err := index(v)
	if catchable(err, "OverflowError") {
		err = raise("OverflowError", "Python int too large to convert to C int")
	}
	return n != 0, err
}

func filterDictsort(r *run, a []value.Value) (value.Value, error) {
	by := "key"
	if a[2] != nil {
		if err := strict(a[2]); err != nil {
			return nil, err
		}
		by, _ = str(a[2])
	}
	at := indexOf([]string{"key", "value"}, by)
	if at < 0 {
		return nil, filterArgErr(`You can only sort by either "key" or "value"`)
	}
	d, ok := a[0].(*value.Dict)
	if !ok {
		if u := asUndefined(a[0]); u != nil {
			return nil, u.fail()
		}
		return nil, r.notMapping(a[0])
	}
	items, err := r.list(&dictView{d: d, kind: "dict_items"})
	if err != nil {
		return nil, err
	}
	reverse, err := reverseArg(a[3])
	if err != nil {
		return nil, err
	}
	items, err = r.sorted(items, func(v value.Value) (value.Value, error) {
		if exact, err := truthArg(a[1], false); err != nil || exact {
			return v.(value.Tuple)[at], err
		}
		return r.ignoreCase(v.(value.Tuple)[at])
	}, reverse)
	return &value.List{Items: items}, err
}

// groupTuple is the pair that groupby gives: a tuple with names.
type groupTuple struct {
	internal
	pair value.Tuple
}

func filterGroupby(r *run, a []value.Value) (value.Value, error) {
	exact, err := truthArg(a[3], false)
	if err != nil {
		return nil, err
	}
	g := newGetter(a[1], !exact)
	if !value.IsNone(a[2]) {
		g.dflt = a[2]
	}
	items, err := r.list(a[0])
	if err != nil {
		return nil, err
	}
	key := func(v value.Value) (value.Value, error) { return g.get(r, v) }
	if items, err = r.sorted(items, key, false); err != nil {
		return nil, err
	}
	out := &value.List{}
	var last value.Value
	var group *value.List
	g2 := g
	g2.folded = false
	for _, v := range items {
		k, err := key(v)
		if err != nil {
			return nil, err
		}
		same := false
		if group != nil {
			if same, err = r.equal(last, k); err != nil {
				return nil, err
			}
		}
		if !same {
			last, group = k, &value.List{}
			shown := k
			if !exact {
				if shown, err = g2.get(r, v); err != nil {
					return nil, err
				}
			}
			out.Items = append(out.Items, &groupTuple{pair: value.Tuple{shown, group}})
		}
		group.Items = append(group.Items, v)
		if err := r.allocItems(3); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func minMax(op tokenKind) builtinFn {
	return func(r *run, a []value.Value) (value.Value, error) {
		exact, err := truthArg(a[1], false)
		if err != nil {
			return nil, err
		}
		g := newGetter(a[2], !exact)
		var best, bestKey value.Value
		err = r.each(a[0], func(v value.Value) error {
			k, err := g.get(r, v)
			if err != nil {
				return err
			}
			if best == nil {
				best, bestKey = v, k
				return nil
			}
			better, err := r.order(op, k, bestKey, 0)
			if better {
				best, bestKey = v, k
			}
			return err
		})
		if err == nil && best == nil {
			best = r.undefHint("No aggregated item, sequence was empty.", "")
		}
		return best, err
	}
}
