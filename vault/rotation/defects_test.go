package rotation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// The rows f to f5 of the table of defects (reference: the nearest peer of this wing), each shown to be absent.

// Row f: two replicas rotated one due policy twice, 1 -> 2 and 1 -> 3.
func TestDefectF_TwoReplicasRotateOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store) {
		secrets, ctx := secretsIn(t, st), as("myapp", "t")
		setSecret(t, secrets, ctx, "K", "first")
		save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, NextRotationAt: long()})
		var calls atomic.Int32
		for range 4 {
			m := rotation.NewManager(st, secrets, rotation.WithCheckInterval(3*time.Millisecond))
			m.RegisterRotator("K", func(context.Context, []byte) ([]byte, error) {
				calls.Add(1)
				time.Sleep(20 * time.Millisecond)
				return []byte("second"), nil
			})
			start(t, m)
		}
		until(t, "a rotation", func() bool { return len(history(t, st, ctx, "K")) > 0 })
		time.Sleep(60 * time.Millisecond)
		value, version := served(t, secrets, ctx, "K")
		if got := history(t, st, ctx, "K"); calls.Load() != 1 || !slices.Equal(got, []string{"rotated"}) || value != "second" || version != 2 {
			t.Errorf("%d calls, history %v, %q at version %d", calls.Load(), got, value, version)
		}
	})
}

// Row f2: only the app that the manager was made with was rotated; without one, none.
func TestDefectF2_EveryAppAndTenantRotates(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store) {
		secrets := secretsIn(t, st)
		owners := [][2]string{{"app1", "t1"}, {"app1", "t2"}, {"app2", "t1"}, {"app2", "system"}}
		for _, o := range owners {
			ctx := as(o[0], o[1])
			setSecret(t, secrets, ctx, "K", "first of "+o[0]+o[1])
			save(t, st, ctx, rotation.Policy{SecretKey: "K", AppID: o[0], Interval: time.Hour, Enabled: true, NextRotationAt: long()})
		}
		m := rotation.NewManager(st, secrets, rotation.WithAppID("app1"), rotation.WithCheckInterval(5*time.Millisecond))
		m.RegisterRotator("K", func(_ context.Context, current []byte) ([]byte, error) {
			return append(current, " then second"...), nil
		})
		start(t, m)
		for _, o := range owners {
			ctx := as(o[0], o[1])
			until(t, fmt.Sprint("a rotation of ", o), func() bool { return len(history(t, st, ctx, "K")) == 1 })
			if value, version := served(t, secrets, ctx, "K"); value != "first of "+o[0]+o[1]+" then second" || version != 2 {
				t.Errorf("%v: %q at version %d", o, value, version)
			}
			p, err := st.GetRotationPolicy(ctx, "K", o[0])
			if err != nil || p.LastRotatedAt == nil || p.NextRotationAt == nil || !p.NextRotationAt.After(time.Now()) {
				t.Errorf("%v: %+v, %v", o, p, err)
			}
		}
	})
}

// Row f3: rotating erased metadata and expiry.
func TestDefectF3_MetadataAndExpirySurvive(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store) {
		secrets, ctx := secretsIn(t, st), as("myapp", "t")
		expires := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Microsecond)
		setSecret(t, secrets, ctx, "K", "first", secret.WithMetadata(map[string]string{"owner": "dba"}), secret.WithExpiresAt(expires))
		m := rotation.NewManager(st, secrets)
		m.RegisterRotator("K", func(context.Context, []byte) ([]byte, error) { return []byte("second"), nil })
		for range 2 {
			if err := m.RotateNow(ctx, "K", "myapp"); err != nil {
				t.Fatal(err)
			}
		}
		s, err := secrets.Get(ctx, "K", "")
		if err != nil || s.Version != 3 || s.Metadata["owner"] != "dba" || s.ExpiresAt == nil || !s.ExpiresAt.Equal(expires) {
			t.Fatalf("%+v, %v", s, err)
		}
	})
}

// A policy's lifetime gives each version an expiry of its own, also after the former has passed.
func TestALifetimeRenewsTheExpiry(t *testing.T) {
	onLocalStores(t, func(t *testing.T, st store) {
		secrets, ctx := secretsIn(t, st), as("myapp", "t")
		setSecret(t, secrets, ctx, "K", "first", secret.WithExpiresAt(time.Now().Add(200*time.Millisecond)))
		time.Sleep(210 * time.Millisecond)
		m := rotation.NewManager(st, secrets)
		m.RegisterRotator("K", func(context.Context, []byte) ([]byte, error) { return []byte("second"), nil })
		if err := m.RotateNow(ctx, "K", ""); !errors.Is(err, secret.ErrExpired) {
			t.Fatalf("an expired secret without a lifetime: %v", err)
		}
		save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Lifetime: 2 * time.Hour, Enabled: true})
		abandon(t, m, ctx, "K") // the run under way was told nothing of a lifetime
		if err := m.RotateNow(ctx, "K", ""); err != nil {
			t.Fatal(err)
		}
		s, err := secrets.Get(ctx, "K", "")
		if err != nil || s.ExpiresAt == nil || time.Until(*s.ExpiresAt) < 119*time.Minute || time.Until(*s.ExpiresAt) > 121*time.Minute {
			t.Fatalf("%+v, %v", s, err)
		}
	})
}

func abandon(t *testing.T, m *rotation.Manager, ctx context.Context, key string) {
	t.Helper()
	if err := rotation.NewService(m).Abandon(ctx, key, ""); err != nil {
		t.Fatal(err)
	}
}

// breaking is a store whose next writes fail.
type breaking struct {
	store
	fail atomic.Int32
}

