package draw_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/draw"
)

var update = flag.Bool("update", false, "write the SVG files anew")

func load(t testing.TB, name string, src []byte) *pipeline.Plan {
	t.Helper()
	plan, err := pipeline.Load(src, name, components.Registry(), pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func files(t *testing.T) []string {
	names, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(names) < 3 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	return names
}

func TestMermaidIsHaystacks(t *testing.T) {
	for _, name := range files(t) {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(name, ".yml") + ".mmd")
		if err != nil {
			t.Fatal(err)
		}
		if got := draw.Mermaid(load(t, name, src), ""); got != string(want) {
			t.Errorf("%s:\n%s\nHaystack's:\n%s", name, got, want)
		}
	}
}

func TestSVG(t *testing.T) {
	for _, name := range files(t) {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got := draw.SVG(load(t, name, src))
		wellFormed(t, got)
		golden := strings.TrimSuffix(name, ".yml") + ".svg"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s is drawn otherwise than in %s; look at it, then run with -update", name, golden)
		}
	}
}

const hostile = `components:
  'end':
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters: {template: "{{ a }}"}
  "\"]; click x \"<script>alert(1)</script>":
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters: {template: "{{ b }}"}
connections:
  - {sender: end.prompt, receiver: "\"]; click x \"<script>alert(1)</script>.b"}
`

func TestHostileNamesStayText(t *testing.T) {
	plan := load(t, "hostile.yml", []byte(hostile))
	for _, got := range []string{draw.Mermaid(plan, draw.Dark), string(draw.SVG(plan))} {
		if strings.Contains(got, "<script") || strings.Contains(got, `"]; click`) {
			t.Errorf("a name got out of its label:\n%s", got)
		}
	}
	if got := draw.Mermaid(plan, draw.Dark); !strings.Contains(got, `"theme": "dark"`) || strings.Contains(got, "\nend[") {
		t.Errorf("%s", got)
	}
	wellFormed(t, draw.SVG(plan))
}

func TestAnEmptyPipeline(t *testing.T) {
	plan := load(t, "empty.yml", []byte("components: {}\nconnections: []\n"))
	wellFormed(t, draw.SVG(plan))
	if got := draw.Mermaid(plan, ""); !strings.Contains(got, "graph TD;") {
		t.Error(got)
	}
}

func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
}
