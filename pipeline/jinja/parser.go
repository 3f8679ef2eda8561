package jinja

import (
	"slices"
	"strings"
)

// Nesting that a source may have. Python's own parser gives up earlier, at its recursion limit.
const (
	maxParseDepth = 150 // parentheses, statements and prefixes inside each other
	maxTreeDepth  = 600 // operators, filters and subscripts in a chain
)

// Parser turns tokens into nodes (jinja2/parser.py). Extensions get one to parse their own tags.
type Parser struct {
	tokens []token
	i      int
	env    *Env
	tags   []string   // tags that are open, for messages
	ends   [][]string // the end tags that open bodies wait for
	depth  int
	names  int
	bad    bool  // the parser came to where the lexer stopped
	late   error // what Python's own compiler refuses, after Jinja's is through
}

func newParser(env *Env, tokens []token) *Parser { return &Parser{tokens: tokens, env: env} }

func (p *Parser) cur() token { return p.tokens[p.i] }

func (p *Parser) look() token {
	if p.i+1 < len(p.tokens) {
		return p.seen(p.tokens[p.i+1])
	}
	return p.tokens[p.i]
}

func (p *Parser) next() token {
	t := p.tokens[p.i]
	if p.i+1 < len(p.tokens) {
		p.i++
	}
	p.seen(p.tokens[p.i])
	return t
}

func (p *Parser) seen(t token) token {
	p.bad = p.bad || t.kind == tokBad
	return t
}

func (p *Parser) skipKind(k tokenKind) bool {
	if p.cur().kind == k {
		p.next()
		return true
	}
	return false
}

func (p *Parser) skipName(name string) bool {
	if p.cur().is(name) {
		p.next()
		return true
	}
	return false
}

func (p *Parser) expect(k tokenKind) (token, error) {
	if p.cur().kind == k {
		return p.next(), nil
	}
	return token{}, p.expected(tokenNames[k])
}

func (p *Parser) expectName(name string) (token, error) {
	if p.cur().is(name) {
		return p.next(), nil
	}
	return token{}, p.expected(name)
}

func (p *Parser) expected(what string) error {
	t := p.cur()
	if t.kind == tokEOF {
		return syntaxErr(t.line, "unexpected end of template, expected %s.", quote(what))
	}
	return syntaxErr(t.line, "expected token %s, got %s", quote(what), quote(t.describe()))
}

func (p *Parser) fail(format string, args ...any) error {
	return syntaxErr(p.cur().line, format, args...)
}

// enter counts one level of nesting; leave takes it back.
func (p *Parser) enter() error {
	p.depth++
	if p.depth > maxParseDepth {
		e := limitErr("", "the template is nested more than %d levels deep", maxParseDepth).(*pyErr)
		e.line, e.hint = p.cur().line, "Split the template into macros or variables."
		return e
	}
	return nil
}

func (p *Parser) leave() { p.depth-- }

// node position for an expression over the given parts.
func (p *Parser) over(line int, parts ...expr) (pos, error) {
	depth := 0
	for _, e := range parts {
		if e != nil {
			depth = max(depth, e.nest())
		}
	}
	if depth >= maxTreeDepth {
		e := limitErr("", "an expression has more than %d operations inside each other", maxTreeDepth).(*pyErr)
		e.line, e.hint = line, "Split the expression with set."
		return pos{}, e
	}
	return pos{line: line, depth: depth + 1}, nil
}

func (p *Parser) template() (*templateNode, error) {
	body, err := p.subparse(nil)
	if err != nil {
		return nil, err
	}
	return &templateNode{body: body, late: p.late}, nil
}

