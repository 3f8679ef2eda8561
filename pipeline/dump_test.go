package pipeline_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/pipelinetest"
)

// sortedConnections orders the connections of a dump: Python too writes them by the order in which components were added,
// which a file loses.
func sortedConnections(dump string) string {
	lines := strings.Split(dump, "\n")
	var pairs, rest []string
	for i := 0; i < len(lines); i++ {
		if strings.HasPrefix(lines[i], "- receiver: ") {
			pairs = append(pairs, lines[i]+"\n"+lines[i+1])
			i++
			continue
		}
		rest = append(rest, lines[i])
	}
	slices.Sort(pairs)
	return strings.Join(append(rest, pairs...), "\n")
}

// What Python dumped, loaded here and dumped again, is the same bytes.
func TestDumpIsPythons(t *testing.T) {
	reg := pipelinetest.Registry()
	checked := 0
	for _, s := range pipelinetest.Scenarios(t) {
		real := s.YAML != ""
		for _, sockets := range s.Sockets {
			_, known := reg.Lookup(sockets.Class)
			real = real && known
		}
		if !real || strings.Contains(s.YAML, "Accumulate") {
			continue
		}
		plan, err := pipeline.Load([]byte(s.YAML), "p.yml", reg, pipeline.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := plan.Dump()
		if err != nil {
			t.Fatal(err)
		}
		if sortedConnections(got) != sortedConnections(s.YAML) {
			t.Errorf("%s:\n%s\nwant\n%s", s.Name, got, s.YAML)
		}
		again, err := pipeline.Load([]byte(got), "p.yml", reg, pipeline.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if second, _ := again.Dump(); second != got {
			t.Errorf("%s: loaded and dumped again:\n%s\nwas\n%s", s.Name, second, got)
		}
		checked++
	}
	if checked < 5 {
		t.Errorf("only %d files were checked", checked)
	}
}

// Keys that Haystack ignores are kept for whoever wants them, and defaults are written out.
func TestDumpFull(t *testing.T) {
	src := "components:\n  a:\n    type: haystack.testing.sample_components.add_value.AddFixedValue\n" +
		"inputs:\n  n: a.value\nstreaming_components: [a]\n"
	plan, err := pipeline.Load([]byte(src), "p.yml", pipelinetest.Registry(), pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := plan.DumpFull()
	if err != nil {
		t.Fatal(err)
	}
	want := "components:\n  a:\n    init_parameters:\n      add: 1\n    type: haystack.testing.sample_components.add_value.AddFixedValue\n" +
		"connection_type_validation: true\nconnections: []\ninputs:\n  n: a.value\nmax_runs_per_component: 100\nmetadata: {}\n" +
		"streaming_components:\n- a\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	again, err := pipeline.Load([]byte(got), "p.yml", pipelinetest.Registry(), pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := again.DumpFull(); second != got {
		t.Errorf("dumped again:\n%s", second)
	}
}
