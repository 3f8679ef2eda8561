package db_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
)

var schema = db.Schema{Name: "test", FS: mapFS("CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER NOT NULL) STRICT;")}

func mapFS(sql string) fstest.MapFS {
	return fstest.MapFS{"00001_t.sql": {Data: []byte("-- +goose Up\n" + sql + "\n")}}
}

func put(d *db.DB, k string, v int) error {
	return d.Update(context.Background(), func(tx *db.Tx) error {
		_, err := tx.Exec(context.Background(), "INSERT INTO t (k, v) VALUES (?, ?)", k, v)
		return err
	})
}

func count(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	err := d.View(t.Context(), func(tx *db.Tx) error { return tx.QueryRow(t.Context(), "SELECT count(*) FROM t", nil, &n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOneFailingWriteDoesNotTouchTheOthersOfItsGroup(t *testing.T) {
	dbtest.Each(t, testOneFailingWriteDoesNotTouchTheOthersOfItsGroup, schema)
}

func testOneFailingWriteDoesNotTouchTheOthersOfItsGroup(t *testing.T, d *db.DB) {
	var wg sync.WaitGroup
	boom := errors.New("boom")
	for i := range 200 {
		wg.Go(func() {
			err := d.Update(t.Context(), func(tx *db.Tx) error {
				if _, err := tx.Exec(t.Context(), "INSERT INTO t (k, v) VALUES (?, ?)", fmt.Sprint(i), i); err != nil {
					return err
				}
				if i%2 == 1 {
					return boom
				}
				return nil
			})
			if want := i%2 == 1; errors.Is(err, boom) != want {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := count(t, d); n != 100 {
		t.Fatalf("%d rows, want 100", n)
	}
}

func TestAPanicInAWriteReachesItsCallerAlone(t *testing.T) {
	dbtest.Each(t, testAPanicInAWriteReachesItsCallerAlone, schema)
}

func testAPanicInAWriteReachesItsCallerAlone(t *testing.T, d *db.DB) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_ = d.Update(t.Context(), func(tx *db.Tx) error {
			_, _ = tx.Exec(t.Context(), "INSERT INTO t (k, v) VALUES ('x', 1)")
			panic("boom")
		})
	}()
	if err := put(d, "y", 2); err != nil {
		t.Fatal(err)
	}
	if n := count(t, d); n != 1 {
		t.Fatalf("%d rows, want 1", n)
	}
}

func TestAfterCommitRunsBeforeTheAnswerAndOnlyForKeptWrites(t *testing.T) {
	dbtest.Each(t, testAfterCommitRunsBeforeTheAnswerAndOnlyForKeptWrites, schema)
}

func testAfterCommitRunsBeforeTheAnswerAndOnlyForKeptWrites(t *testing.T, d *db.DB) {
	ran := 0
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		tx.AfterCommit("key", func() error { ran++; return nil })
		tx.AfterCommit("key", func() error { ran++; return nil })
		return nil
	})
	if err != nil || ran != 1 {
		t.Fatalf("ran %d times, %v", ran, err)
	}
	_ = d.Update(t.Context(), func(tx *db.Tx) error {
		tx.AfterCommit(nil, func() error { ran++; return nil })
		return errors.New("no")
	})
	if ran != 1 {
		t.Fatal("ran for a write that was rolled back")
	}
	err = d.Update(t.Context(), func(tx *db.Tx) error {
		tx.AfterCommit(nil, func() error { return errors.New("no disk") })
		return nil
	})
	if !fault.Is(err, fault.Unavailable) {
		t.Fatalf("got %v", err)
	}
}

func TestErrorsAreFaults(t *testing.T) { dbtest.Each(t, testErrorsAreFaults, schema) }

func testErrorsAreFaults(t *testing.T, d *db.DB) {
	if err := put(d, "a", 1); err != nil {
		t.Fatal(err)
	}
	if err := put(d, "a", 1); !fault.Is(err, fault.Conflict) {
		t.Errorf("duplicate: %v", err)
	}
	err := d.View(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(t.Context(), "DELETE FROM t"); return err })
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("write in a read transaction: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Update(ctx, func(*db.Tx) error { return nil }); !fault.Is(err, fault.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestANewerDatabaseIsRefused(t *testing.T) { dbtest.Each(t, testANewerDatabaseIsRefused, schema) }

func testANewerDatabaseIsRefused(t *testing.T, d *db.DB) {
	two := db.Schema{Name: "test", FS: fstest.MapFS{
		"00001_t.sql": schema.FS.(fstest.MapFS)["00001_t.sql"],
		"00002_u.sql": {Data: []byte("-- +goose Up\nCREATE TABLE u (k TEXT);\n")}}}
	if err := d.Migrate(t.Context(), two); err != nil {
		t.Fatal(err)
	}
	if err := d.Migrate(t.Context(), schema); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("got %v", err)
	}
}

func TestADataDirectoryHasOneHolder(t *testing.T) {
	dir := t.TempDir()
	l, err := db.LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.LockDir(dir); !fault.Is(err, fault.Conflict) {
		t.Fatalf("got %v", err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	l, err = db.LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Unlock()
}

func TestTheFileIsPrivateAndSurvivesClosing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?.db")
	for round := range 2 {
		d, err := db.OpenSQLite(t.Context(), path, db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Migrate(t.Context(), schema); err != nil {
			t.Fatal(err)
		}
		if n := count(t, d); n != round {
			t.Fatalf("round %d: %d rows", round, n)
		}
		if err := put(d, fmt.Sprint(round), 1); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if err := put(d, "late", 1); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("after close: %v", err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
}
