package value

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/runenames"
)

// maxNameLen is longer than every character's name.
const maxNameLen = 128

// RuneByName finds a character by its Unicode name, in any case, as Python's \N{...} does. Aliases and named sequences
// are not known.
func RuneByName(name string) (rune, bool) {
	name = strings.ToUpper(name)
	if name == "" || len(name) > maxNameLen || name[0] == '<' {
		return 0, false
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if runenames.Name(r) == name {
			return r, true
		}
	}
	return 0, false
}

// RuneName is a character's Unicode name; ok is false for one without.
func RuneName(r rune) (name string, ok bool) {
	name = runenames.Name(r)
	switch {
	case name == "":
		return "", false
	case name[0] != '<':
		return name, true
	case unicode.Is(unicode.Unified_Ideograph, r):
		return fmt.Sprintf("CJK UNIFIED IDEOGRAPH-%X", r), true
	}
	return "", false
}
