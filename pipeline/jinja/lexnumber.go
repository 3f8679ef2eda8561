package jinja

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

// number takes an integer or float literal, with underscores between digits.
func (l *lexer) number(s string) error {
	if n := floatEnd(s); n > 0 && !l.afterDot() {
		if err := l.foreignDigit(s[:n]); err != nil {
			return err
		}
		f, err := strconv.ParseFloat(strings.ReplaceAll(s[:n], "_", ""), 64)
		if err != nil && !isRange(err) {
			return syntaxErr(l.line, "invalid number %s", s[:n])
		}
		l.emit(token{kind: tokFloat, line: l.line, val: value.Float(f)})
		l.advance(n)
		return nil
	}
	n, base := integerEnd(s)
	digits := strings.ReplaceAll(s[:n], "_", "")
	if base != 10 {
		digits = digits[2:]
	}
	v, err := parseInt(asciiDigits(digits), base)
	if err != nil {
		return atLine(err, l.line)
	}
	l.emit(token{kind: tokInteger, line: l.line, text: s[:n], val: v})
	l.advance(n)
	return nil
}

func (l *lexer) afterDot() bool { return l.pos > 0 && l.src[l.pos-1] == '.' }

func isRange(err error) bool {
	ne, ok := err.(*strconv.NumError)
	return ok && ne.Err == strconv.ErrRange
}

// parseInt reads digits of a base into an int of any size; decimal ones are limited to 4300 digits, as in Python.
func parseInt(digits string, base int) (value.Value, error) {
	if i, err := strconv.ParseInt(digits, base, 64); err == nil {
		return value.Int(i), nil
	}
	if base == 10 && len(digits) > maxIntDigits {
		return nil, valueErr("Exceeds the limit (%d digits) for integer string conversion: value has %d digits; "+
			"use sys.set_int_max_str_digits() to increase the limit", maxIntDigits, len(digits))
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return nil, valueErr("invalid integer %s", quote(digits))
	}
	return intOf(n), nil
}

// foreignDigit refuses the digits of other scripts in a float: Jinja's lexer takes them, as those of an int, and leaves
// the literal to Python, which does not.
func (l *lexer) foreignDigit(s string) error {
	s = strings.ReplaceAll(s, "_", "")
	for i, c := range s {
		if c < utf8.RuneSelf {
			continue
		}
		switch {
		case i > 0 && strings.IndexByte("eE+-", s[i-1]) >= 0:
			return atLine(raise("SyntaxError", "invalid decimal literal (<unknown>, line 1)"), l.line)
		case s[0] == '0' && strings.Trim(s[:i], "0") != "" && strings.Trim(s[:i], "0123456789") == "":
			return atLine(raise("SyntaxError", "leading zeros in decimal integer literals are not permitted; "+
				"use an 0o prefix for octal integers (<unknown>, line 1)"), l.line)
		}
		return atLine(raise("SyntaxError", "invalid character '%c' (U+%04X) (<unknown>, line 1)", c, c), l.line)
	}
	return nil
}

// digitsEnd matches (\d+_)*\d+ and returns its length.
func digitsEnd(s string) int { return runEnd(s, 10) }

// runEnd matches digits of a base with single underscores between them. As in Python's expressions, \d is a digit of any
// script; bases that have none of it take those of ASCII alone.
func runEnd(s string, base int) int {
	n := 0
	for n < len(s) {
		if s[n] == '_' && n > 0 {
			size := digitSize(s[n+1:], base)
			if size == 0 {
				return n
			}
			n += 1 + size
			continue
		}
		size := digitSize(s[n:], base)
		if size == 0 {
			return n
		}
		n += size
	}
	return n
}

// digitSize returns how many bytes the digit at the start of s takes, or 0 if there is none.
func digitSize(s string, base int) int {
	if s == "" {
		return 0
	}
	if s[0] < utf8.RuneSelf {
		if digitOf(s[0]) < base {
			return 1
		}
		return 0
	}
	c, size := utf8.DecodeRuneInString(s)
	if _, ok := value.DigitValue(c); !ok || base < 10 {
		return 0
	}
	return size
}

// floatEnd returns the length of the float at the start of s, or 0 if it is none.
func floatEnd(s string) int {
	n := digitsEnd(s)
	if n == 0 {
		return 0
	}
	frac := 0
	if n < len(s) && s[n] == '.' {
		if m := digitsEnd(s[n+1:]); m > 0 {
			frac = m + 1
		}
	}
	if m := exponentEnd(s[n+frac:]); m > 0 {
		return n + frac + m
	}
	if frac > 0 {
		return n + frac
	}
	return 0
}

func exponentEnd(s string) int {
	if s == "" || s[0] != 'e' && s[0] != 'E' {
		return 0
	}
	i := 1
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	if m := digitsEnd(s[i:]); m > 0 {
		return i + m
	}
	return 0
}

// integerEnd returns the length and base of the integer at the start of s.
func integerEnd(s string) (int, int) {
	if len(s) > 2 && s[0] == '0' {
		base := map[byte]int{'b': 2, 'o': 8, 'x': 16}[s[1]|0x20]
		if base > 0 {
			body := s[2:]
			skip := 0
			if body[0] == '_' {
				skip = 1
			}
			if m := runEnd(body[skip:], base); m > 0 {
				return 2 + skip + m, base
			}
		}
	}
	if s[0] == '0' {
		return runEnd(s, 1), 10
	}
	return digitsEnd(s), 10
}

func digitOf(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	return 99
}
