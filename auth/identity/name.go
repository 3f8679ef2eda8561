package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/haywardhq/hayward/fault"
)

const (
	maxNameBytes  = 128
	maxTextBytes  = 200
	maxEmailBytes = 254
)

// CanonicalName returns the one form of a user name: Unicode NFKC, case folded. Every spelling of a name (full width,
// composed or not, upper case) gives the same form. A name is letters and digits of one script, with . _ - + @ between
// them, at most 128 bytes; anything else is an error that does not quote it, because people type passwords into the
// wrong field.
func CanonicalName(s string) (string, error) {
	bad := func(why string) (string, error) {
		return "", fault.New(fault.Invalid, "the user name %s", why).At(fault.Where{Field: "username"}).
			WithHint("use letters and digits of one script, with . _ - + @ between them, at most %d bytes", maxNameBytes)
	}
	if len(s) > 4*maxNameBytes || !utf8.ValidString(s) {
		return bad("is too long or not UTF-8 text")
	}
	name := canonical(s)
	switch {
	case name == "":
		return bad("is empty")
	case len(name) > maxNameBytes:
		return bad("is too long")
	case canonical(name) != name:
		return bad("has no stable form")
	}
	first, _ := utf8.DecodeRuneInString(name)
	last, _ := utf8.DecodeLastRuneInString(name)
	if !alnum(first) || !alnum(last) && !unicode.Is(unicode.M, last) {
		return bad("must begin and end with a letter or a digit")
	}
	script := ""
	for _, r := range name {
		if !alnum(r) && !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Mc, r) && !strings.ContainsRune("._-+@", r) {
			return bad("holds a character that is not allowed")
		}
		have := scriptOf(r)
		if have != "" && script != "" && have != script {
			return bad("mixes scripts")
		}
		if have != "" {
			script = have
		}
	}
	return name, nil
}

// canonical folds until nothing changes: folding can undo normalisation and the other way round.
func canonical(s string) string {
	for range 4 {
		next := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
		if next == s {
			break
		}
		s = next
	}
	return s
}

func alnum(r rune) bool { return unicode.IsLetter(r) || unicode.Is(unicode.Nd, r) }

// scriptOf returns the script of a letter, "" for what is common to all. Scripts that one language writes together count
// as one.
func scriptOf(r rune) string {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			return "Latin"
		}
		return ""
	}
	for name, table := range unicode.Scripts {
		if !unicode.Is(table, r) {
			continue
		}
		switch name {
		case "Common", "Inherited":
			return ""
		case "Han", "Hiragana", "Katakana", "Hangul", "Bopomofo":
			return "East Asian"
		}
		return name
	}
	return "unknown"
}

// lookAlikes maps letters of other scripts to the Latin letters they cannot be told from in common fonts: the part of
// Unicode's confusables (UTS 39) that whole-script spoofs of Latin names need. Only folded letters occur.
const lookAlikes = "аa сc ԁd еe һh іi јj ӏl оo рp ԛq ѕs ѵv ԝw хx уy " + // Cyrillic
	"αa ϲc ιi κk νv οo ρp υu χx " + // Greek
	"ցg հh յj ոn օo սu " + // Armenian
	"ıi ɡg ɑa " // Latin itself

// skeleton is equal for names that look equal. It is only ever compared.
func skeleton(name string) string {
	pairs := []rune(lookAlikes)
	return strings.Map(func(r rune) rune {
		for i := 0; i+1 < len(pairs); i += 3 {
			if pairs[i] == r {
				return pairs[i+1]
			}
		}
		return r
	}, name)
}

// checkText refuses characters that could forge a line of a table or a log: controls, newlines, bidi marks.
func checkText(field, s string, most int) error {
	bad := func(why string) error {
		return fault.New(fault.Invalid, "%s %s", field, why).At(fault.Where{Field: field}).
			WithHint("use at most %d bytes of plain text", most)
	}
	if len(s) > most {
		return bad("is too long")
	}
	if !utf8.ValidString(s) {
		return bad("is not UTF-8 text")
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return bad("holds a control character")
		}
	}
	return nil
}

func checkEmail(s string) error {
	if s == "" {
		return nil
	}
	if err := checkText("email", s, maxEmailBytes); err != nil {
		return err
	}
	local, host, ok := strings.Cut(s, "@")
	if !ok || local == "" || host == "" || strings.ContainsAny(s, " \t<>()[]\\,;:\"") || strings.Contains(host, "@") {
		return fault.New(fault.Invalid, "email is not an address").At(fault.Where{Field: "email"}).
			WithHint("write name@example.com, or leave it empty")
	}
	return nil
}
