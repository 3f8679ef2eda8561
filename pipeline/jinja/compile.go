package jinja

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

// evalFn evaluates an expression, execFn runs a statement.
type (
	evalFn func(r *run, f *frame) (value.Value, error)
	execFn func(r *run, f *frame) error
)

// evalCtx is what the compiler knows of jinja2.nodes.EvalContext at a place.
type evalCtx struct {
	autoescape bool
	volatile   bool // what the template escapes is decided at run time
	constant   bool // which comes out the same each time: Jinja decides it when it compiles
}

// scope is compile-time information about a place (jinja2.compiler.Frame).
type scope struct {
	*symbols
	ctx      *evalCtx
	fn       *fnScope // the function whose code is being made
	toplevel bool
	soft     bool // inside an if: unknown filters fail at run time only
	printed  bool // what is printed here is what the template prints: not in a macro, a block or a set
}

// inner opens a scope inside s in function fn.
func (s *scope) inner(fn *fnScope) *scope {
	return &scope{symbols: newSymbols(s.symbols, fn), ctx: s.ctx, fn: fn, printed: s.printed}
}

// softly is s inside an if.
func (s *scope) softly() *scope {
	c := *s
	c.soft = true
	return &c
}

// compiler turns a syntax tree into closures (jinja2/compiler.py) and collects what it learns on the way.
type compiler struct {
	env      *Env
	name     string
	blocks   map[string]*block
	free     map[string]bool // names that come from outside
	mutates  bool            // some changing method is named
	extended bool            // an extends that always runs was met
	loopTest int
}

// block is a compiled {% block %}.
type block struct {
	name     string
	fn       *fnScope
	body     execFn
	selfRef  *ref
	superRef *ref
}

// program is a compiled template.
type program struct {
	fn      *fnScope
	body    execFn
	selfRef *ref
	blocks  map[string]*block
	mutates bool
}

func (c *compiler) template(t *templateNode) (*program, error) {
	c.blocks, c.free = map[string]*block{}, map[string]bool{}
	var found []*blockStmt
	var dup error
	walk(t, func(n node) {
		b, ok := n.(*blockStmt)
		if !ok {
			return
		}
		if c.blocks[b.name] != nil && dup == nil {
			dup = assertionErr(b.line, "block %s defined twice", quote(b.name))
		}
		c.blocks[b.name] = &block{name: b.name}
		found = append(found, b)
	})
	if dup != nil {
		return nil, dup
	}
	p := &program{fn: newFn(nil), blocks: c.blocks}
	s := &scope{symbols: newSymbols(nil, p.fn), ctx: &evalCtx{autoescape: c.env.autoescape}, fn: p.fn, toplevel: true, printed: true}
	if undeclared(t.body, "self")["self"] {
		r := s.param("self")
		p.selfRef = &r
	}
	s.analyze(t, "")
	enter := c.enter(s)
	body, err := c.body(t.body, s)
	if err != nil {
		return nil, err
	}
	p.body = seq(enter, body)
	for _, b := range found {
		if err := c.block(b); err != nil {
			return nil, err
		}
	}
	p.mutates = c.mutates
	return p, t.late
}

func (c *compiler) block(n *blockStmt) error {
	b := c.blocks[n.name]
	b.fn = newFn(nil)
	s := &scope{symbols: newSymbols(nil, b.fn), ctx: &evalCtx{autoescape: c.env.autoescape}, fn: b.fn}
	names := undeclared(n.body, "self", "super")
	if names["self"] {
		r := s.param("self")
		b.selfRef = &r
	}
	if names["super"] {
		r := s.param("super")
		b.superRef = &r
	}
	s.analyze(n, "")
	enter := c.enter(s)
	body, err := c.body(n.body, s)
	b.body = seq(enter, body)
	return err
}

// hops is how many functions up from the one being compiled a variable lives.
func (s *scope) hops(r ref) int {
	n := 0
	for fn := s.fn; fn != nil && fn != r.fn; fn = fn.parent {
		n++
	}
	return n
}

type loadStep struct {
	slot int
	kind loadKind
	name string
	hops int
	from int
}

