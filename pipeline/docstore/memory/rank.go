package memory

import "slices"

// best returns the n slots with the highest scores, best first; among equals the one written first.
func best(scores []float64, slots []uint32, n int) []uint32 {
	if n <= 0 {
		return nil
	}
	better := func(a, b uint32) bool { return scores[a] > scores[b] || (scores[a] == scores[b] && a < b) }
	if n < len(slots)/2 {
		slots = top(slots, n, better)
	}
	slices.SortFunc(slots, func(a, b uint32) int {
		switch {
		case better(a, b):
			return -1
		case better(b, a):
			return 1
		}
		return 0
	})
	return slots[:min(n, len(slots))]
}

// top keeps the n best of slots in their first n places, in no order: a heap whose root is the worst of them.
func top(slots []uint32, n int, better func(a, b uint32) bool) []uint32 {
	heap := slots[:n]
	for i := n/2 - 1; i >= 0; i-- {
		sink(heap, i, better)
	}
	for _, s := range slots[n:] {
		if better(s, heap[0]) {
			heap[0] = s
			sink(heap, 0, better)
		}
	}
	return heap
}

func sink(heap []uint32, i int, better func(a, b uint32) bool) {
	for {
		worst := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < len(heap) && better(heap[worst], heap[c]) {
				worst = c
			}
		}
		if worst == i {
			return
		}
		heap[i], heap[worst] = heap[worst], heap[i]
		i = worst
	}
}
