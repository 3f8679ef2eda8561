package jinja

// postfix reads subscripts, attributes and calls behind an expression.
func (p *Parser) postfix(e expr) (expr, error) {
	for {
		var err error
		switch p.cur().kind {
		case tokDot, tokLBracket:
			e, err = p.subscript(e)
		case tokLParen:
			e, err = p.call(e)
		default:
			return e, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// filterChain reads filters, tests and calls behind an expression.
func (p *Parser) filterChain(e expr) (expr, error) {
	for {
		var err error
		switch t := p.cur(); {
		case t.kind == tokPipe:
			e, err = p.filters(e, false)
		case t.is("is"):
			e, err = p.test(e)
		case t.kind == tokLParen:
			e, err = p.call(e)
		default:
			return e, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *Parser) subscript(e expr) (expr, error) {
	t := p.next()
	if t.kind == tokDot {
		return p.attribute(e, t.line)
	}
	var args []expr
	for p.cur().kind != tokRBracket {
		if len(args) > 0 {
			if _, err := p.expect(tokComma); err != nil {
				return nil, err
			}
		}
		a, err := p.subscribed()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	p.next()
	at, err := p.over(t.line, append(args, e)...)
	if err != nil {
		return nil, err
	}
	if len(args) == 1 {
		return &getitemExpr{pos: at, node: e, arg: args[0]}, nil
	}
	return &getitemExpr{pos: at, node: e, arg: &tupleExpr{pos: at, items: args}}, nil
}

func (p *Parser) attribute(e expr, line int) (expr, error) {
	at, err := p.over(line, e)
	if err != nil {
		return nil, err
	}
	t := p.next()
	switch t.kind {
	case tokName:
		return &getattrExpr{pos: at, node: e, attr: t.text}, nil
	case tokInteger:
		return &getitemExpr{pos: at, node: e, arg: &constExpr{pos{line: t.line, depth: 1}, t.val}}, nil
	}
	return nil, syntaxErr(t.line, "expected name or number")
}

// subscribed reads an index or a slice.
func (p *Parser) subscribed() (expr, error) {
	line := p.cur().line
	n := &sliceExpr{}
	if p.cur().kind == tokColon {
		p.next()
	} else {
		e, err := p.expression(true)
		if err != nil || p.cur().kind != tokColon {
			return e, err
		}
		p.next()
		n.start = e
	}
	var err error
	if k := p.cur().kind; k != tokColon && k != tokRBracket && k != tokComma {
		if n.stop, err = p.expression(true); err != nil {
			return nil, err
		}
	}
	if p.skipKind(tokColon) {
		if k := p.cur().kind; k != tokRBracket && k != tokComma {
			if n.step, err = p.expression(true); err != nil {
				return nil, err
			}
		}
	}
	n.pos, err = p.over(line, n.start, n.stop, n.step)
	return n, err
}

func (a *callArgs) parts() []expr {
	out := append([]expr(nil), a.args...)
	for _, k := range a.kwargs {
		out = append(out, k.val)
	}
	return append(out, a.dynArgs, a.dynKwarg)
}

func (p *Parser) callArgs() (a callArgs, err error) {
	line := p.next().line
	bad := func() error { return syntaxErr(line, "invalid syntax for function call expression") }
	comma := false
	for p.cur().kind != tokRParen {
		if comma {
			if _, err = p.expect(tokComma); err != nil {
				return a, err
			}
			if p.cur().kind == tokRParen {
				break
			}
		}
		comma = true
		switch t := p.cur(); {
		case t.kind == tokMul:
			if a.dynArgs != nil || a.dynKwarg != nil {
				return a, bad()
			}
			p.next()
			a.dynArgs, err = p.expression(true)
		case t.kind == tokPow:
			if a.dynKwarg != nil {
				return a, bad()
			}
			p.next()
			a.dynKwarg, err = p.expression(true)
		case t.kind == tokName && p.look().kind == tokAssign:
			if a.dynKwarg != nil {
				return a, bad()
			}
			p.next()
			p.next()
			k := keyword{key: t.text}
			k.val, err = p.expression(true)
			a.kwargs = append(a.kwargs, k)
		default:
			if a.dynArgs != nil || a.dynKwarg != nil || len(a.kwargs) > 0 {
				return a, bad()
			}
			var e expr
			e, err = p.expression(true)
			a.args = append(a.args, e)
		}
		if err != nil {
			return a, err
		}
	}
	p.next()
	if p.late == nil { // the first one is what the compiler meets first
		p.late = a.repeated(line)
	}
	return a, nil
}

// repeated refuses a keyword that is given twice, as Python's compiler does.
func (a *callArgs) repeated(line int) error {
	seen := map[string]bool{}
	for _, k := range a.kwargs {
		if seen[k.key] {
			e := raise("SyntaxError", "keyword argument repeated: %s", k.key).(*pyErr)
			e.line = line
			return e
		}
		seen[k.key] = true
	}
	return nil
}

func (p *Parser) call(e expr) (expr, error) {
	n := &callExpr{node: e}
	line := p.cur().line
	var err error
	if n.callArgs, err = p.callArgs(); err != nil {
		return nil, err
	}
	n.pos, err = p.over(line, append(n.parts(), e)...)
	return n, err
}

func (p *Parser) dottedName() (token, error) {
	t, err := p.expect(tokName)
	for err == nil && p.skipKind(tokDot) {
		var part token
		part, err = p.expect(tokName)
		t.text += "." + part.text
	}
	return t, err
}

// filters reads "|name(args)" as often as it comes; inline means that the first has no bar.
func (p *Parser) filters(e expr, inline bool) (expr, error) {
	for p.cur().kind == tokPipe || inline {
		if !inline {
			p.next()
		}
		inline = false
		t, err := p.dottedName()
		if err != nil {
			return nil, err
		}
		n := &filterExpr{node: e, name: t.text}
		if p.cur().kind == tokLParen {
			if n.callArgs, err = p.callArgs(); err != nil {
				return nil, err
			}
		}
		if n.pos, err = p.over(t.line, append(n.parts(), e)...); err != nil {
			return nil, err
		}
		e = n
	}
	return e, nil
}

func (p *Parser) test(e expr) (expr, error) {
	line := p.next().line
	negated := p.skipName("not")
	t, err := p.dottedName()
	if err != nil {
		return nil, err
	}
	n := &testExpr{node: e, name: t.text}
	switch t := p.cur(); {
	case t.kind == tokLParen:
		n.callArgs, err = p.callArgs()
	case t.kind == tokString, t.kind == tokInteger, t.kind == tokFloat, t.kind == tokLBracket, t.kind == tokLBrace,
		t.kind == tokName && !t.is("else") && !t.is("or") && !t.is("and"):
		if t.is("is") {
			return nil, p.fail("You cannot chain multiple tests with is")
		}
		var arg expr
		if arg, err = p.primary(false); err == nil {
			arg, err = p.postfix(arg)
		}
		n.args = []expr{arg}
	}
	if err != nil {
		return nil, err
	}
	if n.pos, err = p.over(line, append(n.parts(), e)...); err != nil || !negated {
		return n, err
	}
	return p.unaryOver(opNot, n, line)
}
