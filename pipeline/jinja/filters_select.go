package jinja

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

// mapper applies a filter or looks an attribute up (jinja2.filters.prepare_map).
func (r *run) mapper(a *args) (func(v value.Value) (value.Value, error), error) {
	if len(a.pos) == 1 && hasKwarg(a.kw, "attribute") {
		g := attrGetter{}
		for _, k := range a.kw {
			switch k.Name {
			case "attribute":
				g.parts = attributeParts(k.Value)
			case "default":
				if !value.IsNone(k.Value) {
					g.dflt = k.Value
				}
			default:
				return nil, filterArgErr("Unexpected keyword argument %s", quote(k.Name))
			}
		}
		return func(v value.Value) (value.Value, error) { return g.get(r, v) }, nil
	}
	if len(a.pos) < 2 {
		return nil, filterArgErr("map requires a filter argument")
	}
	return r.applier("filter", a.pos[1], a.pos[2:], a.kw)
}

func hasKwarg(kw []Kwarg, name string) bool {
	for _, k := range kw {
		if k.Name == name {
			return true
		}
	}
	return false
}

// applier calls a filter or test by name (environment.call_filter and call_test).
func (r *run) applier(kind string, name value.Value, rest []value.Value, kw []Kwarg) (func(v value.Value) (value.Value, error), error) {
	text, ok := str(name)
	if u := asUndefined(name); u != nil {
		msg := "No " + kind + " named " + value.Repr(name)
		return func(value.Value) (value.Value, error) {
			return nil, templateErr("%s. (%s; did you forget to quote the callable name?)", msg, u.message())
		}, nil
	}
	var fn invoker
	if ok {
		fn = r.env.filter(text)
		if kind == "test" {
			fn = r.env.test(text)
		}
	}
	shown, err := r.repr(plain(name))
	if err != nil {
		return nil, err
	}
	return func(v value.Value) (value.Value, error) {
		if fn == nil {
			return nil, templateErr("No %s named %s.", kind, shown)
		}
		base := len(r.stack)
		r.stack = append(append(r.stack, v), rest...)
		n := len(r.stack)
		out, err := fn(r, &args{pos: r.stack[base:n:n], kw: kw})
		r.stack = r.stack[:base]
		return out, err
	}, nil
}

// keep copies arguments that outlive their call.
func (a *args) keep() *args {
	return &args{pos: append([]value.Value(nil), a.pos...), kw: append([]Kwarg(nil), a.kw...)}
}

func filterMap(_ *run, a *args) (value.Value, error) {
	a = a.keep()
	return lazy("sync_do_map", func(r *run) (iterator, error) {
		if ok, err := truth(a.pos[0]); err != nil || !ok {
			return &sliceIter{}, err
		}
		fn, err := r.mapper(a)
		if err != nil {
			return nil, err
		}
		it, err := r.iter(a.pos[0])
		if err != nil {
			return nil, err
		}
		return funcIter(func(r *run) (value.Value, bool, error) {
			v, ok, err := r.pull(it)
			if err != nil || !ok {
				return nil, false, err
			}
			v, err = fn(v)
			return v, err == nil, err
		}), nil
	}), nil
}

// chooser decides about an item (jinja2.filters.prepare_select_or_reject).
func (r *run) chooser(a *args, want, byAttr bool) (func(v value.Value) (bool, error), error) {
	off := 1
	g := attrGetter{}
	if byAttr {
		if len(a.pos) < 2 {
			return nil, filterArgErr("Missing parameter for attribute name")
		}
		g, off = newGetter(a.pos[1], false), 2
	}
	test := func(v value.Value) (value.Value, error) { return v, nil }
	if len(a.pos) > off {
		var err error
		if test, err = r.applier("test", a.pos[off], a.pos[off+1:], a.kw); err != nil {
			return nil, err
		}
	}
	return func(v value.Value) (bool, error) {
		v, err := g.get(r, v)
		if err != nil {
			return false, err
		}
		if v, err = test(v); err != nil {
			return false, err
		}
		ok, err := truth(v)
		return ok == want, err
	}, nil
}

