package value

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
)

// number reads an int or a float.
func (p *literalParser) number() (Value, error) {
	start := p.i
	if base, digits := p.base(); base != 0 {
		return p.based(base, digits)
	}
	whole, ok := p.digitRun()
	float := false
	if ok && p.peek() == '.' {
		float = true
		p.i++
		if isDigit(p.peek()) {
			_, ok = p.digitRun()
		}
	}
	if c := p.peek() | 32; ok && c == 'e' && p.exponentFollows() {
		float = true
		p.i++
		if p.peek() == '+' || p.peek() == '-' {
			p.i++
		}
		_, ok = p.digitRun()
	}
	if !ok {
		return nil, p.syntax("invalid decimal literal")
	}
	text := strings.ReplaceAll(p.s[start:p.i], "_", "")
	if c := p.peek(); c|32 == 'j' {
		return nil, p.complex()
	}
	if err := p.numberEnds("invalid decimal literal"); err != nil {
		return nil, err
	}
	if float {
		f, _ := strconv.ParseFloat(text, 64)
		return Float(f), nil
	}
	if len(whole) > 1 && whole[0] == '0' && strings.Trim(whole, "0_") != "" {
		return nil, p.syntax("leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers")
	}
	return parseDigits(text)
}

// complex refuses 1j: complex numbers are no values here.
func (p *literalParser) complex() error {
	return fault.New(fault.Unsupported, "complex numbers are not supported").WithCode("ValueError")
}

// numberEnds refuses letters right after a number.
func (p *literalParser) numberEnds(text string) error {
	if r, size := utf8.DecodeRuneInString(p.s[p.i:]); size > 0 && IsWord(r) {
		return p.syntax("%s", text)
	}
	return nil
}

func (p *literalParser) exponentFollows() bool {
	rest := p.s[p.i+1:]
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		rest = rest[1:]
	}
	return rest != "" && isDigit(rest[0])
}

// digitRun reads digits with single underscores between them.
func (p *literalParser) digitRun() (string, bool) {
	start := p.i
	for p.i < len(p.s) && (isDigit(p.s[p.i]) || p.s[p.i] == '_') {
		p.i++
	}
	text := p.s[start:p.i]
	ok := text == "" || isDigit(text[0]) && isDigit(text[len(text)-1]) && !strings.Contains(text, "__")
	return text, ok
}

func (p *literalParser) base() (base int, digits string) {
	if p.i+1 >= len(p.s) || p.s[p.i] != '0' {
		return 0, ""
	}
	switch p.s[p.i+1] | 32 {
	case 'x':
		return 16, "0123456789abcdef"
	case 'o':
		return 8, "01234567"
	case 'b':
		return 2, "01"
	}
	return 0, ""
}

func (p *literalParser) based(base int, digits string) (Value, error) {
	p.i += 2
	var b strings.Builder
	for p.i < len(p.s) {
		if p.s[p.i] == '_' {
			p.i++
		}
		if p.i >= len(p.s) || strings.IndexByte(digits, lowerByte(p.s[p.i])) < 0 {
			break
		}
		b.WriteByte(p.s[p.i])
		p.i++
	}
	if b.Len() == 0 || p.s[p.i-1] == '_' {
		return nil, p.syntax("invalid number in base %d", base)
	}
	if err := p.numberEnds("invalid digit in a number"); err != nil {
		return nil, err
	}
	if b.Len() > MaxIntDigits {
		return nil, tooBig()
	}
	n, _ := new(big.Int).SetString(b.String(), base)
	return NewInt(n), nil
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 32
	}
	return c
}
