package rotation_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// status is what the service says of K.
func status(t testing.TB, m *rotation.Manager, ctx context.Context) *rotation.Status {
	t.Helper()
	s, err := rotation.NewService(m).Status(ctx, "K", "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryStepThatFailsIsTriedAgain(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store) {
		for _, step := range []string{"create", "set", "test"} {
			secrets, ctx, w := secretsIn(t, st), as("app", "t-"+step), newWorld("first")
			setSecret(t, secrets, ctx, "K", "first")
			m := rotation.NewManager(st, secrets, rotation.WithBackoff(time.Hour, time.Hour))
			m.RegisterStaged("K", w)
			w.fails[step] = 2
			for i := range 2 {
				if err := m.RotateNow(ctx, "K", ""); !fault.Is(err, fault.Unavailable) {
					t.Fatalf("%s: %v", step, err)
				}
				s := status(t, m, ctx)
				if s.Attempt != i+1 || s.Failure == nil || s.Failure.Step != step || s.Holder != "" || s.DueAt == nil || time.Until(*s.DueAt) < 29*time.Minute {
					t.Errorf("%s: %+v %+v", step, s, s.Failure)
				}
				if value, _ := served(t, secrets, ctx, "K"); value != "first" {
					t.Errorf("%s: %q is served", step, value)
				}
			}
			if err := m.RotateNow(ctx, "K", ""); err != nil { // minds no backoff
				t.Fatal(err)
			}
			value, version := served(t, secrets, ctx, "K")
			if got := history(t, st, ctx, "K"); !slices.Equal(got, []string{"rotated", "failed", "failed"}) || version != 2 || !w.takes(value) || w.tokens() != 1 {
				t.Errorf("%s: history %v, version %d, %d tokens", step, got, version, w.tokens())
			}
			if s := status(t, m, ctx); s.Attempt != 0 || s.Failure != nil || s.State != "current" {
				t.Errorf("%s: %+v", step, s)
			}
		}
	})
}

