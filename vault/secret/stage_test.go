package secret_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

var ownerT = secret.Owner{App: "myapp", Tenant: "t"}

// inTx runs fn in a write transaction of its own.
func inTx(t testing.TB, st driver.Store, fn func(ctx context.Context, tx driver.Tx) error) error {
	t.Helper()
	return st.Update(t.Context(), func(tx driver.Tx) error { return fn(t.Context(), tx) })
}

func stage(t testing.TB, st driver.Store, svc *secret.Service, o secret.Owner, name, value string, opts ...secret.SetOption) (n int64, err error) {
	t.Helper()
	err = inTx(t, st, func(ctx context.Context, tx driver.Tx) error {
		n, err = svc.Stage(ctx, tx, o, name, sealed.NewString(value), opts...)
		return err
	})
	return n, err
}

func promote(t testing.TB, st driver.Store, svc *secret.Service, version, expected int64, opts ...secret.PromoteOption) error {
	t.Helper()
	return inTx(t, st, func(ctx context.Context, tx driver.Tx) error {
		return svc.Promote(ctx, tx, ownerT, "K", version, expected, opts...)
	})
}

func discard(t testing.TB, st driver.Store, svc *secret.Service, version int64) error {
	t.Helper()
	return inTx(t, st, func(ctx context.Context, tx driver.Tx) error { return svc.Discard(ctx, tx, ownerT, "K", version) })
}

func readVersion(t testing.TB, st driver.Store, svc *secret.Service, version int64) (out string, err error) {
	t.Helper()
	err = inTx(t, st, func(ctx context.Context, tx driver.Tx) error {
		v, err := svc.ReadVersion(ctx, tx, ownerT, "K", version)
		out = string(reveal.Inside(v))
		return err
	})
	return out, err
}

func TestAStagedVersionIsServedOncePromoted(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		now := time.Now()
		svc := service(t, st, secret.WithClock(func() time.Time { return now }))
		end := now.Add(24 * time.Hour)
		set(t, svc, "t", "K", "one", secret.WithMetadata(map[string]string{"owner": "dba"}), secret.WithDestinations(local), secret.WithExpiresAt(end))
		n, err := stage(t, st, svc, ownerT, "K", "two", secret.WithCreatedBy("system/rotation-manager"))
		if err != nil || n != 2 {
			t.Fatalf("version %d, %v", n, err)
		}
		if got := open(t, must(svc.Get(as("t"), "K", "")), nil); got != "one" {
			t.Errorf("while it is pending %q is served", got)
		}
		if _, err := svc.GetVersion(as("t"), "K", "", 2); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("a pending version is read by its number: %v", err)
		}
		if got, err := readVersion(t, st, svc, 2); err != nil || got != "two" {
			t.Errorf("the rotation reads %q, %v", got, err)
		}
		if _, err := stage(t, st, svc, ownerT, "K", "three"); !errors.Is(err, base.ErrVersionConflict) {
			t.Errorf("a second pending version: %v", err)
		}
		if err := promote(t, st, svc, 2, 7); !errors.Is(err, base.ErrVersionConflict) {
			t.Errorf("another version is served: %v", err)
		}
		if err := promote(t, st, svc, 2, 1); err != nil {
			t.Fatal(err)
		}
		s := must(svc.Get(as("t"), "K", ""))
		if got := open(t, s, nil); got != "two" || s.Metadata["owner"] != "dba" || len(s.Destinations) != 1 || s.ExpiresAt == nil || s.ExpiresAt.UnixMicro() != end.UnixMicro() {
			t.Errorf("%q %+v", got, s.Meta)
		}
		former, err := svc.GetVersion(as("t"), "K", "", 1)
		if got := open(t, former, err); got != "one" {
			t.Errorf("the former version is %q", got)
		}
		if err := promote(t, st, svc, 2, 2); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("promoted twice: %v", err)
		}
		now = end
		if _, err := stage(t, st, svc, ownerT, "K", "late"); !errors.Is(err, base.ErrSecretExpired) {
			t.Errorf("a rotation of what has expired: %v", err)
		}
	})
}

