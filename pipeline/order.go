package pipeline

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
)

// topological returns each node's place in the order that decides between waiting components
// (haystack/core/pipeline/base.py, _topological_sort): the lexicographical topological order of a graph without cycles,
// else the place of the node's strongly connected component.
//
// Nodes are numbered in insertion order; succ lists distinct receivers in the order of their first connection, as
// networkx's adjacency does.
func topological(names []string, succ [][]int) []int {
	if order, ok := lexicographical(names, succ); ok {
		return order
	}
	comp, count := stronglyConnected(succ)
	place := generations(condense(comp, count, succ))
	out := make([]int, len(names))
	for v := range out {
		out[v] = place[comp[v]]
	}
	return out
}

// lexicographical is networkx's lexicographical_topological_sort: among the nodes whose predecessors are all placed, the
// first by name comes next. ok is false for a graph with a cycle.
func lexicographical(names []string, succ [][]int) (place []int, ok bool) {
	place = make([]int, len(names))
	degree := inDegrees(len(names), succ)
	ready := &byName{names: names}
	for v, d := range degree {
		if d == 0 {
			ready.nodes = append(ready.nodes, v)
		}
	}
	heap.Init(ready)
	placed := 0
	for ready.Len() > 0 {
		v := heap.Pop(ready).(int)
		place[v] = placed
		placed++
		for _, w := range succ[v] {
			if degree[w]--; degree[w] == 0 {
				heap.Push(ready, w)
			}
		}
	}
	return place, placed == len(names)
}

func inDegrees(n int, succ [][]int) []int {
	degree := make([]int, n)
	for _, ws := range succ {
		for _, w := range ws {
			degree[w]++
		}
	}
	return degree
}

// byName is a heap of nodes; names are unique, so their order is total. Bytes of UTF-8 sort as Python's code points do.
type byName struct {
	names []string
	nodes []int
}

func (h *byName) Len() int           { return len(h.nodes) }
func (h *byName) Less(i, j int) bool { return h.names[h.nodes[i]] < h.names[h.nodes[j]] }
func (h *byName) Swap(i, j int)      { h.nodes[i], h.nodes[j] = h.nodes[j], h.nodes[i] }
func (h *byName) Push(x any)         { h.nodes = append(h.nodes, x.(int)) }
func (h *byName) Pop() any {
	last := h.nodes[len(h.nodes)-1]
	h.nodes = h.nodes[:len(h.nodes)-1]
	return last
}

// stronglyConnected numbers the strongly connected components in the order in which networkx yields them: Tarjan's
// algorithm with Nuutila's changes, without recursion, over nodes in insertion order.
func stronglyConnected(succ [][]int) (comp []int, count int) {
	n := len(succ)
	comp = make([]int, n)
	preorder, lowlink, next := make([]int, n), make([]int, n), make([]int, n)
	for v := range comp {
		comp[v] = -1
	}
	var found, stack []int
	clock := 0
	for source := range succ {
		if comp[source] >= 0 {
			continue
		}
		stack = append(stack[:0], source)
		for len(stack) > 0 {
			v := stack[len(stack)-1]
			if preorder[v] == 0 {
				clock++
				preorder[v] = clock
			}
			if w := unvisited(v, succ, next, preorder); w >= 0 {
				stack = append(stack, w)
				continue
			}
			lowlink[v] = preorder[v]
			for _, w := range succ[v] {
				if comp[w] >= 0 {
					continue
				}
				if preorder[w] > preorder[v] {
					lowlink[v] = min(lowlink[v], lowlink[w])
				} else {
					lowlink[v] = min(lowlink[v], preorder[w])
				}
			}
			stack = stack[:len(stack)-1]
			if lowlink[v] != preorder[v] {
				found = append(found, v)
				continue
			}
			comp[v] = count
			for len(found) > 0 && preorder[found[len(found)-1]] > preorder[v] {
				comp[found[len(found)-1]] = count
				found = found[:len(found)-1]
			}
			count++
		}
	}
	return comp, count
}

// unvisited returns the next successor of v that the walk has not seen, or -1. Each successor is looked at once.
func unvisited(v int, succ [][]int, next, preorder []int) int {
	for next[v] < len(succ[v]) {
		w := succ[v][next[v]]
		next[v]++
		if preorder[w] == 0 {
			return w
		}
	}
	return -1
}

// condense contracts each component to one node; edges stay in the order in which networkx adds them.
func condense(comp []int, count int, succ [][]int) [][]int {
	out := make([][]int, count)
	for v, ws := range succ {
		for _, w := range ws {
			if a, b := comp[v], comp[w]; a != b && !slices.Contains(out[a], b) {
				out[a] = append(out[a], b)
			}
		}
	}
	return out
}

// generations is networkx's topological_sort: all nodes without predecessors, then all that become free by removing them,
// and so on.
func generations(succ [][]int) []int {
	place := make([]int, len(succ))
	degree := inDegrees(len(succ), succ)
	var now []int
	for v, d := range degree {
		if d == 0 {
			now = append(now, v)
		}
	}
	placed := 0
	for len(now) > 0 {
		var later []int
		for _, v := range now {
			place[v] = placed
			placed++
			for _, w := range succ[v] {
				if degree[w]--; degree[w] == 0 {
					later = append(later, w)
				}
			}
		}
		now = later
	}
	return place
}

// deferOrder ranks nodes (numbered by name) as the tie-break between waiting components does: by topological place, then
// by name in lower case.
func deferOrder(names []string, place []int) []int {
	order := upTo(len(names))
	lower := make([]string, len(names))
	for i, n := range names {
		lower[i] = strings.ToLower(n)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(place[a], place[b]), strings.Compare(lower[a], lower[b]))
	})
	return order
}
