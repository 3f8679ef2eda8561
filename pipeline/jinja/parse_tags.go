package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

func (p *Parser) parseSet() (node, error) {
	line := p.next().line
	target, err := p.assignTarget(true)
	if err != nil {
		return nil, err
	}
	if p.skipKind(tokAssign) {
		e, err := p.tuple(tupleOpts{condexpr: true})
		return &assignStmt{line: line, target: target, node: e}, err
	}
	filter, err := p.filters(nil, false)
	if err != nil {
		return nil, err
	}
	n := &assignBlockStmt{line: line, target: target}
	n.filter, _ = filter.(*filterExpr)
	n.body, err = p.statements(true, "endset")
	return n, err
}

func (p *Parser) parseFor() (node, error) {
	n := &forStmt{line: p.next().line}
	var err error
	if n.target, err = p.assignTarget(false); err != nil {
		return nil, err
	}
	if _, err = p.expectName("in"); err != nil {
		return nil, err
	}
	if n.iter, err = p.tuple(tupleOpts{}); err != nil {
		return nil, err
	}
	if p.skipName("if") {
		if n.test, err = p.expression(true); err != nil {
			return nil, err
		}
	}
	n.recursive = p.skipName("recursive")
	if n.body, err = p.statements(false, "endfor", "else"); err != nil {
		return nil, err
	}
	if p.next().text != "endfor" {
		n.els, err = p.statements(true, "endfor")
	}
	return n, err
}

func (p *Parser) parseIf() (node, error) {
	n := &ifStmt{line: p.next().line}
	for cur := n; ; {
		var err error
		if cur.test, err = p.tuple(tupleOpts{}); err != nil {
			return nil, err
		}
		if cur.body, err = p.statements(false, "elif", "else", "endif"); err != nil {
			return nil, err
		}
		switch p.next().text {
		case "elif":
			cur = &ifStmt{line: p.cur().line}
			n.elifs = append(n.elifs, cur)
			continue
		case "else":
			n.els, err = p.statements(true, "endif")
		}
		return n, err
	}
}

func (p *Parser) parseWith() (node, error) {
	n := &withStmt{line: p.next().line}
	for p.cur().kind != tokBlockEnd {
		if len(n.targets) > 0 {
			if _, err := p.expect(tokComma); err != nil {
				return nil, err
			}
		}
		target, err := p.assignTarget(false)
		if err != nil {
			return nil, err
		}
		setCtx(target, param)
		if _, err := p.expect(tokAssign); err != nil {
			return nil, err
		}
		val, err := p.expression(true)
		if err != nil {
			return nil, err
		}
		n.targets, n.values = append(n.targets, target), append(n.values, val)
	}
	var err error
	n.body, err = p.statements(true, "endwith")
	return n, err
}

func (p *Parser) parseAutoescape() (node, error) {
	n := &autoescapeStmt{line: p.next().line}
	var err error
	if n.value, err = p.expression(true); err != nil {
		return nil, err
	}
	n.body, err = p.statements(true, "endautoescape")
	return n, err
}

func (p *Parser) parseBlock() (node, error) {
	n := &blockStmt{line: p.next().line}
	t, err := p.expect(tokName)
	if err != nil {
		return nil, err
	}
	n.name = t.text
	n.scoped = p.skipName("scoped")
	n.required = p.skipName("required")
	if p.cur().kind == tokSub {
		return nil, p.fail("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, " +
			"use an underscore instead.")
	}
	if n.body, err = p.statements(true, "endblock"); err != nil {
		return nil, err
	}
	if n.required && !onlySpace(n.body) {
		return nil, p.fail("Required blocks can only contain comments or whitespace")
	}
	p.skipName(n.name)
	return n, nil
}

func onlySpace(body []node) bool {
	for _, n := range body {
		out, ok := n.(*outputStmt)
		if !ok {
			return false
		}
		for _, e := range out.nodes {
			if d, ok := e.(*dataExpr); !ok || strings.TrimFunc(d.text, value.IsSpace) != "" {
				return false
			}
		}
	}
	return true
}

func (p *Parser) parseExtends() (node, error) {
	n := &extendsStmt{line: p.next().line}
	var err error
	n.template, err = p.expression(true)
	return n, err
}

// importContext reads "with context" or "without context".
func (p *Parser) importContext(dflt bool) bool {
	if (p.cur().is("with") || p.cur().is("without")) && p.look().is("context") {
		dflt = p.next().text == "with"
		p.next()
	}
	return dflt
}

func (p *Parser) parseInclude() (node, error) {
	n := &includeStmt{line: p.next().line}
	var err error
	if n.template, err = p.expression(true); err != nil {
		return nil, err
	}
	if p.cur().is("ignore") && p.look().is("missing") {
		n.ignoreMissing = true
		p.next()
		p.next()
	}
	n.withContext = p.importContext(true)
	return n, nil
}

