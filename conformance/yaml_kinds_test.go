package conformance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/pipeline/pyyaml"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/pipeline/vectortest"
)

const (
	kinds      = "yaml"
	kindsModel = "http://127.0.0.1:11435/v1" // what the files name; each side puts a model of its own there
)

// echo is the model that conformance/oracle/yaml_kinds_cases.py runs: it says what it was told last.
func echo(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Model    string
			N        *int
			Messages []struct{ Content string }
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Messages) == 0 {
			t.Errorf("the model was sent something else: %v", err)
			return
		}
		text, n := "You said: "+asked.Messages[len(asked.Messages)-1].Content, 1
		if asked.N != nil {
			n = *asked.N
		}
		var choices []any
		for i := range n {
			choices = append(choices, map[string]any{"index": i, "finish_reason": "stop",
				"message": map[string]any{"role": "assistant", "content": text + strings.Repeat("!", i)}})
		}
		sent, said := len(asked.Messages), len([]rune(text))
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "echo", "object": "chat.completion", "created": 1, "model": asked.Model, "choices": choices,
			"usage": map[string]any{"prompt_tokens": sent, "completion_tokens": said, "total_tokens": sent + said}})
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/v1"
}

type kindCase struct {
	name, refused string
	generation    int64
	files         []string
	inputs        []value.Value
}

func kindCases(t *testing.T) (out []kindCase) {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(kinds, "cases.yml"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := pyyaml.Load(src, "cases.yml", pyyaml.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range doc.Value().(*value.List).Items {
		d := it.(*value.Dict)
		c := kindCase{name: textOf(d, "name"), refused: textOf(d, "refused"), generation: 3}
		if g, ok := d.Get("generation"); ok {
			c.generation = int64(g.(value.Int))
		}
		for _, f := range listOf(d, "files") {
			c.files = append(c.files, string(f.(value.Str)))
		}
		c.inputs = listOf(d, "inputs")
		out = append(out, c)
	}
	if len(out) < 25 {
		t.Fatalf("only %d cases", len(out))
	}
	return out
}

func textOf(d *value.Dict, key string) string {
	v, _ := d.Get(key)
	s, _ := v.(value.Str)
	return string(s)
}

func listOf(d *value.Dict, key string) []value.Value {
	v, _ := d.Get(key)
	l, _ := v.(*value.List)
	if l == nil {
		return nil
	}
	return l.Items
}

// TestKindsOfPipelines: every kind of pipeline that people have runs as in the Haystack it is of, or is refused with the
// reason.
func TestKindsOfPipelines(t *testing.T) {
	hayward := program(t)
	model := echo(t)
	expected := map[int64]*value.Dict{2: readJSONDict(t, "expected2.json"), 3: readJSONDict(t, "expected3.json")}
	used := map[string]bool{}
	for _, c := range kindCases(t) {
		for _, f := range c.files {
			used[f] = true
		}
		t.Run(c.name, func(t *testing.T) {
			dir := kindFolder(t, model)
			if c.refused != "" {
				refusedBecause(t, hayward, dir, c)
				return
			}
			want, ok := expected[c.generation].Get(c.name)
			if !ok {
				t.Fatal("there is no expected result; make golden makes it")
			}
			got := withoutDetails(decodeJSON(t, runKind(t, hayward, dir, c)))
			if c.generation == 2 {
				want, got = asOf3(want), asOf3(got)
			}
			if d := vectortest.DiffWithin(want, got, scoreTolerance); d != "" {
				t.Error(d)
			}
		})
	}
	files, err := filepath.Glob(filepath.Join(kinds, "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if base := filepath.Base(f); base != "cases.yml" && !used[base] {
			t.Errorf("no case uses %s", base)
		}
	}
}

// TestKindsAreWhatPythonSays: the expected results are what Haystack 3.4 says today.
func TestKindsAreWhatPythonSays(t *testing.T) {
	python := parts.Need(t, parts.Oracle)
	out := filepath.Join(t.TempDir(), "expected3.json")
	cmd := exec.Command(python, "-W", "ignore", filepath.Join("oracle", "yaml_kinds_cases.py"), kinds, out, "3")
	cmd.Env = parts.OracleEnv()
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	got, err1 := os.ReadFile(out)
	want, err2 := os.ReadFile(filepath.Join(kinds, "expected3.json"))
	if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
		t.Errorf("expected3.json is not what Haystack says (%v, %v); make golden remakes it", err1, err2)
	}
}

// kindFolder copies the files, with the model's address in the place of the one they name.
func kindFolder(t *testing.T, model string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(kinds)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(f, bytes.ReplaceAll(src, []byte(kindsModel), []byte(model)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func runKind(t *testing.T, hayward, dir string, c kindCase) []byte {
	t.Helper()
	args := append([]string{"run", "--output", "json"}, c.files...)
	for i, in := range c.inputs {
		name := fmt.Sprintf("inputs-%d.json", i)
		if err := os.WriteFile(filepath.Join(dir, name), value.AppendJSON(nil, in), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--inputs", "@"+name)
	}
	cmd := exec.CommandContext(t.Context(), hayward, args...)
	cmd.Dir = dir
	cmd.Env = append(parts.OracleEnv(), "OPENAI_API_KEY=sk-echo")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	return out
}

func refusedBecause(t *testing.T, hayward, dir string, c kindCase) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), hayward, append([]string{"pipeline", "check"}, c.files...)...)
	cmd.Dir, cmd.Env = dir, parts.OracleEnv()
	out, err := cmd.CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
		t.Fatalf("it is not refused: %v\n%s", err, out)
	}
	if !strings.Contains(strings.Join(strings.Fields(string(out)), " "), c.refused) {
		t.Errorf("the reason is not %q:\n%s", c.refused, out)
	}
}

func readJSONDict(t *testing.T, name string) *value.Dict {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(kinds, name))
	if err != nil {
		t.Fatal(err)
	}
	d, ok := decodeJSON(t, text).(*value.Dict)
	if !ok || d.Len() == 0 {
		t.Fatalf("%s holds no results", name)
	}
	return d
}

// asOf3 takes away what Haystack 3 does otherwise for every pipeline (decision 21): an answer's dict stands without a wrapping
// type, and a document's id is made of its meta as well.
func asOf3(v value.Value) value.Value {
	switch v := v.(type) {
	case *value.List:
		out := &value.List{}
		for _, it := range v.Items {
			out.Items = append(out.Items, asOf3(it))
		}
		return out
	case *value.Dict:
		if inner, wrapped := v.Get("init_parameters"); wrapped && v.Len() == 2 {
			return asOf3(inner)
		}
		out := &value.Dict{}
		for k, x := range v.Strings() {
			if k != "id" && k != "source_id" {
				out.Set(k, asOf3(x))
			}
		}
		return out
	}
	return v
}

// withoutDetails leaves out what the openai package adds to a usage, as the script does.
func withoutDetails(v value.Value) value.Value {
	switch v := v.(type) {
	case *value.List:
		out := &value.List{}
		for _, it := range v.Items {
			out.Items = append(out.Items, withoutDetails(it))
		}
		return out
	case *value.Dict:
		out := &value.Dict{}
		for k, x := range v.Strings() {
			if k != "completion_tokens_details" && k != "prompt_tokens_details" {
				out.Set(k, withoutDetails(x))
			}
		}
		return out
	}
	return v
}
