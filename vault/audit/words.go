package audit

import "strings"

// The fixed words of an entry are checked for each entry, so that loops do it: a pattern takes as long as sealing the entry.

// isWord reports whether s is a lower-case letter and then letters, digits, "_" and "-".
func isWord(s string) bool { return isDetail(s) && strings.IndexByte(s, '.') < 0 }

// isAction reports whether s is words joined by dots, of which only the first must begin with a letter.
func isAction(s string) bool {
	return isDetail(s) && s[len(s)-1] != '.' && !strings.Contains(s, "..")
}

// isDetail reports whether s is what a word is made of, or dots.
func isDetail(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z':
		case i > 0 && (c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}
