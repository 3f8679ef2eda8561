package jinja

import "github.com/haywardhq/hayward/pipeline/value"

// expression reads one expression, with an inline if when condexpr is set.
func (p *Parser) expression(condexpr bool) (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if condexpr {
		return p.condExpr()
	}
	return p.or()
}

func (p *Parser) condExpr() (expr, error) {
	line := p.cur().line
	e, err := p.or()
	for err == nil && p.skipName("if") {
		n := &condExpr{then: e}
		if n.test, err = p.or(); err != nil {
			return nil, err
		}
		if p.skipName("else") {
			if n.els, err = p.expression(true); err != nil {
				return nil, err
			}
		}
		n.pos, err = p.over(line, n.test, n.then, n.els)
		e, line = n, p.cur().line
	}
	return e, err
}

func (p *Parser) or() (expr, error)  { return p.logic("or", (*Parser).and) }
func (p *Parser) and() (expr, error) { return p.logic("and", (*Parser).not) }

func (p *Parser) logic(word string, sub func(*Parser) (expr, error)) (expr, error) {
	line := p.cur().line
	left, err := sub(p)
	for err == nil && p.skipName(word) {
		var right expr
		if right, err = sub(p); err != nil {
			return nil, err
		}
		n := &logicExpr{and: word == "and", left: left, right: right}
		n.pos, err = p.over(line, left, right)
		left, line = n, p.cur().line
	}
	return left, err
}

