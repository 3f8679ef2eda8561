package db_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
)

// waits reports whether the commit of a transaction waits for the disk. The statement is a new one each time: SQLite answers
// this pragma when it compiles it.
func waits(tx *db.Tx, d *db.DB, n int) (bool, error) {
	if d.Remote() {
		var level string
		err := tx.QueryRow(context.Background(), "SELECT current_setting('synchronous_commit')", nil, &level)
		return level == "on", err
	}
	var level int
	err := tx.QueryRow(context.Background(), fmt.Sprintf("PRAGMA synchronous -- %d", n), nil, &level)
	return level == 2, err
}

func TestARelaxedWriteDoesNotWaitForTheDisk(t *testing.T) {
	dbtest.Each(t, testARelaxedWrite, schema)
}

func testARelaxedWrite(t *testing.T, d *db.DB) {
	n := 0
	look := func(write func(context.Context, func(*db.Tx) error) error) (w bool) {
		t.Helper()
		n++
		if err := write(t.Context(), func(tx *db.Tx) (err error) { w, err = waits(tx, d, n); return err }); err != nil {
			t.Fatal(err)
		}
		return w
	}
	for range 2 {
		if !look(d.Update) {
			t.Error("a write does not wait for the disk")
		}
		if look(d.UpdateRelaxed) {
			t.Error("a relaxed write waits for the disk")
		}
	}
	boom := errors.New("boom")
	if err := d.UpdateRelaxed(t.Context(), func(tx *db.Tx) error { return errors.Join(insert(t.Context(), tx, "lost"), boom) }); !errors.Is(err, boom) {
		t.Error(err)
	}
	for _, k := range []string{"a", "b"} {
		if err := d.UpdateRelaxed(t.Context(), func(tx *db.Tx) error { return insert(t.Context(), tx, k) }); err != nil {
			t.Fatal(err)
		}
	}
	if have := keys(t, d); have != "a b" {
		t.Errorf("there is %q", have)
	}
}

// Of a group one that must be durable makes all of it so.
func TestAGroupIsRelaxedIfAllOfItIs(t *testing.T) { dbtest.Each(t, testAGroupIsRelaxed, schema) }

func testAGroupIsRelaxed(t *testing.T, d *db.DB) {
	n := 0
	for _, tc := range []struct {
		name  string
		third func(context.Context, func(*db.Tx) error) error
		waits bool
	}{{"all relaxed", d.UpdateRelaxed, false}, {"one is not", d.Update, true}} {
		held, release := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = d.UpdateRelaxed(context.Background(), func(*db.Tx) error { close(held); <-release; return nil })
		})
		<-held
		for _, write := range []func(context.Context, func(*db.Tx) error) error{d.UpdateRelaxed, d.UpdateRelaxed, tc.third} {
			wg.Go(func() {
				if err := write(context.Background(), func(tx *db.Tx) error {
					n++ // by the one writer
					w, err := waits(tx, d, 100+n)
					if err == nil && w != tc.waits {
						err = fmt.Errorf("it waits for the disk: %v", w)
					}
					return err
				}); err != nil {
					t.Errorf("%s: %v", tc.name, err)
				}
			})
		}
		db.WaitQueued(d, 3)
		close(release)
		wg.Wait()
	}
}

// What the system has not written is what a machine that stops all at once forgets: here the log is put back to what it was.
// Then a write that must be durable, and every relaxed one before it, are on disk.
func TestAnEarlierLogIsAnEarlierMomentAndNothingByHalves(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	d, err := db.OpenSQLite(t.Context(), path, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	logs := [][]byte{}
	for i := range 5 {
		if err := d.UpdateRelaxed(t.Context(), func(tx *db.Tx) error {
			return errors.Join(insert(t.Context(), tx, fmt.Sprint(i, "a")), insert(t.Context(), tx, fmt.Sprint(i, "b")))
		}); err != nil {
			t.Fatal(err)
		}
		log, err := os.ReadFile(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, log)
	}
	main, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, log := range logs {
		for _, torn := range []int{0, 1, 30, 5000} {
			again := filepath.Join(t.TempDir(), "test.db")
			if err := errors.Join(os.WriteFile(again, main, 0o600), os.WriteFile(again+"-wal", log[:len(log)-torn], 0o600)); err != nil {
				t.Fatal(err)
			}
			d, err := db.OpenSQLite(t.Context(), again, db.Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := 2 * (i + 1)
			if torn > 0 {
				want -= 2
			}
			if n := count(t, d); n != want {
				t.Errorf("after write %d, %d bytes short: %d rows, not %d", i, torn, n, want)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestBeforeClose(t *testing.T) {
	d := dbtest.NewSQLite(t, schema)
	var said []string
	for _, k := range []string{"first", "second"} {
		d.BeforeClose(func() {
			said = append(said, k)
			if err := put(d, k, 1); err != nil {
				t.Error(err)
			}
		})
	}
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(said) != "[second first]" {
		t.Errorf("called: %v", said)
	}
}

// A write that is alone in its group needs no savepoint: the transaction is undone with it.
func TestAFailingWriteThatIsAloneLeavesNothing(t *testing.T) {
	dbtest.Each(t, testAFailingWriteAlone, schema)
}

func testAFailingWriteAlone(t *testing.T, d *db.DB) {
	boom := errors.New("boom")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		after := false
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			tx.AfterCommit(nil, func() error { after = true; return nil })
			return errors.Join(insert(t.Context(), tx, "lost"), boom)
		})
		if !errors.Is(err, boom) || after {
			t.Errorf("%v, %v", err, after)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_ = d.Update(t.Context(), func(tx *db.Tx) error { _ = insert(t.Context(), tx, "lost"); panic("boom") })
		}()
		if err := d.Update(canceled, func(tx *db.Tx) error { return insert(canceled, tx, "lost") }); err == nil {
			t.Error("a write whose caller has left")
		}
	}
	if err := put(d, "a", 1); err != nil {
		t.Error(err)
	}
	if err := put(d, "a", 1); err == nil {
		t.Error("the same key twice")
	}
	if err := put(d, "b", 1); err != nil {
		t.Error(err)
	}
	if have := keys(t, d); have != "a b" {
		t.Errorf("there is %q", have)
	}
}
