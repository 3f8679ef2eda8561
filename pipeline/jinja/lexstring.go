package jinja

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

// unescape decodes the escapes of a string literal as Jinja does: through ASCII with backslash replacement, then
// Python's unicode-escape codec.
func unescape(s string, line int) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			i++
			continue
		}
		n, err := escapeAt(&b, s[i:], line)
		if err != nil {
			return "", err
		}
		i += n
	}
	return b.String(), nil
}

var simpleEscapes = map[byte]string{'\n': "", '\\': `\`, '\'': "'", '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f",
	'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}

// escapeAt decodes the escape at the start of s and returns its length.
func escapeAt(b *strings.Builder, s string, line int) (int, error) {
	if len(s) < 2 {
		return 0, syntaxErr(line, `\ at end of string`)
	}
	c := s[1]
	if text, ok := simpleEscapes[c]; ok {
		b.WriteString(text)
		return 2, nil
	}
	switch {
	case c == 'x':
		return hexEscape(b, s, 2, `truncated \xXX escape`, line)
	case c == 'u':
		return hexEscape(b, s, 4, `truncated \uXXXX escape`, line)
	case c == 'U':
		return hexEscape(b, s, 8, `truncated \UXXXXXXXX escape`, line)
	case c == 'N':
		return namedEscape(b, s, line)
	case c >= '0' && c <= '7':
		n, r := 1, rune(0)
		for n < len(s) && n < 4 && s[n] >= '0' && s[n] <= '7' {
			r = r*8 + rune(s[n]-'0')
			n++
		}
		b.WriteRune(r)
		return n, nil
	case c >= utf8.RuneSelf:
		// The ASCII step has turned the character into an escape of its own, whose backslash is eaten here.
		r, size := utf8.DecodeRuneInString(s[1:])
		b.WriteString(`\` + asciiEscape(r)[1:])
		return 1 + size, nil
	}
	b.WriteString(s[:2])
	return 2, nil
}

func asciiEscape(r rune) string {
	switch {
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	case r > 0xff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\x%02x`, r)
}

func hexEscape(b *strings.Builder, s string, digits int, msg string, line int) (int, error) {
	r, ok := hexRune(s[2:], digits)
	if !ok {
		return 0, syntaxErr(line, "%s", msg)
	}
	if r > utf8.MaxRune {
		return 0, syntaxErr(line, "illegal Unicode character")
	}
	n := 2 + digits
	if utf16.IsSurrogate(r) && strings.HasPrefix(s[n:], `\u`) {
		if low, ok := hexRune(s[n+2:], 4); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				b.WriteRune(pair)
				return n + 6, nil
			}
		}
	}
	b.WriteRune(r)
	return n, nil
}

func hexRune(s string, digits int) (rune, bool) {
	if len(s) < digits {
		return 0, false
	}
	var r uint32
	for i := range digits {
		d := digitOf(s[i])
		if d > 15 {
			return 0, false
		}
		r = r<<4 | uint32(d)
	}
	if r > 0x7fffffff {
		return utf8.MaxRune + 1, true
	}
	return rune(r), true
}

// namedEscape decodes a character by its Unicode name.
func namedEscape(b *strings.Builder, s string, line int) (int, error) {
	end := strings.IndexByte(s, '}')
	if !strings.HasPrefix(s, `\N{`) || end <= 3 {
		return 0, syntaxErr(line, `malformed \N character escape`)
	}
	r, ok := value.RuneByName(s[3:end])
	if !ok {
		return 0, syntaxErr(line, "unknown Unicode character name")
	}
	b.WriteRune(r)
	return end + 1, nil
}
