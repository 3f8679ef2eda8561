package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// replicas opens a store twice.
func replicas(t *testing.T, h Harness) (one, two driver.Store) {
	t.Helper()
	if h.Replica == nil {
		t.Skip("part missing: this store declares that one process at a time has it open")
	}
	one = h.Open(t)
	return one, h.Replica(t, one)
}

func testReplicasSee(t *testing.T, h Harness) {
	one, two := replicas(t, h)
	for i := range 20 {
		from, to := one, two
		if i%2 == 1 {
			from, to = two, one
		}
		name := fmt.Sprint("K", i)
		update(t, from, func(ctx context.Context, tx driver.Tx) error {
			return errors.Join(tx.PutSecret(ctx, head("a", "t", name)), tx.PutFlag(ctx, flagRow("a", "t", name)))
		})
		view(t, to, func(ctx context.Context, tx driver.Tx) error {
			r, err := tx.Secret(ctx, "a", "t", name)
			f, err2 := tx.Flag(ctx, "a", "t", name)
			if errors.Join(err, err2) != nil || r.Name != name || f.Name != name {
				t.Errorf("%s: %v, %v, %v", name, r, f, errors.Join(err, err2))
			}
			return nil
		})
	}
}

func testReplicasCount(t *testing.T, h Harness) {
	one, two := replicas(t, h)
	const writers, each = 4, 12
	var wg sync.WaitGroup
	for i := range 2 * writers {
		st := [2]driver.Store{one, two}[i%2]
		wg.Go(func() {
			for range each {
				if err := st.Update(t.Context(), func(tx driver.Tx) error { return nextVersion(t.Context(), tx) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	view(t, one, func(ctx context.Context, tx driver.Tx) error {
		r, err := tx.Secret(ctx, "a", "t", "K")
		vs, err2 := tx.ListSecretVersions(ctx, "a", "t", "K", 0, 10_000)
		if want := 2 * writers * each; errors.Join(err, err2) != nil || r.Latest != int64(want) || len(vs) != want {
			t.Errorf("got %d and %d versions of %d (%v, %v)", r.Latest, len(vs), want, err, err2)
		}
		return nil
	})
}

// testReplicasAppend has both append behind the same entry: one of them finds that the chain ends otherwise.
func testReplicasAppend(t *testing.T, h Harness) {
	one, two := replicas(t, h)
	c := driver.Chain{App: "a", Tenant: "t", Node: "n", Epoch: 1}
	prev := []byte(nil)
	for seq := int64(1); seq <= 15; seq++ {
		var wins atomic.Int32
		var next atomic.Value
		var wg sync.WaitGroup
		for i, st := range []driver.Store{one, two} {
			wg.Go(func() {
				row := entry(c, seq, fmt.Sprintf("%d of %d", seq, i))
				var added bool
				err := st.Update(t.Context(), func(tx driver.Tx) (err error) {
					added, err = tx.AppendAudit(t.Context(), prev, []driver.AuditRow{row})
					return err
				})
				if err != nil {
					t.Error(err)
				}
				if added {
					wins.Add(1)
					next.Store(row.Hash)
				}
			})
		}
		wg.Wait()
		if wins.Load() != 1 {
			t.Fatalf("entry %d was appended %d times", seq, wins.Load())
		}
		prev = next.Load().([]byte)
	}
}

// hears collects what a store tells, one at a time.
func hears(t *testing.T, st driver.Store) <-chan driver.Change {
	t.Helper()
	w, ok := st.(driver.Watcher)
	if !ok {
		t.Fatal("a store that can have replicas must tell of changes (driver.Watcher)")
	}
	heard := make(chan driver.Change, 1000)
	t.Cleanup(w.Watch(func(c driver.Change) { heard <- c }))
	return heard
}

// within returns the next change, which must come within a second.
func within(t *testing.T, heard <-chan driver.Change) driver.Change {
	t.Helper()
	select {
	case c := <-heard:
		return c
	case <-time.After(time.Second):
		t.Fatal("nothing was heard for a second")
	}
	panic("unreachable")
}

func testReplicasHear(t *testing.T, h Harness) {
	one, two := replicas(t, h)
	own, other := hears(t, one), hears(t, two)
	long := string(make([]byte, 3000))
	for _, tc := range []struct {
		write func(context.Context, driver.Tx) error
		want  driver.Change
	}{
		{func(ctx context.Context, tx driver.Tx) error {
			return tx.PutFlag(ctx, flagRow("a", driver.Shared, "K"))
		},
			driver.Change{Noun: driver.NounFlag, App: "a", Tenant: driver.Shared, Name: "K"}},
		{func(ctx context.Context, tx driver.Tx) error {
			return tx.PutConfig(ctx, configRow("a", "t", "é:\n\x00\x01"))
		},
			driver.Change{Noun: driver.NounConfig, App: "a", Tenant: "t", Name: "é:\n\x00\x01"}},
		{func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlag(ctx, "a", driver.Shared, "K") },
			driver.Change{Noun: driver.NounFlag, App: "a", Tenant: driver.Shared, Name: "K"}},
	} {
		update(t, one, tc.write)
		if c := within(t, own); c != tc.want {
			t.Errorf("who wrote hears %v, not %v", c, tc.want)
		}
		if c := within(t, other); c != tc.want {
			t.Errorf("the other hears %v, not %v", c, tc.want)
		}
	}
	update(t, one, func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlag(ctx, "a", "t", long) })
	if c := within(t, other); c.Noun != driver.NounEverything && c.Name != long {
		t.Errorf("of a change with a long name the other hears %v", c)
	}
	boom := errors.New("boom")
	_ = two.Update(t.Context(), func(tx driver.Tx) error { return errors.Join(tx.DeleteFlag(t.Context(), "a", "t", "lost"), boom) })
	update(t, two, func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlag(ctx, "a", "t", "last") })
	within(t, own) // what it wrote itself last
	if c := within(t, own); c.Name != "last" {
		t.Errorf("after a failed write and a good one %v is heard", c)
	}
	select {
	case c := <-own:
		t.Errorf("%v is heard twice", c)
	case <-time.After(50 * time.Millisecond):
	}
}

func testReplicasResync(t *testing.T, h Harness) {
	one, two := replicas(t, h)
	if h.Break == nil {
		t.Skip("part missing: this store declares that it has no connections")
	}
	other := hears(t, two)
	for range 3 {
		h.Break(t, two)
		if c := within(t, other); c.Noun != driver.NounEverything {
			t.Fatalf("after a broken connection: %v", c)
		}
		// It may not be listening again yet; then it says once more that changes were missed.
		update(t, one, func(ctx context.Context, tx driver.Tx) error { return tx.PutFlag(ctx, flagRow("a", "t", "K")) })
		if c := within(t, other); c.Noun != driver.NounEverything && c.Name != "K" {
			t.Fatalf("after that: %v", c)
		}
		time.Sleep(300 * time.Millisecond) // listening again
		for len(other) > 0 {
			<-other
		}
		update(t, one, func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlag(ctx, "a", "t", "K") })
		if c := within(t, other); c.Noun != driver.NounFlag || c.Name != "K" {
			t.Fatalf("when it listens again: %v", c)
		}
	}
}

// both writes what must be there together or not at all.
func both(ctx context.Context, tx driver.Tx, name string, between func()) error {
	if err := tx.AddSecretVersion(ctx, version("a", "t", name, 1)); err != nil {
		return err
	}
	between()
	return tx.PutSecret(ctx, head("a", "t", name))
}

// halves returns how much of both is there: 0, 1 or 2.
func halves(t *testing.T, st driver.Store, name string) (n int) {
	t.Helper()
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		_, err := tx.Secret(ctx, "a", "t", name)
		_, err2 := tx.SecretVersion(ctx, "a", "t", name, 1)
		for _, err := range []error{err, err2} {
			switch {
			case err == nil:
				n++
			case !errors.Is(err, driver.ErrNotFound):
				return err
			}
		}
		return nil
	})
	return n
}

