package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// macroCode is a compiled macro or call block.
type macroCode struct {
	name     string
	args     []string
	slots    []int
	fn       *fnScope
	body     execFn
	caller   int // slots of the special parameters, or -1
	kwargs   int
	varargs  int
	explicit bool // a parameter is named caller
}

// macro is jinja2.runtime.Macro: a macro with the variables it was defined among.
type macro struct {
	internal
	code       *macroCode
	up         *frame
	autoescape bool
}

func (m *macro) Class() string { return "jinja2.runtime.Macro" }

// Repr returns "<Macro 'name'>".
func (m *macro) Repr() string {
	if m.code.name == "" {
		return "<Macro anonymous>"
	}
	return "<Macro " + quote(m.code.name) + ">"
}

func (m *macro) attr(_ *run, name string) (value.Value, error) {
	c := m.code
	switch name {
	case "name":
		if c.name == "" {
			return value.None, nil
		}
		return value.Str(c.name), nil
	case "arguments":
		out := make(value.Tuple, len(c.args))
		for i, a := range c.args {
			out[i] = value.Str(a)
		}
		return out, nil
	case "caller":
		return value.Bool(c.caller >= 0), nil
	case "catch_kwargs":
		return value.Bool(c.kwargs >= 0), nil
	case "catch_varargs":
		return value.Bool(c.varargs >= 0), nil
	case "explicit_caller":
		return value.Bool(c.explicit), nil
	}
	return nil, nil
}

// call binds the arguments as Macro.__call__ does, and renders the body.
func (m *macro) call(r *run, a *args) (value.Value, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	c := m.code
	f := &frame{slots: make([]value.Value, c.fn.n), up: m.up}
	if err := m.bind(r, f, a); err != nil {
		return nil, err
	}
	text, err := r.capture(c.body, f)
	if err != nil {
		return nil, err
	}
	if r.autoescape {
		return markup{text: text}, nil
	}
	return value.Str(text), nil
}

func (m *macro) bind(r *run, f *frame, a *args) error {
	c := m.code
	rest := a.kw
	owned := false
	take := func(name string) value.Value {
		for i, k := range rest {
			if k.Name == name {
				if !owned {
					rest, owned = append([]Kwarg(nil), rest...), true
				}
				rest = append(rest[:i], rest[i+1:]...)
				return k.Value
			}
		}
		return nil
	}
	foundCaller := len(a.pos) >= len(c.args) && c.explicit
	for i, slot := range c.slots {
		if i < len(a.pos) {
			f.slots[slot] = a.pos[i]
			continue
		}
		f.slots[slot] = take(c.args[i])
		foundCaller = foundCaller || c.args[i] == "caller"
	}
	if c.caller >= 0 && !foundCaller {
		caller := take("caller")
		if value.IsNone(caller) {
			caller = r.undefHint("No caller defined", "caller")
		}
		f.slots[c.caller] = caller
	}
	return m.bindRest(r, f, a, rest)
}

func (m *macro) bindRest(r *run, f *frame, a *args, rest []Kwarg) error {
	c := m.code
	switch {
	case c.kwargs >= 0:
		d := &value.Dict{}
		for i := range rest {
			d.SetKey(rest[i].keyOf(), rest[i].Value)
		}
		f.slots[c.kwargs] = d
	case len(rest) > 0:
		for _, k := range rest {
			if k.Name == "caller" {
				return typeErr("macro %s was invoked with two values for the special caller argument. This is most likely "+
					"a bug.", quote(c.name))
			}
		}
		return typeErr("macro %s takes no keyword argument %s", m.nameRepr(), value.Repr(rest[0].keyOf()))
	}
	switch {
	case c.varargs >= 0:
		var extra value.Tuple
		if len(a.pos) > len(c.args) {
			extra = append(extra, a.pos[len(c.args):]...)
		}
		f.slots[c.varargs] = extra
	case len(a.pos) > len(c.args):
		return typeErr("macro %s takes not more than %d argument(s)", m.nameRepr(), len(c.args))
	}
	if err := r.alloc(16 * len(f.slots)); err != nil {
		return err
	}
	return nil
}

func (m *macro) nameRepr() string {
	if m.code.name == "" {
		return "None"
	}
	return quote(m.code.name)
}

