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