func testBreak(t *testing.T, h Harness) {
	if h.Break == nil {
		t.Skip("part missing: this store declares that it has no connections")
	}
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return both(ctx, tx, "before", func() {}) })
	err := st.Update(t.Context(), func(tx driver.Tx) error {
		return both(t.Context(), tx, "broken", func() { h.Break(t, st) })
	})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("a write whose connection broke: %v", err)
	}
	err = st.Update(t.Context(), func(tx driver.Tx) error {
		err := both(t.Context(), tx, "ignored", func() { h.Break(t, st) })
		if err == nil {
			t.Error("a statement went through a broken connection")
		}
		return nil
	})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("a write that ignored that its connection broke: %v", err)
	}
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return both(ctx, tx, "after", func() {}) })
	h.Break(t, st)
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return both(ctx, tx, "idle", func() {}) })
	for name, want := range map[string]int{"before": 2, "broken": 0, "ignored": 0, "after": 2, "idle": 2} {
		if n := halves(t, st, name); n != want {
			t.Errorf("%s: %d of 2 rows, want %d", name, n, want)
		}
	}
}

// testBreaks writes while connections break at random moments, also between a commit and its answer.
func testBreaks(t *testing.T, h Harness) {
	if h.Break == nil {
		t.Skip("part missing: this store declares that it has no connections")
	}
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return both(ctx, tx, "first", func() {}) })
	var mu sync.Mutex
	outcome := map[string]error{}
	done := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				name := fmt.Sprint("w", w, "-", i)
				err := st.Update(t.Context(), func(tx driver.Tx) error { return both(t.Context(), tx, name, func() {}) })
				mu.Lock()
				outcome[name] = err
				mu.Unlock()
			}
		})
	}
	for range 12 {
		time.Sleep(time.Duration(10+rand.IntN(40)) * time.Millisecond)
		h.Break(t, st)
	}
	close(done)
	wg.Wait()
	failed := 0
	for name, err := range outcome {
		want := 2
		if err != nil {
			failed++
			want = 0
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s failed with %v", name, err)
			}
		}
		n := halves(t, st, name)
		if n != want && (n == 1 || fault.From(err) == nil || fault.From(err).Code != "outcome_unknown") {
			t.Errorf("%s ended with %v and has %d of its 2 rows", name, err, n)
		}
	}
	if len(outcome) == failed || failed == 0 {
		t.Errorf("%d of %d writes failed: nothing can be learned from that", failed, len(outcome))
	}
}
