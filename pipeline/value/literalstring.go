package value

import (
	"strconv"
	"strings"
	"unicode"
)

func (p *literalParser) word() (Value, error) {
	start := p.i
	for i, r := range p.s[p.i:] {
		if !IsWord(r) {
			break
		}
		p.i = start + i + len(string(r))
	}
	word := p.s[start:p.i]
	if c := p.peek(); (c == '"' || c == '\'') && len(word) <= 2 && word != "" {
		return p.prefixed(start, strings.ToLower(word))
	}
	switch word {
	case "None":
		return None, nil
	case "True":
		return Bool(true), nil
	case "False":
		return Bool(false), nil
	case "set":
		if p.at('(') {
			p.depth++
			defer func() { p.depth-- }()
			if p.at(')') {
				return &Set{}, nil
			}
		}
	case "":
		return nil, p.syntax("invalid character")
	}
	return nil, p.malformed()
}

func (p *literalParser) prefixed(start int, prefix string) (Value, error) {
	switch prefix {
	case "r", "b", "u", "br", "rb":
		p.i = start
		return p.strings()
	case "f", "fr", "rf":
		return nil, p.malformed()
	}
	return nil, p.syntax("invalid syntax")
}

// strings reads one or more string literals side by side.
func (p *literalParser) strings() (Value, error) {
	var all []byte
	isBytes := false
	for n := 0; ; n++ {
		start := p.i
		prefix := p.stringPrefix()
		if c := p.peek(); c != '"' && c != '\'' {
			p.i = start
			break
		}
		b := strings.IndexByte(prefix, 'b') >= 0
		if n > 0 && b != isBytes {
			return nil, p.syntax("cannot mix bytes and nonbytes literals")
		}
		isBytes = b
		var err error
		if all, err = p.oneString(all, b, strings.IndexByte(prefix, 'r') >= 0); err != nil {
			return nil, err
		}
		p.space(false)
	}
	if isBytes {
		return Bytes(all), nil
	}
	return Str(all), nil
}

// stringPrefix reads the letters before a quote.
func (p *literalParser) stringPrefix() string {
	start := p.i
	for p.i < len(p.s) && p.i-start < 2 && strings.IndexByte("rbuRBU", p.s[p.i]) >= 0 {
		p.i++
	}
	switch prefix := strings.ToLower(p.s[start:p.i]); prefix {
	case "", "r", "b", "u", "br", "rb":
		return prefix
	}
	p.i = start
	return ""
}

func (p *literalParser) oneString(dst []byte, isBytes, raw bool) ([]byte, error) {
	quote := p.s[p.i : p.i+1]
	if strings.HasPrefix(p.s[p.i:], strings.Repeat(quote, 3)) {
		quote = p.s[p.i : p.i+3]
	}
	p.i += len(quote)
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case strings.HasPrefix(p.s[p.i:], quote):
			p.i += len(quote)
			return dst, nil
		case c == '\n' && len(quote) == 1:
			return nil, p.syntax("unterminated string literal")
		case c >= 0x80 && isBytes:
			return nil, p.syntax("bytes can only contain ASCII literal characters")
		case c == '\\' && p.i+1 < len(p.s):
			var err error
			if dst, err = p.escape(dst, isBytes, raw); err != nil {
				return nil, err
			}
		default:
			dst = append(dst, c)
			p.i++
		}
	}
	return nil, p.syntax("unterminated string literal")
}

// escape reads from a backslash on.
func (p *literalParser) escape(dst []byte, isBytes, raw bool) ([]byte, error) {
	c := p.s[p.i+1]
	if raw {
		p.i += 2
		if c >= 0x80 { // the rest of the character follows as it is
			p.i--
			return append(dst, '\\'), nil
		}
		return append(dst, '\\', c), nil
	}
	if k := strings.IndexByte("\\'\"abfnrtv", c); k >= 0 {
		p.i += 2
		return append(dst, "\\'\"\a\b\f\n\r\t\v"[k]), nil
	}
	switch {
	case c == '\n':
		p.i += 2
		return dst, nil
	case c >= '0' && c <= '7':
		return p.octal(dst, isBytes), nil
	case c == 'x':
		return p.hex(dst, 2, isBytes)
	case c == 'u' && !isBytes:
		return p.hex(dst, 4, false)
	case c == 'U' && !isBytes:
		return p.hex(dst, 8, false)
	case c == 'N' && !isBytes:
		return p.named(dst)
	}
	p.i++
	return append(dst, '\\'), nil // an unknown escape keeps its backslash
}

func (p *literalParser) octal(dst []byte, isBytes bool) []byte {
	p.i++
	n := rune(0)
	for k := 0; k < 3 && p.peek() >= '0' && p.peek() <= '7' && p.i < len(p.s); k++ {
		n = n*8 + rune(p.s[p.i]-'0')
		p.i++
	}
	if isBytes {
		return append(dst, byte(n))
	}
	return append(dst, string(n)...)
}

func (p *literalParser) hex(dst []byte, digits int, isBytes bool) ([]byte, error) {
	start := p.i + 2
	end := min(start+digits, len(p.s))
	n, err := strconv.ParseUint(p.s[start:end], 16, 32)
	if err != nil || end-start < digits || n > unicode.MaxRune {
		if isBytes {
			return nil, pyError("SyntaxError", `invalid \x escape`)
		}
		return nil, p.syntax("(unicode error) 'unicodeescape' codec can't decode bytes: truncated escape or illegal character")
	}
	p.i = end
	if isBytes {
		return append(dst, byte(n)), nil
	}
	return append(dst, string(rune(n))...), nil // half a surrogate pair becomes U+FFFD
}

// named reads \N{LATIN SMALL LETTER A}.
func (p *literalParser) named(dst []byte) ([]byte, error) {
	rest := p.s[p.i+2:]
	end := strings.IndexByte(rest, '}')
	if !strings.HasPrefix(rest, "{") || end < 2 {
		return nil, p.syntax("(unicode error) 'unicodeescape' codec can't decode bytes: malformed \\N character escape")
	}
	r, ok := RuneByName(rest[1:end])
	if !ok {
		return nil, p.syntax("(unicode error) 'unicodeescape' codec can't decode bytes: unknown Unicode character name")
	}
	p.i += 2 + end + 1
	return append(dst, string(r)...), nil
}
