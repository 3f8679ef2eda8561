package jinja

import (
	"strconv"

	"github.com/haywardhq/hayward/pipeline/value"
)

func (c *compiler) expr(e expr, s *scope) (evalFn, error) {
	switch e := e.(type) {
	case *nameExpr:
		return c.nameExpr(e, s), nil
	case *constExpr:
		v := e.val
		return func(*run, *frame) (value.Value, error) { return v, nil }, nil
	case *dataExpr:
		v := value.Str(e.text)
		return func(*run, *frame) (value.Value, error) { return v, nil }, nil
	case *tupleExpr:
		return c.tupleExpr(e, s)
	case *sliceExpr:
		return nil, unsupported(e.line, "slices inside a tuple subscript, as in x[1:2, 3], are not supported")
	case *listExpr:
		return c.listExpr(e, s)
	case *dictExpr:
		return c.dictExpr(e, s)
	case *condExpr:
		return c.condExpr(e, s.softly())
	case *filterExpr:
		return c.filterExpr(e, s)
	case *testExpr:
		return c.testExpr(e, s)
	case *callExpr:
		return c.callExpr(e, s, nil)
	case *goCallExpr:
		return c.goCall(e, s, nil)
	case *getattrExpr:
		return c.getattrExpr(e, s)
	case *getitemExpr:
		return c.getitemExpr(e, s)
	case *concatExpr:
		return c.concatExpr(e, s)
	case *compareExpr:
		return c.compareExpr(e, s)
	case *binExpr:
		return c.binExpr(e, s)
	case *logicExpr:
		return c.logicExpr(e, s)
	case *unaryExpr:
		return c.unaryExpr(e, s)
	}
	return nil, unsupported(e.at(), "this expression")
}

