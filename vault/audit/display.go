package audit

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Display returns s with everything escaped that could forge a line, hide text or turn its direction in a terminal, a log
// or a table: control characters, line separators, bidi and other invisible characters, and bytes that are not UTF-8. A
// newline becomes \u{a}.
func Display(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x{%02x}`, s[0])
		case r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
		s = s[n:]
	}
	return b.String()
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// clean is Display cut to at most limit bytes, with an ellipsis where something is missing.
func clean(s string, limit int) string {
	s = Display(s)
	if len(s) <= limit {
		return s
	}
	const more = "…"
	cut := limit - len(more)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + more
}
