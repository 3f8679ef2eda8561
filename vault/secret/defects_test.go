package secret_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// The defects are those that were seen in the vault whose API this one keeps; each test is named after its row in the table
// of them, and shows that the row is not true here, on every store.

// a2: the app in scope is ignored.
func TestDefectA2TheAppInScopeCounts(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "app-secret")
		other := scope.WithScope(context.Background(), "OTHER-APP", "t", "ann", "")
		for name, err := range map[string]error{
			"no argument": second(svc.Get(other, "K", "")), "the app as argument": second(svc.Get(other, "K", "myapp")),
			"a write": second(svc.Set(other, "K", []byte("v"), "")),
		} {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("under another app's scope, %s: %v", name, err)
			}
		}
		free := secret.NewService(st, encryptor(t))
		if got := valueOf(free.Get(other, "K", "")); got != "error SecretNotFound" {
			t.Errorf("the other app reads %q", got)
		}
	})
}

// c: a tenant reads and overwrites another's secret; without a scope anybody does.
func TestDefectCSecretsBelongToATenant(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t1", "API_KEY", "sk-tenant1")
		if got := value(svc, "t2", "API_KEY"); got != "error SecretNotFound" {
			t.Errorf("t2 reads %q", got)
		}
		set(t, svc, "t2", "API_KEY", "sk-tenant2")
		for tenant, want := range map[string]string{"t1": "sk-tenant1", "t2": "sk-tenant2"} {
			if got := value(svc, tenant, "API_KEY"); got != want {
				t.Errorf("%s reads %q", tenant, got)
			}
		}
		for name, err := range map[string]error{"read": second(svc.Get(context.Background(), "API_KEY", "myapp")),
			"write": second(svc.Set(context.Background(), "API_KEY", []byte("v"), "myapp"))} {
			if !errors.Is(err, base.ErrNoTenant) {
				t.Errorf("a %s without a scope: %v", name, err)
			}
		}
	})
}

// c2: keys joined by a colon collide.
func TestDefectC2NamesDoNotRunTogether(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := secret.NewService(st, encryptor(t))
		owners := []scope.Caller{{App: "a", Tenant: "b:c"}, {App: "a:b", Tenant: "c"}, {App: "a", Tenant: "b/c"}, {App: "a/b", Tenant: "c"}, {App: "ab", Tenant: "c"}}
		ctx := func(c scope.Caller) context.Context {
			return scope.WithScope(context.Background(), c.App, c.Tenant, "ann", "")
		}
		for i, o := range owners {
			if _, err := svc.Set(ctx(o), "K", []byte(fmt.Sprint("of ", i)), ""); err != nil {
				t.Fatal(err)
			}
		}
		for i, o := range owners {
			if got := valueOf(svc.Get(ctx(o), "K", "")); got != fmt.Sprint("of ", i) {
				t.Errorf("%s, %s reads %q", o.App, o.Tenant, got)
			}
		}
		fine(t, svc.Destroy(ctx(owners[0]), "K", ""))
		for i, o := range owners[1:] {
			if got := valueOf(svc.Get(ctx(o), "K", "")); got != fmt.Sprint("of ", i+1) {
				t.Errorf("another's destruction took that of %s, %s: %q", o.App, o.Tenant, got)
			}
		}
	})
}

// c3: the memory store keeps the plaintext beside the ciphertext.
func TestDefectC3NoStoreHasThePlaintext(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "sk-plain-text")
		r := snapshot(t, st, "K")
		if len(r.versions) != 1 || len(r.versions[0].Ciphertext) < 13 || bytes.Contains(r.versions[0].Ciphertext, []byte("sk-plain")) {
			t.Errorf("%+v", r)
		}
		if s := must(svc.Get(as("t"), "K", "")); bytes.Contains(s.EncryptedValue, []byte("sk-plain")) {
			t.Errorf("%q", s.EncryptedValue)
		}
	})
}

// d: a ciphertext opens anywhere, and an old one can be replayed as the current one.
func TestDefectDACiphertextHasItsPlace(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "ROOT", "ROOT-PASSWORD")
		set(t, svc, "t", "CHEAP", "cheap")
		root, cheap := snapshot(t, st, "ROOT"), snapshot(t, st, "CHEAP")
		moved := cheap
		moved.versions = []driver.SecretVersion{cheap.versions[0]}
		moved.versions[0].Ciphertext, moved.versions[0].KeyID = root.versions[0].Ciphertext, root.versions[0].KeyID
		putBack(t, st, moved)
		if got, err := svc.Get(as("t"), "CHEAP", ""); !errors.Is(err, base.ErrTampered) && !errors.Is(err, base.ErrDecryptionFailed) {
			t.Errorf("swapped: %v, %v", got, err)
		}
		putBack(t, st, cheap)
		set(t, svc, "t", "CHEAP", "cheap, changed")
		now := snapshot(t, st, "CHEAP")
		replayed := now
		replayed.versions = []driver.SecretVersion{now.versions[0], now.versions[1]}
		replayed.versions[1].Ciphertext = now.versions[0].Ciphertext
		putBack(t, st, replayed)
		if got, err := svc.Get(as("t"), "CHEAP", ""); !errors.Is(err, base.ErrTampered) && !errors.Is(err, base.ErrDecryptionFailed) {
			t.Errorf("version 1 replayed as 2: %v, %v", got, err)
		}
	})
}

