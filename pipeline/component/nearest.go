package component

import (
	"sort"
	"strings"
)

// Nearest returns up to n of names that are most like name, best first: same last part, else few edits.
func Nearest(name string, names []string, n int) []string {
	type scored struct {
		name string
		cost int
	}
	last := lastPart(name)
	var list []scored
	for _, cand := range names {
		cost := editDistance(strings.ToLower(last), strings.ToLower(lastPart(cand)))
		if cost <= max(2, len(last)/3) {
			list = append(list, scored{cand, cost})
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].cost < list[j].cost })
	out := make([]string, 0, n)
	for _, s := range list[:min(n, len(list))] {
		out = append(out, s.name)
	}
	return out
}

func lastPart(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }

// editDistance is Levenshtein's, on bytes, for inputs of at most 200 bytes.
func editDistance(a, b string) int {
	a, b = a[:min(len(a), 200)], b[:min(len(b), 200)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diag
			if a[i-1] != b[j-1] {
				cost++
			}
			diag = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
