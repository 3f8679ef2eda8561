package value

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// IsSpace reports whether Python's str.isspace holds for r: Unicode white space and the separators 0x1c to 0x1f.
func IsSpace(r rune) bool { return r >= 0x1c && r <= 0x1f || unicode.IsSpace(r) }

// IsAlnum reports whether Python's str.isalnum holds for r: letters and everything that has a numeric value.
func IsAlnum(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= '0' && r <= '9' || r|32 >= 'a' && r|32 <= 'z'
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// IsWord reports whether Python's \w matches r.
func IsWord(r rune) bool { return r == '_' || IsAlnum(r) }

// StrLen returns Python's len() of a str: its code points.
func StrLen(s string) int { return utf8.RuneCountInString(s) }

// PyStrip is Python's s.strip().
func PyStrip(s string) string { return strings.TrimFunc(s, IsSpace) }

// PyLStrip is Python's s.lstrip().
func PyLStrip(s string) string { return strings.TrimLeftFunc(s, IsSpace) }

// PyRStrip is Python's s.rstrip().
func PyRStrip(s string) string { return strings.TrimRightFunc(s, IsSpace) }

// PySplit is Python's s.split(): words between runs of white space, no empty ones.
func PySplit(s string) []string { return strings.FieldsFunc(s, IsSpace) }

// PySplitN is Python's s.split(None, max): at most max splits, the rest keeps its white space.
func PySplitN(s string, max int) []string {
	if max < 0 {
		return PySplit(s)
	}
	var out []string
	for s = PyLStrip(s); s != ""; s = PyLStrip(s) {
		end := strings.IndexFunc(s, IsSpace)
		if end < 0 || len(out) == max {
			return append(out, s)
		}
		out = append(out, s[:end])
		s = s[end:]
	}
	return out
}

// PySplitSep is Python's s.split(sep, max); a negative max means all. An empty separator is Python's ValueError.
func PySplitSep(s, sep string, max int) ([]string, error) {
	if sep == "" {
		return nil, pyError("ValueError", "empty separator")
	}
	if max < 0 {
		return strings.Split(s, sep), nil
	}
	return strings.SplitN(s, sep, max+1), nil
}

// isLineEnd reports whether str.splitlines breaks after r.
func isLineEnd(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
		return true
	}
	return false
}

// PySplitLines is Python's s.splitlines(keepends).
func PySplitLines(s string, keepEnds bool) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if !isLineEnd(r) {
			i += size
			continue
		}
		end := i
		i += size
		if r == '\r' && i < len(s) && s[i] == '\n' {
			i++
		}
		if keepEnds {
			end = i
		}
		out = append(out, s[start:end])
		start = i
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}

// PySlice is Python's s[start:end] for bounds that are not negative, over code points.
func PySlice(s string, start, end int) string {
	if end <= start {
		return ""
	}
	i := byteOffset(s, start)
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

// PyUpper is Python's s.upper(), with the letters that become several: "ß" gives "SS".
func PyUpper(s string) string { return mapCase(s, unicode.ToUpper, upperMany) }

func mapCase(s string, simple func(rune) rune, many map[rune]string) string {
	if isASCII(s) {
		return strings.Map(simple, s)
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	for _, r := range s {
		writeCase(&b, r, simple, many)
	}
	return b.String()
}

func writeCase(b *strings.Builder, r rune, simple func(rune) rune, many map[rune]string) {
	if r >= utf8.RuneSelf {
		if text, ok := many[r]; ok {
			b.WriteString(text)
			return
		}
	}
	b.WriteRune(simple(r))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

const (
	capitalSigma = 'Σ'
	capitalDotI  = 'İ'
)

// PyLower is Python's s.lower(): a capital sigma at the end of a word becomes its final form.
func PyLower(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range s {
		writeLower(&b, s, i, r)
	}
	return b.String()
}

func writeLower(b *strings.Builder, s string, i int, r rune) {
	switch {
	case r == capitalSigma && finalSigma(s, i):
		b.WriteRune('ς')
	case r == capitalDotI:
		b.WriteString("i\u0307")
	default:
		b.WriteRune(unicode.ToLower(r))
	}
}

// finalSigma reports whether a cased letter stands before s[i] and none after, passing over what case ignores.
func finalSigma(s string, i int) bool {
	before := strings.TrimRightFunc(s[:i], caseIgnorable)
	r, _ := utf8.DecodeLastRuneInString(before)
	if before == "" || !isCased(r) {
		return false
	}
	after := strings.TrimLeftFunc(s[i+len("Σ"):], caseIgnorable)
	r, _ = utf8.DecodeRuneInString(after)
	return after == "" || !isCased(r)
}

func isCased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func caseIgnorable(r rune) bool {
	return strings.ContainsRune("'.:^`\u00a8\u00ad\u00af\u00b4\u00b7\u00b8\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a", r) ||
		unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}

// PyTitle is Python's s.title(): every letter after something without case is a capital.
func PyTitle(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	cased := false
	for i, r := range s {
		if cased {
			writeLower(&b, s, i, r)
		} else {
			writeCase(&b, r, unicode.ToTitle, titleMany)
		}
		cased = isCased(r)
	}
	return b.String()
}

// PyCapitalize is Python's s.capitalize(): the first character in title case, the rest in lower case.
func PyCapitalize(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range s {
		if i == 0 {
			writeCase(&b, r, unicode.ToTitle, titleMany)
		} else {
			writeLower(&b, s, i, r)
		}
	}
	return b.String()
}

// Normalize is unicodedata.normalize(form, s) for NFC, NFD, NFKC and NFKD.
func Normalize(form, s string) (string, error) {
	switch form {
	case "NFC":
		return norm.NFC.String(s), nil
	case "NFD":
		return norm.NFD.String(s), nil
	case "NFKC":
		return norm.NFKC.String(s), nil
	case "NFKD":
		return norm.NFKD.String(s), nil
	}
	return "", pyError("ValueError", "invalid normalization form")
}