// j: caches never let go.
func TestDefectJWhatIsRememberedIsBounded(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		p := begin(t, st)
		set(t, svc, "t", "K", "v")
		read := func(n int) {
			for i := range n {
				if _, err := svc.Lookup(t.Context(), p, fmt.Sprintf("MISS_%d", i)); !errors.Is(err, base.ErrSecretNotFound) {
					t.Fatal(err)
				}
			}
		}
		read(500)
		if n := secret.Remembered(svc); n == 0 || n > secret.MostRemembered {
			t.Errorf("%d entries", n)
		}
		secret.Remember(svc, 3*secret.MostRemembered)
		if n := secret.Remembered(svc); n != secret.MostRemembered {
			t.Errorf("%d entries of at most %d", n, secret.MostRemembered)
		}
		runtime.KeepAlive(svc)
	})
}

// j3: what expired an hour ago is served.
func TestDefectJ3ExpiredIsNotServed(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		now := time.Now()
		svc := service(t, st, secret.WithClock(func() time.Time { return now }))
		set(t, svc, "t", "K", "old", secret.WithExpiresAt(now.Add(time.Minute)))
		if got := value(svc, "t", "K"); got != "old" {
			t.Fatalf("%q", got)
		}
		now = now.Add(time.Minute + time.Hour)
		for name, err := range map[string]error{"Get": second(svc.Get(as("t"), "K", "")), "GetVersion": second(svc.GetVersion(as("t"), "K", "", 1)),
			"Lookup": second(svc.Lookup(t.Context(), begin(t, st), "K"))} {
			if !errors.Is(err, secret.ErrExpired) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// k: ways around the encryption. There is none: the driver's row has no field for a plain value, and what is not encrypted
// does not open.
func TestDefectKThereIsNoWayAroundTheEncryption(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		set(t, svc, "t", "K", "v")
		r := snapshot(t, st, "K")
		r.versions[0].Ciphertext = []byte("plain-text-password")
		for _, alg := range []string{"", "none", r.versions[0].Algorithm} {
			r.versions[0].Algorithm = alg
			putBack(t, st, r)
			if got, err := svc.Get(as("t"), "K", ""); err == nil {
				t.Errorf("algorithm %q: %v", alg, got)
			}
		}
	})
}

// k2: without an encryptor values are kept in plain text, and the wrong version is read.
func TestDefectK2WithoutAKeyNothingIsKept(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		for name, enc := range map[string]secret.Encryption{"nil": nil, "a nil encryptor": (*crypto.Encryptor)(nil)} {
			bare := secret.NewService(st, enc)
			if _, err := bare.Set(as("t"), "K", []byte("v"), ""); !errors.Is(err, base.ErrNoRootKey) {
				t.Errorf("%s: %v", name, err)
			}
			if r := snapshot(t, st, "K"); !r.none || len(r.versions) != 0 {
				t.Errorf("%s: something was kept", name)
			}
		}
		svc := service(t, st)
		set(t, svc, "t", "K", "one")
		set(t, svc, "t", "K", "two")
		if got := valueOf(svc.GetVersion(as("t"), "K", "", 1)); got != "one" {
			t.Errorf("version 1 is %q", got)
		}
	})
}

// l: no store but memory can hold a secret.
func TestDefectLEveryStoreHoldsSecrets(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		for i := range 20 {
			set(t, svc, "t", fmt.Sprintf("K%d", i), fmt.Sprint("value ", i))
		}
		for i := range 20 {
			if got := value(svc, "t", fmt.Sprintf("K%d", i)); got != fmt.Sprint("value ", i) {
				t.Errorf("K%d is %q", i, got)
			}
		}
	})
}

// l2: times do not survive the store.
func TestDefectL2TimesAreTimes(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		before := time.Now().Add(-time.Second)
		end := time.Now().Add(24 * time.Hour).Truncate(time.Microsecond)
		set(t, svc, "t", "K", "v", secret.WithExpiresAt(end))
		s := must(svc.Get(as("t"), "K", ""))
		if s.ExpiresAt == nil || !s.ExpiresAt.Equal(end) || s.CreatedAt.Before(before) || s.CreatedAt.After(time.Now().Add(time.Second)) || s.CreatedAt.Location() != time.UTC {
			t.Errorf("%+v", s.Meta)
		}
	})
}

// l3: numbers start anew after a deletion, identity changes with each write, nothing is compared, pruned or bounded.
func TestDefectL3VersionsAndIdentity(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc := service(t, st)
		first := set(t, svc, "t", "K", "one")
		next := set(t, svc, "t", "K", "two")
		if next.ID != first.ID || !next.CreatedAt.Equal(first.CreatedAt) || next.Version != 2 {
			t.Errorf("%+v, then %+v", first, next)
		}
		for n, gone := range []func() error{func() error { return svc.Delete(as("t"), "K", "") }, func() error { return svc.Destroy(as("t"), "K", "") }} {
			fine(t, gone())
			if m := set(t, svc, "t", "K", "later"); m.Version != int64(3+n) {
				t.Errorf("version %d after a deletion", m.Version)
			}
		}
		if _, err := svc.Set(as("t"), "K", []byte("v"), "", secret.WithExpectedVersion(2)); !errors.Is(err, base.ErrVersionConflict) {
			t.Errorf("a stale write: %v", err)
		}
		for range 2 * secret.DefaultVersions {
			set(t, svc, "t", "K", "v")
		}
		if h, err := svc.History(as("t"), "K", ""); err != nil || len(h.Versions) != secret.DefaultVersions {
			t.Errorf("%d versions are kept, %v", len(h.Versions), err)
		}
		if _, err := svc.Set(as("t"), "K", make([]byte, 50<<20), ""); !fault.Is(err, fault.TooLarge) {
			t.Errorf("50 MiB: %v", err)
		}
		if _, err := svc.Set(as("t"), "", []byte("v"), ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("no name: %v", err)
		}
	})
}
