package pyre

import (
	"strconv"
	"strings"
	"unicode"
)

// The classes of Python's str patterns: \w is isalnum or underscore, \s is isspace, \d is isdecimal.
const (
	wordSet   = `\p{L}\p{N}_`
	spaceSet  = `\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`
	digitSet  = `\p{Nd}`
	asciiWord = `a-zA-Z0-9_`
	asciiSpc  = `\t-\r\x20`
	asciiDig  = `0-9`
)

// category returns the set behind \w, \s or \d (either case), and whether the letter negates it.
func (p *parser) category(r rune) (set string, negated, ok bool) {
	ascii := p.flags&ASCII != 0
	pick := func(u, a string) string {
		if ascii {
			return a
		}
		return u
	}
	switch r {
	case 'w', 'W':
		set = pick(wordSet, asciiWord)
	case 's', 'S':
		set = pick(spaceSet, asciiSpc)
	case 'd', 'D':
		set = pick(digitSet, asciiDig)
	default:
		return "", false, false
	}
	return set, unicode.IsUpper(r), true
}

// charset collects what stands in a class: plain text in the engine's syntax, and the sets of \W, \S and \D.
type charset struct {
	plain   strings.Builder
	negated []string
}

// class reads from an opening bracket on.
func (p *parser) class() (node, error) {
	open := p.i
	p.i++
	not := p.at('^')
	var c charset
	for first := true; ; first = false {
		if !p.more() {
			return node{}, p.fail(open, "unterminated character set")
		}
		if p.src[p.i] == ']' && !first {
			p.i++
			return one(c.emit(not)), nil
		}
		if err := p.classItem(&c, open); err != nil {
			return node{}, err
		}
	}
}

// classItem reads one character, category or range.
func (p *parser) classItem(c *charset, open int) error {
	start := p.i
	low, set, negated, err := p.classChar()
	if err != nil {
		return err
	}
	if p.peek(0) != '-' || p.peek(1) == ']' {
		c.add(low, set, negated)
		return nil
	}
	if p.peek(1) < 0 {
		return p.fail(open, "unterminated character set")
	}
	p.i++
	high, highSet, _, err := p.classChar()
	if err != nil {
		return err
	}
	if set != "" || highSet != "" || high < low {
		return p.fail(start, "bad character range %s", string(p.src[start:p.i]))
	}
	c.plain.WriteString(classLiteral(low) + "-" + classLiteral(high))
	return nil
}

func (p *parser) classChar() (r rune, set string, negated bool, err error) {
	r = p.src[p.i]
	if r != '\\' {
		p.i++
		return r, "", false, nil
	}
	if p.i+1 >= len(p.src) {
		return 0, "", false, p.fail(p.i, "bad escape (end of pattern)")
	}
	next := p.src[p.i+1]
	if set, negated, ok := p.category(next); ok {
		p.i += 2
		return 0, set, negated, nil
	}
	if next == 'b' {
		p.i += 2
		return '\b', "", false, nil
	}
	if next >= '0' && next <= '7' {
		r, err = p.classOctal()
		return r, "", false, err
	}
	r, err = p.char()
	return r, "", false, err
}

func (p *parser) classOctal() (rune, error) {
	start := p.i
	p.i++
	n := rune(0)
	for k := 0; k < 3 && p.peek(0) >= '0' && p.peek(0) <= '7'; k++ {
		n = n*8 + p.src[p.i] - '0'
		p.i++
	}
	if n > 0o377 {
		return 0, p.fail(start, `octal escape value %s outside of range 0-0o377`, string(p.src[start:p.i]))
	}
	return n, nil
}

func (c *charset) add(r rune, set string, negated bool) {
	switch {
	case set == "":
		c.plain.WriteString(classLiteral(r))
	case negated:
		c.negated = append(c.negated, set)
	default:
		c.plain.WriteString(set)
	}
}

func classLiteral(r rune) string {
	switch {
	case r == '_' || r > 127 && unicode.In(r, unicode.L, unicode.N) || r >= '0' && r <= '9' || r|32 >= 'a' && r|32 <= 'z' && r < 128:
		return string(r)
	case r <= 0xffff:
		h := strconv.FormatInt(int64(r), 16)
		return `\u` + "0000"[len(h):] + h
	}
	return string(r)
}

// emit writes the class. The engine has no union with a complement, so \W in a class becomes an alternative, and in a
// negated class a subtraction: [^\Wx] is \w without x.
func (c *charset) emit(not bool) string {
	plain := c.plain.String()
	switch {
	case len(c.negated) == 0 && not:
		return "[^" + plain + "]"
	case len(c.negated) == 0:
		return "[" + plain + "]"
	case not:
		out := ""
		for _, set := range c.negated[1:] {
			out += "(?=[" + set + "])"
		}
		last := "[" + c.negated[0] + "]"
		if plain != "" {
			last = "[" + c.negated[0] + "-[" + plain + "]]"
		}
		if out == "" {
			return last
		}
		return "(?:" + out + last + ")"
	}
	parts := make([]string, 0, len(c.negated)+1)
	if plain != "" {
		parts = append(parts, "["+plain+"]")
	}
	for _, set := range c.negated {
		parts = append(parts, "[^"+set+"]")
	}
	return "(?:" + strings.Join(parts, "|") + ")"
}
