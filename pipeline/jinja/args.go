package jinja

import (
	"context"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// Kwarg is a keyword argument.
type Kwarg struct {
	Name  string
	Value value.Value
	key   value.Value // the name where it is not a str: markup
}

// keyOf is the name as the key of a dict.
func (k *Kwarg) keyOf() value.Value {
	if k.key != nil {
		return k.key
	}
	return value.Str(k.Name)
}

// args are the arguments of a call.
type args struct {
	pos []value.Value
	kw  []Kwarg
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

// arg returns positional argument i, or nil.
func (a *args) arg(i int) value.Value {
	if i < len(a.pos) {
		return a.pos[i]
	}
	return nil
}

// callable is a value of this room that can be called.
type callable interface {
	call(r *run, a *args) (value.Value, error)
}

// Callable is a value from another room that a template may call, such as a method that an object's Attr returns.
type Callable interface {
	value.Value
	// Call calls it. The arguments must not be changed or kept.
	Call(c *Call) (value.Value, error)
}

// Call is one call of a Go function from a template: a filter, a test, a global, a tag or a [Callable].
type Call struct {
	// Args are the positional arguments; a filter's first one is the value before the bar.
	Args []value.Value
	// Kwargs are the keyword arguments.
	Kwargs []Kwarg
	r      *run
	body   func() (string, error)
}

// Context returns the render's context.
func (c *Call) Context() context.Context { return c.r.ctx }

// Bind puts the arguments in the order of the given parameter names, of which the first required ones must be there;
// missing optional ones are nil. fn names the function in messages.
func (c *Call) Bind(fn string, required int, names ...string) ([]value.Value, error) {
	a := args{pos: c.Args, kw: c.Kwargs}
	return a.bind(fn, names, required)
}

// Text returns Python's str(v), within the render's limits; an undefined value of a strict environment fails.
func (c *Call) Text(v value.Value) (string, error) { return c.r.str(v) }

// Alloc counts n bytes against the render's memory limit, for functions that make large values.
func (c *Call) Alloc(n int) error { return c.r.alloc(n) }

// Body renders the body of a tag that has one.
func (c *Call) Body() (string, error) {
	if c.body == nil {
		return "", nil
	}
	return c.body()
}

// Func is a Go function that templates call as a filter, a test or a global. A test's result counts by its truth. An
// error stops the render; a *fault.Error keeps its kind and code.
type Func func(c *Call) (value.Value, error)

// call calls a Go function from outside and takes its result in.
func (f Func) callWith(r *run, pos []value.Value, kw []Kwarg) (value.Value, error) {
	v, err := f(&Call{Args: pos, Kwargs: kw, r: r})
	if err != nil {
		return nil, err
	}
	if v == nil {
		v = value.None
	}
	return r.foreign(v)
}

// goFunc is a function of this room as a value, or a class, which templates only call.
type goFunc struct {
	internal
	name  string
	class string      // not empty: the class it stands for
	owner value.Value // of a method: what it was taken from
	fn    func(r *run, a *args) (value.Value, error)
}

// methodOf is a method of a class that Python code defines, bound to a value; name has the class in front.
func methodOf(owner value.Value, name string, fn func(r *run, a *args) (value.Value, error)) *goFunc {
	return &goFunc{name: name, owner: owner, fn: fn}
}

func (g *goFunc) Class() string {
	if g.class != "" {
		return "type"
	}
	if g.owner != nil {
		return "method"
	}
	return "function"
}

// Repr leaves the address out that Python prints.
func (g *goFunc) Repr() string {
	if g.class != "" {
		return "<class '" + g.class + "'>"
	}
	if g.owner != nil {
		return "<bound method " + g.name + " of " + value.Repr(g.owner) + ">"
	}
	return "<function " + g.name + ">"
}

func (g *goFunc) appendRepr(p *reprWriter, dst []byte) ([]byte, error) {
	if g.owner == nil {
		return append(dst, g.Repr()...), nil
	}
	dst, err := p.append(append(dst, "<bound method "+g.name+" of "...), g.owner)
	return append(dst, '>'), err
}

func (g *goFunc) call(r *run, a *args) (value.Value, error) { return g.fn(r, a) }

// globalFunc is a function of an extension as a value.
type globalFunc struct {
	internal
	name string
	fn   Func
}

func (g *globalFunc) Class() string { return "function" }

// Repr leaves the address out that Python prints.
func (g *globalFunc) Repr() string { return "<function " + g.name + ">" }

func (g *globalFunc) call(r *run, a *args) (value.Value, error) { return g.fn.callWith(r, a.pos, a.kw) }

// boundMethod is a method taken from its value without being called.
type boundMethod struct {
	internal
	self value.Value
	name string
	fn   method
}

// Class tells what the sandbox puts in the place of str.format and str.format_map.
func (m *boundMethod) Class() string {
	if _, text := str(m.self); text && (m.name == "format" || m.name == "format_map") {
		return "function"
	}
	if m.python() {
		return "method"
	}
	return "builtin_function_or_method"
}

// python reports whether the method is a Python function: one that Markup puts in the place of str's.
func (m *boundMethod) python() bool {
	return isMarkup(m.self) && strings.Contains(ownOfMarkup, " "+m.name+" ")
}

// Repr leaves the address out that Python prints.
func (m *boundMethod) Repr() string {
	if m.Class() == "function" {
		return "<function " + typeName(m.self) + "." + m.name + ">"
	}
	if m.python() {
		owner := m.self.(markup).Repr()
		if m.name == "escape" {
			owner = "<class 'markupsafe.Markup'>"
		}
		return "<bound method Markup." + m.name + " of " + owner + ">"
	}
	return "<built-in method " + m.name + " of " + typeName(m.self) + " object>"
}

func (m *boundMethod) call(r *run, a *args) (value.Value, error) { return m.fn(r, m.self, a) }

// callValue is Python's f(*args, **kwargs).
func (r *run) callValue(f value.Value, a *args) (value.Value, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	switch f := f.(type) {
	case callable:
		return f.call(r, a)
	case *undefined:
		return nil, f.fail()
	case Callable:
		return Func(f.Call).callWith(r, a.pos, a.kw)
	}
	return nil, typeErr("'%s' object is not callable", typeName(f))
}
