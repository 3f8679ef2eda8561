package db_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/sealed"
)

const writerEnv = "HAYWARD_TEST_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		writeUntilKilled(path)
	}
	os.Exit(m.Run())
}

// writeUntilKilled writes from many goroutines and prints each key once its write is acknowledged. Each write has two
// rows, of which a reader must see both or none.
func writeUntilKilled(path string) {
	ctx := context.Background()
	d, err := openEither(ctx, path)
	if err == nil {
		err = d.Migrate(ctx, schema)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				k := fmt.Sprintf("%d-%d", w, i)
				err := d.Update(ctx, func(tx *db.Tx) error {
					if err := insert(ctx, tx, k+"-a"); err != nil {
						return err
					}
					return insert(ctx, tx, k+"-b")
				})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Println(k) // one write call each: a line is whole or absent
			}
		})
	}
	wg.Wait()
}

// openEither opens the database that a path or a URL names.
func openEither(ctx context.Context, name string) (*db.DB, error) {
	if !strings.HasPrefix(name, "postgres://") {
		return db.OpenSQLite(ctx, name, db.Options{})
	}
	o, err := db.ParsePostgresURL(sealed.NewString(name))
	if err != nil {
		return nil, err
	}
	return db.OpenPostgres(ctx, o)
}

func TestAcknowledgedWritesSurviveSIGKILL(t *testing.T) {
	for round := range 5 {
		path := filepath.Join(t.TempDir(), "test.db")
		killAndCheck(t, path, func() *db.DB {
			d, err := db.OpenSQLite(t.Context(), path, db.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return d
		}, 20+37*round)
	}
}

// killAndCheck kills a process that writes after so many acknowledged writes, and looks for them.
func killAndCheck(t *testing.T, name string, open func() *db.DB, after int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+name)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked := map[string]bool{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		acked[lines.Text()] = true
		if len(acked) == after {
			_ = cmd.Process.Kill() // the rest of the pipe is still read
		}
	}
	_ = cmd.Wait()
	checkSurvivors(t, open(), acked)
}

func checkSurvivors(t *testing.T, d *db.DB, acked map[string]bool) {
	t.Helper()
	defer d.Close()
	if err := put(d, "zz-a", 1); err != nil { // whoever held the lock is gone
		t.Error(err)
	}
	if err := put(d, "zz-b", 1); err != nil {
		t.Error(err)
	}
	halves := map[string]int{}
	for k := range strings.FieldsSeq(keys(t, d)) {
		halves[k[:len(k)-2]]++
	}
	for k := range acked {
		if halves[k] != 2 {
			t.Errorf("write %s was acknowledged and has %d of its 2 rows", k, halves[k])
		}
	}
	for k, n := range halves {
		if n != 2 {
			t.Errorf("write %s is there by halves", k)
		}
	}
	if len(acked) < 20 {
		t.Errorf("only %d writes before the end", len(acked))
	}
}

func TestEveryFileIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		parts.Lack(t, "file modes")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	d, err := db.OpenSQLite(t.Context(), path, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	if err := put(d, "a", 1); err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(path + "*")
	if len(found) != 3 {
		t.Fatalf("expected the database, its log and its index: %v", found)
	}
	for _, f := range found {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", filepath.Base(f), info.Mode(), err)
		}
	}
}

func TestOpenDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "data")
	d, err := db.OpenDir(t.Context(), dir, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.OpenDir(t.Context(), dir, db.Options{}); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("a second holder: %v", err)
	}
	if info, err := os.Stat(dir); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := db.OpenDir(t.Context(), dir, db.Options{})
	if err != nil {
		t.Fatalf("closing does not give the directory back: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, db.File), []byte(strings.Repeat("not a database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and the lock is free again after a failure
		if _, err := db.OpenDir(t.Context(), dir, db.Options{}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a damaged file: %v", err)
		}
	}
	if _, err := db.OpenDir(t.Context(), filepath.Join(dir, "lock", "x"), db.Options{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("no directory: %v", err)
	}
}

func TestAViewIsOfOneMoment(t *testing.T) { dbtest.Each(t, testAViewIsOfOneMoment, schema) }

func testAViewIsOfOneMoment(t *testing.T, d *db.DB) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // every write keeps the number of rows even
		for i := 0; ; i += 2 {
			select {
			case <-stop:
				return
			default:
			}
			_ = d.Update(context.Background(), func(tx *db.Tx) error {
				_ = insert(context.Background(), tx, fmt.Sprint(i))
				return insert(context.Background(), tx, fmt.Sprint(i+1))
			})
		}
	})
	for range 200 {
		err := d.View(t.Context(), func(tx *db.Tx) error {
			var first, second int
			for _, n := range []*int{&first, &second} {
				if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM t", nil, n); err != nil {
					return err
				}
				runtime.Gosched()
			}
			if first != second || first%2 != 0 {
				return fmt.Errorf("%d rows, then %d", first, second)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	wg.Wait()
}

// TestAStatementInsideItself: a compiled statement that is being read must not be run again under its reader.
func TestAStatementInsideItself(t *testing.T) { dbtest.Each(t, testAStatementInsideItself, schema) }

func testAStatementInsideItself(t *testing.T, d *db.DB) {
	for _, k := range []string{"a", "b", "c"} {
		if err := put(d, k, 1); err != nil {
			t.Fatal(err)
		}
	}
	const query = "SELECT k FROM t ORDER BY k"
	walk := func(tx *db.Tx, fn func(k string) error) error {
		return tx.Query(t.Context(), query, nil, func(scan func(...any) error) error {
			var k string
			if err := scan(&k); err != nil {
				return err
			}
			return fn(k)
		})
	}
	for range 2 { // the second time the statement is compiled already
		got := ""
		err := d.View(t.Context(), func(tx *db.Tx) error {
			return walk(tx, func(outer string) error {
				return walk(tx, func(inner string) error { got += outer + inner + " "; return nil })
			})
		})
		if want := "aa ab ac ba bb bc ca cb cc "; err != nil || got != want {
			t.Fatalf("got %q, %v", got, err)
		}
	}
}

func TestMoreStatementsThanAreKept(t *testing.T) {
	dbtest.Each(t, testMoreStatementsThanAreKept, schema)
}

func testMoreStatementsThanAreKept(t *testing.T, d *db.DB) {
	err := d.View(t.Context(), func(tx *db.Tx) error {
		for i := range db.MaxPrepared + 20 {
			var n int
			if err := tx.QueryRow(t.Context(), fmt.Sprintf("SELECT %d", i), nil, &n); err != nil || n != i {
				return fmt.Errorf("statement %d: got %d, %w", i, n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAMigrationUnderCompiledStatements(t *testing.T) {
	dbtest.Each(t, testAMigrationUnderCompiledStatements, schema)
}

func testAMigrationUnderCompiledStatements(t *testing.T, d *db.DB) {
	if err := put(d, "a", 1); err != nil {
		t.Fatal(err)
	}
	if n := count(t, d); n != 1 {
		t.Fatalf("%d rows", n)
	}
	more := db.Schema{Name: "more", FS: mapFS("ALTER TABLE t ADD COLUMN w INTEGER NOT NULL DEFAULT 7;")}
	if err := d.Migrate(t.Context(), more); err != nil {
		t.Fatal(err)
	}
	if err := put(d, "b", 1); err != nil {
		t.Fatal(err)
	}
	if n := count(t, d); n != 2 {
		t.Fatalf("%d rows", n)
	}
}

func TestAFailedMigrationLeavesNothing(t *testing.T) {
	d := dbtest.NewSQLite(t, schema)
	bad := db.Schema{Name: "bad", FS: mapFS("CREATE TABLE half (k TEXT);\nCREATE TABLE half (k TEXT);")}
	if err := d.Migrate(t.Context(), bad); err == nil {
		t.Fatal("no error")
	}
	var n int
	err := d.View(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM sqlite_master WHERE name = 'half'", nil, &n)
	})
	if err != nil || n != 0 {
		t.Fatalf("%d tables, %v", n, err)
	}
}
