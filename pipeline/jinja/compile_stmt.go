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

// emit writes a value that the compiler prints without "{{ }}": the result of a call or filter block.
func (r *run) emit(v value.Value) error {
	if r.native != nil {
		return r.piece(v)
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
	return func(r *run, f *frame, v value.Value) error {
		ns, ok := f.hop(hops).slots[slot].(*namespace)
		if !ok {
			return templateErr("cannot assign attribute on non-namespace object")
		}
		ns.attrs.Set(attr, v)
		return r.allocItems(3)
	}
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

// blockCall runs a block at its place.
func (c *compiler) blockCall(n *blockStmt, s *scope) (execFn, error) {
	b := c.blocks[n.name]
	var names map[string]ref
	if n.scoped {
		names = s.storedNames()
	}
	hops := map[string]int{}
	for name, at := range names {
		hops[name] = s.hops(at)
	}
	return lined(n.line, func(r *run, f *frame) error {
		if n.required {
			return templateErr("Required block %s not found", quote(n.name))
		}
		if !n.scoped {
			return r.runBlock(b)
		}
		vars := map[string]value.Value{}
		for name, at := range names {
			if v := f.hop(hops[name]).slots[at.slot]; v != nil {
				vars[name] = v
			}
		}
		old := r.cur
		r.cur = &scopeVars{parent: &scopeVars{vars: vars, parent: old}}
		err := r.runBlock(b)
		r.cur = old
		return err
	}), nil
}

// runBlock writes a block into the output.
func (r *run) runBlock(b *block) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	if err := r.step(); err != nil {
		return err
	}
	f := &frame{slots: make([]value.Value, b.fn.n)}
	if b.selfRef != nil {
		f.slots[b.selfRef.slot] = &templateRef{}
	}
	if b.superRef != nil {
		f.slots[b.superRef.slot] = r.undefHint("there is no parent block called "+quote(b.name)+".", "super")
	}
	return b.body(r, f)
}

// templateRef is the variable "self".
type templateRef struct{ internal }

func (*templateRef) Class() string { return "jinja2.runtime.TemplateReference" }

// Repr returns "<TemplateReference None>", as templates without a name print.
func (*templateRef) Repr() string { return "<TemplateReference None>" }

func (t *templateRef) item(r *run, arg value.Value) (value.Value, error) {
	name, _ := str(arg)
	b, ok := r.tpl.prog.blocks[name]
	if !ok {
		return nil, raise("KeyError", "%s", value.Repr(arg))
	}
	return &blockRef{b: b}, nil
}

// blockRef is self.name, a block that can be called.
type blockRef struct {
	internal
	b *block
}

func (*blockRef) Class() string { return "jinja2.runtime.BlockReference" }

// Repr leaves the address out that Python prints.
func (b *blockRef) Repr() string { return "<jinja2.runtime.BlockReference object>" }

func (b *blockRef) attr(r *run, name string) (value.Value, error) {
	switch name {
	case "name":
		return value.Str(b.b.name), nil
	case "super":
		return r.undefHint("there is no parent block called "+quote(b.b.name)+".", "super"), nil
	}
	return nil, nil
}

func (b *blockRef) call(r *run, a *args) (value.Value, error) {
	if len(a.pos)+len(a.kw) > 0 {
		return nil, typeErr("BlockReference.__call__() takes 1 positional argument but %d were given", 1+len(a.pos))
	}
	text, err := r.capture(func(r *run, _ *frame) error { return r.runBlock(b.b) }, nil)
	if r.autoescape {
		return markup{text: text}, err
	}
	return value.Str(text), err
}