// selector makes select, reject, selectattr and rejectattr.
func selector(name string, want, byAttr bool) func(r *run, a *args) (value.Value, error) {
	return func(_ *run, a *args) (value.Value, error) {
		a = a.keep()
		return lazy(name, func(r *run) (iterator, error) {
			if ok, err := truth(a.pos[0]); err != nil || !ok {
				return &sliceIter{}, err
			}
			choose, err := r.chooser(a, want, byAttr)
			if err != nil {
				return nil, err
			}
			it, err := r.iter(a.pos[0])
			if err != nil {
				return nil, err
			}
			return funcIter(func(r *run) (value.Value, bool, error) {
				for {
					v, ok, err := r.pull(it)
					if err != nil || !ok {
						return nil, false, err
					}
					if ok, err = choose(v); err != nil || ok {
						return v, ok, err
					}
				}
			}), nil
		}), nil
	}
}

func filterUnique(_ *run, a []value.Value) (value.Value, error) {
	src, sensitive, attribute := a[0], a[1], a[2]
	return lazy("sync_do_unique", func(r *run) (iterator, error) {
		exact, err := truthArg(sensitive, false)
		if err != nil {
			return nil, err
		}
		g := newGetter(attribute, !exact)
		it, err := r.iter(src)
		if err != nil {
			return nil, err
		}
		seen := &value.Set{}
		seenUndefined := false
		return funcIter(func(r *run) (value.Value, bool, error) {
			for {
				v, ok, err := r.pull(it)
				if err != nil || !ok {
					return nil, false, err
				}
				k, err := g.get(r, v)
				if err != nil {
					return nil, false, err
				}
				if err := strict(k); err != nil {
					return nil, false, err
				}
				if asUndefined(k) != nil { // all undefined values are one
					if !seenUndefined {
						seenUndefined = true
						return v, true, nil
					}
					continue
				}
				if k, err = r.key(k); err != nil {
					return nil, false, err
				}
				if !seen.Has(k) {
					seen.Add(k)
					return v, true, r.allocItems(3)
				}
			}
		}), nil
	}), nil
}

// sortKey compares by attributes, of which there may be several ("age,name").
func (r *run) sortKey(attribute value.Value, folded bool) func(v value.Value) (value.Value, error) {
	var getters []attrGetter
	if s, ok := str(attribute); ok {
		for _, part := range splitComma(s) {
			getters = append(getters, attrGetter{parts: pathParts(part), folded: folded})
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
	reverse, err := truthArg(a[1], false)
	if err != nil {
		return nil, err
	}
	exact, err := truthArg(a[2], false)
	if err != nil {
		return nil, err
	}
	items, err := r.list(a[0])
	if err != nil {
		return nil, err
	}
	items, err = r.sorted(items, r.sortKey(a[3], !exact), reverse)
	return &value.List{Items: items}, err
}

func filterDictsort(r *run, a []value.Value) (value.Value, error) {
	exact, err := truthArg(a[1], false)
	if err != nil {
		return nil, err
	}
	by := "key"
	if a[2] != nil {
		by, _ = str(a[2])
	}
	at := indexOf([]string{"key", "value"}, by)
	if at < 0 {
		return nil, filterArgErr(`You can only sort by either "key" or "value"`)
	}
	reverse, err := truthArg(a[3], false)
	if err != nil {
		return nil, err
	}
	d, ok := a[0].(*value.Dict)
	if !ok {
		if u := asUndefined(a[0]); u != nil {
			return nil, u.fail()
		}
		return nil, raise("AttributeError", "'%s' object has no attribute 'items'", typeName(a[0]))
	}
	items, err := r.list(&dictView{d: d, kind: "dict_items"})
	if err != nil {
		return nil, err
	}
	items, err = r.sorted(items, func(v value.Value) (value.Value, error) {
		if exact {
			return v.(value.Tuple)[at], nil
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