func (c *compiler) exprs(list []expr, s *scope) ([]evalFn, error) {
	out := make([]evalFn, len(list))
	for i, e := range list {
		var err error
		if out[i], err = c.expr(e, s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *compiler) nameExpr(e *nameExpr, s *scope) evalFn {
	at, _ := s.find(e.name)
	hops, slot, name := s.hops(at), at.slot, e.name
	if hops == 0 {
		return func(r *run, f *frame) (value.Value, error) {
			if v := f.slots[slot]; v != nil {
				return v, nil
			}
			return r.undefName(name), nil
		}
	}
	return func(r *run, f *frame) (value.Value, error) {
		if v := f.hop(hops).slots[slot]; v != nil {
			return v, nil
		}
		return r.undefName(name), nil
	}
}

// evalAll evaluates a list of expressions into fresh memory.
func (r *run) evalAll(list []evalFn, f *frame) ([]value.Value, error) {
	if err := r.allocItems(len(list)); err != nil {
		return nil, err
	}
	out := make([]value.Value, len(list))
	for i, e := range list {
		var err error
		if out[i], err = e(r, f); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *compiler) tupleExpr(e *tupleExpr, s *scope) (evalFn, error) {
	list, err := c.exprs(e.items, s)
	return func(r *run, f *frame) (value.Value, error) {
		out, err := r.evalAll(list, f)
		return value.Tuple(out), err
	}, err
}

func (c *compiler) listExpr(e *listExpr, s *scope) (evalFn, error) {
	list, err := c.exprs(e.items, s)
	return func(r *run, f *frame) (value.Value, error) {
		out, err := r.evalAll(list, f)
		return &value.List{Items: out}, err
	}, err
}

func (c *compiler) dictExpr(e *dictExpr, s *scope) (evalFn, error) {
	keys, vals := make([]evalFn, len(e.items)), make([]evalFn, len(e.items))
	for i, p := range e.items {
		var err error
		if keys[i], err = c.expr(p.key, s); err != nil {
			return nil, err
		}
		if vals[i], err = c.expr(p.val, s); err != nil {
			return nil, err
		}
	}
	return func(r *run, f *frame) (value.Value, error) {
		if err := r.allocItems(3 * len(keys)); err != nil {
			return nil, err
		}
		d := &value.Dict{}
		for i := range keys {
			k, err := keys[i](r, f)
			if err != nil {
				return nil, err
			}
			v, err := vals[i](r, f)
			if err != nil {
				return nil, err
			}
			if k, err = r.key(k); err != nil {
				return nil, err
			}
			d.SetKey(k, v)
		}
		return d, nil
	}, nil
}

func (c *compiler) condExpr(e *condExpr, s *scope) (evalFn, error) {
	then, err := c.expr(e.then, s)
	if err != nil {
		return nil, err
	}
	test, err := c.expr(e.test, s)
	if err != nil {
		return nil, err
	}
	hint := "the inline if-expression on line " + strconv.Itoa(e.line)
	if c.name != "" {
		hint += " in " + quote(c.name)
	}
	hint += " evaluated to false and no else section was defined."
	els := func(*run, *frame) (value.Value, error) { return &undefined{hint: hint}, nil }
	if e.els != nil {
		if els, err = c.expr(e.els, s); err != nil {
			return nil, err
		}
	}
	return func(r *run, f *frame) (value.Value, error) {
		ok, err := r.test(test, f)
		if err != nil {
			return nil, err
		}
		if ok {
			return then(r, f)
		}
		return els(r, f)
	}, nil
}

func (c *compiler) getattrExpr(e *getattrExpr, s *scope) (evalFn, error) {
	c.mutates = c.mutates || isMutator(e.attr)
	obj, err := c.expr(e.node, s)
	name := e.attr
	return func(r *run, f *frame) (value.Value, error) {
		v, err := obj(r, f)
		if err != nil {
			return nil, err
		}
		return r.getattr(v, name)
	}, err
}

func (c *compiler) getitemExpr(e *getitemExpr, s *scope) (evalFn, error) {
	obj, err := c.expr(e.node, s)
	if err != nil {
		return nil, err
	}
	if sl, ok := e.arg.(*sliceExpr); ok {
		return c.sliceExpr(obj, sl, s)
	}
	arg, err := c.expr(e.arg, s)
	return func(r *run, f *frame) (value.Value, error) {
		v, err := obj(r, f)
		if err != nil {
			return nil, err
		}
		i, err := arg(r, f)
		if err != nil {
			return nil, err
		}
		return r.getitem(v, i)
	}, err
}

func (c *compiler) sliceExpr(obj evalFn, e *sliceExpr, s *scope) (evalFn, error) {
	var parts [3]evalFn
	for i, b := range []expr{e.start, e.stop, e.step} {
		if b == nil {
			continue
		}
		var err error
		if parts[i], err = c.expr(b, s); err != nil {
			return nil, err
		}
	}
	return func(r *run, f *frame) (value.Value, error) {
		v, err := obj(r, f)
		if err != nil {
			return nil, err
		}
		var b [3]value.Value
		for i, p := range parts {
			if p == nil {
				continue
			}
			if b[i], err = p(r, f); err != nil {
				return nil, err
			}
		}
		return r.slice(v, b[0], b[1], b[2])
	}, nil
}

// concatExpr is "~": text of everything, joined.
func (c *compiler) concatExpr(e *concatExpr, s *scope) (evalFn, error) {
	list, err := c.exprs(e.nodes, s)
	ctx := *s.ctx
	return func(r *run, f *frame) (value.Value, error) {
		parts := make([]value.Value, len(list))
		for i, e := range list {
			var err error
			if parts[i], err = e(r, f); err != nil {
				return nil, err
			}
		}
		return r.concat(parts, ctx.autoescape && !ctx.volatile || ctx.constant && r.autoescape)
	}, err
}

func (r *run) concat(parts []value.Value, safe bool) (value.Value, error) {
	found := false
	for _, p := range parts {
		found = found || safe && isMarkup(p)
	}
	n := 0
	texts := make([]string, len(parts))
	for i, p := range parts {
		var err error
		if texts[i], err = r.str(p); err != nil {
			return nil, err
		}
		if found && !isMarkup(p) {
			if texts[i], err = r.escapeText(texts[i]); err != nil {
				return nil, err
			}
		}
		n += len(texts[i])
	}
	if err := r.alloc(n); err != nil {
		return nil, err
	}
	out := make([]byte, 0, n)
	for _, t := range texts {
		out = append(out, t...)
	}
	if found {
		return markup{text: bytesString(out)}, nil
	}
	return value.Str(bytesString(out)), nil
}

func (c *compiler) compareExpr(e *compareExpr, s *scope) (evalFn, error) {
	first, err := c.expr(e.expr, s)
	if err != nil {
		return nil, err
	}
	ops := make([]tokenKind, len(e.ops))
	rest := make([]evalFn, len(e.ops))
	for i, o := range e.ops {
		ops[i] = o.op
		if rest[i], err = c.expr(o.expr, s); err != nil {
			return nil, err
		}
	}
	return func(r *run, f *frame) (value.Value, error) {
		left, err := first(r, f)
		if err != nil {
			return nil, err
		}
		for i, op := range ops {
			right, err := rest[i](r, f)
			if err != nil {
				return nil, err
			}
			ok, err := r.compareOp(op, left, right)
			if err != nil || !ok {
				return value.Bool(false), err
			}
			left = right
		}
		return value.Bool(true), nil
	}, nil
}

func (c *compiler) binExpr(e *binExpr, s *scope) (evalFn, error) {
	left, err := c.expr(e.left, s)
	if err != nil {
		return nil, err
	}
	right, err := c.expr(e.right, s)
	op := e.op
	return func(r *run, f *frame) (value.Value, error) {
		a, err := left(r, f)
		if err != nil {
			return nil, err
		}
		b, err := right(r, f)
		if err != nil {
			return nil, err
		}
		return r.arith(op, a, b)
	}, err
}

func (c *compiler) logicExpr(e *logicExpr, s *scope) (evalFn, error) {
	left, err := c.expr(e.left, s)
	if err != nil {
		return nil, err
	}
	right, err := c.expr(e.right, s)
	and := e.and
	return func(r *run, f *frame) (value.Value, error) {
		v, err := left(r, f)
		if err != nil {
			return nil, err
		}
		ok, err := truth(v)
		if err != nil {
			return nil, err
		}
		if ok != and {
			return v, nil
		}
		return right(r, f)
	}, err
}

func (c *compiler) unaryExpr(e *unaryExpr, s *scope) (evalFn, error) {
	arg, err := c.expr(e.node, s)
	op := e.op
	return func(r *run, f *frame) (value.Value, error) {
		v, err := arg(r, f)
		if err != nil {
			return nil, err
		}
		if op == opNot {
			ok, err := truth(v)
			return value.Bool(!ok), err
		}
		return r.negate(op, v)
	}, err
}