func TestADiscardedVersionIsGoneAndItsNumberToo(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "one")
		if _, err := stage(t, st, svc, ownerT, "K", "two"); err != nil {
			t.Fatal(err)
		}
		if err := discard(t, st, svc, 1); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("what is served was discarded: %v", err)
		}
		if err := discard(t, st, svc, 2); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{"discard": discard(t, st, svc, 2), "promote": promote(t, st, svc, 2, 1), "read": second(readVersion(t, st, svc, 2))} {
			if !errors.Is(err, base.ErrSecretNotFound) {
				t.Errorf("%s afterwards: %v", name, err)
			}
		}
		if n, err := stage(t, st, svc, ownerT, "K", "three"); err != nil || n != 3 {
			t.Errorf("version %d, %v", n, err)
		}
		if got := open(t, must(svc.Get(as("t"), "K", "")), nil); got != "one" {
			t.Errorf("%q is served", got)
		}
	})
}

// What a rotation writes and what it did to the secret are kept together or not at all.
func TestStagingIsPartOfItsCallersTransaction(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "one")
		boom := errors.New("the state row was not written")
		err := inTx(t, st, func(ctx context.Context, tx driver.Tx) error {
			if _, err := svc.Stage(ctx, tx, ownerT, "K", sealed.NewString("two")); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if _, err := readVersion(t, st, svc, 2); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("half of it is kept: %v", err)
		}
		n, err := stage(t, st, svc, ownerT, "K", "two")
		if err != nil || n != 2 {
			t.Fatalf("version %d, %v", n, err)
		}
		err = inTx(t, st, func(ctx context.Context, tx driver.Tx) error {
			if err := svc.Promote(ctx, tx, ownerT, "K", 2, 1); err != nil {
				return err
			}
			return boom
		})
		if got := open(t, must(svc.Get(as("t"), "K", "")), nil); !errors.Is(err, boom) || got != "one" {
			t.Errorf("%q is served, %v", got, err)
		}
	})
}

func TestWhatCannotBeStaged(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		if _, err := stage(t, st, svc, ownerT, "K", "v"); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("there is no such secret: %v", err)
		}
		if n, err := stage(t, st, svc, ownerT, "K", "first", secret.WithExpectedVersion(0)); err != nil || n != 1 {
			t.Fatalf("the first version: %d, %v", n, err)
		}
		if _, err := svc.Get(as("t"), "K", ""); !errors.Is(err, base.ErrSecretNotFound) {
			t.Errorf("a pending first version is served: %v", err)
		}
		if list, err := svc.List(as("t"), "", secret.ListOpts{}); err != nil || len(list) != 0 {
			t.Errorf("%v, %v", list, err)
		}
		if err := promote(t, st, svc, 1, 0); err != nil {
			t.Fatal(err)
		}
		for name, tc := range map[string]struct {
			err  error
			kind fault.Kind
		}{
			"an empty value":        {second(stage(t, st, svc, ownerT, "K", "")), fault.Invalid},
			"a large value":         {second(stage(t, st, svc, ownerT, "K", strings.Repeat("x", 64<<10+1))), fault.TooLarge},
			"no app":                {second(stage(t, st, svc, secret.Owner{Tenant: "t"}, "K", "v")), fault.Invalid},
			"no tenant":             {second(stage(t, st, svc, secret.Owner{App: "myapp"}, "K", "v")), fault.Invalid},
			"the operator":          {second(stage(t, st, svc, secret.Owner{App: "myapp", Tenant: driver.Operator}, "K", "v")), fault.Invalid},
			"no name":               {second(stage(t, st, svc, ownerT, "no name", "v")), fault.Invalid},
			"another version":       {second(stage(t, st, svc, ownerT, "K", "v", secret.WithExpectedVersion(4))), fault.Conflict},
			"an expiry in the past": {second(stage(t, st, svc, ownerT, "K", "v", secret.WithExpiresAt(time.Now().Add(-time.Hour)))), fault.Invalid},
		} {
			if !fault.Is(tc.err, tc.kind) {
				t.Errorf("%s: %v", name, tc.err)
			}
		}
		// And nothing of it stayed.
		if n, err := stage(t, st, svc, ownerT, "K", "two"); err != nil || n != 2 {
			t.Errorf("version %d, %v", n, err)
		}
	})
}

