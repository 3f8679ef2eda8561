package conformance_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// golden are the cases that scripts under oracle/ made with the originals, each a set of its own.
var golden = []struct{ file, script string }{
	{"pipeline/jinja/testdata/cases.json", "jinja_cases.py"},
	{"pipeline/jinja/testdata/random.json", "jinja_fuzz.py"},
	{"pipeline/jinja/testdata/calls.json.gz", "jinja_calls.py"},
	{"pipeline/jinja/chatext/testdata/cases.json", "chat_template_cases.py"},
	{"pipeline/pyyaml/testdata/load.jsonl", "yaml_cases.py"},
	{"pipeline/pyyaml/testdata/dump.jsonl", "yaml_cases.py"},
	{"pipeline/pytype/testdata/parse.jsonl", "type_cases.py"},
	{"pipeline/pytype/testdata/pairs.jsonl", "type_cases.py"},
	{"pipeline/value/testdata/values.jsonl", "values.py"},
	{"pipeline/value/testdata/literals.jsonl", "values.py"},
	{"pipeline/document/testdata/documents.jsonl", "dataclasses_cases.py"},
	{"pipeline/chat/testdata/messages.jsonl", "dataclasses_cases.py"},
	{"pipeline/testdata/schedule.jsonl", "schedule_cases.py"},
	{"pipeline/testdata/snapshots.jsonl", "snapshot_cases.py"},
	{"conformance/testdata/indexing.jsonl", "indexing_cases.py"},
	{"conformance/testdata/html.jsonl", "html_pages.py"},
}

// The README's table says how many cases there are, and each script of it is there.
func TestTheReadmeCountsTheCases(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	says := func(line string) {
		if !strings.Contains(string(readme), line+"\n") {
			t.Errorf("README.md lacks the line:\n%s", line)
		}
	}
	for _, g := range golden {
		n, err := cases(filepath.Join("..", filepath.FromSlash(g.file)))
		if err != nil || n == 0 {
			t.Fatalf("%s: %d cases, %v", g.file, n, err)
		}
		if _, err := os.Stat(filepath.Join("oracle", g.script)); err != nil {
			t.Error(err)
		}
		sum += n
		says(fmt.Sprintf("| `%s` | `%s` | %d |", g.file, g.script, n))
	}
	says(fmt.Sprintf("| all | | %d |", sum))
}

// cases counts the lines of a .jsonl file, and the items of "cases" of a .json file, which may be compressed.
func cases(name string) (int, error) {
	text, err := os.ReadFile(name)
	if err == nil && strings.HasSuffix(name, ".gz") {
		var packed *gzip.Reader
		if packed, err = gzip.NewReader(bytes.NewReader(text)); err == nil {
			text, err = io.ReadAll(packed)
		}
	}
	if err != nil || strings.HasSuffix(name, ".jsonl") {
		return bytes.Count(text, []byte("\n")), err
	}
	var file struct{ Cases []json.RawMessage }
	err = json.Unmarshal(text, &file)
	return len(file.Cases), err
}
