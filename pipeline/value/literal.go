package value

import (
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// The limits of [LiteralEval]. Python stops at the same depth of brackets.
const (
	MaxLiteralBytes = 16 << 20
	maxLiteralDepth = 200
)

// LiteralEval is Python's ast.literal_eval on text: numbers, strings, bytes, tuples (also without brackets: "1,000" is
// (1, 0)), lists, dicts, sets, set(), None, True and False. Everything else is an error with Python's exception class in
// Code (whether Python says ValueError or SyntaxError of other Python code depends on the rest of its grammar, which is
// not read here), as are the two things that are no values here: complex numbers and the ellipsis.
func LiteralEval(text string) (Value, error) {
	if len(text) > MaxLiteralBytes {
		return nil, fault.New(fault.TooLarge, "the text is longer than %d bytes", MaxLiteralBytes).WithCode("MemoryError")
	}
	text = strings.TrimLeft(text, " \t")
	if strings.IndexByte(text, 0) >= 0 {
		return nil, pyError("ValueError", "source code string cannot contain null bytes")
	}
	if strings.IndexByte(text, '\r') >= 0 { // Python's tokenizer knows one line end
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	p := &literalParser{s: text}
	if err := p.blankLines(); err != nil {
		return nil, err
	}
	v, err := p.expression()
	if err != nil {
		return nil, err
	}
	p.space(true)
	if p.i < len(p.s) {
		return nil, p.syntax("invalid syntax")
	}
	return v, nil
}

type literalParser struct {
	s     string
	i     int
	depth int // open brackets; a newline inside one is white space
}

func (p *literalParser) syntax(format string, args ...any) error {
	before := p.s[:min(p.i, len(p.s))]
	at := fault.Position{Line: 1 + strings.Count(before, "\n"), Column: StrLen(before[strings.LastIndexByte(before, '\n')+1:]) + 1}
	return pyError("SyntaxError", format, args...).At(fault.Where{Position: at})
}

func (p *literalParser) malformed() error {
	return pyError("ValueError", "malformed node or string on line %d", 1+strings.Count(p.s[:min(p.i, len(p.s))], "\n"))
}

// blankLines passes over empty lines and comments before the expression, which must not be indented after them.
func (p *literalParser) blankLines() error {
	for {
		start := p.i
		p.space(false)
		if p.peek() != '\n' {
			if start > 0 && p.i > start {
				return p.syntax("unexpected indent")
			}
			return nil
		}
		p.i++
	}
}

// space passes over white space, comments and escaped line ends; over line ends too inside brackets or when asked.
func (p *literalParser) space(lines bool) {
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == ' ' || c == '\t' || c == '\f':
			p.i++
		case c == '\n' && (lines || p.depth > 0):
			p.i++
		case c == '\\' && strings.HasPrefix(p.s[p.i+1:], "\n") && p.i+2 < len(p.s):
			p.i += 2
		case c == '#':
			for p.i < len(p.s) && p.s[p.i] != '\n' {
				p.i++
			}
		default:
			return
		}
	}
}

func (p *literalParser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *literalParser) at(c byte) bool {
	p.space(false)
	if p.peek() == c {
		p.i++
		return true
	}
	return false
}

