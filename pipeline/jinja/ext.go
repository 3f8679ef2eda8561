package jinja

import "github.com/haywardhq/hayward/pipeline/value"

// Tag is a tag of an extension, such as {% now 'UTC' %}.
type Tag struct {
	Name string
	// Parse reads the tag. The parser stands behind the tag's name; line is where the tag stands.
	Parse func(p *Parser, line int) (Node, error)
}

// TagFunc does the work of a tag when it is rendered. Args are the values of the tag's expressions.
type TagFunc func(c *Call) (value.Value, error)

// Expr is an expression that a tag has read.
type Expr struct{ e expr }

// Node is what a tag puts into the template.
type Node struct{ stmt node }

// IsZero reports whether there is no expression.
func (e Expr) IsZero() bool { return e.e == nil }

// Const returns the value of a literal.
func (e Expr) Const() (v value.Value, ok bool) {
	if c, is := e.e.(*constExpr); is {
		return c.val, true
	}
	return nil, false
}

// IsDict reports whether the expression is a dict literal.
func (e Expr) IsDict() bool { _, ok := e.e.(*dictExpr); return ok }

// Binary takes an addition or subtraction apart; op is '+' or '-'.
func (e Expr) Binary() (left Expr, op byte, right Expr, ok bool) {
	b, is := e.e.(*binExpr)
	if !is || b.op != tokAdd && b.op != tokSub {
		return Expr{}, 0, Expr{}, false
	}
	op = '+'
	if b.op == tokSub {
		op = '-'
	}
	return Expr{b.left}, op, Expr{b.right}, true
}

// Literal makes an expression of a value.
func Literal(v value.Value) Expr { return Expr{&constExpr{pos{depth: 1}, v}} }

// Expression reads an expression.
func (p *Parser) Expression() (Expr, error) {
	e, err := p.expression(true)
	return Expr{e}, err
}

// SkipComma takes a comma and reports whether there was one.
func (p *Parser) SkipComma() bool { return p.skipKind(tokComma) }

// AtEnd reports whether the tag ends here.
func (p *Parser) AtEnd() bool { return p.cur().kind == tokBlockEnd }

// AtName reports whether the next token is the given name.
func (p *Parser) AtName(name string) bool { return p.cur().is(name) }

// ExpectName takes the given name, or fails as Jinja does.
func (p *Parser) ExpectName(name string) error {
	_, err := p.expectName(name)
	return err
}

// ExpectAssign takes an equals sign.
func (p *Parser) ExpectAssign() error {
	_, err := p.expect(tokAssign)
	return err
}

// Fail returns a TemplateSyntaxError at a line.
func (p *Parser) Fail(line int, format string, args ...any) error {
	return syntaxErr(line, format, args...)
}

// Print makes a tag print the result of fn, as "{{ }}" prints a value.
func (p *Parser) Print(line int, fn TagFunc, args ...Expr) Node {
	return Node{&outputStmt{line: line, nodes: []expr{goCallOf(line, fn, args)}}}
}

// CallBlock makes a tag that writes the result of fn as it is, without Finalize. The tag's body, which fn renders with
// [Call.Body], ends at the tag named end; an empty end means that there is no body.
func (p *Parser) CallBlock(line int, end string, fn TagFunc, args ...Expr) (Node, error) {
	n := &callStmt{line: line, call: goCallOf(line, fn, args)}
	if end == "" {
		return Node{n}, nil
	}
	var err error
	n.body, err = p.statements(true, end)
	return Node{n}, err
}

func goCallOf(line int, fn TagFunc, args []Expr) *goCallExpr {
	c := &goCallExpr{pos: pos{line: line, depth: 1}, fn: fn}
	for _, a := range args {
		c.args = append(c.args, a.e)
		c.depth = max(c.depth, a.e.nest()+1)
	}
	return c
}

// Raise returns an error that a template shows as the given Python exception.
func Raise(class, format string, args ...any) error { return raise(class, format, args...) }
