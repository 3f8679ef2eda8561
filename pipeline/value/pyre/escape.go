package pyre

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/haywardhq/hayward/pipeline/value"
)

// escape reads from a backslash on, outside a class.
func (p *parser) escape() (node, error) {
	start := p.i
	if p.i+1 >= len(p.src) {
		return node{}, p.fail(start, "bad escape (end of pattern)")
	}
	r := p.src[p.i+1]
	if set, negated, ok := p.category(r); ok {
		p.i += 2
		if negated {
			return one("[^" + set + "]"), nil
		}
		return one("[" + set + "]"), nil
	}
	switch r {
	case 'A':
		p.i += 2
		return node{out: `\A`, anchor: true}, nil
	case 'Z':
		p.i += 2
		return node{out: `\z`, anchor: true}, nil
	case 'b', 'B':
		p.i += 2
		return node{out: p.boundary(r == 'B'), anchor: true}, nil
	}
	if r >= '1' && r <= '9' {
		return p.numbered()
	}
	c, err := p.char()
	return one(literal(c)), err
}

// boundary is \b by Python's own \w; \B does not hold in an empty text.
func (p *parser) boundary(not bool) string {
	set, _, _ := p.category('w')
	w := "[" + set + "]"
	if not {
		return `(?:(?<=` + w + `)(?=` + w + `)|(?<!` + w + `)(?!` + w + `)(?!\A\z))`
	}
	return `(?:(?<=` + w + `)(?!` + w + `)|(?<!` + w + `)(?=` + w + `))`
}

// numbered reads \1 to \99, or an octal escape of three digits.
func (p *parser) numbered() (node, error) {
	start := p.i
	digits := []rune{p.src[p.i+1]}
	if d := p.peek(2); d >= '0' && d <= '9' {
		digits = append(digits, d)
		if e := p.peek(3); e >= '0' && e <= '7' && digits[0] <= '7' && d <= '7' {
			n := int(digits[0]-'0')*64 + int(d-'0')*8 + int(e-'0')
			if n > 0o377 {
				return node{}, p.fail(start, `octal escape value \%s outside of range 0-0o377`, string(p.src[start+1:start+4]))
			}
			p.i += 4
			return one(literal(rune(n))), nil
		}
	}
	number, _ := strconv.Atoi(string(digits))
	p.i += 1 + len(digits)
	if number >= len(p.groups) {
		return node{}, p.fail(start+1, "invalid group reference %d", number)
	}
	return p.reference(number, start)
}

// char reads an escape that stands for one character.
func (p *parser) char() (rune, error) {
	start := p.i
	r := p.src[p.i+1]
	p.i += 2
	if c, ok := map[rune]rune{'a': 7, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\'}[r]; ok {
		return c, nil
	}
	switch r {
	case 'x':
		return p.hex(start, 2)
	case 'u':
		return p.hex(start, 4)
	case 'U':
		return p.hex(start, 8)
	case 'N':
		return p.characterName(start)
	case '0':
		n := rune(0)
		for k := 0; k < 2 && p.peek(0) >= '0' && p.peek(0) <= '7'; k++ {
			n = n*8 + p.src[p.i] - '0'
			p.i++
		}
		return n, nil
	}
	if r < 128 && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
		return 0, p.fail(start, `bad escape \%s`, string(r))
	}
	return r, nil
}

func (p *parser) hex(start, digits int) (rune, error) {
	end := p.i
	for end < len(p.src) && end < p.i+digits && strings.ContainsRune("0123456789abcdefABCDEF", p.src[end]) {
		end++
	}
	n, err := strconv.ParseUint(string(p.src[p.i:end]), 16, 32)
	if end < p.i+digits || err != nil {
		return 0, p.fail(start, `incomplete escape %s`, string(p.src[start:end]))
	}
	if n > unicode.MaxRune {
		return 0, p.fail(start, `bad escape %s`, string(p.src[start:end]))
	}
	p.i = end
	return rune(n), nil
}

// characterName reads \N{LATIN SMALL LETTER A}.
func (p *parser) characterName(start int) (rune, error) {
	if !p.at('{') {
		return 0, p.fail(p.i, "missing {")
	}
	name, err := p.groupName('}', "character name")
	if err != nil {
		return 0, err
	}
	if r, ok := value.RuneByName(name); ok {
		return r, nil
	}
	return 0, p.fail(start, "undefined character name %s", quoted(name))
}
