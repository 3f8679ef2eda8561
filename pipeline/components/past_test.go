package components

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
)

// TestEveryTypeThatWentIsExplained: testdata/gone.txt lists the component classes of haystack-ai 2.6.1 and 2.31.0 that
// 3.4.0 has not, as conformance/oracle/component_names.py lists them.
func TestEveryTypeThatWentIsExplained(t *testing.T) {
	text, err := os.ReadFile("testdata/gone.txt")
	if err != nil {
		t.Fatal(err)
	}
	reg, seen := Registry(), 0
	for _, name := range strings.Fields(string(text)) {
		seen++
		typ, known := reg.Lookup(name)
		became, explained := reg.Past(name)
		switch {
		case known && (!typ.Removed || explained):
			t.Errorf("%s is in the table: mark it as removed, and explain it nowhere", name)
		case !known && !explained:
			t.Errorf("%s is neither in the table nor explained", name)
		}
		if known {
			continue
		}
		if _, err := reg.Build("x", name, nil, fault.Where{}); fault.From(err).Hint != became {
			t.Errorf("%s: %v", name, err)
		}
	}
	if seen < 30 {
		t.Errorf("only %d types are listed", seen)
	}
	for name := range past() {
		if _, known := reg.Lookup(name); known {
			t.Errorf("%s is explained and in the table", name)
		}
	}
}

// TestEveryTypeIsHereOrKnownToBeAbsent: testdata/names.txt lists the component classes of haystack-ai 3.4.0.
func TestEveryTypeIsHereOrKnownToBeAbsent(t *testing.T) {
	text, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	names, reg := strings.Fields(string(text)), Registry()
	if len(names) < 80 {
		t.Fatalf("only %d types", len(names))
	}
	for _, name := range names {
		if _, here := reg.Lookup(name); here == slices.Contains(absent(), name) {
			t.Errorf("%s: in the table %v, in the list of absent types %v", name, here, !here)
		}
	}
	for _, name := range absent() {
		if !slices.Contains(names, name) {
			t.Errorf("Haystack has no %s", name)
		}
		if _, err := reg.Build("x", name, nil, fault.Where{}); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const older = `components:
  again:
    type: haystack.components.others.multiplexer.Multiplexer
    init_parameters: {type_: str}
  prompt:
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters: {template: "{{ a }}{{ b }}"}
  llm:
    type: haystack.components.generators.openai.OpenAIGenerator
    init_parameters: {model: gpt-4o-mini}
connections:
  - {sender: again.value, receiver: prompt.a}
  - {sender: prompt.prompt, receiver: llm.prompt}
max_loops_allowed: 7
`

func TestAFileOfHaystack2(t *testing.T) {
	plan, err := pipeline.Load([]byte(older), "older.yml", Registry(), pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	major, marks := plan.Generation()
	if major != 2 || len(marks) != 2 || marks[0] != "the key max_loops_allowed" ||
		marks[1] != "the type haystack.components.generators.openai.OpenAIGenerator of component 'llm'" {
		t.Errorf("generation %d: %q", major, marks)
	}
	if plan.MaxRunsPerComponent() != 7 || plan.Extra().Len() != 0 {
		t.Errorf("%d runs, extra %v", plan.MaxRunsPerComponent(), plan.Extra())
	}
	for _, in := range plan.AllInputs() {
		if in.Component == "prompt" && in.Socket == "b" && in.Default == nil {
			t.Error("a variable that the file does not require is required")
		}
	}
	if w := strings.Join(plan.Warnings(), "\n"); !strings.Contains(w, "component 'prompt' leaves out 'required_variables': it is None, as in Haystack 2") ||
		!strings.Contains(w, "counts as max_runs_per_component") {
		t.Errorf("warnings: %s", w)
	}
	if major, _ := load(t, strings.ReplaceAll(strings.ReplaceAll(older, "max_loops_allowed: 7", ""), "generators.openai.OpenAIGenerator", "joiners.string_joiner.StringJoiner"), "llm.prompt", "llm.strings").Generation(); major != 3 {
		t.Errorf("generation %d", major)
	}
}

func load(t *testing.T, src string, replace ...string) *pipeline.Plan {
	t.Helper()
	src = strings.NewReplacer(append(replace, "{model: gpt-4o-mini}", "{}")...).Replace(src)
	plan, err := pipeline.Load([]byte(src), "p.yml", Registry(), pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestWhatHaystack2Knew(t *testing.T) {
	for says, src := range map[string]string{
		"max_loops_allowed must be a whole number of at least 1": "components: {}\nconnections: []\nmax_loops_allowed: none\n",
		"versions of Haystack before 3 had it; leave it out":     "components:\n  a:\n    type: haystack.components.converters.html.HTMLToDocument\n    init_parameters: {extractor_type: x}\nconnections: []\n",
		"Haystack 3 moved it to the integration":                 "components:\n  a:\n    type: haystack.components.websearch.serper_dev.SerperDevWebSearch\n    init_parameters: {}\nconnections: []\n",
	} {
		_, err := pipeline.Load([]byte(src), "p.yml", Registry(), pipeline.LoadOptions{})
		if f := fault.From(err); err == nil || !strings.Contains(f.Error()+f.Hint, says) {
			t.Errorf("%q: %v (%s)", says, err, f.Hint)
		}
	}
}
