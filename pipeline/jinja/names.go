package jinja

import (
	"sort"
)

// freeNames lists the names that come from outside, in the order in which the source first names them.
func (c *compiler) freeNames(t *templateNode) []string {
	first := map[string]int{}
	note := func(name string, seq int) {
		if at, ok := first[name]; c.free[name] && (!ok || seq < at) {
			first[name] = seq
		}
	}
	walk(t, func(n node) {
		switch n := n.(type) {
		case *nameExpr:
			note(n.name, n.seq)
		case *nsRefExpr:
			note(n.name, n.seq)
		}
	})
	out := make([]string, 0, len(c.free))
	for name := range c.free {
		out = append(out, name)
	}
	sort.Slice(out, func(i, j int) bool {
		if first[out[i]] != first[out[j]] {
			return first[out[i]] < first[out[j]]
		}
		return out[i] < out[j]
	})
	return out
}

// assignedNames lists the names that set gives a value to, anywhere in the template: a name, or the names of one tuple
// (haystack/utils/jinja2_extensions.py).
func assignedNames(t *templateNode) []string {
	var out []string
	seen := map[string]bool{}
	note := func(e expr) {
		if n, ok := e.(*nameExpr); ok && !seen[n.name] {
			seen[n.name] = true
			out = append(out, n.name)
		}
	}
	walk(t, func(n node) {
		a, ok := n.(*assignStmt)
		if !ok {
			return
		}
		note(a.target)
		if tuple, ok := a.target.(*tupleExpr); ok {
			for _, item := range tuple.items {
				note(item)
			}
		}
	})
	return out
}
