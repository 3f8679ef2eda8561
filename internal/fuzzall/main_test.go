package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Every target of the list is there: go test reports none at all for a name that matches nothing.
func TestTheTargetsExist(t *testing.T) {
	for _, target := range targets {
		files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(target.pkg), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(text), "\nfunc "+target.name+"(f *testing.F)")
		}
		if !found {
			t.Errorf("%s has no %s", target.pkg, target.name)
		}
	}
}

func TestJudge(t *testing.T) {
	const ran = "fuzz: elapsed: 0s, gathering baseline coverage: 0/3 completed\nfuzz: elapsed: 20s, execs: 99 (4/sec), new interesting: 1 (total: 4)\n"
	failure := errors.New("exit status 1")
	for name, c := range map[string]struct {
		text string
		err  error
		line string
		good bool
	}{
		"held":             {ran + "PASS\nok\n", nil, "held, elapsed: 20s, execs: 99 (4/sec), new interesting: 1 (total: 4)", true},
		"a failing input":  {ran + "--- FAIL: FuzzX\n    Failing input written to testdata/fuzz/FuzzX/1\n", failure, "FAILED, elapsed: 20s", false},
		"a slow input":     {ran + "--- FAIL: FuzzX\n    context deadline exceeded\n    Failing input written to x\n", failure, "FAILED", false},
		"the end of time":  {ran + "--- FAIL: FuzzX (20.1s)\n    context deadline exceeded\nFAIL\n", failure, "held until its time was over", true},
		"does not build":   {"x.go:1: undefined: y\nFAIL\n", failure, "did not run", false},
		"no such target":   {"testing: warning: no fuzz tests to fuzz\nPASS\n", nil, "did not run", false},
		"a kept one fails": {ran + "--- FAIL: FuzzX\n    --- FAIL: FuzzX/1\n", failure, "FAILED", false},
	} {
		if line, good := judge(c.text, c.err); good != c.good || !strings.HasPrefix(line, c.line) {
			t.Errorf("%s: %t, %q", name, good, line)
		}
	}
}

func TestCommand(t *testing.T) {
	got := strings.Join(targets[0].command(time.Minute, 2), " ")
	if got != "test -run ^$ -fuzz ^FuzzSnapshot$ -fuzztime 1m0s -parallel 2 -fuzzminimizetime 5x ./pipeline" {
		t.Error(got)
	}
	if len(choose("")) != len(targets) || len(choose("jinja FuzzRender")) != 1 || len(choose("nothing")) != 0 {
		t.Error("chosen by name")
	}
}

// What is kept stays, long inputs are left out, and there are never more than asked for.
func TestKeep(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "fuzz", "FuzzX")
	for name, text := range map[string]string{"a": "1", "b": strings.Repeat("x", keptBytes+1), "c": "3", "d": "4"} {
		if err := os.WriteFile(filepath.Join(from, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ upTo, n int }{{1, 1}, {2, 1}, {2, 0}, {9, 1}, {9, 0}} {
		if n, err := keep(from, to, c.upTo); err != nil || n != c.n {
			t.Errorf("up to %d: %d, %v", c.upTo, n, err)
		}
	}
	names, err := filepath.Glob(filepath.Join(to, "*"))
	if err != nil || len(names) != 3 {
		t.Errorf("%v, %v", names, err)
	}
	if n, err := keep(filepath.Join(from, "nowhere"), to, 9); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
