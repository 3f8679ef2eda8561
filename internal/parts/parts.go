// Package parts says which real parts a test needs (a Python with the original Haystack, the sqlite3 shell, a browser)
// and where they are. Without one, a test is skipped with a line that the test command counts and repeats; with CI=true
// a missing part fails. Nothing outside tests imports it.
package parts

import (
	"os"
	"os/exec"
	"testing"
)

// Part is something real that tests run against.
type Part struct {
	Name string
	// Variable may name the program; Programs are looked up on PATH otherwise, first hit wins.
	Variable string
	Programs []string
	// Check, if not nil, is run with the program's path, and must exit 0.
	Check []string
}

// The parts this project knows.
var (
	SQLiteShell = Part{Name: "sqlite3 shell", Variable: "HAYWARD_SQLITE3", Programs: []string{"sqlite3"}}
	Curl        = Part{Name: "curl", Variable: "HAYWARD_CURL", Programs: []string{"curl"}}
	// Oracle is a Python with the packages of conformance/oracle/requirements.txt.
	Oracle = Part{Name: "Python with haystack-ai 3.4.0", Variable: "HAYWARD_ORACLE_PYTHON", Programs: []string{"python3"},
		Check: []string{"-c", "import importlib.metadata as m; assert m.version('haystack-ai') == '3.4.0'; import trafilatura, lxml_html_clean, requests"}}
)

// Prefix begins the reason of every skip for a missing part.
const Prefix = "part missing: "

// Need returns the path of the part's program, or ends the test: skipped on a desk, failed with CI=true.
func Need(t testing.TB, p Part) string {
	t.Helper()
	path, why := find(p)
	if why == "" {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s%s (%s); .ci/run installs it", Prefix, p.Name, why)
	}
	t.Skipf("%s%s (%s)", Prefix, p.Name, why)
	return ""
}

func find(p Part) (path, why string) {
	names := p.Programs
	if v := os.Getenv(p.Variable); v != "" {
		names = []string{v}
	}
	why = "not on PATH"
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if len(p.Check) > 0 {
			if err := exec.Command(path, p.Check...).Run(); err != nil {
				why = "its check failed"
				continue
			}
		}
		return path, ""
	}
	return "", why
}

// Vectors returns the folder of recorded vectors, or skips: the folder is not part of the repository, and the project's
// own golden files cover the same ground without it. It is the one thing that may be missing in CI as well.
func Vectors(t testing.TB, dir string) {
	t.Helper()
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("%srecorded vectors (no folder %s; set HAYWARD_VECTORS)", Prefix, dir)
	}
}
