package db_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
)

func insert(ctx context.Context, tx *db.Tx, k string) error {
	_, err := tx.Exec(ctx, "INSERT INTO t (k, v) VALUES (?, 1)", k)
	return err
}

func keys(t *testing.T, d *db.DB) string {
	t.Helper()
	var out []string
	err := d.View(t.Context(), func(tx *db.Tx) error {
		return tx.Query(t.Context(), "SELECT k FROM t ORDER BY k", nil, func(scan func(...any) error) error {
			var k string
			out = append(out, "")
			err := scan(&k)
			out[len(out)-1] = k
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

// inOneGroup runs the writes as one group: they wait while another write holds the writer. It returns their errors.
func inOneGroup(t *testing.T, d *db.DB, writes ...func(*db.Tx) error) []error {
	t.Helper()
	errs := make([]error, len(writes))
	held, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = d.Update(context.Background(), func(*db.Tx) error { close(held); <-release; return nil })
	})
	<-held
	for i, w := range writes {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[i] = fmt.Errorf("panic: %v", p)
				}
			}()
			errs[i] = d.Update(context.Background(), w)
		})
		db.WaitQueued(d, i+1)
	}
	close(release)
	wg.Wait()
	return errs
}

// TestACallerWhoLeavesInTheMiddle: an interrupted statement would roll the whole group back.
func TestACallerWhoLeavesInTheMiddle(t *testing.T) {
	dbtest.Each(t, testACallerWhoLeavesInTheMiddle, schema)
}

func testACallerWhoLeavesInTheMiddle(t *testing.T, d *db.DB) {
	ctx, cancel := context.WithCancel(t.Context())
	errs := inOneGroup(t, d,
		func(tx *db.Tx) error { return insert(t.Context(), tx, "a") },
		func(tx *db.Tx) error {
			if err := insert(ctx, tx, "b"); err != nil {
				return err
			}
			cancel()
			return insert(ctx, tx, "c")
		},
		func(tx *db.Tx) error { return insert(t.Context(), tx, "d") },
	)
	if errs[0] != nil || !fault.Is(errs[1], fault.Canceled) || errs[2] != nil {
		t.Fatalf("got %v", errs)
	}
	if got := keys(t, d); got != "a d" {
		t.Fatalf("kept %q", got)
	}
}

func TestALongWriteIsNotInterrupted(t *testing.T) {
	dbtest.Each(t, testALongWriteIsNotInterrupted, schema)
}

func testALongWriteIsNotInterrupted(t *testing.T, d *db.DB) {
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		if err := insert(t.Context(), tx, "before"); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		_, err := tx.Exec(ctx, `INSERT INTO t (k, v) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 300000)
			SELECT 'n', max(i) FROM n`)
		return err
	})
	if err != nil || keys(t, d) != "before n" {
		t.Fatalf("%v, kept %q", err, keys(t, d))
	}
}

func TestAReadIsInterrupted(t *testing.T) { dbtest.Each(t, testAReadIsInterrupted, schema) }

func testAReadIsInterrupted(t *testing.T, d *db.DB) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	endless := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n"
	var n int
	err := d.View(ctx, func(tx *db.Tx) error { return tx.QueryRow(ctx, endless, nil, &n) })
	if !fault.Is(err, fault.Timeout) && !fault.Is(err, fault.Canceled) {
		t.Fatalf("got %v", err)
	}
	if err := put(d, "x", 1); err != nil || keys(t, d) != "x" {
		t.Fatalf("the connection is of no use any more: %v", err)
	}
}