func (p *Parser) parseImport() (node, error) {
	n := &importStmt{line: p.next().line}
	var err error
	if n.template, err = p.expression(true); err != nil {
		return nil, err
	}
	if _, err = p.expectName("as"); err != nil {
		return nil, err
	}
	target, err := p.nameTarget()
	if err != nil {
		return nil, err
	}
	n.target = target.name
	p.importContext(false)
	return n, nil
}

func (p *Parser) parseFrom() (node, error) {
	n := &fromStmt{line: p.next().line}
	var err error
	if n.template, err = p.expression(true); err != nil {
		return nil, err
	}
	if _, err = p.expectName("import"); err != nil {
		return nil, err
	}
	for {
		if len(n.names) > 0 {
			if _, err := p.expect(tokComma); err != nil {
				return nil, err
			}
		}
		if p.cur().kind != tokName {
			_, err := p.expect(tokName)
			return nil, err
		}
		if p.fromContext() {
			return n, nil
		}
		if err := p.fromName(n); err != nil {
			return nil, err
		}
		if p.fromContext() || p.cur().kind != tokComma {
			return n, nil
		}
	}
}

func (p *Parser) fromContext() bool {
	before := p.i
	p.importContext(false)
	return p.i != before
}

func (p *Parser) fromName(n *fromStmt) error {
	name, err := p.nameTarget()
	if err != nil {
		return err
	}
	if strings.HasPrefix(name.name, "_") {
		return assertionErr(name.line, "names starting with an underline can not be imported")
	}
	if p.skipName("as") {
		if name, err = p.nameTarget(); err != nil {
			return err
		}
	}
	n.names = append(n.names, name.name)
	return nil
}

func (p *Parser) signature() (args []*nameExpr, defaults []expr, err error) {
	if _, err = p.expect(tokLParen); err != nil {
		return nil, nil, err
	}
	for p.cur().kind != tokRParen {
		if len(args) > 0 {
			if _, err = p.expect(tokComma); err != nil {
				return nil, nil, err
			}
		}
		arg, err := p.nameTarget()
		if err != nil {
			return nil, nil, err
		}
		arg.ctx = param
		if p.skipKind(tokAssign) {
			d, err := p.expression(true)
			if err != nil {
				return nil, nil, err
			}
			defaults = append(defaults, d)
		} else if len(defaults) > 0 {
			return nil, nil, p.fail("non-default argument follows default argument")
		}
		args = append(args, arg)
	}
	_, err = p.expect(tokRParen)
	return args, defaults, err
}

func (p *Parser) parseMacro() (node, error) {
	n := &macroStmt{line: p.next().line}
	name, err := p.nameTarget()
	if err != nil {
		return nil, err
	}
	n.name = name.name
	if n.args, n.defaults, err = p.signature(); err != nil {
		return nil, err
	}
	n.body, err = p.statements(true, "endmacro")
	return n, err
}

func (p *Parser) parseCallBlock() (node, error) {
	n := &callStmt{line: p.next().line}
	var err error
	if p.cur().kind == tokLParen {
		if n.args, n.defaults, err = p.signature(); err != nil {
			return nil, err
		}
	}
	if n.call, err = p.expression(true); err != nil {
		return nil, err
	}
	if _, ok := n.call.(*callExpr); !ok {
		return nil, syntaxErr(n.line, "expected call")
	}
	n.body, err = p.statements(true, "endcall")
	return n, err
}

func (p *Parser) parseFilterBlock() (node, error) {
	n := &filterStmt{line: p.next().line}
	f, err := p.filters(nil, true)
	if err != nil {
		return nil, err
	}
	n.filter = f.(*filterExpr)
	n.body, err = p.statements(true, "endfilter")
	return n, err
}

func (p *Parser) parsePrint() (node, error) {
	n := &outputStmt{line: p.next().line}
	for p.cur().kind != tokBlockEnd {
		if len(n.nodes) > 0 {
			if _, err := p.expect(tokComma); err != nil {
				return nil, err
			}
		}
		e, err := p.expression(true)
		if err != nil {
			return nil, err
		}
		n.nodes = append(n.nodes, e)
	}
	return n, nil
}

// nameTarget reads a single name that gets a value.
func (p *Parser) nameTarget() (*nameExpr, error) {
	t, err := p.expect(tokName)
	if err != nil {
		return nil, err
	}
	n := p.name(t)
	n.ctx = store
	switch t.text {
	case "true", "false", "none", "True", "False", "None":
		return nil, syntaxErr(t.line, "can't assign to 'name'")
	}
	return n, nil
}

func (p *Parser) name(t token) *nameExpr {
	p.names++
	return &nameExpr{pos: pos{line: t.line, depth: 1}, name: t.text, seq: p.names}
}

// assignTarget reads a name, a tuple of names, or (for set) attributes of namespaces.
func (p *Parser) assignTarget(namespace bool) (expr, error) {
	target, err := p.tuple(tupleOpts{simple: true, namespace: namespace})
	if err != nil {
		return nil, err
	}
	setCtx(target, store)
	if !canAssign(target) {
		return nil, syntaxErr(target.at(), "can't assign to %s", quote(className(target)))
	}
	return target, nil
}
