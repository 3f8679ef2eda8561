package devllm

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

var common = set(strings.Fields(`a about an and are as at be been but by can could did do does for from had has have how i if in into is it
its me may must my of on or should so tell than that the their them then there these they this those to was we were what when where
which who whom whose why will with would you your explain describe please question answer document`))

// allWords returns the words of s in a common form: lower case, without the endings of plural, -ed and -ing.
func allWords(s string) []string {
	out := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
	for i, w := range out {
		out[i] = stem(w)
	}
	return out
}

// contentWords leaves out words that say nothing about the subject; if nothing is left, all of them count.
func contentWords(s string) []string {
	var out []string
	all := allWords(s)
	for _, w := range all {
		if !common[w] {
			out = append(out, w)
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

func stem(w string) string {
	if common[w] {
		return w
	}
	for _, end := range []string{"ing", "ed", "es", "s", "e"} {
		if cut, ok := strings.CutSuffix(w, end); ok && len(cut) >= 4 && !(end == "s" && strings.HasSuffix(cut, "s")) {
			return cut
		}
	}
	return w
}

var (
	tag      = regexp.MustCompile(`</?[A-Za-z][\w-]*(?: [\w-]+="[^"<>]*")*>`)
	newBlock = regexp.MustCompile(`^\s*(?:$|[-*•][ \t]|\d{1,3}[.)][ \t]|#+ )`)
	leadIn   = regexp.MustCompile(`(?i)^(?:[-*•]\s+|#+\s+|\(?\[?\d{1,3}[\]).:]\s+|(?:document|doc|passage|source|chunk|content)s?(?:\s*\[?#?\d+\]?)?\s*:\s*)+`)
)

var abbreviations = set(strings.Fields("e.g i.e etc cf vs mr mrs ms dr prof st no fig sec al inc jr sr approx"))

// split returns the sentences of text, each a piece of it as it stands. A sentence may go over a line's end, not over a
// blank line, a list's next item or a tag.
func split(text string) []string {
	var out []string
	for _, block := range blocks(text) {
		block = withoutLeadIn(block)
		start := 0
		for i := 0; i < len(block); i++ {
			if c := block[i]; c != '.' && c != '!' && c != '?' {
				continue
			}
			end := sentenceEnd(block[start:], i-start) + start
			if end > start {
				out = appendNonEmpty(out, block[start:end])
				start, i = end, end-1
			}
		}
		out = appendNonEmpty(out, block[start:])
	}
	return out
}

// blocks cuts text where no sentence goes on.
func blocks(text string) []string {
	var out []string
	pieces := []string{text}
	if strings.Contains(text, "<") {
		pieces = tag.Split(text, -1)
	}
	for _, p := range pieces {
		from, at := 0, 0
		for line := range strings.SplitAfterSeq(p, "\n") {
			if newBlock.MatchString(strings.TrimRight(line, "\r\n")) {
				out = append(out, p[from:at])
				from = at
			}
			at += len(line)
		}
		out = append(out, p[from:])
	}
	return out
}

func withoutLeadIn(s string) string {
	return leadIn.ReplaceAllString(strings.TrimSpace(s), "")
}

func appendNonEmpty(list []string, s string) []string {
	if s = withoutLeadIn(s); s != "" {
		list = append(list, s)
	}
	return list
}

// sentenceEnd returns where the sentence whose full stop is s[at] ends, closing quotes and the space behind it included,
// or 0 when it goes on: no space follows, a small letter follows, or the stop belongs to an abbreviation.
func sentenceEnd(s string, at int) int {
	rest := s[at+1:]
	trimmed := strings.TrimLeft(rest, `"'”’)]`)
	after := strings.TrimLeft(trimmed, " \t\r\n")
	if len(after) == len(trimmed) {
		return 0
	}
	if next, _ := utf8.DecodeRuneInString(after); unicode.IsLower(next) {
		return 0
	}
	word := s[strings.LastIndexAny(s[:at], " \t\n(")+1 : at]
	if s[at] == '.' && (len(word) == 1 && unicode.IsLetter(rune(word[0])) || abbreviations[strings.ToLower(word)]) {
		return 0
	}
	return len(s) - len(after)
}