// macroBody compiles the parameters and body of a macro or call block (CodeGenerator.macro_body).
func (c *compiler) macroBody(n node, line int, name string, params []*nameExpr, defaults []expr, list []node,
	s *scope) (*macroCode, error) {
	m := &macroCode{name: name, fn: newFn(s.fn), caller: -1, kwargs: -1, varargs: -1}
	in := s.inner(m.fn)
	in.printed = false
	in.analyze(n, "")
	special := map[string]bool{}
	for i, p := range params {
		switch p.name {
		case "caller":
			m.explicit = true
			special["caller"] = i >= len(params)-len(defaults)
		case "kwargs", "varargs":
			special[p.name] = true
		}
		at, _ := in.find(p.name)
		m.args, m.slots = append(m.args, p.name), append(m.slots, at.slot)
	}
	used := undeclared(list, "caller", "kwargs", "varargs")
	if used["caller"] && m.explicit && !special["caller"] {
		return nil, assertionErr(line, "When defining macros or call blocks the special \"caller\" argument must be omitted "+
			"or be given a default.")
	}
	if used["caller"] {
		if m.explicit {
			at, _ := in.find("caller")
			m.caller = at.slot
		} else {
			m.caller = in.param("caller").slot
		}
	}
	if used["kwargs"] && !special["kwargs"] {
		m.kwargs = in.param("kwargs").slot
	}
	if used["varargs"] && !special["varargs"] {
		m.varargs = in.param("varargs").slot
	}
	in.analyze(n, "")
	fns := []execFn{c.enter(in)}
	for i, p := range params {
		fn, err := c.paramDefault(p, m.slots[i], i-(len(params)-len(defaults)), defaults, in)
		if err != nil {
			return nil, err
		}
		fns = append(fns, fn)
	}
	body, err := c.body(list, in)
	m.body = seq(append(fns, body)...)
	return m, err
}

// paramDefault fills a parameter that was not given.
func (c *compiler) paramDefault(p *nameExpr, slot, i int, defaults []expr, s *scope) (execFn, error) {
	if i < 0 {
		name := p.name
		return func(r *run, f *frame) error {
			if f.slots[slot] == nil {
				f.slots[slot] = r.undefHint("parameter "+quote(name)+" was not provided", name)
			}
			return nil
		}, nil
	}
	e, err := c.expr(defaults[i], s)
	return func(r *run, f *frame) error {
		if f.slots[slot] != nil {
			return nil
		}
		v, err := e(r, f)
		f.slots[slot] = v
		return err
	}, err
}

func (c *compiler) macroStmt(n *macroStmt, s *scope) (execFn, error) {
	code, err := c.macroBody(n, n.line, n.name, n.args, n.defaults, n.body, s)
	if err != nil {
		return nil, err
	}
	at, _ := s.find(n.name)
	slot, name, top := at.slot, n.name, s.toplevel
	return func(r *run, f *frame) error {
		m := &macro{code: code, up: f, autoescape: r.autoescape}
		f.slots[slot] = m
		if top {
			r.export(name, m)
		}
		return nil
	}, nil
}

// callStmt calls something with a macro made of the body as the argument "caller".
func (c *compiler) callStmt(n *callStmt, s *scope) (execFn, error) {
	code, err := c.macroBody(n, n.line, "", n.args, n.defaults, n.body, s)
	if err != nil {
		return nil, err
	}
	caller := func(r *run, f *frame) value.Value { return &macro{code: code, up: f, autoescape: r.autoescape} }
	var call evalFn
	switch e := n.call.(type) {
	case *callExpr:
		call, err = c.callExpr(e, s, caller)
	case *goCallExpr:
		call, err = c.goCall(e, s, caller)
	default:
		err = unsupported(n.line, "this call")
	}
	return func(r *run, f *frame) error {
		v, err := call(r, f)
		if err != nil {
			return err
		}
		return r.emit(v)
	}, err
}

// goCall calls a function of an extension; caller, if any, renders the body of its tag.
func (c *compiler) goCall(e *goCallExpr, s *scope, caller func(*run, *frame) value.Value) (evalFn, error) {
	list := make([]evalFn, len(e.args))
	for i, a := range e.args {
		var err error
		if list[i], err = c.expr(a, s); err != nil {
			return nil, err
		}
	}
	fn := e.fn
	return func(r *run, f *frame) (value.Value, error) {
		if err := r.step(); err != nil {
			return nil, err
		}
		call := &Call{Args: make([]value.Value, len(list)), r: r}
		for i, a := range list {
			var err error
			if call.Args[i], err = a(r, f); err != nil {
				return nil, err
			}
		}
		if caller != nil {
			m := caller(r, f).(*macro)
			call.body = func() (string, error) {
				v, err := m.call(r, &args{})
				if err != nil {
					return "", err
				}
				return r.str(v)
			}
		}
		v, err := fn(call)
		if err != nil {
			return nil, err
		}
		if v == nil {
			v = value.None
		}
		return v, nil
	}, nil
}

// mutators are the methods that change a list, dict or set.
func isMutator(name string) bool {
	return strings.Contains(" append clear extend insert pop popitem remove reverse setdefault sort update add discard "+
		"difference_update intersection_update symmetric_difference_update ", " "+name+" ")
}
