package jinja

import "github.com/haywardhq/hayward/pipeline/value"

// argList evaluates the arguments of a call.
type argList struct {
	pos      []evalFn
	kwNames  []string
	kw       []evalFn
	dynArgs  evalFn
	dynKwarg evalFn
	fn       string // the function Python names when * or ** get the wrong thing
}

func (c *compiler) args(a *callArgs, s *scope, fn string) (*argList, error) {
	l := &argList{fn: fn}
	var err error
	if l.pos, err = c.exprs(a.args, s); err != nil {
		return nil, err
	}
	for _, k := range a.kwargs {
		e, err := c.expr(k.val, s)
		if err != nil {
			return nil, err
		}
		l.kwNames, l.kw = append(l.kwNames, k.key), append(l.kw, e)
	}
	if a.dynArgs != nil {
		if l.dynArgs, err = c.expr(a.dynArgs, s); err != nil {
			return nil, err
		}
	}
	if a.dynKwarg != nil {
		l.dynKwarg, err = c.expr(a.dynKwarg, s)
	}
	return l, err
}

// push evaluates the arguments onto the stack and returns them with what lies on it from base. The caller cuts the stack
// back to base; whoever keeps the arguments copies them.
func (l *argList) push(r *run, f *frame, base int) (args, error) {
	for _, e := range l.pos {
		v, err := e(r, f)
		if err != nil {
			return args{}, err
		}
		r.stack = append(r.stack, v)
	}
	if l.dynArgs != nil {
		v, err := l.dynArgs(r, f)
		if err != nil {
			return args{}, err
		}
		items, err := r.items(v)
		if catchable(err, "TypeError") {
			err = typeErr("Value after * must be an iterable, not %s", typeName(v))
		}
		if err != nil {
			return args{}, err
		}
		r.stack = append(r.stack, items...)
	}
	kw, err := l.kwargs(r, f)
	n := len(r.stack)
	return args{pos: r.stack[base:n:n], kw: kw}, err
}

func (l *argList) kwargs(r *run, f *frame) ([]Kwarg, error) {
	if len(l.kw) == 0 && l.dynKwarg == nil {
		return nil, nil
	}
	out := make([]Kwarg, len(l.kw), len(l.kw)+2)
	for i, e := range l.kw {
		v, err := e(r, f)
		if err != nil {
			return nil, err
		}
		out[i] = Kwarg{Name: l.kwNames[i], Value: v}
	}
	if l.dynKwarg == nil {
		return out, nil
	}
	v, err := l.dynKwarg(r, f)
	if err != nil {
		return nil, err
	}
	if m, isProxy := v.(*mappingProxy); isProxy {
		v = m.d
	}
	d, ok := v.(*value.Dict)
	if !ok {
		if u := asUndefined(v); u != nil { // which is asked for its keys
			return nil, u.fail()
		}
		return nil, typeErr("%s() argument after ** must be a mapping, not %s", l.fn, typeName(v))
	}
	if err := r.allocItems(3 * d.Len()); err != nil {
		return nil, err
	}
	for k, item := range d.All() {
		name, ok := str(k)
		if !ok {
			return nil, typeErr("keywords must be strings")
		}
		for _, have := range out[:len(l.kw)] {
			if have.Name == name {
				return nil, typeErr("%s() got multiple values for keyword argument %s", l.fn, quote(name))
			}
		}
		kw := Kwarg{Name: name, Value: item}
		if isMarkup(k) {
			kw.key = k
		}
		out = append(out, kw)
	}
	return out, nil
}

const sandboxCall = "jinja2.sandbox.SandboxedEnvironment.call"

// callExpr calls a value. A method is called without being taken from its value first.
func (c *compiler) callExpr(e *callExpr, s *scope, caller func(*run, *frame) value.Value) (evalFn, error) {
	list, err := c.args(&e.callArgs, s, sandboxCall)
	if err != nil {
		return nil, err
	}
	if g, ok := e.node.(*getattrExpr); ok && caller == nil {
		return c.methodCall(g, list, s)
	}
	callee, err := c.expr(e.node, s)
	return func(r *run, f *frame) (value.Value, error) {
		fn, err := callee(r, f)
		if err != nil {
			return nil, err
		}
		base := len(r.stack)
		a, err := list.push(r, f, base)
		if err != nil {
			return nil, err
		}
		if caller != nil {
			a.kw = append(a.kw, Kwarg{Name: "caller", Value: caller(r, f)})
		}
		v, err := r.callValue(fn, &a)
		r.stack = r.stack[:base]
		return v, err
	}, err
}

