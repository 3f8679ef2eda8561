package pytype

import (
	"slices"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// literal reads the values of a typing.Literal up to its bracket.
func (p *parser) literal(bare *Type) (*Type, error) {
	out := &Type{Name: bare.Name}
	_, err := p.list(func() (*Type, error) {
		text, shown, err := p.literalValue()
		if err == nil && !slices.Contains(out.Literals, text) {
			out.Literals = append(out.Literals, text)
			out.shown = append(out.shown, shown)
		}
		return nil, err
	})
	if err == nil && len(out.Literals) == 0 {
		err = p.bad("typing.Literal[] has no values")
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// literalValue reads one str, bytes, int, bool or None and returns Python's repr of it, and what Haystack shows in
// listings: a str between bare quotes.
func (p *parser) literalValue() (repr, shown string, err error) {
	start := p.pos
	for p.pos < len(p.src) && strings.IndexByte("'\", ]\t\r\n", p.src[p.pos]) < 0 {
		p.pos++
	}
	word := p.src[start:p.pos]
	if p.peek('\'') || p.peek('"') {
		return p.literalStrings(word)
	}
	switch word {
	case "None", "True", "False":
		return word, word, nil
	}
	if n, ok := literalInt(word); ok {
		return n, n, nil
	}
	return "", "", p.bad("%q is not a value for typing.Literal", word)
}

func literalInt(word string) (string, bool) {
	digits := strings.TrimLeft(word, "+-")
	if len(word)-len(digits) > 1 || len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return "", false
	}
	n, err := strconv.ParseInt(word, 0, 64)
	return strconv.FormatInt(n, 10), err == nil
}

// literalStrings reads adjacent string literals, which Python joins.
func (p *parser) literalStrings(prefix string) (repr, shown string, err error) {
	var b strings.Builder
	isBytes := strings.EqualFold(prefix, "b") || strings.EqualFold(prefix, "rb") || strings.EqualFold(prefix, "br")
	for {
		if err := p.literalString(prefix, isBytes, &b); err != nil {
			return "", "", err
		}
		p.space()
		if !p.peek('\'') && !p.peek('"') {
			break
		}
		if isBytes {
			return "", "", p.bad("bytes and text cannot be joined")
		}
		prefix = ""
	}
	if isBytes {
		repr = value.Repr(value.Bytes(b.String()))
		shown, _, _ = strings.Cut(repr, "[")
		return repr, shown, nil
	}
	return value.Repr(value.Str(b.String())), "'" + b.String() + "'", nil
}

func (p *parser) literalString(prefix string, isBytes bool, b *strings.Builder) error {
	raw := false
	switch strings.ToLower(prefix) {
	case "", "u", "b":
	case "r", "rb", "br":
		raw = true
	default:
		return p.bad("%q is not a string prefix", prefix)
	}
	quote := p.src[p.pos]
	for p.pos++; p.pos < len(p.src); p.pos++ {
		c := p.src[p.pos]
		switch {
		case c == quote:
			p.pos++
			return nil
		case c == '\n' || isBytes && c >= 0x80:
			return p.bad("a string literal holds a character it may not hold")
		case c == '\\' && raw && p.pos+1 < len(p.src):
			b.WriteString(p.src[p.pos : p.pos+2])
			p.pos++
		case c == '\\':
			n, ok := unescape(p.src[p.pos:], isBytes, b)
			if !ok {
				return p.bad("the escape at position %d is not valid", p.pos+1)
			}
			p.pos += n - 1
		default:
			b.WriteByte(c)
		}
	}
	return p.bad("a string literal is not closed")
}

const simpleEscapes = "\\\\''\"\"a\ab\bf\fn\nr\rt\tv\v"

// unescape writes the character of the escape sequence s begins with and returns the length of the sequence.
func unescape(s string, isBytes bool, b *strings.Builder) (int, bool) {
	if len(s) < 2 {
		return 0, false
	}
	c := s[1]
	if c == '\n' {
		return 2, true
	}
	for i := 0; i < len(simpleEscapes); i += 2 {
		if simpleEscapes[i] == c {
			b.WriteByte(simpleEscapes[i+1])
			return 2, true
		}
	}
	if c >= '0' && c <= '7' {
		n := 2
		for n < 4 && n < len(s) && s[n] >= '0' && s[n] <= '7' {
			n++
		}
		return n, writeCode(s[1:n], 8, isBytes, b)
	}
	width := map[byte]int{'x': 4, 'u': 6, 'U': 10}[c]
	if width == 0 || isBytes && c != 'x' {
		if c == 'N' && !isBytes {
			return 0, false
		}
		b.WriteString(s[:1])
		return 1, true
	}
	if len(s) < width {
		return 0, false
	}
	return width, writeCode(s[2:width], 16, isBytes, b)
}

func writeCode(digits string, base int, isBytes bool, b *strings.Builder) bool {
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > 0x10ffff || n >= 0xd800 && n < 0xe000 {
		return false
	}
	if isBytes {
		b.WriteByte(byte(n))
	} else {
		b.WriteRune(rune(n))
	}
	return true
}
