package jinja

import "strconv"

// fnScope is one activation's worth of variables: the template, a block, a macro or a recursive loop. Python compiles
// each of them to a function; here each gets an array of slots.
type fnScope struct {
	parent *fnScope
	slots  map[string]int
	n      int
}

func newFn(parent *fnScope) *fnScope { return &fnScope{parent: parent, slots: map[string]int{}} }

func (f *fnScope) slot(ident string) int {
	i, ok := f.slots[ident]
	if !ok {
		i = f.n
		f.slots[ident] = i
		f.n++
	}
	return i
}

// ref is a variable: a slot of a function.
type ref struct {
	fn   *fnScope
	slot int
}

// How a scope gets a variable when it is entered.
type loadKind uint8

const (
	loadParam   loadKind = iota // set by whoever enters
	loadResolve                 // looked up in the context
	loadAlias                   // a copy of an outer variable
	loadUndef                   // missing until it is assigned
)

type loadInfo struct {
	kind  loadKind
	name  string
	alias ref
}

// symbols are the names of one scope (jinja2/idtracking.py: Symbols).
type symbols struct {
	level  int
	parent *symbols
	fn     *fnScope
	prefix string // keeps the variables of a loop's filter apart from those of its body
	refs   map[string]ref
	loads  map[ref]loadInfo
	order  []ref
	stores map[string]bool
}

func newSymbols(parent *symbols, fn *fnScope) *symbols {
	s := &symbols{parent: parent, fn: fn, refs: map[string]ref{}, loads: map[ref]loadInfo{}, stores: map[string]bool{}}
	if parent != nil {
		s.level = parent.level + 1
	}
	return s
}

func (s *symbols) setLoad(r ref, l loadInfo) {
	if _, ok := s.loads[r]; !ok {
		s.order = append(s.order, r)
	}
	s.loads[r] = l
}

func (s *symbols) define(name string, l loadInfo) ref {
	r := ref{s.fn, s.fn.slot(s.prefix + strconv.Itoa(s.level) + "_" + name)}
	s.refs[name] = r
	s.setLoad(r, l)
	return r
}

func (s *symbols) find(name string) (ref, bool) {
	for ; s != nil; s = s.parent {
		if r, ok := s.refs[name]; ok {
			return r, true
		}
	}
	return ref{}, false
}

func (s *symbols) copy() *symbols {
	c := *s
	c.refs, c.loads, c.stores = cloneMap(s.refs), cloneMap(s.loads), cloneMap(s.stores)
	c.order = append([]ref(nil), s.order...)
	return &c
}

