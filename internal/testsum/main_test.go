package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sum reads events and returns the last lines and whether all is well.
func sum(t *testing.T, events ...string) (printed string, good bool) {
	t.Helper()
	var b bytes.Buffer
	tl := newTally(&b)
	if err := tl.read(strings.NewReader(strings.Join(events, "\n"))); err != nil {
		t.Fatal(err)
	}
	tl.print(time.Second)
	return b.String(), tl.good()
}

func ev(action, pkg, test, output string) string {
	return `{"Action":"` + action + `","Package":"` + pkg + `","Test":"` + test + `","Output":"` + output + `"}`
}

func TestSummary(t *testing.T) {
	pass := []string{ev("run", "p", "TestA", ""), ev("output", "p", "TestA", `noise\n`), ev("pass", "p", "TestA", "")}
	for _, tc := range []struct {
		name   string
		events []string
		last   string
		has    []string
		good   bool
	}{
		{"a pass", append(pass, ev("output", "p", "", `ok p 0.1s\n`), ev("pass", "p", "", "")), "1 passed, 0 failed, 0 skipped",
			[]string{"ok p 0.1s", "every suite had its parts"}, true},
		{"a failure shows its output", append(pass, ev("output", "p", "TestB", `want 1\n`), ev("fail", "p", "TestB", ""), ev("fail", "p", "", "")),
			"1 passed, 1 failed, 0 skipped", []string{"FAIL p", "TestB\nwant 1"}, false},
		{"a missing part", append(pass, ev("output", "p", "TestC", `    x.go:1: part missing: sqlite3 shell (not on PATH)\n`), ev("skip", "p", "TestC", ""),
			ev("pass", "p", "", "")), "1 passed, 0 failed, 1 skipped", []string{"lacking: sqlite3 shell (not on PATH): 1 tests did not run"}, true},
		{"another skip", append(pass, ev("skip", "p", "TestD", ""), ev("pass", "p", "", "")), "1 passed, 0 failed, 1 skipped",
			[]string{"skipped for another reason: p TestD"}, true},
		{"a package that does not build", append(pass, `{"ImportPath":"q","Action":"build-output","Output":"q.go:1: undefined\n"}`, ev("fail", "q", "", "")),
			"1 passed, 1 failed, 0 skipped", []string{"q.go:1: undefined", "FAILED PACKAGE q"}, false},
		{"a test that never ends", append(pass, ev("output", "q", "TestE", `panic: test timed out\n`), ev("fail", "q", "", "")),
			"1 passed, 1 failed, 0 skipped", []string{"panic: test timed out"}, false},
		{"nothing ran", []string{ev("skip", "p", "", "")}, "0 passed, 0 failed, 0 skipped", []string{"no test ran"}, false},
		{"only skips", []string{ev("skip", "p", "TestC", ""), ev("pass", "p", "", "")}, "0 passed, 0 failed, 1 skipped", []string{"no test ran"}, false},
		{"the compiler's own words", append(pass, "cannot find package"), "1 passed, 0 failed, 0 skipped", []string{"cannot find package"}, true},
		{"a very long line", append(pass, ev("output", "p", "TestF", strings.Repeat("x", 3<<20)), ev("pass", "p", "TestF", "")),
			"2 passed, 0 failed, 0 skipped", nil, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			printed, good := sum(t, tc.events...)
			lines := strings.Split(strings.TrimSpace(printed), "\n")
			if last := lines[len(lines)-1]; last != tc.last || good != tc.good {
				t.Errorf("ends with %q, good %v; want %q, %v", last, good, tc.last, tc.good)
			}
			for _, want := range tc.has {
				if !strings.Contains(printed, want) {
					t.Errorf("does not say %q:\n%s", want, printed)
				}
			}
		})
	}
}

func TestArguments(t *testing.T) {
	first := strings.Join(longest, " ")
	for _, tc := range []struct {
		ci          bool
		given, want string
	}{
		{false, "", "test -json " + first + " ./..."},
		{false, "-timeout 20m ./...", "test -json -timeout 20m " + first + " ./..."},
		{false, "-v ./db", "test -json -v ./db"},
		{true, "./db", "test -json -race -gcflags=modernc.org/sqlite/lib=-race=false -d=checkptr=0 " +
			"-gcflags=modernc.org/libc/...=-race=false -d=checkptr=0 -gcflags=modernc.org/memory=-race=false -d=checkptr=0 ./db"},
	} {
		if got := strings.Join(arguments(tc.ci, strings.Fields(tc.given)), " "); got != tc.want {
			t.Errorf("%v %q:\n got %s\nwant %s", tc.ci, tc.given, got, tc.want)
		}
	}
}

// The packages named here by hand are there, so that a folder that moves is noticed.
func TestTheLongestPackagesAreThere(t *testing.T) {
	for _, pkg := range longest {
		if files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(pkg), "*_test.go")); err != nil || len(files) == 0 {
			t.Errorf("%s has no tests (%v)", pkg, err)
		}
	}
}
