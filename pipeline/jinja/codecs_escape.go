package jinja

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

// escapeCodec writes text as in a Python literal.
func escapeCodec() *codec {
	return &codec{name: "unicodeescape", decode: decodeEscape, encode: func(dst []byte, c rune) ([]byte, bool) {
		switch {
		case c == '\n':
			return append(dst, `\n`...), true
		case c == '\r':
			return append(dst, `\r`...), true
		case c == '\t':
			return append(dst, `\t`...), true
		case c == '\\':
			return append(dst, `\\`...), true
		case c >= ' ' && c < 0x7f:
			return append(dst, byte(c)), true
		}
		return append(dst, asciiEscape(c)...), true
	}}
}

// rawEscapeCodec is Latin-1 with escapes for what is beyond it.
func rawEscapeCodec() *codec {
	return &codec{name: "rawunicodeescape", decode: decodeRawEscape, encode: func(dst []byte, c rune) ([]byte, bool) {
		if c < 256 {
			return append(dst, byte(c)), true
		}
		return append(dst, asciiEscape(c)...), true
	}}
}

func decodeRawEscape(b string) (rune, int, string) {
	if b[0] != '\\' || len(b) < 2 || b[1] != 'u' && b[1] != 'U' {
		return rune(b[0]), 1, ""
	}
	c, n, reason := escapedRune(b)
	if reason == "" && c > utf8.MaxRune {
		return 0, n, `\Uxxxxxxxx out of range`
	}
	return c, n, reason
}

// escapedRune reads \xXX, \uXXXX or \UXXXXXXXX.
func escapedRune(b string) (rune, int, string) {
	size := map[byte]int{'x': 2, 'u': 4, 'U': 8}[b[1]]
	n := 2
	for n < len(b) && n < 2+size && digitOf(b[n]) < 16 {
		n++
	}
	if n < 2+size {
		return 0, n, `truncated \` + string(b[1]) + strings.Repeat(map[bool]string{true: "x", false: "X"}[size == 8], size) + " escape"
	}
	c, _ := strconv.ParseUint(b[2:n], 16, 32)
	return rune(min(c, utf8.MaxRune+1)), n, ""
}

func decodeEscape(b string) (rune, int, string) {
	if b[0] != '\\' {
		return rune(b[0]), 1, ""
	}
	if len(b) == 1 {
		return 0, 1, `\ at end of string`
	}
	if i := strings.IndexByte(`\'"abtnvfr`, b[1]); i >= 0 {
		return rune("\\'\"\a\b\t\n\v\f\r"[i]), 2, ""
	}
	switch c := b[1]; {
	case c == '\n':
		return -1, 2, ""
	case c >= '0' && c <= '7':
		n := 1
		for n < len(b) && n < 4 && b[n] >= '0' && b[n] <= '7' {
			n++
		}
		x, _ := strconv.ParseUint(b[1:n], 8, 32)
		return rune(x), n, ""
	case c == 'N':
		return decodeNamed(b)
	case c == 'x' || c == 'u' || c == 'U':
		x, n, reason := escapedRune(b)
		if reason == "" && x > utf8.MaxRune {
			return 0, n, "illegal Unicode character"
		}
		return x, n, reason
	}
	return '\\', 1, "" // an escape that is none stays
}

// decodeNamed reads \N{NAME}.
func decodeNamed(b string) (rune, int, string) {
	end := strings.IndexByte(b, '}')
	switch {
	case !strings.HasPrefix(b, `\N{`):
		return 0, 2, `malformed \N character escape`
	case end < 0:
		return 0, len(b), `malformed \N character escape`
	case end == 3:
		return 0, end + 1, `malformed \N character escape`
	}
	c, ok := value.RuneByName(b[3:end])
	if !ok {
		return 0, end + 1, "unknown Unicode character name"
	}
	return c, end + 1, ""
}
