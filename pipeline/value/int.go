package value

import (
	"math/big"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
)

// MaxIntDigits is how many decimal digits an int may have in text, as Python's own default
// (sys.int_info.default_max_str_digits).
const MaxIntDigits = 4300

// NewInt returns n as an Int, or as a *BigInt beyond 64 bits. The BigInt keeps n: do not change it afterwards.
func NewInt(n *big.Int) Value {
	if n.IsInt64() {
		return Int(n.Int64())
	}
	return &BigInt{N: n}
}

// ParseInt reads what Python's int(s) reads in base ten: surrounding white space, a sign, digits of any script, single
// underscores between digits. More than [MaxIntDigits] digits are an error.
func ParseInt(s string) (Value, error) {
	text, ok := plainDigits(PyStrip(s))
	if !ok {
		return nil, pyError("ValueError", "invalid literal for int() with base 10: %s", Repr(Str(s)))
	}
	return parseDigits(text)
}

// parseDigits reads a sign and ASCII digits.
func parseDigits(text string) (Value, error) {
	digits := strings.TrimLeft(text, "+-")
	if len(digits) > MaxIntDigits {
		return nil, pyError("ValueError", "Exceeds the limit (%d digits) for integer string conversion: value has %d digits; "+
			"use sys.set_int_max_str_digits() to increase the limit", MaxIntDigits, len(digits))
	}
	if len(digits) <= 18 {
		return Int(smallInt(text)), nil
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, pyError("ValueError", "invalid literal for int() with base 10: %s", Repr(Str(text)))
	}
	return NewInt(n), nil
}

func smallInt(text string) int64 {
	negative := false
	var n int64
	for _, c := range []byte(text) {
		switch c {
		case '-':
			negative = true
		case '+':
		default:
			n = n*10 + int64(c-'0')
		}
	}
	if negative {
		return -n
	}
	return n
}

// plainDigits drops underscores and turns digits of every script into ASCII; ok is false for anything else.
func plainDigits(s string) (string, bool) {
	var b strings.Builder
	if s != "" && (s[0] == '+' || s[0] == '-') {
		b.WriteByte(s[0])
		s = s[1:]
	}
	lastDigit := false
	for _, r := range s {
		if r == '_' {
			if !lastDigit {
				return "", false
			}
			lastDigit = false
			continue
		}
		d, ok := DigitValue(r)
		if !ok {
			return "", false
		}
		b.WriteByte(byte('0' + d))
		lastDigit = true
	}
	return b.String(), lastDigit
}

// DigitValue returns the value of a decimal digit of any script (Unicode class Nd).
func DigitValue(r rune) (int, bool) {
	if r < utf8.RuneSelf {
		return int(r - '0'), r >= '0' && r <= '9'
	}
	if !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	for _, rng := range unicode.Nd.R16 { // digits come in runs of ten, each beginning with zero
		if r <= rune(rng.Hi) {
			return int(r-rune(rng.Lo)) % 10, true
		}
	}
	for _, rng := range unicode.Nd.R32 {
		if r <= rune(rng.Hi) {
			return int(r-rune(rng.Lo)) % 10, true
		}
	}
	return 0, false
}

// pyError returns an Invalid fault that carries Python's exception class in Code and its text in Message.
func pyError(class, format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, format, args...).WithCode(class)
}
