package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/devllm"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/pipeline/vectortest"
	"github.com/haywardhq/hayward/sealed"
)

const (
	demoKey = "sk-a-key-for-the-conformance-test"
	// demoModel is the address that demo/pipelines/ask-docs.yml names.
	demoModel = "127.0.0.1:11435"
)

func demoFiles(t *testing.T) []string {
	t.Helper()
	dir, err := filepath.Abs("../demo/pipelines")
	if err != nil {
		t.Fatal(err)
	}
	return []string{filepath.Join(dir, "index-docs.yml"), filepath.Join(dir, "ask-docs.yml")}
}

// The demo's files are plain Haystack: both load them, with the same components.
func TestDemoFilesLoadInPython(t *testing.T) {
	python := parts.Need(t, parts.Oracle)
	files, err := filepath.Glob("../demo/pipelines/*.yml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v (%v)", files, err)
	}
	for _, file := range files {
		var names []string
		if err := json.Unmarshal(runOracle(t, python, "run_files.py", nil, "--load", file), &names); err != nil {
			t.Fatal(err)
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		plan := load(t, components.Registry(), string(src))
		if len(plan.Components()) != len(names) {
			t.Errorf("%s: Python has %v", file, names)
		}
	}
}

// The demo's files run unchanged with "hayward run", and what it prints is what Python's Pipeline.run returns.
func TestDemoFilesRunAsInPython(t *testing.T) {
	python := parts.Need(t, parts.Oracle)
	hayward := program(t)
	keys := serveModel(t)
	page, err := filepath.Abs(filepath.Join(htmlPages, "article.html"))
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"OPENAI_API_KEY=" + demoKey}
	for _, question := range []string{"Who mends a fence?", "What did each walk end with?", "Why were entries never erased?", "was ist das?"} {
		t.Run(question, func(t *testing.T) {
			inputs := filepath.Join(t.TempDir(), "inputs.json")
			if err := os.WriteFile(inputs, value.AppendJSON(nil, value.NewDict("query", value.Str(question), "sources", value.NewList(value.Str(page)))), 0o600); err != nil {
				t.Fatal(err)
			}
			files := demoFiles(t)
			want := decodeJSON(t, runOracle(t, python, "run_files.py", env, append([]string{inputs}, files...)...))
			cmd := exec.CommandContext(t.Context(), hayward, append([]string{"run", "--output", "json", "--inputs", "@" + inputs}, files...)...)
			cmd.Env = append(parts.OracleEnv(), env...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, &stderr)
			}
			got := decodeJSON(t, out)
			if field(want.(*value.Dict), "answer", "answers") == value.None {
				t.Fatalf("Python gives no answers: %s", value.Repr(want))
			}
			if d := vectortest.DiffWithin(want, got, scoreTolerance); d != "" {
				t.Error(d)
			}
		})
	}
	if n := keys(); n == 0 {
		t.Error("nobody asked the model")
	}
}

// A key that the model does not take is an error in both, and a JSON object on standard error.
func TestDemoFilesFailAsOneObject(t *testing.T) {
	hayward := program(t)
	cmd := exec.CommandContext(t.Context(), hayward, append([]string{"run", "--output", "json", "--inputs", `{"query": "x", "sources": []}`}, demoFiles(t)...)...)
	cmd.Env = parts.OracleEnv()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	exit, ok := err.(*exec.ExitError)
	if !ok || exit.ExitCode() != 1 || len(out) != 0 {
		t.Fatalf("%v, printed %q", err, out)
	}
	var failure struct {
		Error struct{ Message string }
	}
	if err := json.Unmarshal(stderr.Bytes(), &failure); err != nil || !bytes.Contains(stderr.Bytes(), []byte("OPENAI_API_KEY")) {
		t.Fatalf("%v: %s", err, &stderr)
	}
}

// program builds the binary.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hayward")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../cmd/hayward").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// serveModel serves the development model where the demo's file looks for it; the function returned counts requests.
func serveModel(t *testing.T) func() int {
	t.Helper()
	l := parts.Listen(t, demoModel)
	model := devllm.New(devllm.Options{Keys: []sealed.Value{sealed.NewString(demoKey)}})
	var mu sync.Mutex
	requests := 0
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		requests++
		mu.Unlock()
		model.ServeHTTP(w, r)
	})}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Shutdown(context.Background()) })
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return requests
	}
}

func runOracle(t *testing.T, python, script string, env []string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, append([]string{"-W", "ignore", filepath.Join("oracle", script)}, args...)...)
	cmd.Env = parts.OracleEnv(env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, &stderr)
	}
	return out
}

func decodeJSON(t *testing.T, b []byte) value.Value {
	t.Helper()
	v, err := value.FromJSON(bytes.TrimSpace(b))
	if err != nil {
		t.Fatalf("%v: %s", fault.From(err), b)
	}
	return v
}
