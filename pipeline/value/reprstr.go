package value

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// AppendStrRepr appends Python's repr of a str: single quotes unless the text holds a single and no double quote,
// escapes for what Python's isprintable refuses.
func AppendStrRepr(dst []byte, s string) []byte {
	quote := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		quote = '"'
	}
	dst = append(dst, quote)
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != 0x7f && c != '\\' && c != quote {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendASCIIEscape(dst, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if !Printable(r) {
			dst = append(dst, s[start:i]...)
			dst = appendRuneEscape(dst, r)
			start = i + size
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, quote)
}

const hexDigits = "0123456789abcdef"

func appendASCIIEscape(dst []byte, c byte) []byte {
	switch c {
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if c >= ' ' && c < 0x7f {
		return append(dst, '\\', c)
	}
	return append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
}

func appendRuneEscape(dst []byte, r rune) []byte {
	letter, digits := byte('x'), 2
	switch {
	case r > 0xffff:
		letter, digits = 'U', 8
	case r > 0xff:
		letter, digits = 'u', 4
	}
	dst = append(dst, '\\', letter)
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[(r>>shift)&15])
	}
	return dst
}

// Printable reports whether Python's str.isprintable holds for r.
func Printable(r rune) bool { return unicode.IsPrint(r) }

// BytesQuote returns the quote that Python's repr of these bytes uses.
func BytesQuote[T string | []byte](data T) byte {
	single := false
	for i := range len(data) {
		switch data[i] {
		case '"':
			return '\''
		case '\'':
			single = true
		}
	}
	if single {
		return '"'
	}
	return '\''
}

// AppendBytesBody appends what stands between the quotes in Python's repr of bytes.
func AppendBytesBody[T string | []byte](dst []byte, data T, quote byte) []byte {
	for i := range len(data) {
		if c := data[i]; c >= ' ' && c < 0x7f && c != '\\' && c != quote {
			dst = append(dst, c)
		} else {
			dst = appendASCIIEscape(dst, c)
		}
	}
	return dst
}

// AppendBytesRepr appends Python's repr of bytes, for example b'a\x00'.
func AppendBytesRepr[T string | []byte](dst []byte, data T) []byte {
	quote := BytesQuote(data)
	return append(AppendBytesBody(append(dst, 'b', quote), data, quote), quote)
}