func (b *breaking) Update(ctx context.Context, fn func(driver.Tx) error) error {
	if b.fail.Add(-1) >= 0 {
		return fault.New(fault.Unavailable, "the disk is full")
	}
	return b.store.Update(ctx, fn)
}

// Row f4: the store failed after the rotator had changed the database, and the vault kept the old password only.
func TestDefectF4_TheCredentialIsNeverLost(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store) {
		st := &breaking{store: inner}
		table := rotation.NewTable(st)
		secrets, ctx := secretsIn(t, inner), as("myapp", "t")
		setSecret(t, secrets, ctx, "K", "first")
		w := newWorld("first")
		m := rotation.NewManager(table, secrets, rotation.WithLease(50*time.Millisecond))
		m.RegisterStaged("K", &setThenBreak{world: w, st: st})
		err := m.RotateNow(ctx, "K", "")
		if !fault.Is(err, fault.Unavailable) {
			t.Fatalf("the failing write: %v", err)
		}
		if value, _ := served(t, secrets, ctx, "K"); value != "first" || !w.takes("made 1") || !w.takes("first") {
			t.Fatalf("served %q, the world %v", value, w.accepts)
		}
		st.fail.Store(0)
		until(t, "the lease to end", func() bool { err = m.RotateNow(ctx, "K", ""); return code(err) != "RotationHeld" })
		value, version := served(t, secrets, ctx, "K")
		if err != nil || value != "made 1" || version != 2 || !w.takes(value) || w.made != 1 || w.tokens() != 1 {
			t.Errorf("%v: served %q at %d, the world %v", err, value, version, w.accepts)
		}
	})
}

// setThenBreak changes the world, and then the disk is full.
type setThenBreak struct {
	*world
	st   *breaking
	once sync.Once
}

func (s *setThenBreak) Set(ctx context.Context, step rotation.Step) error {
	defer s.once.Do(func() { s.st.fail.Store(1000) })
	return s.world.Set(ctx, step)
}

// The simple form makes the value before it is kept. A value that the store did not take is not forgotten: the function is
// not asked again.
func TestDefectF4_TheSimpleFormIsAskedOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store) {
		st := &breaking{store: inner}
		secrets, ctx := secretsIn(t, inner), as("myapp", "t")
		setSecret(t, secrets, ctx, "K", "first")
		m := rotation.NewManager(rotation.NewTable(st), secrets, rotation.WithLease(50*time.Millisecond))
		live, calls := "first", 0
		m.RegisterRotator("K", func(context.Context, []byte) ([]byte, error) {
			calls++
			live = fmt.Sprint("changed in the database ", calls)
			st.fail.Store(1000)
			return []byte(live), nil
		})
		if err := m.RotateNow(ctx, "K", ""); !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
		st.fail.Store(0)
		var err error
		until(t, "the lease to end", func() bool { err = m.RotateNow(ctx, "K", ""); return code(err) != "RotationHeld" })
		if value, _ := served(t, secrets, ctx, "K"); err != nil || value != live || calls != 1 {
			t.Errorf("%v: served %q, live %q after %d calls", err, value, live, calls)
		}
	})
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

// Row f5: 15 calls in 300 ms and no record of a failure; a second Start leaked a goroutine.
func TestDefectF5_FailuresBackOffAndAreRecorded(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store) {
		secrets, ctx := secretsIn(t, st), as("myapp", "t")
		setSecret(t, secrets, ctx, "K", "first")
		save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, NextRotationAt: long()})
		var calls atomic.Int32
		m := rotation.NewManager(st, secrets, rotation.WithCheckInterval(20*time.Millisecond), rotation.WithBackoff(80*time.Millisecond, time.Minute))
		m.RegisterRotator("K", func(context.Context, []byte) ([]byte, error) {
			calls.Add(1)
			return nil, errors.New("password first is wrong")
		})
		begun := time.Now()
		start(t, m)
		list := func() ([]*rotation.Record, error) { return st.ListRotationRecords(ctx, "K", "", rotation.ListOpts{}) }
		until(t, "a second record", func() bool { records, _ := list(); return len(records) >= 2 })
		if err := m.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		most := 2 + int(time.Since(begun)/(60*time.Millisecond)) // without backing off: one every 20 ms
		records, err := list()
		// An attempt that Stop interrupts is no failure, so that one call may be without a record.
		if n := int(calls.Load()); err != nil || n < 2 || n > most || len(records) < n-1 || len(records) > n {
			t.Fatalf("%d calls, %d records, %v", n, len(records), err)
		}
		for i, r := range records {
			if r.Outcome != rotation.Failed || r.Failure == nil || r.Step != "create" || r.Attempt != len(records)-i || r.OldVersion != 1 ||
				r.RotatedBy != rotation.Actor || r.Failure.Kind != "failed" || r.Failure.Message == "" {
				t.Errorf("record %d: %+v %+v", i, r, r.Failure)
			}
			if text := fmt.Sprintf("%+v", r.Failure); strings.Contains(text, "password") {
				t.Errorf("the history quotes the rotator: %s", text)
			}
		}
		if value, version := served(t, secrets, ctx, "K"); value != "first" || version != 1 {
			t.Errorf("%q at %d", value, version)
		}
	})
}

func TestDefectF5_StartingTwiceLeaksNothing(t *testing.T) {
	st := stores["memory"](t)
	before := goleak.IgnoreCurrent()
	m := rotation.NewManager(st, secretsIn(t, st), rotation.WithCheckInterval(time.Millisecond))
	for range 3 {
		for range 3 {
			if err := m.Start(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := m.Stop(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := m.Start(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	goleak.VerifyNone(t, before)
	if err := m.Start(context.Background()); err != nil { // its context ended: it can start again
		t.Fatal(err)
	}
	if err := m.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, before)
}
