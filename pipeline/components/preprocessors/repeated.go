package preprocessors

import (
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

// How Haystack looks for repeated headers and footers.
const (
	edgeLength = 300 // code points at the start and the end of a page
	minWords   = 3
	maxWords   = 30 // exclusive
)

// removeHeadersAndFooters finds the longest run of words that stands on the edges of all pages but the first and the
// last, and removes it from every page.
func removeHeadersAndFooters(text string) string {
	pages := strings.Split(text, "\f")
	for _, edge := range []func(string) string{pageStart, pageEnd} {
		var edges []string
		if len(pages) > 2 {
			for _, p := range pages[1 : len(pages)-1] {
				edges = append(edges, edge(p))
			}
		}
		if common := longestCommon(edges); common != "" {
			for i, p := range pages {
				pages[i] = strings.ReplaceAll(p, common, "")
			}
		}
	}
	return strings.Join(pages, "\f")
}

func pageStart(page string) string { return value.PySlice(page, 0, edgeLength) }

func pageEnd(page string) string {
	n := utf8.RuneCountInString(page)
	return value.PySlice(page, max(0, n-edgeLength), n)
}

// longestCommon returns the longest run of words that all texts have; of several of one length, the first of the first
// text. One text alone has nothing in common with anything.
func longestCommon(texts []string) string {
	var common []string // in order of appearance in the first text
	n := 0
	for _, t := range texts {
		if t == "" {
			continue
		}
		runs := wordRuns(t)
		if n++; n == 1 {
			common = runs
			continue
		}
		has := make(map[string]bool, len(runs))
		for _, r := range runs {
			has[r] = true
		}
		kept := common[:0]
		for _, r := range common {
			if has[r] {
				kept = append(kept, r)
			}
		}
		common = kept
	}
	if n < 2 {
		return ""
	}
	best, length := "", 0
	for _, r := range common {
		if l := utf8.RuneCountInString(r); l > length {
			best, length = r, l
		}
	}
	if value.PyStrip(best) == "" {
		return ""
	}
	return best
}

// wordRuns returns all runs of words of the allowed lengths. Words are separated by spaces; a line break or tab opens
// the word after it.
func wordRuns(text string) []string {
	words := strings.Split(strings.NewReplacer("\n", " \n", "\t", " \t").Replace(text), " ")
	restore := strings.NewReplacer(" \n", "\n", " \t", "\t")
	var out []string
	for n := minWords; n < maxWords; n++ {
		for i := 0; i+n <= len(words); i++ {
			out = append(out, restore.Replace(strings.Join(words[i:i+n], " ")))
		}
	}
	return out
}
