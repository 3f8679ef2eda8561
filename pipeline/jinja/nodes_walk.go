package jinja

import ()

func each(visit func(node), list []expr) {
	for _, n := range list {
		visit(n)
	}
}

func some(visit func(node), list ...expr) {
	for _, n := range list {
		if n != nil {
			visit(n)
		}
	}
}

func all(visit func(node), list []node) {
	for _, n := range list {
		visit(n)
	}
}

func (*nameExpr) children(func(node))      {}
func (*nsRefExpr) children(func(node))     {}
func (*constExpr) children(func(node))     {}
func (*dataExpr) children(func(node))      {}
func (n *tupleExpr) children(v func(node)) { each(v, n.items) }
func (n *listExpr) children(v func(node))  { each(v, n.items) }
func (n *dictExpr) children(v func(node)) {
	for _, p := range n.items {
		some(v, p.key, p.val)
	}
}
func (n *condExpr) children(v func(node)) { some(v, n.test, n.then, n.els) }
func (a *callArgs) visit(v func(node)) {
	each(v, a.args)
	for _, k := range a.kwargs {
		v(k.val)
	}
	some(v, a.dynArgs, a.dynKwarg)
}
func (n *filterExpr) children(v func(node))  { some(v, n.node); n.visit(v) }
func (n *testExpr) children(v func(node))    { v(n.node); n.visit(v) }
func (n *callExpr) children(v func(node))    { v(n.node); n.visit(v) }
func (n *getattrExpr) children(v func(node)) { v(n.node) }
func (n *getitemExpr) children(v func(node)) { some(v, n.node, n.arg) }
func (n *sliceExpr) children(v func(node))   { some(v, n.start, n.stop, n.step) }
func (n *concatExpr) children(v func(node))  { each(v, n.nodes) }
func (n *compareExpr) children(v func(node)) {
	v(n.expr)
	for _, o := range n.ops {
		v(o.expr)
	}
}
func (n *binExpr) children(v func(node))    { some(v, n.left, n.right) }
func (n *logicExpr) children(v func(node))  { some(v, n.left, n.right) }
func (n *unaryExpr) children(v func(node))  { v(n.node) }
func (n *goCallExpr) children(v func(node)) { each(v, n.args) }

func (n *outputStmt) children(v func(node)) { each(v, n.nodes) }
func (n *forStmt) children(v func(node)) {
	some(v, n.target, n.iter)
	all(v, n.body)
	all(v, n.els)
	some(v, n.test)
}
func (n *ifStmt) children(v func(node)) {
	v(n.test)
	all(v, n.body)
	for _, e := range n.elifs {
		v(e)
	}
	all(v, n.els)
}
func names(v func(node), args []*nameExpr) {
	for _, a := range args {
		v(a)
	}
}
func (n *macroStmt) children(v func(node)) {
	names(v, n.args)
	each(v, n.defaults)
	all(v, n.body)
}
func (n *callStmt) children(v func(node)) {
	v(n.call)
	names(v, n.args)
	each(v, n.defaults)
	all(v, n.body)
}
func (n *filterStmt) children(v func(node)) { all(v, n.body); v(n.filter) }
func (n *withStmt) children(v func(node)) {
	each(v, n.targets)
	each(v, n.values)
	all(v, n.body)
}
func (n *blockStmt) children(v func(node))   { all(v, n.body) }
func (n *extendsStmt) children(v func(node)) { v(n.template) }
func (n *includeStmt) children(v func(node)) { v(n.template) }
func (n *importStmt) children(v func(node))  { v(n.template) }
func (n *fromStmt) children(v func(node))    { v(n.template) }
func (n *assignStmt) children(v func(node))  { some(v, n.target, n.node) }
func (n *assignBlockStmt) children(v func(node)) {
	v(n.target)
	if n.filter != nil {
		v(n.filter)
	}
	all(v, n.body)
}
func (n *autoescapeStmt) children(v func(node)) { v(n.value); all(v, n.body) }
func (n *templateNode) children(v func(node))   { all(v, n.body) }

// walk visits n and everything below it, parents first.
func walk(n node, visit func(node)) {
	var down func(node)
	down = func(c node) {
		visit(c)
		c.children(down)
	}
	down(n)
}

// setCtx marks every name below a target (nodes.Node.set_ctx).
func setCtx(n node, ctx nameCtx) {
	walk(n, func(c node) {
		if name, ok := c.(*nameExpr); ok {
			name.ctx = ctx
		}
	})
}

// canAssign reports whether an expression may stand on the left of an assignment.
func canAssign(e expr) bool {
	switch e := e.(type) {
	case *nameExpr, *nsRefExpr:
		return true
	case *tupleExpr:
		for _, i := range e.items {
			if !canAssign(i) {
				return false
			}
		}
		return true
	}
	return false
}

// className is the lower-case name of the node's class in Jinja, for messages.
func className(e expr) string {
	switch e := e.(type) {
	case *constExpr:
		return "const"
	case *listExpr:
		return "list"
	case *dictExpr:
		return "dict"
	case *tupleExpr:
		return "tuple"
	case *nameExpr:
		return "name"
	case *getattrExpr:
		return "getattr"
	case *getitemExpr:
		return "getitem"
	case *callExpr:
		return "call"
	case *filterExpr:
		return "filter"
	case *testExpr:
		return "test"
	case *condExpr:
		return "condexpr"
	case *concatExpr:
		return "concat"
	case *compareExpr:
		return "compare"
	case *unaryExpr:
		return map[tokenKind]string{tokAdd: "pos", tokSub: "neg", opNot: "not"}[e.op]
	case *logicExpr:
		if e.and {
			return "and"
		}
		return "or"
	case *binExpr:
		return map[tokenKind]string{tokAdd: "add", tokSub: "sub", tokMul: "mul", tokDiv: "div", tokFloorDiv: "floordiv",
			tokMod: "mod", tokPow: "pow"}[e.op]
	}
	return "expr"
}