func cloneMap[K comparable, V any](m map[K]V) map[K]V {
	out := make(map[K]V, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

func (s *symbols) store(name string) {
	s.stores[name] = true
	if _, ok := s.refs[name]; ok {
		return
	}
	if s.parent != nil {
		if outer, ok := s.parent.find(name); ok {
			s.define(name, loadInfo{kind: loadAlias, alias: outer})
			return
		}
	}
	s.define(name, loadInfo{kind: loadUndef})
}

func (s *symbols) param(name string) ref {
	s.stores[name] = true
	return s.define(name, loadInfo{kind: loadParam})
}

func (s *symbols) load(name string) {
	if _, ok := s.find(name); !ok {
		s.define(name, loadInfo{kind: loadResolve, name: name})
	}
}

// branches merges what the branches of an if store (Symbols.branch_update).
func (s *symbols) branches(list []*symbols) {
	stores := map[string]bool{}
	for _, b := range list {
		for n := range b.stores {
			if !s.stores[n] {
				stores[n] = true
			}
		}
	}
	for _, b := range list {
		for n, r := range b.refs {
			s.refs[n] = r
		}
		for _, r := range b.order {
			s.setLoad(r, b.loads[r])
		}
		for n := range b.stores {
			s.stores[n] = true
		}
	}
	for name := range stores {
		target, _ := s.find(name)
		l := loadInfo{kind: loadResolve, name: name}
		if s.parent != nil {
			if outer, ok := s.parent.find(name); ok {
				l = loadInfo{kind: loadAlias, alias: outer}
			}
		}
		s.setLoad(target, l)
	}
}

// storedNames lists what the scope and its parents store, for contexts derived from it (Symbols.dump_stores).
func (s *symbols) storedNames() map[string]ref {
	out := map[string]ref{}
	for ; s != nil; s = s.parent {
		for n := range s.stores {
			if _, ok := out[n]; !ok {
				out[n], _ = s.find(n)
			}
		}
	}
	return out
}

// analyze collects the names of a node's own scope (idtracking.RootVisitor). branch is "body", "else" or "test" of a
// loop.
func (s *symbols) analyze(n node, branch string) {
	v := &symbolVisitor{s}
	switch n := n.(type) {
	case *forStmt:
		v.loop(n, branch)
	case *callStmt:
		names(v.visit, n.args)
		each(v.visit, n.defaults)
		all(v.visit, n.body)
	case *assignBlockStmt:
		all(v.visit, n.body)
	case *withStmt:
		each(v.visit, n.targets)
		all(v.visit, n.body)
	default:
		n.children(v.visit)
	}
}

// symbolVisitor is idtracking.FrameSymbolVisitor: it sees one scope and stops where another begins.
type symbolVisitor struct{ s *symbols }

func (v *symbolVisitor) loop(n *forStmt, branch string) {
	if branch != "else" {
		v.target(n.target)
	}
	switch branch {
	case "body":
		all(v.visit, n.body)
	case "else":
		all(v.visit, n.els)
	case "test":
		v.visit(n.test)
	}
}

// target declares the names of a loop target, which the loop sets.
func (v *symbolVisitor) target(n node) {
	walk(n, func(c node) {
		switch c := c.(type) {
		case *nameExpr:
			v.s.param(c.name)
		case *nsRefExpr:
			v.s.load(c.name)
		}
	})
}

func (v *symbolVisitor) visit(n node) {
	switch n := n.(type) {
	case *nameExpr:
		v.name(n)
	case *nsRefExpr:
		v.s.load(n.name)
	case *ifStmt:
		v.ifStmt(n)
	case *macroStmt:
		v.s.store(n.name)
	case *importStmt:
		v.visit(n.template)
		v.s.store(n.target)
	case *fromStmt:
		v.visit(n.template)
		for _, name := range n.names {
			v.s.store(name)
		}
	case *assignStmt:
		v.visit(n.node)
		v.visit(n.target)
	case *forStmt:
		v.visit(n.iter)
	case *callStmt:
		v.visit(n.call)
	case *filterStmt:
		v.visit(n.filter)
	case *withStmt:
		each(v.visit, n.values)
	case *assignBlockStmt:
		v.visit(n.target)
	case *autoescapeStmt, *blockStmt:
	default:
		n.children(v.visit)
	}
}

func (v *symbolVisitor) name(n *nameExpr) {
	switch n.ctx {
	case param:
		v.s.param(n.name)
	case store:
		v.s.store(n.name)
	default:
		v.s.load(n.name)
	}
}

func (v *symbolVisitor) ifStmt(n *ifStmt) {
	v.visit(n.test)
	inner := func(list []node) *symbols {
		w := &symbolVisitor{v.s.copy()}
		all(w.visit, list)
		return w.s
	}
	elifs := make([]node, len(n.elifs))
	for i, e := range n.elifs {
		elifs[i] = e
	}
	v.s.branches([]*symbols{inner(n.body), inner(elifs), inner(n.els)})
}

// undeclared returns which of the names are read before they are declared (compiler.find_undeclared).
func undeclared(list []node, candidates ...string) map[string]bool {
	open := map[string]bool{}
	for _, n := range candidates {
		open[n] = true
	}
	found := map[string]bool{}
	var visit func(n node)
	visit = func(n node) {
		if len(found) == len(candidates) {
			return
		}
		switch n := n.(type) {
		case *blockStmt:
			return
		case *nameExpr:
			if n.ctx == load && open[n.name] {
				found[n.name] = true
			} else {
				delete(open, n.name)
			}
			return
		}
		n.children(visit)
	}
	all(visit, list)
	return found
}
