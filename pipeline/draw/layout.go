package draw

import (
	"slices"
	"unicode/utf8"
)

// Measures of the drawing, in SVG units.
const (
	charWidth  = 7
	lineHeight = 16
	padding    = 12
	gapX       = 48
	gapY       = 84
)

// place is where a node of the drawing lies: the boxes, then the two ends.
type place struct {
	rank          int
	x, y          int // centre
	width, height int
	lines         []string
}

// layout puts each node below those that send to it, loops aside, and in each row near the middle of its senders.
func layout(s *shape) (places []place, width, height int) {
	n := len(s.boxes)
	places = make([]place, n+2) // n: what a run is given, n+1: what it gives
	for i := range s.boxes {
		lines := []string{s.boxes[i].name, s.boxes[i].class}
		places[i] = sized(append(lines, s.boxes[i].optional...))
	}
	edges := make([][2]int, len(s.arrows))
	for i, a := range s.arrows {
		edges[i] = [2]int{a.from, a.to}
		if a.from < 0 {
			edges[i][0], places[n] = n, sized([]string{"inputs"})
		}
		if a.to < 0 {
			edges[i][1], places[n+1] = n+1, sized([]string{"outputs"})
		}
	}
	rank(places, edges)
	rows := order(places, edges)
	return places, spread(places, rows), stack(places, rows)
}

func sized(lines []string) place {
	longest := 0
	for _, l := range lines {
		longest = max(longest, utf8.RuneCountInString(l))
	}
	return place{lines: lines, width: longest*charWidth + 2*padding, height: len(lines)*lineHeight + 2*padding}
}

// rank numbers the rows: one more than the lowest sender's. Edges that close a loop do not count.
func rank(places []place, edges [][2]int) {
	back := backEdges(len(places), edges)
	for range places { // longest paths have at most that many steps
		changed := false
		for i, e := range edges {
			if !back[i] && places[e[1]].rank <= places[e[0]].rank {
				places[e[1]].rank, changed = places[e[0]].rank+1, true
			}
		}
		if !changed {
			return
		}
	}
}

// backEdges finds the edges that close a loop, in depth-first order.
func backEdges(n int, edges [][2]int) []bool {
	const unseen, open, done = 0, 1, 2
	state, back := make([]int, n), make([]bool, len(edges))
	var visit func(int)
	visit = func(v int) {
		state[v] = open
		for i, e := range edges {
			if e[0] != v {
				continue
			}
			switch state[e[1]] {
			case unseen:
				visit(e[1])
			case open:
				back[i] = true
			}
		}
		state[v] = done
	}
	visit(n - 2) // from what a run is given, then in the file's order
	for v := range n {
		if state[v] == unseen {
			visit(v)
		}
	}
	return back
}

// order puts the nodes of each row by the mean position of their senders.
func order(places []place, edges [][2]int) [][]int {
	var rows [][]int
	for i, p := range places {
		if p.lines == nil { // an end that nothing goes to
			continue
		}
		for len(rows) <= p.rank {
			rows = append(rows, nil)
		}
		rows[p.rank] = append(rows[p.rank], i)
	}
	at := make([]float64, len(places))
	for _, row := range rows {
		mean := map[int]float64{}
		for _, v := range row {
			sum, count := 0.0, 0.0
			for _, e := range edges {
				if e[1] == v && places[e[0]].rank < places[v].rank {
					sum, count = sum+at[e[0]], count+1
				}
			}
			if count > 0 {
				mean[v] = sum / count
			}
		}
		slices.SortStableFunc(row, func(a, b int) int {
			switch d := mean[a] - mean[b]; {
			case d < 0:
				return -1
			case d > 0:
				return 1
			}
			return 0
		})
		for k, v := range row {
			at[v] = float64(k) - float64(len(row)-1)/2
		}
	}
	return rows
}

// spread centres each row and returns the width of the drawing.
func spread(places []place, rows [][]int) int {
	widths, widest := make([]int, len(rows)), 0
	for r, row := range rows {
		for _, v := range row {
			widths[r] += places[v].width + gapX
		}
		widest = max(widest, widths[r])
	}
	for r, row := range rows {
		x := (widest-widths[r])/2 + gapX/2
		for _, v := range row {
			places[v].x = x + places[v].width/2
			x += places[v].width + gapX
		}
	}
	return widest
}

// stack puts the rows under one another and returns the height of the drawing.
func stack(places []place, rows [][]int) int {
	y := gapX / 2
	for _, row := range rows {
		tallest := 0
		for _, v := range row {
			tallest = max(tallest, places[v].height)
		}
		for _, v := range row {
			places[v].y = y + tallest/2
		}
		y += tallest + gapY
	}
	return max(y-gapY, 0) + gapX/2
}

// beside is how far right the boxes of the rows from a to b reach, both included.
func beside(places []place, a, b int) int {
	reach := 0
	for _, p := range places {
		if p.lines != nil && p.rank >= a && p.rank <= b {
			reach = max(reach, p.x+p.width/2)
		}
	}
	return reach
}

// port is where the k-th of n lines meets a box.
func (p *place) port(k, n int) int { return p.x - p.width/2 + p.width*(k+1)/(n+1) }
