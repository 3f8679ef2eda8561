package parts

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func script(t *testing.T, body string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		Lack(t, "a POSIX shell")
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFind(t *testing.T) {
	good, bad := script(t, "exit 0"), script(t, "exit 3")
	t.Setenv("PATH", filepath.Dir(good))
	for _, tc := range []struct {
		name, variable string
		part           Part
		path, why      string
	}{
		{"on PATH", "", Part{Programs: []string{"nothing-of-this-name", "program"}}, good, ""},
		{"not there", "", Part{Programs: []string{"nothing-of-this-name"}}, "", "not on PATH"},
		{"the variable wins", bad, Part{Programs: []string{"program"}}, bad, ""},
		{"the variable stands alone", "/nowhere/at/all", Part{Programs: []string{"program"}}, "", "not on PATH"},
		{"its check passes", "", Part{Programs: []string{"program"}, Check: []string{"x"}}, good, ""},
		{"its check fails", bad, Part{Check: []string{"x"}}, "", "its check failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.part.Name, tc.part.Variable = t.Name(), "PARTS_TEST_PROGRAM"
			t.Setenv("PARTS_TEST_PROGRAM", tc.variable)
			if path, why := Find(tc.part); path != tc.path || why != tc.why {
				t.Errorf("got %q, %q; want %q, %q", path, why, tc.path, tc.why)
			}
		})
	}
}

// recorder is a test that only notes how it ended.
type recorder struct {
	testing.TB
	skipped, failed string
}

type ended struct{}

func (r *recorder) Helper() {}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = format + args[0].(string)
	panic(ended{})
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = format + args[0].(string)
	panic(ended{})
}

func need(ci string, t *testing.T) (r recorder) {
	t.Setenv("CI", ci)
	defer func() { _ = recover() }()
	Need(&r, Part{Name: "a part nobody has", Programs: []string{"nothing-of-this-name"}})
	return r
}

func TestAMissingPartSkipsOnADeskAndFailsInCI(t *testing.T) {
	if r := need("", t); r.skipped == "" || r.failed != "" {
		t.Errorf("on a desk: %+v", r)
	}
	if r := need("true", t); r.skipped != "" || r.failed == "" {
		t.Errorf("with CI=true: %+v", r)
	}
}

func TestOracleEnvHoldsNoKeys(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-not-for-python")
	t.Setenv("HTTP_PROXY", "http://proxy.invalid")
	env := OracleEnv("A=b")
	for _, e := range env {
		if strings.HasPrefix(e, "OPENAI") || strings.HasPrefix(e, "HTTP_PROXY") {
			t.Errorf("%s reaches Python", e)
		}
	}
	if !slices.Contains(env, "A=b") || !slices.Contains(env, "HAYSTACK_TELEMETRY_ENABLED=False") {
		t.Errorf("%v", env)
	}
}

func TestListenGivesTheAddressBack(t *testing.T) {
	var addr string
	t.Run("inner", func(t *testing.T) { addr = Listen(t, "127.0.0.1:0").Addr().String() })
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
}