func (p *Parser) not() (expr, error) {
	if !p.cur().is("not") {
		return p.compare()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	line := p.next().line
	e, err := p.not()
	if err != nil {
		return nil, err
	}
	return p.unaryOver(opNot, e, line)
}

func (p *Parser) unaryOver(op tokenKind, e expr, line int) (expr, error) {
	at, err := p.over(line, e)
	return &unaryExpr{pos: at, op: op, node: e}, err
}

func (p *Parser) compareOp() (tokenKind, bool) {
	switch t := p.cur(); {
	case t.kind == tokEq, t.kind == tokNe, t.kind == tokLt, t.kind == tokLtEq, t.kind == tokGt, t.kind == tokGtEq:
		p.next()
		return t.kind, true
	case t.is("in"):
		p.next()
		return opIn, true
	case t.is("not") && p.look().is("in"):
		p.next()
		p.next()
		return opNotIn, true
	}
	return 0, false
}

func (p *Parser) compare() (expr, error) {
	line := p.cur().line
	e, err := p.sum()
	if err != nil {
		return nil, err
	}
	var ops []operand
	parts := []expr{e}
	for {
		op, ok := p.compareOp()
		if !ok {
			break
		}
		right, err := p.sum()
		if err != nil {
			return nil, err
		}
		ops, parts = append(ops, operand{op, right}), append(parts, right)
		line = p.cur().line
	}
	if ops == nil {
		return e, nil
	}
	at, err := p.over(line, parts...)
	return &compareExpr{pos: at, expr: e, ops: ops}, err
}

// binary reads a left-associative chain of operators.
func (p *Parser) binary(sub func(*Parser) (expr, error), ops ...tokenKind) (expr, error) {
	line := p.cur().line
	left, err := sub(p)
	for err == nil {
		op := p.cur().kind
		if !containsKind(ops, op) {
			return left, nil
		}
		p.next()
		var right expr
		if right, err = sub(p); err != nil {
			return nil, err
		}
		n := &binExpr{op: op, left: left, right: right}
		n.pos, err = p.over(line, left, right)
		left, line = n, p.cur().line
	}
	return nil, err
}

func containsKind(ops []tokenKind, k tokenKind) bool {
	for _, op := range ops {
		if op == k {
			return true
		}
	}
	return false
}

func (p *Parser) sum() (expr, error) { return p.binary((*Parser).concat, tokAdd, tokSub) }

func (p *Parser) product() (expr, error) {
	return p.binary((*Parser).power, tokMul, tokDiv, tokFloorDiv, tokMod)
}

func (p *Parser) power() (expr, error) {
	return p.binary(func(p *Parser) (expr, error) { return p.unary(true) }, tokPow)
}

func (p *Parser) concat() (expr, error) {
	line := p.cur().line
	e, err := p.product()
	if err != nil || p.cur().kind != tokTilde {
		return e, err
	}
	nodes := []expr{e}
	for p.skipKind(tokTilde) {
		if e, err = p.product(); err != nil {
			return nil, err
		}
		nodes = append(nodes, e)
	}
	at, err := p.over(line, nodes...)
	return &concatExpr{pos: at, nodes: nodes}, err
}

func (p *Parser) unary(filters bool) (expr, error) {
	t := p.cur()
	var e expr
	var err error
	if t.kind == tokSub || t.kind == tokAdd {
		if err = p.enter(); err != nil {
			return nil, err
		}
		p.next()
		if e, err = p.unary(false); err == nil {
			e, err = p.unaryOver(t.kind, e, t.line)
		}
		p.leave()
	} else {
		e, err = p.primary(false)
	}
	if err == nil {
		e, err = p.postfix(e)
	}
	if err == nil && filters {
		e, err = p.filterChain(e)
	}
	return e, err
}

func (p *Parser) primary(namespace bool) (expr, error) {
	t := p.cur()
	leaf := pos{line: t.line, depth: 1}
	switch t.kind {
	case tokName:
		return p.nameOrConst(namespace)
	case tokString:
		text := ""
		for p.cur().kind == tokString {
			text += p.next().text
		}
		return &constExpr{leaf, value.Str(text)}, nil
	case tokInteger, tokFloat:
		p.next()
		return &constExpr{leaf, t.val}, nil
	case tokLParen:
		p.next()
		e, err := p.tuple(tupleOpts{condexpr: true, parens: true})
		if err == nil {
			_, err = p.expect(tokRParen)
		}
		return e, err
	case tokLBracket:
		return p.list()
	case tokLBrace:
		return p.dict()
	}
	return nil, syntaxErr(t.line, "unexpected %s", quote(t.describe()))
}

func (p *Parser) nameOrConst(namespace bool) (expr, error) {
	t := p.next()
	leaf := pos{line: t.line, depth: 1}
	switch t.text {
	case "true", "True":
		return &constExpr{leaf, value.Bool(true)}, nil
	case "false", "False":
		return &constExpr{leaf, value.Bool(false)}, nil
	case "none", "None":
		return &constExpr{leaf, value.None}, nil
	}
	if namespace && p.skipKind(tokDot) {
		attr, err := p.expect(tokName)
		p.names++
		return &nsRefExpr{leaf, t.text, attr.text, p.names}, err
	}
	return p.name(t), nil
}

// tupleOpts are the flavours of Jinja's parse_tuple.
type tupleOpts struct {
	simple    bool // names and literals only
	condexpr  bool // inline if allowed
	parens    bool // inside parentheses: empty is a tuple
	namespace bool // attributes of namespaces allowed
}

// tupleEnd reports whether a tuple ends here. Jinja also means to end one at the names "in" and "recursive", but never
// does: its test for them cannot hold.
func (p *Parser) tupleEnd() bool {
	k := p.cur().kind
	return k == tokVarEnd || k == tokBlockEnd || k == tokRParen
}

// tuple reads an expression, or a tuple when commas follow.
func (p *Parser) tuple(o tupleOpts) (expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	line := p.cur().line
	var items []expr
	isTuple := false
	for {
		if len(items) > 0 {
			if _, err := p.expect(tokComma); err != nil {
				return nil, err
			}
		}
		if p.tupleEnd() {
			break
		}
		e, err := p.tupleItem(o)
		if err != nil {
			return nil, err
		}
		items = append(items, e)
		if p.cur().kind != tokComma {
			break
		}
		isTuple, line = true, p.cur().line
	}
	if !isTuple {
		if len(items) > 0 {
			return items[0], nil
		}
		if !o.parens {
			return nil, p.fail("Expected an expression, got %s", quote(p.cur().describe()))
		}
	}
	at, err := p.over(line, items...)
	return &tupleExpr{pos: at, items: items}, err
}

func (p *Parser) tupleItem(o tupleOpts) (expr, error) {
	if o.simple {
		return p.primary(o.namespace)
	}
	return p.expression(o.condexpr)
}

func (p *Parser) list() (expr, error) {
	line := p.next().line
	var items []expr
	for p.cur().kind != tokRBracket {
		if len(items) > 0 {
			if _, err := p.expect(tokComma); err != nil {
				return nil, err
			}
		}
		if p.cur().kind == tokRBracket {
			break
		}
		e, err := p.expression(true)
		if err != nil {
			return nil, err
		}
		items = append(items, e)
	}
	p.next()
	at, err := p.over(line, items...)
	return &listExpr{pos: at, items: items}, err
}

func (p *Parser) dict() (expr, error) {
	line := p.next().line
	n := &dictExpr{}
	var parts []expr
	for p.cur().kind != tokRBrace {
		if len(n.items) > 0 {
			if _, err := p.expect(tokComma); err != nil {
				return nil, err
			}
		}
		if p.cur().kind == tokRBrace {
			break
		}
		key, err := p.expression(true)
		if err != nil {
			return nil, err
		}
		if _, err = p.expect(tokColon); err != nil {
			return nil, err
		}
		val, err := p.expression(true)
		if err != nil {
			return nil, err
		}
		n.items, parts = append(n.items, pairExpr{key, val}), append(parts, key, val)
	}
	p.next()
	var err error
	n.pos, err = p.over(line, parts...)
	return n, err
}