// subparse reads data, prints and statements until one of the end tags, which stays in the stream.
func (p *Parser) subparse(ends []string) ([]node, error) {
	if ends != nil {
		p.ends = append(p.ends, ends)
		defer func() { p.ends = p.ends[:len(p.ends)-1] }()
	}
	var body []node
	var out []expr
	flush := func() {
		if len(out) > 0 {
			body = append(body, &outputStmt{line: out[0].at(), nodes: out})
			out = nil
		}
	}
	for p.cur().kind != tokEOF {
		switch t := p.next(); t.kind {
		case tokBad:
			return nil, p.expected("")
		case tokData:
			out = append(out, &dataExpr{pos: pos{line: t.line}, text: t.text})
		case tokVarBegin:
			e, err := p.tuple(tupleOpts{condexpr: true})
			if err != nil {
				return nil, err
			}
			out = append(out, e)
			if _, err := p.expect(tokVarEnd); err != nil {
				return nil, err
			}
		case tokBlockBegin:
			flush()
			if p.cur().kind == tokName && slices.Contains(ends, p.cur().text) {
				return body, nil
			}
			nodes, err := p.statement()
			if err != nil {
				return nil, err
			}
			body = append(body, nodes...)
			if _, err := p.expect(tokBlockEnd); err != nil {
				return nil, err
			}
		}
	}
	flush()
	return body, nil
}

// statements reads a body after a tag's head, up to one of the end tags; drop takes the end tag out of the stream.
func (p *Parser) statements(drop bool, ends ...string) ([]node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.skipKind(tokColon)
	if _, err := p.expect(tokBlockEnd); err != nil {
		return nil, err
	}
	body, err := p.subparse(ends)
	if err != nil {
		return nil, err
	}
	if p.cur().kind == tokEOF {
		return nil, p.failEOF(ends)
	}
	if drop {
		p.next()
	}
	return body, nil
}

type statementParser func(*Parser) (node, error)

func (p *Parser) statement() ([]node, error) {
	t := p.cur()
	if t.kind != tokName {
		return nil, syntaxErr(t.line, "tag name expected")
	}
	parse := statementFor(t.text)
	if tag, ok := p.env.tags[t.text]; parse == nil && ok {
		parse = func(p *Parser) (node, error) { return p.extension(tag) }
	}
	if parse == nil {
		return nil, p.failTag(t.text, p.ends, t.line)
	}
	p.tags = append(p.tags, t.text)
	n, err := parse(p)
	if err != nil {
		return nil, err
	}
	p.tags = p.tags[:len(p.tags)-1]
	return []node{n}, nil
}

func (p *Parser) extension(tag Tag) (node, error) {
	t := p.next()
	n, err := tag.Parse(p, t.line)
	if err != nil {
		return nil, err
	}
	return n.stmt, nil
}

func statementFor(tag string) statementParser {
	switch tag {
	case "for":
		return (*Parser).parseFor
	case "if":
		return (*Parser).parseIf
	case "set":
		return (*Parser).parseSet
	case "macro":
		return (*Parser).parseMacro
	case "call":
		return (*Parser).parseCallBlock
	case "filter":
		return (*Parser).parseFilterBlock
	case "with":
		return (*Parser).parseWith
	case "print":
		return (*Parser).parsePrint
	case "block":
		return (*Parser).parseBlock
	case "autoescape":
		return (*Parser).parseAutoescape
	case "extends":
		return (*Parser).parseExtends
	case "include":
		return (*Parser).parseInclude
	case "import":
		return (*Parser).parseImport
	case "from":
		return (*Parser).parseFrom
	}
	return nil
}

func (p *Parser) failEOF(ends []string) error {
	return p.failTag("", append(slices.Clone(p.ends), ends), p.cur().line)
}

// failTag explains an unknown tag, or the end of the template if name is empty.
func (p *Parser) failTag(name string, ends [][]string, line int) error {
	looking := ""
	if len(ends) > 0 {
		var quoted []string
		for _, e := range ends[len(ends)-1] {
			quoted = append(quoted, quote(e))
		}
		looking = strings.Join(quoted, " or ")
	}
	msg := []string{"Unexpected end of template."}
	if name != "" {
		msg[0] = "Encountered unknown tag " + quote(name) + "."
	}
	if looking != "" {
		known := slices.ContainsFunc(ends, func(list []string) bool { return slices.Contains(list, name) })
		if name != "" && known {
			msg = append(msg, "You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for "+looking+".")
		} else {
			msg = append(msg, "Jinja was looking for the following tags: "+looking+".")
		}
	}
	if len(p.tags) > 0 {
		msg = append(msg, "The innermost block that needs to be closed is "+quote(p.tags[len(p.tags)-1])+".")
	}
	return syntaxErr(line, "%s", strings.Join(msg, " "))
}
