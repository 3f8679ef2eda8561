package parts

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Part is something real that tests run against.
type Part struct {
	Name string
	// Variable may name the program; then nothing else is tried. Otherwise Local, a path below the module's root, and
	// Programs on PATH are, first hit wins.
	Variable string
	Local    string
	Programs []string
	// Check, if not nil, is run with the program's path, and must exit 0 within a minute.
	Check []string
}

// The parts this project knows.
var (
	SQLiteShell = Part{Name: "sqlite3 shell", Variable: "HAYWARD_SQLITE3", Programs: []string{"sqlite3"}}
	Curl        = Part{Name: "curl", Variable: "HAYWARD_CURL", Programs: []string{"curl"}}
	// Oracle is a Python with the packages of conformance/oracle/requirements.txt.
	Oracle = Part{Name: "Python with haystack-ai 3.4.0", Variable: "HAYWARD_ORACLE_PYTHON", Local: ".oracle/bin/python",
		Programs: []string{"python3"}, Check: []string{"-c",
			"import importlib.metadata as m; assert m.version('haystack-ai') == '3.4.0'; import trafilatura, lxml_html_clean, requests"}}
	// Hayhooks is the same Python, asked for Hayhooks.
	Hayhooks = Part{Name: "Python with hayhooks 2.1.0", Variable: Oracle.Variable, Local: Oracle.Local, Programs: Oracle.Programs,
		Check: []string{"-c", "import importlib.metadata as m; assert m.version('hayhooks') == '2.1.0'"}}
	// Moto answers as AWS does: moto[server] of PyPI.
	Moto = Part{Name: "moto_server", Variable: "HAYWARD_MOTO_SERVER", Local: ".parts/bin/moto_server", Programs: []string{"moto_server"},
		Check: []string{"--help"}}
	// OpenFeature is the same Python, asked for the OpenFeature SDK and its provider for remote evaluation.
	OpenFeature = Part{Name: "Python with openfeature-sdk 0.10.0", Variable: Oracle.Variable, Local: Oracle.Local, Programs: Oracle.Programs,
		Check: []string{"-c", "import importlib.metadata as m; assert m.version('openfeature-sdk') == '0.10.0'; " +
			"assert m.version('openfeature-provider-ofrep') == '0.3.0'; import openfeature.contrib.provider.ofrep"}}
)

// Prefix begins the reason of every skip for a missing part.
const Prefix = "part missing: "

// Need returns the path of the part's program, or ends the test: skipped on a desk, failed with CI=true.
func Need(t testing.TB, p Part) string {
	t.Helper()
	path, why := Find(p)
	if why != "" {
		Lack(t, p.Name+" ("+why+")")
	}
	return path
}

// Lack ends the test for want of a part that is no program: skipped on a desk, failed with CI=true.
func Lack(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s%s; .ci/run installs it", Prefix, what)
	}
	t.Skipf("%s%s", Prefix, what)
}

type answer struct{ path, why string }

var (
	mu    sync.Mutex
	found = map[string]answer{}
)

// Find returns the path of the part's program, or why there is none. A part is looked for once in a process.
func Find(p Part) (path, why string) {
	mu.Lock()
	defer mu.Unlock()
	key := p.Name + "\x00" + os.Getenv(p.Variable)
	a, ok := found[key]
	if !ok {
		a.path, a.why = find(p)
		found[key] = a
	}
	return a.path, a.why
}

func find(p Part) (path, why string) {
	why = "not on PATH"
	for _, name := range p.candidates() {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if path, err = filepath.Abs(path); err != nil {
			continue
		}
		if err := p.check(path); err != nil {
			why = "its check failed"
			continue
		}
		return path, ""
	}
	return "", why
}

func (p Part) candidates() []string {
	if v := os.Getenv(p.Variable); v != "" {
		return []string{v}
	}
	names := slices.Clone(p.Programs)
	if root := moduleRoot(); p.Local != "" && root != "" {
		names = append([]string{filepath.Join(root, filepath.FromSlash(p.Local))}, names...)
	}
	return names
}

func (p Part) check(path string) error {
	if len(p.Check) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return exec.CommandContext(ctx, path, p.Check...).Run()
}

// moduleRoot returns the folder of go.mod at or above the working directory, or "".
func moduleRoot() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// OracleEnv returns the environment for a run of the originals: no telemetry, UTF-8, the same order of sets every time.
// Keys and proxies of the caller's environment do not reach it.
func OracleEnv(extra ...string) []string {
	env := []string{"HAYSTACK_TELEMETRY_ENABLED=False", "PYTHONUTF8=1", "PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1", "TZ=UTC"}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LANG"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return append(env, extra...)
}

// portPatience is how long [Listen] waits for a port that another test may hold.
const portPatience = 30 * time.Second

// Listen takes an address that a file under test names, so that it cannot be chosen freely, until the test ends. An
// address that stays in use is a missing part.
func Listen(t testing.TB, addr string) net.Listener {
	t.Helper()
	for deadline := time.Now().Add(portPatience); ; time.Sleep(200 * time.Millisecond) {
		l, err := net.Listen("tcp", addr)
		if err == nil {
			t.Cleanup(func() { _ = l.Close() }) // whoever serves on it may have closed it
			return l
		}
		if time.Now().After(deadline) || !strings.Contains(err.Error(), "in use") {
			Lack(t, fmt.Sprintf("the address %s (%v)", addr, err))
		}
	}
}