// TestTheEngineGivesATransactionUp: after a full disk SQLite has rolled everything back, whatever the caller does with
// the error; nobody's write may then be reported as kept, nor run outside a transaction.
func TestTheEngineGivesATransactionUp(t *testing.T) {
	for _, swallow := range []bool{false, true} {
		d := dbtest.NewSQLite(t, schema)
		if err := put(d, "first", 1); err != nil {
			t.Fatal(err)
		}
		var pages int
		errs := inOneGroup(t, d,
			func(tx *db.Tx) error { return insert(t.Context(), tx, "a") },
			func(tx *db.Tx) error {
				if err := tx.QueryRow(t.Context(), "PRAGMA page_count", nil, &pages); err != nil {
					return err
				}
				if err := tx.QueryRow(t.Context(), fmt.Sprintf("PRAGMA max_page_count=%d", pages+2), nil, &pages); err != nil {
					return err
				}
				_, err := tx.Exec(t.Context(), "INSERT INTO t (k, v) VALUES (hex(zeroblob(1000000)), 1)")
				if swallow {
					if err := insert(t.Context(), tx, "outside"); err == nil {
						t.Error("a statement ran after the transaction was over")
					}
					return nil
				}
				return err
			},
			func(tx *db.Tx) error { return insert(t.Context(), tx, "c") },
		)
		for i, err := range errs {
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("swallow %v, write %d: %v", swallow, i, err)
			}
		}
		_ = d.Update(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(t.Context(), "PRAGMA max_page_count=1000000", nil, &pages)
		})
		if got := keys(t, d); got != "first" {
			t.Errorf("swallow %v: kept %q", swallow, got)
		}
		if err := put(d, "later", 1); err != nil {
			t.Errorf("the writer does not recover: %v", err)
		}
	}
}

func TestAPanicInAGroup(t *testing.T) { dbtest.Each(t, testAPanicInAGroup, schema) }

func testAPanicInAGroup(t *testing.T, d *db.DB) {
	errs := inOneGroup(t, d,
		func(tx *db.Tx) error { return insert(t.Context(), tx, "a") },
		func(tx *db.Tx) error { _ = insert(t.Context(), tx, "b"); panic("boom") },
		func(tx *db.Tx) error { return insert(t.Context(), tx, "c") },
	)
	if errs[0] != nil || errs[2] != nil || errs[1] == nil || keys(t, d) != "a c" {
		t.Fatalf("got %v, kept %q", errs, keys(t, d))
	}
	if text := errs[1].Error(); !strings.Contains(text, "boom") || !strings.Contains(text, "group_test.go") {
		t.Errorf("the panic does not say where it came from: %s", text)
	}
}

func TestAWriteThatEndsItsGoroutine(t *testing.T) {
	dbtest.Each(t, testAWriteThatEndsItsGoroutine, schema)
}

func testAWriteThatEndsItsGoroutine(t *testing.T, d *db.DB) {
	errs := inOneGroup(t, d,
		func(tx *db.Tx) error { return insert(t.Context(), tx, "a") },
		func(tx *db.Tx) error { runtime.Goexit(); return nil },
		func(tx *db.Tx) error { return insert(t.Context(), tx, "c") },
	)
	for i, err := range errs {
		if err == nil {
			t.Errorf("write %d was acknowledged", i)
		}
	}
	if err := put(d, "later", 1); err != nil || keys(t, d) != "later" {
		t.Fatalf("%v, kept %q", err, keys(t, d))
	}
}

func TestAWriteInsideAWriteIsAnError(t *testing.T) {
	dbtest.Each(t, testAWriteInsideAWriteIsAnError, schema)
}

func testAWriteInsideAWriteIsAnError(t *testing.T, d *db.DB) {
	err := d.Update(t.Context(), func(tx *db.Tx) error { return put(d, "inner", 1) })
	if !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "inside another write") {
		t.Fatalf("got %v", err)
	}
	err = d.View(t.Context(), func(*db.Tx) error { return put(d, "from a view", 1) })
	if err != nil || keys(t, d) != "from a view" {
		t.Fatalf("%v, kept %q", err, keys(t, d))
	}
}

