package jinja

import (
	"context"
	"errors"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Options make an environment. The zero Options are Jinja2's SandboxedEnvironment().
type Options struct {
	// Undefined is what missing names and attributes are. OutputAdapter uses Strict.
	Undefined UndefinedKind
	// Filters, Tests and Globals are added to Jinja's own and win over them. Globals are read-only, as all values from
	// outside.
	Filters map[string]Func
	Tests   map[string]Func
	Globals map[string]value.Value
	// GlobalFuncs are globals that can be called.
	GlobalFuncs map[string]Func
	// Tags are the tags of extensions. A name of one of Jinja's own tags is ignored.
	Tags []Tag
	// Finalize changes the value of every "{{ }}" before it is printed; Args[0] is the value.
	Finalize Func
	// Autoescape escapes HTML in what is printed. Haystack leaves it off.
	Autoescape bool
	// TrimBlocks takes the newline behind a block tag away, LstripBlocks the space before one on its line.
	TrimBlocks   bool
	LstripBlocks bool
	// KeepTrailingNewline keeps the newline at the end of a template.
	KeepTrailingNewline bool
	// Limits bound every render; zero fields are defaults.
	Limits Limits
	// MaxSource is the largest template in bytes. Default 1 MiB.
	MaxSource int
}

// Env is an environment: the filters, tests, globals and tags that templates see. It is immutable and safe for
// concurrent use.
type Env struct {
	opt        Options
	undefined  UndefinedKind
	filters    map[string]Func
	tests      map[string]Func
	globals    map[string]value.Value
	tags       map[string]Tag
	finalize   Func
	autoescape bool
	limits     Limits
	lib        *library
	runs       *sync.Pool
}

const defaultMaxSource = 1 << 20

// New returns an environment.
func New(opt Options) *Env {
	if opt.MaxSource <= 0 {
		opt.MaxSource = defaultMaxSource
	}
	e := &Env{opt: opt, undefined: opt.Undefined, filters: cloneMap(opt.Filters), tests: cloneMap(opt.Tests),
		globals: cloneMap(globals()), tags: map[string]Tag{}, finalize: opt.Finalize, autoescape: opt.Autoescape,
		limits: opt.Limits.withDefaults(), lib: builtins(), runs: &sync.Pool{New: func() any { return new(run) }}}
	for name, v := range opt.Globals {
		e.globals[name] = v
	}
	for name, f := range opt.GlobalFuncs {
		e.globals[name] = &globalFunc{name: name, fn: f}
	}
	for _, t := range opt.Tags {
		e.tags[t.Name] = t
	}
	return e
}

// Parsed is a template that has been read but not compiled.
type Parsed struct {
	env  *Env
	name string
	tree *templateNode
}

// Parse reads a template, as env.parse does: only its syntax is checked. Errors are faults of kind Invalid with the code
// "TemplateSyntaxError" and the line; a template beyond the limits on size and nesting is TooLarge.
func (e *Env) Parse(source, name string) (*Parsed, error) {
	if len(source) > e.opt.MaxSource {
		return nil, fault.New(fault.TooLarge, "the template has %d bytes, more than %d", len(source), e.opt.MaxSource)
	}
	tokens, lexErr := lex(source, &e.opt)
	p := newParser(e, tokens)
	tree, err := p.template()
	if p.bad || p.cur().kind == tokBad {
		err = lexErr
	}
	if err != nil {
		return nil, public(err, name)
	}
	return &Parsed{env: e, name: name, tree: tree}, nil
}

// Compile reads and compiles a template, as env.from_string does. name is for error places and may be empty. Besides
// the errors of [Env.Parse] there is "TemplateAssertionError" for an unknown filter or test.
func (e *Env) Compile(source, name string) (*Template, error) {
	p, err := e.Parse(source, name)
	if err != nil {
		return nil, err
	}
	return p.Compile()
}

// Compile compiles the template.
func (p *Parsed) Compile() (*Template, error) {
	// Jinja's own message would name the file, but templates given as text have none there.
	c := &compiler{env: p.env}
	prog, err := c.template(p.tree)
	if err != nil {
		return nil, public(err, p.name)
	}
	return &Template{env: p.env, name: p.name, prog: prog, undeclared: c.freeNames(p.tree), assigned: assignedNames(p.tree)}, nil
}

// Template is a compiled template. It is immutable and safe for concurrent use.
type Template struct {
	env        *Env
	name       string
	prog       *program
	undeclared []string
	assigned   []string
}

// Undeclared lists the names that the template takes from outside (jinja2.meta.find_undeclared_variables), in the order
// in which the source first names them.
func (t *Template) Undeclared() []string { return append([]string(nil), t.undeclared...) }

// Assigned lists the names that {% set %} gives a value to, anywhere in the template, as Haystack counts them.
func (t *Template) Assigned() []string { return append([]string(nil), t.assigned...) }

// Variables is Undeclared without Assigned: what Haystack makes input sockets of.
func (t *Template) Variables() []string {
	var out []string
	for _, n := range t.undeclared {
		if indexOf(t.assigned, n) < 0 {
			out = append(out, n)
		}
	}
	return out
}

// Render returns the template's text. vars may be nil. Errors are faults: Code is the Python exception's class and
// Message its text ("UndefinedError", "'x' is undefined"); Kind is TooLarge for a limit, Canceled or Timeout for the
// context, else Failed.
func (t *Template) Render(ctx context.Context, vars Vars) (string, error) {
	var out string
	err := t.execute(ctx, vars, func(r *run, f *frame) error {
		if err := t.prog.body(r, f); err != nil {
			return err
		}
		out = string(r.buf)
		return nil
	})
	return out, err
}

// execute runs the template, a second time with copies if it changes values from outside.
func (t *Template) execute(ctx context.Context, vars Vars, body execFn) error {
	r := t.env.runs.Get().(*run)
	defer r.release()
	err := t.attempt(r, ctx, vars, body, t.prog.mutates)
	if errors.Is(err, errCopy) {
		err = t.attempt(r, ctx, vars, body, true)
	}
	return public(err, t.name)
}

func (t *Template) attempt(r *run, ctx context.Context, vars Vars, body execFn, copying bool) error {
	r.begin(t, ctx, vars, copying)
	if err := ctx.Err(); err != nil {
		return err
	}
	f := &frame{slots: make([]value.Value, t.prog.fn.n)}
	if t.prog.selfRef != nil {
		f.slots[t.prog.selfRef.slot] = &templateRef{}
	}
	if err := body(r, f); err != nil {
		return err
	}
	return r.notText
}

func (r *run) begin(t *Template, ctx context.Context, vars Vars, copying bool) {
	buf, stack := r.buf[:0], r.stack[:0]
	*r = run{env: t.env, tpl: t, buf: buf, stack: stack, autoescape: t.env.autoescape, copying: copying,
		cur: &scopeVars{outer: vars}}
	r.meter.reset(ctx, t.env.limits)
}

// release gives the run back to the pool, without what it held.
func (r *run) release() {
	pool := r.env.runs
	buf, stack := r.buf[:0], r.stack[:cap(r.stack)]
	clear(stack)
	if cap(buf) > 1<<16 {
		buf = nil
	}
	if cap(stack) > 1<<10 {
		stack = nil
	}
	*r = run{buf: buf, stack: stack[:0]}
	pool.Put(r)
}
