package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the originals said can be made again: remake.sh runs every script that makes golden files, and the packages are
// pinned.
func TestRemakeKnowsEveryScript(t *testing.T) {
	text, err := os.ReadFile("oracle/remake.sh")
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob("oracle/*_cases.py")
	if err != nil || len(scripts) < 5 {
		t.Fatalf("only %v (%v)", scripts, err)
	}
	for _, name := range append(scripts, "values.py", "type_classes.py", "casing.py", "html_pages.py") {
		if !strings.Contains(string(text), filepath.Base(name)) {
			t.Errorf("remake.sh does not run %s", name)
		}
	}
}

func TestOraclePackagesArePinned(t *testing.T) {
	text, err := os.ReadFile("oracle/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	pinned := 0
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		if line == "" {
			continue
		}
		if pinned++; !strings.Contains(line, "==") {
			t.Errorf("%s is not pinned", line)
		}
	}
	if pinned == 0 {
		t.Error("no package is named")
	}
}