// However deep in its caller's stack the write inside is, it is refused and does not wait for itself.
func TestANestedWriteDeepInTheStackIsAnError(t *testing.T) {
	d := dbtest.NewSQLite(t)
	for _, depth := range []int{1, 100, 126, 127, 128, 129, 130, 1000} {
		var deep func(n int) error
		deep = func(n int) error {
			if n > 0 {
				return deep(n - 1)
			}
			return d.Update(t.Context(), func(*db.Tx) error { return nil })
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := d.Update(ctx, func(*db.Tx) error { return deep(depth) })
		cancel()
		if !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "inside another write") {
			t.Errorf("%d calls deep: %v", depth, err)
		}
	}
}

func TestClosingAnswersEveryWaitingWrite(t *testing.T) {
	d := dbtest.NewSQLite(t, schema)
	var kept, refused atomic.Int32
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			switch err := put(d, fmt.Sprint(i), i); {
			case err == nil:
				kept.Add(1)
			case fault.Is(err, fault.Unavailable):
				refused.Add(1)
			default:
				t.Errorf("got %v", err)
			}
		})
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	again, err := db.OpenSQLite(t.Context(), d.Path(), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if n := count(t, again); n != int(kept.Load()) || kept.Load()+refused.Load() != 300 {
		t.Fatalf("%d rows, %d acknowledged, %d refused", n, kept.Load(), refused.Load())
	}
	err = d.View(t.Context(), func(*db.Tx) error { return nil })
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("a read after closing: %v", err)
	}
}

func TestClosingUnderARead(t *testing.T) { dbtest.Each(t, testClosingUnderARead, schema) }

func testClosingUnderARead(t *testing.T, d *db.DB) {
	err := d.View(t.Context(), func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM t", nil, &n); err != nil {
			return err
		}
		return d.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAfterCommitOrderAndBlame(t *testing.T) { dbtest.Each(t, testAfterCommitOrderAndBlame, schema) }

func testAfterCommitOrderAndBlame(t *testing.T, d *db.DB) {
	var order []string
	note := func(s string, err error) func() error {
		return func() error { order = append(order, s); return err }
	}
	full := errors.New("no space")
	errs := inOneGroup(t, d,
		func(tx *db.Tx) error { tx.AfterCommit("head", note("head", full)); return nil },
		func(tx *db.Tx) error { tx.AfterCommit(nil, note("plain", nil)); return nil },
		func(tx *db.Tx) error { tx.AfterCommit("head", note("second head", nil)); return nil },
		func(tx *db.Tx) error { tx.AfterCommit("gone", note("gone", nil)); return errors.New("no") },
		func(tx *db.Tx) error { tx.AfterCommit(nil, func() error { panic("boom") }); return nil },
		func(tx *db.Tx) error { return insert(t.Context(), tx, "x") },
	)
	if got := strings.Join(order, ", "); got != "plain, head" {
		t.Errorf("ran %s", got)
	}
	for i, failed := range []bool{true, false, true, true, true, false} {
		if (errs[i] != nil) != failed {
			t.Errorf("write %d: %v", i, errs[i])
		}
	}
	if !errors.Is(errs[0], full) || !errors.Is(errs[2], full) || !fault.Is(errs[2], fault.Unavailable) {
		t.Errorf("got %v and %v", errs[0], errs[2])
	}
}

// TestAKeyOutlivesItsFirstOwner: the first to ask for a keyed step may fail; the others still need it.
func TestAKeyOutlivesItsFirstOwner(t *testing.T) {
	dbtest.Each(t, testAKeyOutlivesItsFirstOwner, schema)
}

func testAKeyOutlivesItsFirstOwner(t *testing.T, d *db.DB) {
	ran := 0
	step := func(fail error) func(*db.Tx) error {
		return func(tx *db.Tx) error { tx.AfterCommit("head", func() error { ran++; return nil }); return fail }
	}
	if errs := inOneGroup(t, d, step(errors.New("no")), step(nil)); errs[0] == nil || errs[1] != nil || ran != 1 {
		t.Fatalf("%v, ran %d times", errs, ran)
	}
}
