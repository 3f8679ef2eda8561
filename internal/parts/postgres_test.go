package parts

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPostgresGivesEachTestItsOwn(t *testing.T) {
	a, b := Postgres(t), Postgres(t)
	for _, p := range []PostgresDatabase{a, b} {
		plain := postgresServer{p.Host, p.Port, p.Database, p.User, p.Password}
		if out, err := plain.run(p.Database, "CREATE TABLE mine (n INTEGER)", "SELECT count(*) FROM mine"); err != nil || fmt.Sprint(out) != "[0]" {
			t.Fatalf("%v, %v", out, err)
		}
		if got := p.Admin(t, "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = '"+p.User+"'"); fmt.Sprint(got) != "[f]" {
			t.Errorf("the plain role is more than that: %v", got)
		}
	}
	wrong := postgresServer{a.Host, a.Port, a.Database, a.User, "wrong"}
	if _, err := wrong.run(a.Database, "SELECT 1"); err == nil {
		t.Error("a wrong password opens the database")
	}
}

const endlessEnv = "HAYWARD_TEST_PARTS_ENDLESS"

// TestPostgresEndsWithItsProcess starts this test again as a process, with a server of its own whichever the other tests
// use, kills it hard and looks for what it left.
func TestPostgresEndsWithItsProcess(t *testing.T) {
	if os.Getenv(endlessEnv) != "" {
		fmt.Printf("port %d\n", Postgres(t).Port)
		time.Sleep(time.Hour)
	}
	tmp := t.TempDir()
	for dir := tmp; strings.HasPrefix(dir, os.TempDir()) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestPostgresEndsWithItsProcess$", "-test.v")
	cmd.Env = append(os.Environ(), endlessEnv+"=1", "TMPDIR="+tmp, PostgresURL+"=", "CI=")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	port := 0
	for lines := bufio.NewScanner(out); port == 0 && lines.Scan(); {
		if _, what, found := strings.Cut(lines.Text(), Prefix); found {
			Lack(t, what)
		}
		_, _ = fmt.Sscanf(lines.Text(), "port %d", &port)
	}
	left, _ := filepath.Glob(filepath.Join(tmp, "hayward-postgres-*"))
	if port == 0 || len(left) != 1 {
		t.Fatalf("port %d, folders %v", port, left)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		left, _ = filepath.Glob(filepath.Join(tmp, "hayward-postgres-*"))
		_, err := postgresServer{"127.0.0.1", port, "postgres", "postgres", "x"}.run("postgres", "SELECT 1")
		if err != nil && strings.Contains(err.Error(), "refused") && len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after its end: %v, %v", left, err)
		}
	}
}
