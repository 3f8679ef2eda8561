package jinja

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

// output prints text and expressions.
func (c *compiler) output(n *outputStmt, s *scope) (execFn, error) {
	var fns []execFn
	for i := 0; i < len(n.nodes); i++ {
		if d, ok := n.nodes[i].(*dataExpr); ok {
			text := d.text
			for i+1 < len(n.nodes) {
				next, ok := n.nodes[i+1].(*dataExpr)
				if !ok {
					break
				}
				text += next.text
				i++
			}
			fns = append(fns, c.data(text))
			continue
		}
		e, err := c.expr(n.nodes[i], s)
		if err != nil {
			return nil, err
		}
		fns = append(fns, lined(n.nodes[i].at(), c.print(e, s)))
	}
	return seq(fns...), nil
}

func (c *compiler) data(text string) execFn {
	return func(r *run, _ *frame) error {
		if r.native != nil {
			return r.piece(value.Str(text))
		}
		return r.write(text)
	}
}

// print writes the value of an expression, as "{{ }}" does: finalized, escaped, as text.
func (c *compiler) print(e evalFn, s *scope) execFn {
	finalize := c.env.finalize
	ctx := *s.ctx
	return func(r *run, f *frame) error {
		v, err := e(r, f)
		if err != nil {
			return err
		}
		if finalize != nil {
			if v, err = finalize(&Call{Args: []value.Value{v}, r: r}); err != nil {
				return err
			}
		}
		if r.native != nil {
			return r.piece(v)
		}
		if ctx.autoescape && !ctx.volatile || ctx.volatile && r.autoescape {
			m, err := r.escape(v)
			if err != nil {
				return err
			}
			return r.write(m.text)
		}
		return r.print(v)
	}
}

// piece adds a value to a native render.
func (r *run) piece(v value.Value) error {
	if err := r.allocItems(1); err != nil {
		return err
	}
	*r.native = append(*r.native, v)
	return nil
}

// emit writes a value that the compiler prints without "{{ }}": the result of a call or filter block. Unlike there,
// Jinja makes no text of it, and so Python cannot join it.
func (r *run) emit(v value.Value) error {
	if r.native != nil {
		return r.piece(v)
	}
	if _, text := str(v); !text && !r.python {
		if r.notText == nil {
			r.notText = typeErr("sequence item 0: expected str instance, %s found", typeName(v))
		}
		return nil
	}
	return r.print(v)
}

func (c *compiler) ifStmt(n *ifStmt, s *scope) (execFn, error) {
	type branch struct {
		line int
		test evalFn
		body execFn
	}
	var list []branch
	for _, b := range append([]*ifStmt{n}, n.elifs...) {
		test, err := c.expr(b.test, s)
		if err != nil {
			return nil, err
		}
		body, err := c.body(b.body, s)
		if err != nil {
			return nil, err
		}
		list = append(list, branch{b.line, test, body})
	}
	els, err := c.body(n.els, s)
	return func(r *run, f *frame) error {
		for i := range list {
			b := &list[i]
			ok, err := r.test(b.test, f)
			if err != nil {
				return atLine(err, b.line)
			}
			if ok {
				return b.body(r, f)
			}
		}
		return els(r, f)
	}, err
}

// test evaluates an expression to a truth value.
func (r *run) test(e evalFn, f *frame) (bool, error) {
	v, err := e(r, f)
	if err != nil {
		return false, err
	}
	return truth(v)
}

// block renders a body and puts its text through a filter, if there is one.
func (r *run) block(body execFn, filter evalFn, f *frame, ctx evalCtx) (value.Value, error) {
	text, err := r.capture(body, f)
	if err != nil {
		return nil, err
	}
	if filter == nil {
		return value.Str(text), nil
	}
	var v value.Value = value.Str(text)
	if ctx.autoescape && !ctx.volatile || ctx.volatile && r.autoescape {
		v = markup{text: text}
	}
	old := r.piped
	r.piped = v
	out, err := filter(r, f)
	r.piped = old
	return out, err
}

func (c *compiler) filterStmt(n *filterStmt, s *scope) (execFn, error) {
	inner := s.inner(s.fn)
	inner.analyze(n, "")
	enter := c.enter(inner)
	body, err := c.body(n.body, inner)
	if err != nil {
		return nil, err
	}
	filter, err := c.expr(n.filter, inner)
	if err != nil {
		return nil, err
	}
	content, ctx := seq(enter, body), *inner.ctx
	return seq(func(r *run, f *frame) error {
		v, err := r.block(content, filter, f, ctx)
		if err != nil {
			return err
		}
		return r.emit(v)
	}, c.leave(inner)), nil
}

func (c *compiler) withStmt(n *withStmt, s *scope) (execFn, error) {
	inner := s.inner(s.fn)
	inner.analyze(n, "")
	fns := []execFn{c.enter(inner)}
	for i := range n.targets {
		e, err := c.expr(n.values[i], s)
		if err != nil {
			return nil, err
		}
		set, err := c.target(n.targets[i], inner)
		if err != nil {
			return nil, err
		}
		fns = append(fns, func(r *run, f *frame) error {
			v, err := e(r, f)
			if err != nil {
				return err
			}
			return set(r, f, v)
		})
	}
	body, err := c.body(n.body, inner)
	return seq(append(fns, body, c.leave(inner))...), err
}

// autoescape switches escaping for a body; a value that is not a constant is decided at run time.
func (c *compiler) autoescape(n *autoescapeStmt, s *scope) (execFn, error) {
	inner := s.inner(s.fn)
	inner.analyze(n, "")
	enter := c.enter(inner)
	val, err := c.expr(n.value, inner)
	if err != nil {
		return nil, err
	}
	saved := *s.ctx
	if k, ok := n.value.(*constExpr); ok {
		s.ctx.autoescape = value.Truthy(k.val)
	} else {
		s.ctx.constant = isConstant(n.value) && (s.ctx.constant || !s.ctx.volatile)
		s.ctx.volatile = true
	}
	body, err := c.body(n.body, inner)
	*s.ctx = saved
	return lined(n.line, seq(enter, func(r *run, f *frame) error {
		on, err := r.test(val, f)
		if err != nil {
			return err
		}
		old := r.autoescape
		r.autoescape = on
		err = body(r, f)
		r.autoescape = old
		return err
	}, c.leave(inner))), err
}