// A former value works until its grace period ends, and is retired then; a rotation before that retires it first.
func TestTheGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := stores["memory"](t)
		secrets, ctx, w := secretsIn(t, st), as("app", "t"), newWorld("first")
		setSecret(t, secrets, ctx, "K", "first")
		save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: 100 * time.Hour, Grace: 10 * time.Hour, Enabled: true})
		m := rotation.NewManager(st, secrets)
		m.RegisterStaged("K", w)
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(99 * time.Hour)
		if w.count() != 0 {
			t.Error("it was rotated before it was due")
		}
		time.Sleep(time.Hour + 2*time.Minute)
		if _, version := served(t, secrets, ctx, "K"); version != 2 || !w.takes("first") || !w.takes("made 1") {
			t.Errorf("version %d, the world %v", version, w.accepts)
		}
		time.Sleep(9 * time.Hour)
		if !w.takes("first") {
			t.Error("it was retired before the grace period ended")
		}
		time.Sleep(time.Hour + time.Minute)
		if w.takes("first") || status(t, m, ctx).State != "idle" {
			t.Errorf("the world %v, %+v", w.accepts, status(t, m, ctx))
		}
		time.Sleep(90 * time.Hour)
		if err := m.RotateNow(ctx, "K", ""); err != nil { // twice within a grace period
			t.Fatal(err)
		}
		value, version := served(t, secrets, ctx, "K")
		if version != 4 || w.takes("made 1") || !w.takes("made 2") || !w.takes(value) {
			t.Errorf("%q at version %d, the world %v", value, version, w.accepts)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAPolicyThatIsNotEnabledDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := stores["memory"](t)
		secrets, ctx, w := secretsIn(t, st), as("app", "t"), newWorld("first")
		setSecret(t, secrets, ctx, "K", "first")
		off := rotation.Policy{SecretKey: "K", Interval: 4 * time.Hour, Grace: time.Hour}
		save(t, st, ctx, off)
		m := rotation.NewManager(st, secrets)
		m.RegisterStaged("K", w)
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Hour)
		if w.count() != 0 {
			t.Error("it was rotated")
		}
		if err := m.RotateNow(ctx, "K", ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Hour)
		if !w.takes("first") || status(t, m, ctx).DueAt != nil {
			t.Error("retiring is something that happens by itself, too")
		}
		off.Enabled = true
		save(t, st, ctx, off)
		time.Sleep(2 * time.Minute)
		if w.takes("first") {
			t.Error("switched on, it does not go on")
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// A rotation begins inside a window only. One that was due while no process ran waits for the next.
func TestWindowsBindTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock begins on a Saturday, 2000-01-01 at midnight UTC
		st := stores["memory"](t)
		secrets, ctx := secretsIn(t, st), as("app", "t")
		setSecret(t, secrets, ctx, "K", "first")
		save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, Rotator: rotation.KindToken,
			Windows: []rotation.Window{{Days: []string{"sun"}, From: "02:00", To: "04:00"}}})
		m := rotation.NewManager(st, secrets)
		version := func() int64 { _, v := served(t, secrets, ctx, "K"); return v }
		time.Sleep(29 * time.Hour) // Sunday, 05:00: the window went by
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * 24 * time.Hour)
		if version() != 1 {
			t.Error("it was rotated outside of its window")
		}
		if s := status(t, m, ctx); s.DueAt == nil || s.DueAt.Weekday() != time.Sunday || s.DueAt.Hour() != 2 || s.Fence > 2 {
			t.Errorf("%+v", s)
		}
		time.Sleep(23 * time.Hour)
		if version() != 3 { // at 02:00, and after an hour again
			t.Errorf("version %d after the window began", version())
		}
		time.Sleep(24 * time.Hour)
		if v := version(); v != 3 {
			t.Errorf("version %d a day later", v)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// Setting a secret by hand while its rotation is under way stops the run, and loses neither value.
func TestASecretThatWasSetMeanwhile(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store) {
		secrets, ctx, w := secretsIn(t, st), as("app", "t"), newWorld("first")
		setSecret(t, secrets, ctx, "K", "first")
		m := rotation.NewManager(st, secrets)
		m.RegisterStaged("K", w)
		w.fails["test"] = 1
		if err := m.RotateNow(ctx, "K", ""); err == nil {
			t.Fatal("the test step does not fail")
		}
		setSecret(t, secrets, ctx, "K", "by hand")
		err := m.RotateNow(ctx, "K", "")
		if code(err) != "SecretChanged" || !strings.Contains(fault.From(err).Hint, "version 2") || w.tests != 1 {
			t.Fatalf("%v, %d tests", err, w.tests)
		}
		known(t, st, secrets, ctx, &world{accepts: map[string]bool{"by hand": true, "made 1": true, "first": true}})
		abandon(t, m, ctx, "K")
		if value, version := served(t, secrets, ctx, "K"); value != "by hand" || version != 3 {
			t.Errorf("%q at %d", value, version)
		}
		if got := history(t, st, ctx, "K"); !slices.Equal(got, []string{"abandoned", "failed", "failed"}) {
			t.Errorf("history %v", got)
		}
		if err := m.RotateNow(ctx, "K", ""); err != nil {
			t.Fatal(err)
		}
		if value, version := served(t, secrets, ctx, "K"); value != "made 2" || version != 4 {
			t.Errorf("%q at %d", value, version)
		}
		if err := rotation.NewService(m).Abandon(ctx, "K", ""); code(err) != "NothingToAbandon" {
			t.Errorf("abandoning what has ended: %v", err)
		}
	})
}

// Before its value is staged, a run follows whatever is served.
func TestASecretThatWasSetBeforeStaging(t *testing.T) {
	st := stores["memory"](t)
	secrets, ctx := secretsIn(t, st), as("app", "t")
	setSecret(t, secrets, ctx, "K", "first")
	m := rotation.NewManager(st, secrets)
	once := true
	m.RegisterRotator("K", func(_ context.Context, current []byte) ([]byte, error) {
		if once {
			once = false
			setSecret(t, secrets, ctx, "K", "by hand")
		}
		return append([]byte("after "), current...), nil
	})
	if err := m.RotateNow(ctx, "K", ""); !fault.Is(err, fault.Conflict) {
		t.Fatal(err)
	}
	if err := m.RotateNow(ctx, "K", ""); err != nil {
		t.Fatal(err)
	}
	if value, _ := served(t, secrets, ctx, "K"); value != "after by hand" {
		t.Errorf("%q", value)
	}
}

