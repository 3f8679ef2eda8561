package jinja

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

// node is one node of the syntax tree (jinja2/nodes.py). Children come in Jinja's field order, which the scope analysis
// depends on.
type node interface {
	children(visit func(node))
}

// expr is an expression node; depth is how many expressions are nested in it.
type expr interface {
	node
	at() int
	nest() int
}

type nameCtx uint8

const (
	load nameCtx = iota
	store
	param
)

// pos is the line of a node and, for expressions, the depth below it.
type pos struct {
	line  int
	depth int
}

func (p pos) at() int   { return p.line }
func (p pos) nest() int { return p.depth }

// Expressions.
type (
	nameExpr struct {
		pos
		name string
		ctx  nameCtx
		seq  int // order of appearance in the source
	}
	nsRefExpr struct {
		pos
		name, attr string
		seq        int
	}
	constExpr struct {
		pos
		val value.Value
	}
	dataExpr struct {
		pos
		text string
	}
	tupleExpr struct {
		pos
		items []expr
	}
	listExpr struct {
		pos
		items []expr
	}
	pairExpr struct{ key, val expr }
	dictExpr struct {
		pos
		items []pairExpr
	}
	condExpr struct {
		pos
		test, then, els expr
	}
	callArgs struct {
		args     []expr
		kwargs   []keyword
		dynArgs  expr
		dynKwarg expr
	}
	keyword struct {
		key string
		val expr
	}
	filterExpr struct {
		pos
		callArgs
		node expr // nil in a filter block
		name string
	}
	testExpr struct {
		pos
		callArgs
		node expr
		name string
	}
	callExpr struct {
		pos
		callArgs
		node expr
	}
	getattrExpr struct {
		pos
		node expr
		attr string
	}
	getitemExpr struct {
		pos
		node, arg expr
	}
	sliceExpr struct {
		pos
		start, stop, step expr
	}
	concatExpr struct {
		pos
		nodes []expr
	}
	operand struct {
		op   tokenKind // or opIn, opNotIn
		expr expr
	}
	compareExpr struct {
		pos
		expr expr
		ops  []operand
	}
	binExpr struct {
		pos
		op          tokenKind
		left, right expr
	}
	logicExpr struct {
		pos
		and         bool
		left, right expr
	}
	unaryExpr struct {
		pos
		op   tokenKind // tokAdd, tokSub or opNot
		node expr
	}
	// goCallExpr calls a Go function of an extension.
	goCallExpr struct {
		pos
		fn   TagFunc
		args []expr
	}
)

// Operators that are names, not tokens.
const (
	opIn tokenKind = 200 + iota
	opNotIn
	opNot
)

// Statements.
type (
	outputStmt struct {
		line  int
		nodes []expr
	}
	forStmt struct {
		line      int
		target    expr
		iter      expr
		body, els []node
		test      expr
		recursive bool
	}
	ifStmt struct {
		line  int
		test  expr
		body  []node
		elifs []*ifStmt
		els   []node
	}
	macroStmt struct {
		line     int
		name     string
		args     []*nameExpr
		defaults []expr
		body     []node
	}
	callStmt struct {
		line     int
		call     expr // *callExpr, or *goCallExpr for a tag of an extension
		args     []*nameExpr
		defaults []expr
		body     []node
	}
	filterStmt struct {
		line   int
		filter *filterExpr
		body   []node
	}
	withStmt struct {
		line    int
		targets []expr
		values  []expr
		body    []node
	}
	blockStmt struct {
		line             int
		name             string
		body             []node
		scoped, required bool
	}
	extendsStmt struct {
		line     int
		template expr
	}
	includeStmt struct {
		line          int
		template      expr
		ignoreMissing bool
		withContext   bool
	}
	importStmt struct {
		line     int
		template expr
		target   string
	}
	fromStmt struct {
		line     int
		template expr
		names    []string // the names they get here
	}
	assignStmt struct {
		line   int
		target expr
		node   expr
	}
	assignBlockStmt struct {
		line   int
		target expr
		filter *filterExpr
		body   []node
	}
	autoescapeStmt struct {
		line  int
		value expr
		body  []node
	}
	templateNode struct {
		body []node
		late error // what Python's compiler says of the code that Jinja's makes
	}
)
