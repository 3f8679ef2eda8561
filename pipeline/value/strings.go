package value

import (
	"strings"
	"unicode"
)

// IsSpace reports whether Python's str.isspace holds for r: Unicode white space and the separators 0x1c to 0x1f.
func IsSpace(r rune) bool {
	return r >= 0x1c && r <= 0x1f || unicode.IsSpace(r)
}

// PyStrip is Python's s.strip().
func PyStrip(s string) string { return strings.TrimFunc(s, IsSpace) }

// PyUpper is Python's s.upper().
func PyUpper(s string) string { return strings.ToUpper(s) }

// PySlice is Python's s[start:end] for bounds that are not negative, over code points.
func PySlice(s string, start, end int) string {
	i := byteOffset(s, start)
	if end <= start {
		return ""
	}
	return s[i : i+byteOffset(s[i:], end-start)]
}

// byteOffset returns where code point n begins, or len(s).
func byteOffset(s string, n int) int {
	if n >= len(s) {
		return len(s)
	}
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}
