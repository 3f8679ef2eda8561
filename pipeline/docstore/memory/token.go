package memory

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/haywardhq/hayward/pipeline/value"
)

// tokenizer cuts a text into BM25 tokens. It is safe for concurrent use.
type tokenizer struct {
	name string // what the journal remembers: "" for the default
	find func(text string) ([]string, error)
}

// tokens lowers and normalises text as Haystack does, then cuts it.
func (t tokenizer) tokens(text string) ([]string, error) {
	return t.find(norm.NFC.String(value.PyLower(text)))
}

// The regular expressions that Haystack itself has used as defaults are cut by hand; any other one is run as it is.
func newTokenizer(regex string) (tokenizer, error) {
	switch regex {
	case "", DefaultRegex:
		return tokenizer{"", func(s string) ([]string, error) { return words(s, 1, true), nil }}, nil
	case `(?u)\b\w+\b`, `\b\w+\b`, `(?u)\w+`, `\w+`:
		return tokenizer{regex, func(s string) ([]string, error) { return words(s, 1, false), nil }}, nil
	case `(?u)\b\w\w+\b`, `\b\w\w+\b`:
		return tokenizer{regex, func(s string) ([]string, error) { return words(s, 2, false), nil }}, nil
	}
	find, err := customTokenizer(regex)
	return tokenizer{regex, find}, err
}

// words returns the runs of word characters of at least atLeast characters; with split, each character of a script
// that writes no spaces is a token of its own.
func words(s string, atLeast int, split bool) []string {
	out := make([]string, 0, len(s)/6+1)
	start, count := -1, 0
	flush := func(end int) {
		if start >= 0 && count >= atLeast {
			out = append(out, s[start:end])
		}
		start, count = -1, 0
	}
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case split && r >= 0x1100 && isCJK(r):
			flush(i)
			out = append(out, s[i:i+size])
		case !isWord(r):
			flush(i)
		default:
			if start < 0 {
				start = i
			}
			count++
		}
		i += size
	}
	flush(len(s))
	return out
}

var asciiWord = func() (t [128]bool) {
	for c := range t {
		t[c] = c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	return t
}()

// isWord is Python's \w: str.isalnum() or an underscore; combining marks are not.
func isWord(r rune) bool {
	if r < 128 {
		return asciiWord[r]
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// cjk are the ranges of [DefaultRegex], in order.
var cjk = [][2]rune{{0x1100, 0x11ff}, {0x3041, 0x3096}, {0x30a1, 0x30fa}, {0x30fc, 0x30fc}, {0x3130, 0x318f}, {0x31f0, 0x31ff},
	{0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xa960, 0xa97f}, {0xac00, 0xd7af}, {0xd7b0, 0xd7ff}, {0xf900, 0xfaff}, {0xff66, 0xff9f},
	{0xffa0, 0xffdc}}

func isCJK(r rune) bool {
	for _, c := range cjk {
		if r <= c[1] {
			return r >= c[0]
		}
	}
	return false
}