// What a run is told stays the same until it ends, whatever the policy says by then.
func TestARunKeepsItsDefinition(t *testing.T) {
	st := stores["memory"](t)
	secrets, ctx, w := secretsIn(t, st), as("app", "t"), newWorld("first")
	setSecret(t, secrets, ctx, "K", "first")
	m := rotation.NewManager(st, secrets)
	m.RegisterKind("world", w)
	save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, Rotator: "world"})
	w.fails["set"] = 1
	if err := m.RotateNow(ctx, "K", ""); err == nil {
		t.Fatal("the set step does not fail")
	}
	save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, Rotator: rotation.KindToken})
	for i, want := range []bool{true, false} {
		if err := m.RotateNow(ctx, "K", ""); err != nil {
			t.Fatal(err)
		}
		if value, _ := served(t, secrets, ctx, "K"); w.takes(value) != want {
			t.Errorf("rotation %d: %q", i, value)
		}
	}
	if w.takes("first") {
		t.Error("the second rotation did not retire what the first left")
	}
}

// What this process does not know it leaves to one that does.
func TestAnUnknownRotatorIsLeftToOthers(t *testing.T) {
	st := stores["memory"](t)
	secrets, ctx := secretsIn(t, st), as("app", "t")
	setSecret(t, secrets, ctx, "K", "first")
	save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, NextRotationAt: long()})
	ignorant := rotation.NewManager(st, secrets, rotation.WithCheckInterval(time.Millisecond))
	start(t, ignorant)
	time.Sleep(20 * time.Millisecond)
	if s := status(t, ignorant, ctx); s.Fence != 0 || !s.Overdue || len(history(t, st, ctx, "K")) > 0 {
		t.Errorf("%+v", s)
	}
	knows := rotation.NewManager(st, secrets, rotation.WithCheckInterval(time.Millisecond))
	knows.RegisterRotator("K", func(context.Context, []byte) ([]byte, error) { return []byte("second"), nil })
	start(t, knows)
	until(t, "a rotation", func() bool { return len(history(t, st, ctx, "K")) == 1 })
}

func TestTheFirstValueOfASecret(t *testing.T) {
	onLocalStores(t, func(t *testing.T, st store) {
		secrets, ctx := secretsIn(t, st), as("app", "t")
		m := rotation.NewManager(st, secrets)
		m.RegisterRotator("OTHER", func(context.Context, []byte) ([]byte, error) { return []byte("x"), nil })
		if err := m.RotateNow(ctx, "OTHER", ""); code(err) != "SecretNotFound" {
			t.Errorf("a function replaces: %v", err)
		}
		save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, Rotator: rotation.KindPassword})
		rec, err := rotation.NewService(m).RotateNow(ctx, "K", "")
		if err != nil || rec.OldVersion != 0 || rec.NewVersion != 1 || rec.RotatedBy != "ann" || rec.Outcome != rotation.Rotated {
			t.Fatalf("%+v, %v", rec, err)
		}
		if value, version := served(t, secrets, ctx, "K"); len(value) != 32 || version != 1 {
			t.Errorf("%q at %d", value, version)
		}
		if err := secrets.Delete(ctx, "K", ""); err != nil {
			t.Fatal(err)
		}
		if err := m.RotateNow(ctx, "K", ""); code(err) != "SecretNotFound" {
			t.Errorf("a secret that was deleted came back: %v", err)
		}
	})
}

// misbehaving is a rotator that does what it must not.
type misbehaving struct {
	create func(ctx context.Context, s rotation.Step) (sealed.Value, error)
}