func (c *compiler) methodCall(g *getattrExpr, list *argList, s *scope) (evalFn, error) {
	c.mutates = c.mutates || isMutator(g.attr)
	obj, err := c.expr(g.node, s)
	name := g.attr
	return func(r *run, f *frame) (value.Value, error) {
		self, err := obj(r, f)
		if err != nil {
			return nil, err
		}
		m, ok := r.env.lib.methodsOf(self)[name]
		ok = ok && !m.property && (!m.changes || r.copying)
		var fn value.Value
		if !ok {
			if fn, err = r.getattr(self, name); err != nil {
				return nil, err
			}
		}
		base := len(r.stack)
		a, err := list.push(r, f, base)
		if err != nil {
			return nil, err
		}
		var v value.Value
		if !ok {
			v, err = r.callValue(fn, &a)
		} else if err = r.step(); err == nil {
			v, err = m.fn(r, self, &a)
		}
		r.stack = r.stack[:base]
		return v, err
	}, err
}

// builtinFunc is a filter or a test of Jinja: its Python name and signature for messages, and what it does. The first
// parameter is the value it is applied to.
type builtinFunc struct {
	signature
	fn  func(r *run, a []value.Value) (value.Value, error)
	raw func(r *run, a *args) (value.Value, error) // for those with *args or **kwargs
	c   bool                                       // a function of CPython
}

func (b *builtinFunc) invoke(r *run, a *args) (value.Value, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	if b.raw != nil {
		return b.raw(r, a)
	}
	if b.c {
		if err := a.function(b.signature.fn, b.signature.fn, 1, 1); err != nil {
			return nil, err
		}
		return b.fn(r, a.pos)
	}
	got, err := a.bindTo(&b.signature)
	if err != nil {
		return nil, err
	}
	return b.fn(r, got)
}

// invoker is a filter or test ready to be called.
type invoker func(r *run, a *args) (value.Value, error)

func (f Func) invoker() invoker {
	return func(r *run, a *args) (value.Value, error) {
		if err := r.step(); err != nil {
			return nil, err
		}
		return f.callWith(r, a.pos, a.kw)
	}
}

func (e *Env) filter(name string) invoker {
	if f, ok := e.filters[name]; ok {
		return f.invoker()
	}
	if b, ok := e.lib.filters[name]; ok {
		return b.invoke
	}
	return nil
}

func (e *Env) test(name string) invoker {
	if f, ok := e.tests[name]; ok {
		return f.invoker()
	}
	if b, ok := e.lib.tests[name]; ok {
		return b.invoke
	}
	return nil
}

// named finds a filter or test; an unknown one fails now, or inside an if when it is used.
func (c *compiler) named(kind, name string, fn invoker, line int, s *scope) (invoker, error) {
	if fn != nil {
		return fn, nil
	}
	if !s.soft {
		return nil, assertionErr(line, "No %s named %s.", kind, quote(name))
	}
	return func(*run, *args) (value.Value, error) {
		return nil, templateErr("No %s named %s found.", kind, quote(name))
	}, nil
}

func (c *compiler) filterExpr(e *filterExpr, s *scope) (evalFn, error) {
	fn, err := c.named("filter", e.name, c.env.filter(e.name), e.line, s)
	if err != nil {
		return nil, err
	}
	obj := func(r *run, _ *frame) (value.Value, error) { return r.piped, nil }
	if e.node != nil {
		if obj, err = c.expr(e.node, s); err != nil {
			return nil, err
		}
	}
	return c.applied(fn, obj, &e.callArgs, c.env.lib.callName(e), s)
}

func (c *compiler) applied(fn invoker, obj evalFn, a *callArgs, name string, s *scope) (evalFn, error) {
	list, err := c.args(a, s, name)
	return func(r *run, f *frame) (value.Value, error) {
		base := len(r.stack)
		v, err := obj(r, f)
		if err != nil {
			return nil, err
		}
		r.stack = append(r.stack, v)
		got, err := list.push(r, f, base)
		if err != nil {
			return nil, err
		}
		out, err := fn(r, &got)
		r.stack = r.stack[:base]
		return out, err
	}, err
}

func (c *compiler) testExpr(e *testExpr, s *scope) (evalFn, error) {
	fn, err := c.named("test", e.name, c.env.test(e.name), e.line, s)
	if err != nil {
		return nil, err
	}
	obj, err := c.expr(e.node, s)
	if err != nil {
		return nil, err
	}
	return c.applied(fn, obj, &e.callArgs, "jinja2.tests.test_"+e.name, s)
}

// callName is what Python calls a filter in messages about its arguments.
func (l *library) callName(e *filterExpr) string {
	if b := l.filters[e.name]; b != nil && b.signature.fn != "" {
		return "jinja2.filters." + b.signature.fn
	}
	return "jinja2.filters.do_" + e.name
}
