package jinja

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

// setter stores a value in a target: a name, an attribute of a namespace, or a tuple of targets.
type setter func(r *run, f *frame, v value.Value) error

func (c *compiler) target(e expr, s *scope) (setter, error) {
	switch e := e.(type) {
	case *nameExpr:
		at, _ := s.find(e.name)
		hops, slot := s.hops(at), at.slot
		if hops == 0 {
			return func(_ *run, f *frame, v value.Value) error { f.slots[slot] = v; return nil }, nil
		}
		return func(_ *run, f *frame, v value.Value) error { f.hop(hops).slots[slot] = v; return nil }, nil
	case *nsRefExpr:
		return c.nsTarget(e, s), nil
	case *tupleExpr:
		return c.tupleTarget(e, s)
	}
	return nil, unsupported(e.at(), "this target")
}

func (c *compiler) nsTarget(e *nsRefExpr, s *scope) setter {
	at, _ := s.find(e.name)
	hops, slot, attr := s.hops(at), at.slot, e.attr
	return func(r *run, f *frame, v value.Value) error { return r.setItem(f.hop(hops).slots[slot], attr, v) }
}

// setItem is what Jinja makes of a dotted target: Python's box[name] = v. A set with a value has refused all but namespaces
// before; a set block has not.
func (r *run) setItem(box value.Value, name string, v value.Value) error {
	switch box := box.(type) {
	case *namespace:
		box.attrs.Set(name, v)
		return r.allocItems(3)
	case *value.Dict:
		if !r.copying {
			return errCopy
		}
		return r.setKey(box, value.Str(name), v)
	case *value.List:
		return typeErr("list indices must be integers or slices, not str")
	case nil:
		return typeErr("'_MissingType' object does not support item assignment")
	}
	return typeErr("'%s' object does not support item assignment", typeName(box))
}

func (c *compiler) tupleTarget(e *tupleExpr, s *scope) (setter, error) {
	list := make([]setter, len(e.items))
	for i, item := range e.items {
		var err error
		if list[i], err = c.target(item, s); err != nil {
			return nil, err
		}
	}
	return func(r *run, f *frame, v value.Value) error {
		items, err := r.unpack(v, len(list))
		if err != nil {
			return err
		}
		for i, set := range list {
			if err := set(r, f, items[i]); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// unpack gives the n items of v, or Python's error when there are more or fewer.
func (r *run) unpack(v value.Value, n int) ([]value.Value, error) {
	switch t := v.(type) {
	case value.Tuple:
		if len(t) == n {
			return t, nil
		}
	case *value.List:
		if len(t.Items) == n {
			return append([]value.Value(nil), t.Items...), nil
		}
	}
	it, err := r.iter(v)
	if err != nil {
		if catchable(err, "TypeError") {
			err = typeErr("cannot unpack non-iterable %s object", typeName(v))
		}
		return nil, err
	}
	var out []value.Value
	for {
		item, ok, err := r.pull(it)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if len(out) == n {
			return nil, valueErr("too many values to unpack (expected %d)", n)
		}
		out = append(out, item)
	}
	if len(out) < n {
		return nil, valueErr("not enough values to unpack (expected %d, got %d)", n, len(out))
	}
	return out, nil
}

// exports returns what puts the names of a top-level target into the context.
func (c *compiler) exports(target expr, s *scope) execFn {
	if !s.toplevel {
		return nil
	}
	type export struct {
		name string
		slot int
	}
	var list []export
	walk(target, func(n node) {
		if name, ok := n.(*nameExpr); ok && name.ctx == store {
			at, _ := s.find(name.name)
			list = append(list, export{name.name, at.slot})
		}
	})
	if len(list) == 0 {
		return nil
	}
	return func(r *run, f *frame) error {
		for _, e := range list {
			r.export(e.name, f.slots[e.slot])
		}
		return nil
	}
}

// checkNamespaces fails before anything is evaluated if a target names an attribute of something else.
func (c *compiler) checkNamespaces(target expr, s *scope) execFn {
	var refs []ref
	walk(target, func(n node) {
		if ns, ok := n.(*nsRefExpr); ok {
			at, _ := s.find(ns.name)
			refs = append(refs, at)
		}
	})
	if len(refs) == 0 {
		return nil
	}
	hops := make([]int, len(refs))
	for i, at := range refs {
		hops[i] = s.hops(at)
	}
	return func(_ *run, f *frame) error {
		for i, at := range refs {
			if _, ok := f.hop(hops[i]).slots[at.slot].(*namespace); !ok {
				return templateErr("cannot assign attribute on non-namespace object")
			}
		}
		return nil
	}
}

func (c *compiler) assign(n *assignStmt, s *scope) (execFn, error) {
	e, err := c.expr(n.node, s)
	if err != nil {
		return nil, err
	}
	set, err := c.target(n.target, s)
	if err != nil {
		return nil, err
	}
	return seq(c.checkNamespaces(n.target, s), func(r *run, f *frame) error {
		v, err := e(r, f)
		if err != nil {
			return err
		}
		return set(r, f, v)
	}, c.exports(n.target, s)), nil
}

func (c *compiler) assignBlock(n *assignBlockStmt, s *scope) (execFn, error) {
	inner := s.inner(s.fn)
	inner.printed = false
	inner.analyze(n, "")
	enter := c.enter(inner)
	body, err := c.body(n.body, inner)
	if err != nil {
		return nil, err
	}
	leave := c.leave(inner)
	set, err := c.target(n.target, s)
	if err != nil {
		return nil, err
	}
	var filter evalFn
	if n.filter != nil {
		if filter, err = c.expr(n.filter, inner); err != nil {
			return nil, err
		}
	}
	content, ctx := seq(enter, body), *inner.ctx
	return seq(func(r *run, f *frame) error {
		v, err := r.block(content, filter, f, ctx)
		if err != nil {
			return err
		}
		if r.autoescape {
			m, ok := v.(markup)
			if !ok {
				text, err := r.str(v)
				if err != nil {
					return err
				}
				m = markup{text: text}
			}
			v = m
		}
		return set(r, f, v)
	}, c.exports(n.target, s), leave), nil
}
