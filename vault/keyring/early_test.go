package keyring_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// early is what the version before root keys could change wrote down, byte for byte.
type early struct {
	RootKey []byte
	Root    driver.RootRow
	Keys    []driver.KeyRow
	Boxes   []struct {
		Place keyring.Place
		Box   keyring.Box
		Value string
		Mark  []byte
	}
	MACs  map[string][]byte // of "entry", by purpose
	Wraps map[string][]byte // of Plain, by purpose
	Plain string
}

func readEarly(t *testing.T) (e early, st *memory.Store) {
	t.Helper()
	text, err := os.ReadFile("testdata/early.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	e.Root.Direct = true // a row without the newer columns says so
	st = memory.New()
	if err := st.Update(t.Context(), func(tx driver.Tx) error {
		for _, k := range e.Keys {
			if err := tx.PutKey(t.Context(), k); err != nil {
				return err
			}
		}
		return tx.PutRoot(t.Context(), e.Root)
	}); err != nil {
		t.Fatal(err)
	}
	return e, st
}

func (e early) check(t *testing.T, r *keyring.Ring, st driver.Store, wraps map[string][]byte) {
	t.Helper()
	for _, b := range e.Boxes {
		if got, err := unseal(r, st, b.Place, b.Box); err != nil || got != b.Value {
			t.Errorf("%s: %q, %v", b.Place.Tenant, got, err)
		}
		if err := st.View(t.Context(), func(tx driver.Tx) error { return r.CheckMark(t.Context(), tx, b.Place, b.Mark) }); err != nil {
			t.Errorf("the mark of %s: %v", b.Place.Tenant, err)
		}
	}
	for purpose, want := range e.MACs {
		if !bytes.Equal(r.MAC(purpose)([]byte("entry")), want) {
			t.Errorf("the MAC for %q is another", purpose)
		}
	}
	for purpose, blob := range wraps {
		if got, err := r.Unwrap(purpose, blob); err != nil || string(got) != e.Plain {
			t.Errorf("what was wrapped for %q: %q, %v", purpose, got, err)
		}
	}
}

func TestDataOfTheEarlyVersionGoesOnWorking(t *testing.T) {
	e, st := readEarly(t)
	for range 2 { // the first start adds the server's own keys, the second finds them
		r := mustOpen(t, st, earlyFile(t, e))
		e.check(t, r, st, e.Wraps)
		if p, err := r.Progress(t.Context()); err != nil || p.Phase != keyring.PhaseIdle || p.Epoch != 0 || p.Total != 3 {
			t.Errorf("%+v, %v", p, err)
		}
	}
	lazy, err := keyring.New(earlyRoot(t, e))
	if err != nil {
		t.Fatal(err)
	}
	e.check(t, lazy, st, e.Wraps)
}

func TestDataOfTheEarlyVersionOutlivesItsRootKey(t *testing.T) {
	e, st := readEarly(t)
	p := earlyFile(t, e)
	r := mustOpen(t, st, p, keyring.WithPurposes("something else"))
	if _, err := r.RotateRoot(t.Context()); !fault.Is(err, fault.Unsupported) || fault.From(err).Hint == "" {
		t.Fatalf("nobody takes part, and yet: %v", err)
	}
	if _, err := r.Shred(t.Context(), keyring.ShredRequest{App: "default", Tenant: "acme", Reason: "r"}); !fault.Is(err, fault.Unsupported) {
		t.Fatalf("nobody takes part, and yet: %v", err)
	}
	e.check(t, r, st, e.Wraps)
	wraps := e.rewrapIn(r)
	for epoch := int64(1); epoch < 4; epoch++ {
		got, err := r.RotateRoot(t.Context())
		if err != nil || got.Epoch != epoch || got.Rewrapped != 3 || got.RootID == e.Root.RootID {
			t.Fatalf("%+v, %v", got, err)
		}
		e.check(t, r, st, wraps)
		e.check(t, mustOpen(t, st, p), st, wraps)
	}
	for purpose, blob := range e.Wraps {
		if _, err := r.Unwrap(purpose, blob); !errors.Is(err, base.ErrDecryptionFailed) {
			t.Errorf("the blob under the former root key still opens: %v", err)
		}
	}
}

// rewrapIn is a room that keeps blobs.
func (e early) rewrapIn(r *keyring.Ring) map[string][]byte {
	wraps := map[string][]byte{}
	for p, b := range e.Wraps {
		wraps[p] = b
	}
	r.OnRewrap("test's blobs", func(_ context.Context, again func(string, []byte) ([]byte, bool, error)) error {
		for purpose, blob := range wraps {
			b, changed, err := again(purpose, blob)
			if err != nil {
				return err
			}
			if changed {
				wraps[purpose] = b
			}
		}
		return nil
	})
	return wraps
}

func TestARoomThatCannotRewrapKeepsTheFormerRootKey(t *testing.T) {
	e, st := readEarly(t)
	r := mustOpen(t, st, earlyFile(t, e))
	fail := true
	r.OnRewrap("token keys", func(context.Context, func(string, []byte) ([]byte, bool, error)) error {
		if fail {
			return errors.New("boom")
		}
		return nil
	})
	wraps := e.rewrapIn(r)
	if _, err := r.RotateRoot(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Fatal(err)
	}
	e.check(t, r, st, wraps)
	fail = false
	if p, err := r.Resume(t.Context()); err != nil || p.Epoch != 1 {
		t.Fatalf("%+v %v", p, err)
	}
	e.check(t, r, st, wraps)
}

func earlyRoot(t *testing.T, e early) keyring.Root {
	t.Helper()
	root, err := keyring.NewRoot(e.RootKey, "the test")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// earlyFile puts the early root key into a file.
func earlyFile(t *testing.T, e early) keyring.Provider {
	t.Helper()
	return keyring.FileRoot(keyPath(t, e.RootKey))
}

// The same rows in a database that the early version made: its tables are brought up to date first.
func TestADatabaseOfTheEarlyVersion(t *testing.T) {
	e, _ := readEarly(t)
	d, err := db.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "vault.db"), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	st := sqlite.New(d)
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO vault_root (id, root_id, check_blob, created_at) VALUES (1, ?, ?, ?)", e.Root.RootID, e.Root.Check, e.Root.CreatedAt)
		for _, k := range e.Keys {
			_, more := tx.Exec(t.Context(), "INSERT INTO vault_key (app, tenant, id, root_id, wrapped, is_primary, created_at) VALUES (?, ?, ?, ?, ?, 1, ?)",
				k.App, k.Tenant, k.ID, k.RootID, k.Wrapped, k.CreatedAt)
			err = errors.Join(err, more)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, st, earlyFile(t, e), keyring.WithPurposes("something else"))
	e.check(t, r, st, e.Wraps)
	wraps := e.rewrapIn(r)
	if p, err := r.RotateRoot(t.Context()); err != nil || p.Epoch != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	e.check(t, r, st, wraps)
}
