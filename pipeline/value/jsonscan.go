package value

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

func (p *jsonParser) word() (Value, error) {
	rest := p.s[p.i:]
	var word string
	var v Value
	switch rest[0] {
	case 'n':
		word, v = "null", None
	case 't':
		word, v = "true", Bool(true)
	case 'f':
		word, v = "false", Bool(false)
	case 'N':
		word, v = "NaN", Float(math.NaN())
	case 'I':
		word, v = "Infinity", Float(math.Inf(1))
	case '-':
		word, v = "-Infinity", Float(math.Inf(-1))
	}
	if word == "" || !strings.HasPrefix(rest, word) {
		return nil, p.fail("Expecting value", p.i)
	}
	p.i += len(word)
	return v, nil
}

// number returns nil and no error for a '-' that begins no number.
func (p *jsonParser) number() (Value, error) {
	start, i := p.i, p.i
	if p.s[i] == '-' {
		i++
	}
	switch {
	case i < len(p.s) && p.s[i] == '0':
		i++
	case i < len(p.s) && p.s[i] >= '1' && p.s[i] <= '9':
		i = p.digits(i)
	default:
		return nil, nil
	}
	end := i
	if i+1 < len(p.s) && p.s[i] == '.' && isDigit(p.s[i+1]) {
		end = p.digits(i + 1)
	}
	end = p.exponent(end)
	p.i = end
	if end == i {
		return parseDigits(p.s[start:end])
	}
	f, _ := strconv.ParseFloat(p.s[start:end], 64) // out of range gives an infinity, as in Python
	return Float(f), nil
}

func (p *jsonParser) exponent(i int) int {
	if i >= len(p.s) || p.s[i] != 'e' && p.s[i] != 'E' {
		return i
	}
	j := i + 1
	if j < len(p.s) && (p.s[j] == '+' || p.s[j] == '-') {
		j++
	}
	if j < len(p.s) && isDigit(p.s[j]) {
		return p.digits(j)
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (p *jsonParser) digits(i int) int {
	for i < len(p.s) && isDigit(p.s[i]) {
		i++
	}
	return i
}

// str reads a string whose opening quote is consumed.
func (p *jsonParser) str() (string, error) {
	start := p.i
	for p.i < len(p.s) { // the common case: nothing to unescape
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return p.s[start : p.i-1], nil
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			return "", p.fail("Invalid control character at", p.i)
		}
		p.i++
	}
	return "", p.fail("Unterminated string starting at", start-1)
}

func (p *jsonParser) escaped(start int) (string, error) {
	buf := append(make([]byte, 0, 2*(p.i-start)+16), p.s[start:p.i]...)
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case c == '"':
			p.i++
			return string(buf), nil
		case c < ' ':
			return "", p.fail("Invalid control character at", p.i)
		case c != '\\':
			buf = append(buf, c)
			p.i++
			continue
		}
		if p.i++; p.i >= len(p.s) {
			break
		}
		esc := p.s[p.i]
		if esc == 'u' {
			r, err := p.unicodeEscape()
			if err != nil {
				return "", err
			}
			buf = utf8.AppendRune(buf, r)
			continue
		}
		k := strings.IndexByte(`"\/bfnrt`, esc)
		if k < 0 {
			return "", p.fail(`Invalid \escape`, p.i-1)
		}
		buf = append(buf, "\"\\/\b\f\n\r\t"[k])
		p.i++
	}
	return "", p.fail("Unterminated string starting at", start-1)
}

// unicodeEscape reads from the 'u' on, and the second half of a surrogate pair.
func (p *jsonParser) unicodeEscape() (rune, error) {
	r, ok := p.hex4(p.i + 1)
	if !ok {
		return 0, p.fail(`Invalid \uXXXX escape`, p.i)
	}
	p.i += 5
	if utf16.IsSurrogate(r) && strings.HasPrefix(p.s[p.i:], `\u`) {
		if low, ok := p.hex4(p.i + 2); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				p.i += 6
				return pair, nil
			}
		}
	}
	return r, nil // AppendRune writes U+FFFD for half a pair
}

func (p *jsonParser) hex4(i int) (rune, bool) {
	if i+4 > len(p.s) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.s[i : i+4]) {
		k := strings.IndexByte("0123456789abcdef", c|0x20)
		if k < 0 || c < '0' {
			return 0, false
		}
		r = r<<4 | rune(k)
	}
	return r, true
}
