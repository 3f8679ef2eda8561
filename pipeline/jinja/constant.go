package jinja

import (
	"slices"

	"github.com/haywardhq/hayward/pipeline/value"
)

// isConstant reports whether an expression needs nothing from a render, which is when Jinja evaluates it as it compiles
// (the as_const of its nodes).
func isConstant(e expr) bool {
	switch e := e.(type) {
	case nil, *constExpr, *dataExpr:
		return true
	case *tupleExpr:
		return allConstant(e.items...)
	case *listExpr:
		return allConstant(e.items...)
	case *dictExpr:
		return !slices.ContainsFunc(e.items, func(p pairExpr) bool { return !allConstant(p.key, p.val) })
	case *concatExpr:
		return allConstant(e.nodes...)
	case *unaryExpr:
		return isConstant(e.node)
	case *binExpr:
		return allConstant(e.left, e.right)
	case *logicExpr:
		return isConstant(e.left) && (decided(e) || isConstant(e.right))
	case *compareExpr:
		return isConstant(e.expr) && !slices.ContainsFunc(e.ops, func(o operand) bool { return !isConstant(o.expr) })
	case *condExpr:
		return allConstant(e.test, e.then, e.els)
	case *getattrExpr:
		return isConstant(e.node)
	case *getitemExpr:
		return allConstant(e.node, e.arg)
	case *sliceExpr:
		return allConstant(e.start, e.stop, e.step)
	case *filterExpr:
		return !slices.Contains(contextFilters, e.name) && e.node != nil && isConstant(e.node) && e.constant()
	case *testExpr:
		return isConstant(e.node) && e.constant()
	}
	return false
}

// contextFilters look at the context, so that Jinja calls them at run time only.
var contextFilters = []string{"map", "random", "reject", "rejectattr", "select", "selectattr"}

func allConstant(list ...expr) bool {
	return !slices.ContainsFunc(list, func(e expr) bool { return !isConstant(e) })
}

func (a *callArgs) constant() bool {
	return allConstant(a.args...) && isConstant(a.dynArgs) && isConstant(a.dynKwarg) &&
		!slices.ContainsFunc(a.kwargs, func(k keyword) bool { return !isConstant(k.val) })
}

// decided reports whether the left side of and, or of or, is written out and settles it.
func decided(e *logicExpr) bool {
	k, ok := e.left.(*constExpr)
	return ok && value.Truthy(k.val) != e.and
}
