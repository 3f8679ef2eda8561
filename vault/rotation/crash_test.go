package rotation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// points is every place between two effects of a rotation, in order.
var points = []string{"claimed", "begun", "created", "staged", "before set", "called set", "after set", "before tested", "called tested",
	"after tested", "before promote", "promoted"}

// retirePoints is the same for retiring.
var retirePoints = []string{"claimed", "before retire", "called retire"}

var errCrash = errors.New("the process is gone")

// crashAt ends the first attempt that comes to a point.
func crashAt(m *rotation.Manager, point string) {
	rotation.Probe(m, func(at string) error {
		if at == point {
			return errCrash
		}
		return nil
	})
}

// A crash at any point: at no time does the world accept a value that the vault does not have, what is served is always
// accepted, and another process ends the run with the same token, as if nothing had happened.
func TestACrashAnywhereIsResumed(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store) {
		secrets := secretsIn(t, st)
		for i, point := range points {
			t.Run(point, func(t *testing.T) {
				ctx, w := as("myapp", fmt.Sprint("t", i)), newWorld("first")
				setSecret(t, secrets, ctx, "K", "first")
				save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Grace: rotation.NoGrace, Enabled: true, NextRotationAt: long()})
				doomed := rotation.NewManager(st, secrets, rotation.WithLease(30*time.Millisecond))
				doomed.RegisterStaged("K", w)
				crashAt(doomed, point)
				if err := doomed.RotateNow(ctx, "K", ""); !errors.Is(err, errCrash) {
					t.Fatalf("the crash did not happen: %v", err)
				}
				known(t, st, secrets, ctx, w)
				next := rotation.NewManager(st, secrets, rotation.WithCheckInterval(5*time.Millisecond))
				next.RegisterStaged("K", w)
				start(t, next)
				until(t, "the former value to be retired", func() bool { return !w.takes("first") })
				until(t, "the run to end", func() bool { return idle(t, st, ctx) })
				value, version := served(t, secrets, ctx, "K")
				if got := history(t, st, ctx, "K"); !slices.Equal(got, []string{"rotated"}) || version != 2 || !w.takes(value) {
					t.Errorf("history %v, served %q at version %d, the world %v", got, value, version, w.accepts)
				}
				if w.tokens() != 1 || len(w.sets) > 2 {
					t.Errorf("set with the tokens %v", w.sets)
				}
			})
		}
	})
}

func idle(t *testing.T, st store, ctx context.Context) bool {
	t.Helper()
	s, err := rotation.NewService(rotation.NewManager(st, secretsIn(t, st))).Status(ctx, "K", "")
	if err != nil {
		t.Fatal(err)
	}
	return s.State == "idle" && s.Holder == ""
}

// known checks that the vault can open every value that the world accepts, and that the world accepts what is served.
func known(t *testing.T, st store, secrets *secret.Service, ctx context.Context, w *world) {
	t.Helper()
	if value, _ := served(t, secrets, ctx, "K"); !w.takes(value) {
		t.Errorf("%q is served, the world accepts %v", value, w.accepts)
	}
	c := ownerOf(ctx)
	have := map[string]bool{}
	err := st.View(ctx, func(tx driver.Tx) error {
		for n := int64(1); n < 4; n++ {
			v, err := secrets.ReadVersion(ctx, tx, c, "K", n)
			if err == nil {
				have[string(reveal.Inside(v))] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for v := range w.accepts {
		if !have[v] {
			t.Errorf("the world accepts %q, which the vault does not have: %v", v, have)
		}
	}
}

func TestACrashWhileRetiringIsResumed(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store) {
		secrets := secretsIn(t, st)
		for i, point := range retirePoints {
			t.Run(point, func(t *testing.T) {
				ctx, w := as("myapp", fmt.Sprint("r", i)), newWorld("first")
				setSecret(t, secrets, ctx, "K", "first")
				save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Grace: time.Microsecond, Enabled: true})
				doomed := rotation.NewManager(st, secrets, rotation.WithLease(30*time.Millisecond), rotation.WithCheckInterval(time.Millisecond))
				doomed.RegisterStaged("K", w)
				if err := doomed.RotateNow(ctx, "K", ""); err != nil {
					t.Fatal(err)
				}
				crashed := make(chan struct{}, 100)
				rotation.Probe(doomed, func(at string) error {
					if at != point {
						return nil
					}
					select {
					case crashed <- struct{}{}:
					default:
					}
					return errCrash
				})
				if err := doomed.Start(context.Background()); err != nil {
					t.Fatal(err)
				}
				<-crashed
				if err := doomed.Stop(context.Background()); err != nil {
					t.Fatal(err)
				}
				known(t, st, secrets, ctx, w)
				next := rotation.NewManager(st, secrets, rotation.WithCheckInterval(5*time.Millisecond))
				next.RegisterStaged("K", w)
				start(t, next)
				until(t, "the run to end", func() bool { return idle(t, st, ctx) })
				if value, _ := served(t, secrets, ctx, "K"); w.takes("first") || !w.takes(value) || !slices.Equal(w.retired, []string{"first"}) {
					t.Errorf("served %q, the world %v, retired %v", value, w.accepts, w.retired)
				}
			})
		}
	})
}

// A process that stood still for longer than its lease comes back: what it writes then is refused, and the world has seen
// its value and its token only.
func TestAStaleHolderIsRefused(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store) {
		for _, point := range []string{"created", "staged", "called set", "called tested", "before promote"} {
			t.Run(point, func(t *testing.T) {
				secrets, ctx, w := secretsIn(t, st), as("myapp", "t-"+point), newWorld("first")
				setSecret(t, secrets, ctx, "K", "first")
				slow := rotation.NewManager(st, secrets, rotation.WithLease(time.Hour))
				fast := rotation.NewManager(st, secrets)
				slow.RegisterStaged("K", w)
				fast.RegisterStaged("K", w)
				rotation.Probe(slow, func(at string) error {
					if at != point {
						return nil
					}
					expire(t, st, ctx)
					return fast.RotateNow(ctx, "K", "")
				})
				err := slow.RotateNow(ctx, "K", "")
				value, version := served(t, secrets, ctx, "K")
				if code(err) != "StaleFence" || version != 2 || !w.takes(value) || w.tokens() != 1 {
					t.Errorf("%v: served %q at %d, the world %v", err, value, version, w.accepts)
				}
				if got := history(t, st, ctx, "K"); !slices.Equal(got, []string{"rotated"}) {
					t.Errorf("history %v", got)
				}
			})
		}
	})
}

// expire lets the lease of K end, as standing still does.
func expire(t *testing.T, st store, ctx context.Context) {
	t.Helper()
	o := ownerOf(ctx)
	err := st.Update(ctx, func(tx driver.Tx) error {
		row, err := tx.Rotation(ctx, o.App, o.Tenant, "K")
		if err != nil {
			return err
		}
		return tx.ExtendRotation(ctx, o.App, o.Tenant, "K", row.Fence, 0)
	})
	if err != nil {
		t.Fatal(err)
	}
}
