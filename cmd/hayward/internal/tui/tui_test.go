package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed/reveal"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                     "plain",
		"Grüße, 世界 🌾":               "Grüße, 世界 🌾",
		"two\nlines\tand\r":         `two\nlines\tand\r`,
		"\x1b[31mred\x1b[0m":        `\u001b[31mred\u001b[0m`,
		"\x1b]0;title\x07":          `\u001b]0;title\u0007`,
		"\u009b31m":                 `\u009b31m`,
		"user\u202e\u2066 admin":    `user\u202e\u2066 admin`,
		"a\u200bb\ufeff":            `a\u200bb\ufeff`,
		"line\u2028para\u2029":      `line\u2028para\u2029`,
		"\xff\xfe":                  `\xff\xfe`,
		"\ufffd":                    "\ufffd",
		"\U000e0041tag \U000f0000p": `\U000e0041tag \U000f0000p`,
		"nul\x00 del\x7f":           `nul\u0000 del\u007f`,
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := CleanLines("a\tb\r\nc\x1b"); got != "a\tb\nc\\u001b" {
		t.Errorf("got %q", got)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) || strings.IndexFunc(got, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) >= 0 {
			t.Errorf("%q is not clean", got)
		}
		if Clean(got) != got {
			t.Errorf("%q is cleaned twice", got)
		}
	})
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	err := Table(&out, []string{"NAME", "OWNER", "NOTE"}, [][]string{{"rag", "acme", "x"}, {"世界", "globex\x1b[2J", ""}})
	want := "NAME  OWNER            NOTE\nrag   acme             x\n世界  globex\\u001b[2J\n"
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out.String(), want)
	}
	if err := Table(io.Discard, []string{"A"}, [][]string{{"1", "2"}}); !fault.Is(err, fault.Internal) {
		t.Errorf("a crooked table: %v", err)
	}
	if Colour(&out) || IsTerminal(&out) {
		t.Error("a buffer is no terminal")
	}
}

func TestFormat(t *testing.T) {
	var f Format
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.AddFlag(fs)
	if f != Text {
		t.Errorf("the default is %s", f)
	}
	if err := fs.Parse([]string{"--output", "json"}); err != nil || f != JSON {
		t.Errorf("%s, %v", f, err)
	}
	if err := fs.Parse([]string{"--output", "yaml"}); err == nil || f != JSON {
		t.Errorf("%s, %v", f, err)
	}
	var out bytes.Buffer
	people := func(w io.Writer) error { _, err := io.WriteString(w, "people"); return err }
	if err := Print(&out, JSON, map[string]string{"a": "<b>"}, people); err != nil || out.String() != "{\n  \"a\": \"<b>\"\n}\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	out.Reset()
	if err := Print(&out, Text, nil, people); err != nil || out.String() != "people" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestWriteError(t *testing.T) {
	err := fault.New(fault.NotFound, "no pipeline \x1b[31m").WithCode("PipelineNotFound").WithHint("list them").At(fault.Where{Component: "llm"})
	var out bytes.Buffer
	if werr := WriteError(&out, Text, err); werr != nil || out.String() != "error: no pipeline \\u001b[31m\nhint: list them\n" {
		t.Errorf("%q, %v", out.String(), werr)
	}
	out.Reset()
	werr := WriteError(&out, JSON, err)
	for _, want := range []string{`"kind": "not_found"`, `"code": "PipelineNotFound"`, `"hint": "list them"`, `"component": "llm"`, `\u001b`} {
		if werr != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s lacks %s, %v", out.String(), want, werr)
		}
	}
	out.Reset()
	if werr := WriteError(&out, JSON, io.EOF); werr != nil || !strings.Contains(out.String(), `"kind": "internal"`) || strings.Contains(out.String(), "where") {
		t.Errorf("%s, %v", out.String(), werr)
	}
}

