package pipeline

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// The order that breaks ties is networkx's, numbering of strongly connected components included
// (testdata/schedule.jsonl, made by conformance/oracle/schedule_cases.py).
func TestTopologicalAsNetworkx(t *testing.T) {
	path := "testdata/schedule.jsonl"
	if other := os.Getenv("HAYWARD_SCHEDULE_CASES"); other != "" {
		path = other
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 1<<22)
	count, cyclic := 0, 0
	for scan.Scan() {
		var c struct {
			Seed       int
			Components []struct{ Name string }
			Edges      [][2]string
			Order      map[string]int
		}
		if err := json.Unmarshal(scan.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		names, number := make([]string, len(c.Components)), map[string]int{}
		for i, comp := range c.Components {
			names[i], number[comp.Name] = comp.Name, i
		}
		succ := make([][]int, len(names))
		for _, e := range c.Edges {
			from, _, _ := strings.Cut(e[0], ".")
			to, _, _ := strings.Cut(e[1], ".")
			if !slices.Contains(succ[number[from]], number[to]) {
				succ[number[from]] = append(succ[number[from]], number[to])
			}
		}
		if _, dag := lexicographical(names, succ); !dag {
			cyclic++
		}
		for i, place := range topological(names, succ) {
			if place != c.Order[names[i]] {
				t.Errorf("case %d: %s at %d, want %d of %v", c.Seed, names[i], place, c.Order[names[i]], c.Order)
			}
		}
		count++
	}
	if count < 500 || cyclic < 50 {
		t.Errorf("%d cases, %d with cycles: too few to say anything", count, cyclic)
	}
}
