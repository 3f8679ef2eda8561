package demo_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/demo"
	"github.com/haywardhq/hayward/internal/parts"
)

// TestTheReadmeShowsTheScripts compares the README's blocks with the scripts that are run, byte for byte.
func TestTheReadmeShowsTheScripts(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skip(parts.Prefix + "README.md")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tour", "byo"} {
		script, err := os.ReadFile(name + ".sh")
		if err != nil {
			t.Fatal(err)
		}
		got, why := block(string(readme), name)
		if why != "" {
			t.Errorf("README.md, %s: %s", name, why)
		} else if got != string(script) {
			t.Errorf("README.md's block %q is not demo/%s.sh:\n%s", name, name, firstDifference(got, string(script)))
		}
	}
}

// block returns what stands in the fence between <!-- name --> and <!-- /name -->.
func block(text, name string) (content, why string) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	_, rest, ok := strings.Cut(text, "<!-- "+name+" -->")
	if !ok {
		return "", "the line <!-- " + name + " --> is missing"
	}
	inner, _, ok := strings.Cut(rest, "<!-- /"+name+" -->")
	if !ok {
		return "", "the line <!-- /" + name + " --> is missing"
	}
	lines := strings.SplitAfter(inner, "\n")
	open := -1
	for i, line := range lines {
		mark := strings.TrimSpace(line)
		switch {
		case open < 0 && strings.HasPrefix(mark, "```"):
			open = i
		case open >= 0 && mark == "```":
			return strings.Join(lines[open+1:i], ""), ""
		}
	}
	return "", "there is no fenced block between the marks"
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range max(len(as), len(bs)) {
		var x, y string
		if i < len(as) {
			x = as[i]
		}
		if i < len(bs) {
			y = bs[i]
		}
		if x != y {
			return "README: " + x + "\nscript: " + y
		}
	}
	return "they differ in length"
}

func TestBlock(t *testing.T) {
	for text, want := range map[string]string{
		"x\n<!-- a -->\n```sh\none\n\ntwo\n```\n<!-- /a -->\ny": "one\n\ntwo\n",
		"<!-- a -->\r\n```\r\none\r\n```\r\n<!-- /a -->":        "one\n",
		"<!-- a -->\n\n````\n":                                  "",
		"nothing":                                               "",
		"<!-- a -->\nno fence\n<!-- /a -->\n```\nelse\n```":     "",
	} {
		if got, why := block(text, "a"); got != want || (want == "") == (why == "") {
			t.Errorf("%q: %q %q", text, got, why)
		}
	}
}

func TestTheFilesAreThere(t *testing.T) {
	for pattern, least := range map[string]int{"pipelines/*.yml": 2, "docs/*.html": 2} {
		if names, err := fs.Glob(demo.FS, pattern); err != nil || len(names) < least {
			t.Errorf("%s: %v %v", pattern, names, err)
		}
	}
}