// enter loads the variables of a scope (CodeGenerator.enter_frame).
func (c *compiler) enter(s *scope) execFn {
	var steps []loadStep
	for _, r := range s.order {
		l := s.loads[r]
		st := loadStep{slot: r.slot, kind: l.kind, name: l.name}
		switch l.kind {
		case loadParam:
			continue
		case loadResolve:
			if _, ok := c.env.globals[l.name]; !ok {
				c.free[l.name] = true
			}
		case loadAlias:
			st.hops, st.from = s.hops(l.alias), l.alias.slot
		}
		steps = append(steps, st)
	}
	if len(steps) == 0 {
		return nil
	}
	return func(r *run, f *frame) error {
		for i := range steps {
			st := &steps[i]
			switch st.kind {
			case loadResolve:
				v, err := r.resolve(st.name)
				if err != nil {
					return err
				}
				f.slots[st.slot] = v
			case loadAlias:
				f.slots[st.slot] = f.hop(st.hops).slots[st.from]
			default:
				f.slots[st.slot] = nil
			}
		}
		return nil
	}
}

// leave empties the variables of a scope, so that macros that outlive it see them as missing.
func (c *compiler) leave(s *scope) execFn {
	slots := make([]int, len(s.order))
	for i, r := range s.order {
		slots[i] = r.slot
	}
	if len(slots) == 0 {
		return nil
	}
	return func(_ *run, f *frame) error {
		for _, i := range slots {
			f.slots[i] = nil
		}
		return nil
	}
}

// seq runs statements one after the other; nil ones are left out.
func seq(list ...execFn) execFn {
	var fns []execFn
	for _, fn := range list {
		if fn != nil {
			fns = append(fns, fn)
		}
	}
	switch len(fns) {
	case 0:
		return func(*run, *frame) error { return nil }
	case 1:
		return fns[0]
	case 2:
		a, b := fns[0], fns[1]
		return func(r *run, f *frame) error {
			if err := a(r, f); err != nil {
				return err
			}
			return b(r, f)
		}
	}
	return func(r *run, f *frame) error {
		for _, fn := range fns {
			if err := fn(r, f); err != nil {
				return err
			}
		}
		return nil
	}
}

func (c *compiler) body(list []node, s *scope) (execFn, error) {
	fns := make([]execFn, 0, len(list))
	for _, n := range list {
		if _, again := n.(*extendsStmt); again && c.extended && s.toplevel {
			break // Jinja compiles nothing behind a second one
		}
		fn, err := c.stmt(n, s)
		if err != nil {
			return nil, err
		}
		fns = append(fns, fn)
	}
	return seq(fns...), nil
}

// lined notes the line of errors that have none.
func lined(line int, fn execFn) execFn {
	return func(r *run, f *frame) error {
		if err := fn(r, f); err != nil {
			return atLine(err, line)
		}
		return nil
	}
}

func (c *compiler) stmt(n node, s *scope) (execFn, error) {
	switch n := n.(type) {
	case *outputStmt:
		if s.printed && c.extended {
			return seq(), nil // what another template would be shown instead of is not even compiled
		}
		return c.output(n, s)
	case *ifStmt:
		return c.ifStmt(n, s.softly())
	case *forStmt:
		return c.forStmt(n, s)
	case *assignStmt:
		fn, err := c.assign(n, s)
		return lined(n.line, fn), err
	case *assignBlockStmt:
		fn, err := c.assignBlock(n, s)
		return lined(n.line, fn), err
	case *macroStmt:
		return c.macroStmt(n, s)
	case *callStmt:
		fn, err := c.callStmt(n, s)
		return lined(n.line, fn), err
	case *filterStmt:
		fn, err := c.filterStmt(n, s)
		return lined(n.line, fn), err
	case *withStmt:
		fn, err := c.withStmt(n, s)
		return lined(n.line, fn), err
	case *autoescapeStmt:
		return c.autoescape(n, s)
	case *blockStmt:
		return c.blockCall(n, s)
	case *extendsStmt:
		if !s.toplevel {
			return nil, assertionErr(n.line, "cannot use extend from a non top-level scope")
		}
		c.extended = c.extended || !s.soft
		return c.noLoader(n.template, n.line, s)
	case *includeStmt:
		return c.include(n, s)
	case *importStmt:
		return c.noLoader(n.template, n.line, s)
	case *fromStmt:
		return c.noLoader(n.template, n.line, s)
	}
	return nil, unsupported(0, "an unknown statement")
}

// noLoader is a tag that loads another template: there is none to load from.
func (c *compiler) noLoader(template expr, line int, s *scope) (execFn, error) {
	e, err := c.expr(template, s)
	return lined(line, func(r *run, f *frame) error {
		if _, err := e(r, f); err != nil {
			return err
		}
		return errNoLoader()
	}), err
}

func errNoLoader() error { return typeErr("no loader for this environment specified") }