func (m misbehaving) Create(ctx context.Context, s rotation.Step) (sealed.Value, error) {
	return m.create(ctx, s)
}
func (misbehaving) Set(context.Context, rotation.Step) error  { return nil }
func (misbehaving) Test(context.Context, rotation.Step) error { return nil }

func TestRotatorsThatMisbehave(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, tc := range map[string]struct {
		create func(ctx context.Context, s rotation.Step) (sealed.Value, error)
		code   string
	}{
		"panics": {func(context.Context, rotation.Step) (sealed.Value, error) { panic("canary") }, "RotatorPanic"},
		"does not listen": {func(context.Context, rotation.Step) (sealed.Value, error) {
			<-release
			return sealed.Value{}, nil
		}, "StepTimeout"},
		"listens": {func(ctx context.Context, _ rotation.Step) (sealed.Value, error) {
			<-ctx.Done()
			return sealed.Value{}, ctx.Err()
		}, "StepTimeout"},
		"returns nothing": {func(context.Context, rotation.Step) (sealed.Value, error) { return sealed.Value{}, nil }, ""},
		"returns an empty value": {func(context.Context, rotation.Step) (sealed.Value, error) {
			return sealed.NewString(""), nil
		}, ""},
		"returns too much": {func(context.Context, rotation.Step) (sealed.Value, error) {
			return sealed.NewString(strings.Repeat("x", secret.DefaultMaxSize+1)), nil
		}, ""},
		"says that it was cancelled": {func(context.Context, rotation.Step) (sealed.Value, error) {
			return sealed.Value{}, fault.New(fault.Canceled, "not by us")
		}, ""},
		"fails strangely": {func(context.Context, rotation.Step) (sealed.Value, error) {
			return sealed.Value{}, errors.New("canary")
		}, "RotatorFailed"},
	} {
		t.Run(name, func(t *testing.T) {
			st := stores["memory"](t)
			secrets, ctx := secretsIn(t, st), as("app", "t")
			setSecret(t, secrets, ctx, "K", "first")
			m := rotation.NewManager(st, secrets, rotation.WithStepTimeout(20*time.Millisecond))
			m.RegisterStaged("K", misbehaving{tc.create})
			err := m.RotateNow(ctx, "K", "")
			if err == nil || code(err) != tc.code && tc.code != "" {
				t.Fatalf("%v (%s)", err, code(err))
			}
			s := status(t, m, ctx)
			if value, _ := served(t, secrets, ctx, "K"); value != "first" || s.Failure == nil || s.Holder != "" || strings.Contains(s.Failure.Message, "canary") {
				t.Errorf("%q, %+v %+v", value, s, s.Failure)
			}
		})
	}
}

// A rotator runs inside the tenant of its policy, as the rotation manager, whoever asked.
func TestTheScopeOfARotator(t *testing.T) {
	st := stores["memory"](t)
	secrets := secretsIn(t, st)
	ctx := scope.WithScope(context.Background(), "app", "system", "ann", "10.0.0.1")
	setSecret(t, secrets, ctx, "K", "first")
	m := rotation.NewManager(st, secrets, rotation.WithAppID("app"))
	var got [4]string
	m.RegisterRotator("K", func(ctx context.Context, _ []byte) ([]byte, error) {
		got[0], got[1], got[2], got[3] = scope.FromContext(ctx)
		return []byte("second"), nil
	})
	if err := m.RotateNow(ctx, "K", ""); err != nil || got != [4]string{"app", "system", "system/rotation-manager", ""} {
		t.Errorf("%q, %v", got, err)
	}
}

