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
func (r *run) applier(kind string, name value.Value, rest []value.Value, kw []Kwarg) (func(value.Value) (value.Value, error),
	error) {
	text, ok := str(name)
	if u := asUndefined(name); u != nil {
		msg := "No " + kind + " named " + value.Repr(name)
		return func(value.Value) (value.Value, error) {
			if err := r.hashable(name); err != nil {
				return nil, err
			}
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
	shown, err := r.repr(name)
	if err != nil {
		return nil, err
	}
	return func(v value.Value) (value.Value, error) {
		if fn == nil {
			if err := r.hashable(plain(name)); err != nil { // it is looked up in a dict, and may be no key
				return nil, err
			}
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
	if err := a.reserved("sync_do_map", "context", "value"); err != nil {
		return nil, err
	}
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
		if err := a.reserved("sync_do_"+name, "context", "value"); err != nil {
			return nil, err
		}
		a = a.keep()
		return lazy("select_or_reject", func(r *run) (iterator, error) {
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