func TestALifetimeIsThatOfEachVersion(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		m := set(t, svc, "t", "K", "one", secret.WithLifetime(time.Hour))
		if m.ExpiresAt == nil {
			t.Fatal("it does not expire")
		}
		if later := set(t, svc, "t", "K", "two"); later.ExpiresAt == nil || !later.ExpiresAt.After(*m.ExpiresAt) {
			t.Errorf("set again: %v, then %v", m.ExpiresAt, later.ExpiresAt)
		}
		if _, err := stage(t, st, svc, ownerT, "K", "three"); err != nil {
			t.Fatal(err)
		}
		if err := promote(t, st, svc, 3, 2); err != nil {
			t.Fatal(err)
		}
		s := must(svc.Get(as("t"), "K", ""))
		if s.ExpiresAt == nil || !s.ExpiresAt.After(*m.ExpiresAt) {
			t.Errorf("rotated: %v, then %v", m.ExpiresAt, s.ExpiresAt)
		}
		if m := set(t, svc, "t", "K", "four", secret.WithLifetime(0)); m.ExpiresAt != nil {
			t.Errorf("the end of it: %v", m.ExpiresAt)
		}
		if _, err := svc.Set(as("t"), "K", []byte("v"), "", secret.WithLifetime(-time.Second)); !fault.Is(err, fault.Invalid) {
			t.Errorf("a negative one: %v", err)
		}
	})
}

// A rotation's former version is there for the grace period, however few versions the secret keeps.
func TestTheFormerVersionIsKeptForTheGrace(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "one", secret.WithKeepVersions(1))
		for n, grace := range []time.Duration{time.Hour, 0} {
			from := int64(n + 1)
			if _, err := stage(t, st, svc, ownerT, "K", "next"); err != nil {
				t.Fatal(err)
			}
			if err := promote(t, st, svc, from+1, from, secret.WithGrace(grace)); err != nil {
				t.Fatal(err)
			}
			_, err := readVersion(t, st, svc, from)
			if kept := err == nil; kept != (grace > 0) {
				t.Errorf("a grace of %v: %v", grace, err)
			}
		}
	})
}

func TestEachStagingCallHasItsNotFoundTwin(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "KEY", "of t")
		if _, err := stage(t, st, svc, ownerT, "KEY", "next"); err != nil {
			t.Fatal(err)
		}
		other := secret.Owner{App: "myapp", Tenant: "u"}
		for name, call := range map[string]func(ctx context.Context, tx driver.Tx, key string) error{
			"Stage": func(ctx context.Context, tx driver.Tx, key string) error {
				return second(svc.Stage(ctx, tx, other, key, sealed.NewString("v")))
			},
			"Promote": func(ctx context.Context, tx driver.Tx, key string) error {
				return svc.Promote(ctx, tx, other, key, 2, 1)
			},
			"Discard": func(ctx context.Context, tx driver.Tx, key string) error { return svc.Discard(ctx, tx, other, key, 2) },
			"ReadVersion": func(ctx context.Context, tx driver.Tx, key string) error {
				return second(svc.ReadVersion(ctx, tx, other, key, 1))
			},
			"Current": func(ctx context.Context, tx driver.Tx, key string) error {
				return second(svc.Current(ctx, tx, other, key))
			},
		} {
			there := inTx(t, st, func(ctx context.Context, tx driver.Tx) error { return call(ctx, tx, "KEY") })
			missing := inTx(t, st, func(ctx context.Context, tx driver.Tx) error { return call(ctx, tx, "NIL") })
			if !errors.Is(there, base.ErrSecretNotFound) || strings.ReplaceAll(there.Error(), "KEY", "NIL") != missing.Error() {
				t.Errorf("%s: %v / %v", name, there, missing)
			}
		}
	})
}