// The lease is renewed all the while a step runs, and lost when it cannot be.
func TestALongStepKeepsItsLease(t *testing.T) {
	onLocalStores(t, func(t *testing.T, st store) {
		secrets, ctx := secretsIn(t, st), as("app", "t")
		setSecret(t, secrets, ctx, "K", "first")
		save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, NextRotationAt: long()})
		var calls atomic.Int32
		slow := func(context.Context, []byte) ([]byte, error) {
			calls.Add(1)
			time.Sleep(1500 * time.Millisecond) // more than two leases
			return []byte("second"), nil
		}
		for range 2 {
			m := rotation.NewManager(st, secrets, rotation.WithLease(600*time.Millisecond), rotation.WithCheckInterval(10*time.Millisecond))
			m.RegisterRotator("K", slow)
			start(t, m)
		}
		until(t, "the rotation", func() bool { return len(history(t, st, ctx, "K")) > 0 })
		if got := history(t, st, ctx, "K"); calls.Load() != 1 || len(got) != 1 {
			t.Errorf("%d calls, history %v", calls.Load(), got)
		}
	})
}

// A lease that was given away while a step runs cancels the step.
func TestAStepIsCancelledWhenItsLeaseIsLost(t *testing.T) {
	st := stores["memory"](t)
	secrets, ctx := secretsIn(t, st), as("app", "t")
	setSecret(t, secrets, ctx, "K", "first")
	m := rotation.NewManager(st, secrets, rotation.WithLease(60*time.Millisecond))
	m.RegisterRotator("K", func(step context.Context, _ []byte) ([]byte, error) {
		expire(t, st, ctx)
		err := st.Update(ctx, func(tx driver.Tx) error {
			_, ok, err := tx.ClaimRotation(ctx, "app", "t", "K", "another", tx.Now()+int64(time.Hour/time.Microsecond))
			if !ok {
				t.Error("the lease is not given")
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		<-step.Done()
		return nil, step.Err()
	})
	if err := m.RotateNow(ctx, "K", ""); code(err) != "StaleFence" {
		t.Error(err)
	}
	if err := m.RotateNow(ctx, "K", ""); code(err) != "RotationHeld" {
		t.Error(err)
	}
	if err := rotation.NewService(m).Abandon(ctx, "K", ""); code(err) != "RotationHeld" {
		t.Error(err)
	}
	if s := status(t, m, ctx); s.Holder != "another" || s.LeaseUntil == nil || len(history(t, st, ctx, "K")) > 0 {
		t.Errorf("%+v", s)
	}
}

// Stop interrupts a step, records no failure, and leaves the run to whoever comes next.
func TestStopIsNoFailure(t *testing.T) {
	onLocalStores(t, func(t *testing.T, st store) {
		secrets, ctx := secretsIn(t, st), as("app", "t")
		setSecret(t, secrets, ctx, "K", "first")
		save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, NextRotationAt: long()})
		m := rotation.NewManager(st, secrets)
		begun := make(chan struct{})
		m.RegisterRotator("K", func(ctx context.Context, _ []byte) ([]byte, error) {
			close(begun)
			<-ctx.Done()
			return nil, ctx.Err()
		})
		if err := m.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		<-begun
		if err := m.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if s := status(t, m, ctx); s.Holder != "" || s.Attempt != 0 || s.State != "creating" || len(history(t, st, ctx, "K")) > 0 {
			t.Errorf("%+v, history %v", s, history(t, st, ctx, "K"))
		}
		m.RegisterRotator("K", func(context.Context, []byte) ([]byte, error) { return []byte("second"), nil })
		start(t, m)
		until(t, "the rotation", func() bool { return len(history(t, st, ctx, "K")) == 1 })
	})
}

func TestStopWaitsOnlySoLong(t *testing.T) {
	st := stores["memory"](t)
	secrets, ctx := secretsIn(t, st), as("app", "t")
	setSecret(t, secrets, ctx, "K", "first")
	save(t, st, ctx, rotation.Policy{SecretKey: "K", Interval: time.Hour, Enabled: true, NextRotationAt: long()})
	m := rotation.NewManager(st, secrets)
	begun, release := make(chan struct{}), make(chan struct{})
	m.RegisterRotator("K", func(context.Context, []byte) ([]byte, error) {
		close(begun)
		<-release
		return []byte("second"), nil
	})
	if err := m.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	<-begun
	soon, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := m.Stop(soon); !fault.Is(err, fault.Timeout) {
		t.Error(err)
	}
	close(release)
	if err := m.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