func TestProgressOffATerminalIsSilent(t *testing.T) {
	var out bytes.Buffer
	for _, p := range []*Progress{NewProgress(&out), nil} {
		bar := p.Bar("indexing", 10)
		bar.Add(3)
		bar.End()
		p.Wait()
	}
	if out.Len() != 0 {
		t.Errorf("got %q", out.String())
	}
}

// answers is a terminal at which somebody types.
type answers struct{ lines []string }

func (a *answers) readHidden(context.Context) ([]byte, error) {
	if len(a.lines) == 0 {
		return nil, io.EOF
	}
	line := a.lines[0]
	a.lines = a.lines[1:]
	return []byte(line), nil
}

func TestReadSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := strings.NewReader
	for _, tc := range []struct {
		name string
		src  Source
		want string
		kind fault.Kind
	}{
		{"a pipe", Source{In: in("canary")}, "canary", 0},
		{"one line break is cut off", Source{In: in("canary\n")}, "canary", 0},
		{"one, not two", Source{In: in("canary\n\n")}, "canary\n", 0},
		{"as Windows writes it", Source{In: in("canary\r\n")}, "canary", 0},
		{"spaces stay", Source{In: in(" canary \n")}, " canary ", 0},
		{"a lone carriage return stays", Source{In: in("canary\r")}, "canary\r", 0},
		{"kept on purpose", Source{In: in("canary\n"), NewLine: true}, "canary\n", 0},
		{"several lines", Source{In: in("a\nb\n")}, "a\nb", 0},
		{"a file", Source{File: file, In: in("not this")}, "from-file", 0},
		{"a dash is standard input", Source{File: "-", In: in("canary"), terminal: &answers{[]string{"typed"}}}, "canary", 0},
		{"typed", Source{In: in(""), terminal: &answers{[]string{"typed"}}}, "typed", 0},
		{"typed twice", Source{In: in(""), Twice: true, terminal: &answers{[]string{"typed", "typed"}}}, "typed", 0},
		{"a pipe is asked once", Source{In: in("canary"), Twice: true}, "canary", 0},
		{"the largest", Source{In: in(strings.Repeat("x", MaxSecret) + "\n")}, strings.Repeat("x", MaxSecret), 0},
		{"two answers", Source{In: in(""), Twice: true, terminal: &answers{[]string{"canary1", "canary2"}}}, "", fault.Invalid},
		{"no answer", Source{In: in(""), terminal: &answers{}}, "", fault.Canceled},
		{"no second answer", Source{In: in(""), Twice: true, terminal: &answers{[]string{"canary"}}}, "", fault.Canceled},
		{"empty", Source{In: in("\n")}, "", fault.Invalid},
		{"too large", Source{In: in(strings.Repeat("x", MaxSecret+1))}, "", fault.TooLarge},
		{"no file", Source{File: file + "x"}, "", fault.Invalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var asked bytes.Buffer
			tc.src.PromptW = &asked
			v, err := ReadSecret(t.Context(), tc.src)
			if tc.kind == 0 && (err != nil || string(reveal.Inside(v)) != tc.want) {
				t.Errorf("got %d bytes, %v", len(reveal.Inside(v)), err)
			}
			if tc.kind != 0 && (!fault.Is(err, tc.kind) || !v.IsZero() || strings.Contains(err.Error(), "canary")) {
				t.Errorf("got %v, want %v", err, tc.kind)
			}
			if strings.Contains(asked.String(), "canary") || strings.Contains(asked.String(), "typed") {
				t.Errorf("the prompt shows the secret: %q", asked.String())
			}
			if wantAsked := tc.src.terminal != nil && tc.src.File == ""; wantAsked != strings.HasPrefix(asked.String(), "Secret: ") {
				t.Errorf("asked %q", asked.String())
			}
		})
	}
}

func TestReadSecretTellsWhyAReadFailed(t *testing.T) {
	boom := errors.New("boom")
	if _, err := ReadSecret(t.Context(), Source{In: io.MultiReader(strings.NewReader("x"), failing{boom})}); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