// expression reads one value, or a tuple without brackets.
func (p *literalParser) expression() (Value, error) {
	v, _, err := p.item()
	if err != nil {
		return nil, err
	}
	p.space(false)
	if p.peek() != ',' {
		return v, nil
	}
	out := Tuple{v}
	for p.at(',') {
		p.space(false)
		if c := p.peek(); c == 0 || c == '\n' || c == ')' {
			break
		}
		if v, _, err = p.item(); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// item reads a value with an optional sign. number tells whether it is a bare number, the only thing that a sign may
// stand before.
func (p *literalParser) item() (v Value, number bool, err error) {
	p.space(false)
	sign := p.peek()
	if sign != '+' && sign != '-' {
		return p.atom()
	}
	p.i++
	p.space(false)
	if v, number, err = p.atom(); err != nil {
		return nil, false, err
	}
	if !number {
		return nil, false, p.malformed()
	}
	if sign == '-' {
		v, err = Neg(v)
	}
	return v, false, err
}

func (p *literalParser) atom() (v Value, number bool, err error) {
	switch c := p.peek(); {
	case c == 0 && p.i >= len(p.s):
		return nil, false, p.syntax("unexpected EOF while parsing")
	case c == '(':
		return p.parenthesis()
	case c == '[':
		v, err = p.brackets(p.list)
	case c == '{':
		v, err = p.brackets(p.braces)
	case c == '"' || c == '\'':
		v, err = p.strings()
	case isDigit(c) || c == '.' && p.i+1 < len(p.s) && isDigit(p.s[p.i+1]):
		v, err = p.number()
		return v, true, err
	case c == '_' || c >= 0x80 || c|32 >= 'a' && c|32 <= 'z':
		v, err = p.word()
	case c == '+' || c == '-' || c == '~' || c == '*' || c == '.':
		err = p.malformed()
	default:
		err = p.syntax("invalid syntax")
	}
	return v, false, err
}

func (p *literalParser) brackets(read func() (Value, error)) (Value, error) {
	if p.depth++; p.depth > maxLiteralDepth {
		return nil, p.syntax("too many nested parentheses")
	}
	p.i++
	v, err := read()
	p.depth--
	return v, err
}

func (p *literalParser) parenthesis() (v Value, number bool, err error) {
	v, err = p.brackets(func() (Value, error) {
		if p.at(')') {
			return Tuple{}, nil
		}
		start := p.i
		v, n, err := p.item()
		if err != nil {
			return nil, err
		}
		if p.space(false); p.peek() == ',' {
			p.i = start
			n = false
			if v, err = p.tupleItems(); err != nil {
				return nil, err
			}
		}
		if !p.at(')') {
			return nil, p.unclosed()
		}
		number = n
		return v, nil
	})
	return v, number, err
}

// tupleItems reads the items of a tuple in brackets.
func (p *literalParser) tupleItems() (Value, error) {
	items, err := p.items(')')
	return Tuple(items), err
}

// unclosed tells text that ends from text that is wrong.
func (p *literalParser) unclosed() error {
	if p.i >= len(p.s) {
		return p.syntax("'(' was never closed")
	}
	return p.syntax("invalid syntax")
}

// items reads values between commas up to the closing bracket, which stays.
func (p *literalParser) items(end byte) ([]Value, error) {
	var out []Value
	for {
		if p.space(false); p.peek() == end {
			return out, nil
		}
		v, _, err := p.item()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		if !p.at(',') {
			return out, nil
		}
	}
}

func (p *literalParser) list() (Value, error) {
	items, err := p.items(']')
	if err != nil {
		return nil, err
	}
	if !p.at(']') {
		return nil, p.unclosed()
	}
	return &List{Items: items}, nil
}

// braces reads a dict or a set.
func (p *literalParser) braces() (Value, error) {
	if p.at('}') {
		return &Dict{}, nil
	}
	first, _, err := p.item()
	if err != nil {
		return nil, err
	}
	if p.space(false); p.peek() == ':' {
		return p.dict(first)
	}
	items := []Value{first}
	if p.at(',') {
		rest, err := p.items('}')
		if err != nil {
			return nil, err
		}
		items = append(items, rest...)
	}
	if !p.at('}') {
		return nil, p.unclosed()
	}
	s := &Set{}
	for _, v := range items {
		if !s.Add(v) {
			return nil, unhashable(v)
		}
	}
	return s, nil
}

func unhashable(v Value) error { return pyError("TypeError", "unhashable type: '%s'", tpName(v)) }

func (p *literalParser) dict(key Value) (Value, error) {
	out := &Dict{}
	var failed error // Python parses everything before it looks at a key
	for {
		if !p.at(':') {
			return nil, p.unclosed()
		}
		v, _, err := p.item()
		if err != nil {
			return nil, err
		}
		if !out.SetKey(key, v) && failed == nil {
			failed = unhashable(key)
		}
		more := p.at(',')
		if p.at('}') {
			return out, failed
		}
		if !more {
			return nil, p.unclosed()
		}
		if key, _, err = p.item(); err != nil {
			return nil, err
		}
	}
}
