package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
)

const prompt = `components:
  prompt: {type: haystack.components.builders.prompt_builder.PromptBuilder, init_parameters: {template: "Hello {{ name }}"}}
connections: []
`

// command runs a command line in this process.
func command(ctx context.Context, stdin string, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	c := &cli{in: strings.NewReader(stdin), out: &out, err: &err}
	code = c.execute(ctx, args)
	return code, out.String(), err.String()
}

func TestExitCodes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.yml")
	if err := os.WriteFile(file, []byte(prompt), 0o600); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		name string
		ctx  context.Context
		args string
		code int
		kind string // of the failure with --output json
	}{
		{"fine", t.Context(), "run " + file + ` -i {"name":"Ann"}`, exitOK, ""},
		{"help", t.Context(), "--help", exitOK, ""},
		{"a noun alone shows its verbs", t.Context(), "secret", exitOK, ""},
		{"a failure", t.Context(), "run nowhere.yml", exitFailed, "invalid"},
		{"a failed check says it on standard output", t.Context(), "pipeline check nowhere.yml", exitFailed, ""},
		{"an unknown flag", t.Context(), "run --nosuch " + file, exitUsage, "invalid"},
		{"an unknown command", t.Context(), "nosuch", exitUsage, "invalid"},
		{"no argument", t.Context(), "run", exitUsage, "invalid"},
		{"a required flag", t.Context(), "secret explain X", exitUsage, "invalid"},
		{"an argument too many", t.Context(), "whoami ann", exitUsage, "invalid"},
		{"interrupted", gone, "run " + file + ` -i {"name":"Ann"}`, exitInterrupted, "canceled"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, _, stderr := command(tc.ctx, "", append([]string{"-o", "json"}, strings.Fields(tc.args)...)...)
			if code != tc.code {
				t.Errorf("exit code %d, want %d: %s", code, tc.code, stderr)
			}
			var f failure
			if err := json.Unmarshal([]byte(stderr), &f); tc.kind != "" && (err != nil || f.Error.Kind != tc.kind || f.Error.Message == "") {
				t.Errorf("standard error is no failure of kind %s (%v): %s", tc.kind, err, stderr)
			}
			if code, _, _ := command(tc.ctx, "", strings.Fields(tc.args)...); code != tc.code {
				t.Errorf("exit code %d for people, want %d", code, tc.code)
			}
		})
	}
}

func TestTheFormatIsKnownBeforeTheCommandLineIsRead(t *testing.T) {
	for args, want := range map[string]tui.Format{"run --nosuch -o json": tui.JSON, "--output=json": tui.JSON, "-ojson": tui.JSON, "-o=json": tui.JSON,
		"--output json": tui.JSON, "run": tui.Text, "-o": tui.Text, "-o text": tui.Text, "--output": tui.Text} {
		if got := wanted(strings.Fields(args)); got != want {
			t.Errorf("%q: %s", args, got)
		}
	}
}

func TestOutputsForPeople(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.yml")
	if err := os.WriteFile(file, []byte(prompt), 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, _ := command(t.Context(), "", "run", file, "-i", `{"name": "\u001b[31mred\u202e"}`)
	if out != "prompt:\n  prompt: Hello \\u001b[31mred\\u202e\n" {
		t.Errorf("%q", out)
	}
	_, out, _ = command(t.Context(), `{"name": "Ann"}`, "run", file, "-i", "@-", "-o", "json")
	if out != `{"prompt": {"prompt": "Hello Ann"}}`+"\n" {
		t.Errorf("%q", out)
	}
	long := strings.Repeat("é", 300)
	_, out, _ = command(t.Context(), "", "run", file, "-i", `{"name": "`+long+`"}`)
	if !strings.Contains(out, "... (306 characters)") || strings.Contains(out, long) {
		t.Errorf("%q", out)
	}
}
