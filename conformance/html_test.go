package conformance_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/docstore/memory"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/pipeline/vectortest"
)

const (
	htmlGolden = "testdata/html.jsonl"
	htmlPages  = "testdata/html"
	htmlYAML   = "components: {converter: {type: haystack.components.converters.html.HTMLToDocument, init_parameters: {}}}\nconnections: []\n"
)

// HTMLToDocument wraps a Python library that lays text out; here it keeps its meta exactly and 95 of 100 words.
func TestHTMLPages(t *testing.T) {
	compareHTML(t, readCases(t, htmlGolden), func(page string) string { return filepath.Join(htmlPages, page) })
}

// The checked-in answers are Python's, and the long pages that ship with Go and with the vectors agree as well.
func TestHTMLPagesBesidePython(t *testing.T) {
	python := parts.Need(t, parts.Oracle)
	own, err := filepath.Glob(filepath.Join(htmlPages, "*.html"))
	if err != nil || len(own) == 0 {
		t.Fatalf("no pages (%v)", err)
	}
	got, err1 := os.ReadFile(oracle(t, python, "html_pages.py", own...))
	want, err2 := os.ReadFile(htmlGolden)
	if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what Haystack says (%v, %v); make golden remakes it", htmlGolden, err1, err2)
	}
	pages := longPages(t)
	if len(pages) == 0 {
		t.Skip(parts.Prefix + "long HTML pages (neither Go's documentation nor the vectors are here)")
	}
	paths := map[string]string{}
	for _, p := range pages {
		paths[filepath.Base(p)] = p
	}
	compareHTML(t, readCases(t, oracle(t, python, "html_pages.py", pages...)), func(page string) string { return paths[page] })
}

// longPages are those of Go's documentation and of the vectors, as far as they are there.
func longPages(t *testing.T) (out []string) {
	t.Helper()
	if root, err := exec.Command("go", "env", "GOROOT").Output(); err == nil {
		out, _ = filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "doc", "*.html"))
	}
	if dir, err := vectortest.Dir(); err == nil {
		more, _ := filepath.Glob(filepath.Join(dir, "files", "html", "*.html"))
		out = append(out, more...)
	}
	return out
}

func compareHTML(t *testing.T, cases []*value.Dict, path func(page string) string) {
	plan := load(t, components.Registry(), htmlYAML)
	for _, c := range cases {
		page := text(c, "page")
		t.Run(page, func(t *testing.T) {
			data, err := os.ReadFile(path(page))
			if err != nil {
				t.Fatal(err)
			}
			stream := document.Bytes(data, "text/html", value.NewDict("file_path", value.Str(page)))
			out, err := run(plan, memory.NewProvider(), value.NewDict("converter", value.NewDict("sources", value.NewList(stream))))
			if err != nil {
				t.Fatal(err)
			}
			got, _ := field(out, "converter").(*value.Dict)
			if d := compareRecall(c, got); d != "" {
				t.Error(d)
			}
			if d := comparePrecision(c, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// comparePrecision fails where less than half of the words are Python's: a converter that keeps menus and scripts would
// recall every word.
func comparePrecision(want, got *value.Dict) string {
	plain, err := vectortest.Decode(want)
	if err != nil {
		return err.Error()
	}
	w, err1 := document.FromList(field(plain.(*value.Dict), "documents"))
	g, err2 := document.FromList(field(got, "documents"))
	if err1 != nil || err2 != nil || len(w) != len(g) {
		return "" // compareRecall says it
	}
	for i := range w {
		if p := recall(g[i].ContentOr(""), w[i].ContentOr("")); p < 0.5 {
			return "most words are not Python's: it keeps what readers do not see:\n" + g[i].ContentOr("")
		}
	}
	return ""
}
