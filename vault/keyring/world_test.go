package keyring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func mustOpen(t testing.TB, st driver.Store, p keyring.Provider, opts ...keyring.Option) *keyring.Ring {
	t.Helper()
	r, err := keyring.Open(context.Background(), st, p, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// keyPath is a root key file that holds key, in a directory of its own.
func keyPath(t testing.TB, key []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root.key")
	if key != nil {
		if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(key)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// world is a store with values of several tenants, and what must still be true of them.
type world struct {
	t      testing.TB
	st     *memory.Store
	boxes  map[string]keyring.Box // by tenant
	blob   []byte
	mac    []byte
	signed []byte
	signer keyring.PublicKey
}

func tenantPlace(tenant string) keyring.Place {
	p := place
	p.Tenant = tenant
	return p
}

func newWorld(t testing.TB, p keyring.Provider, tenants int) *world {
	t.Helper()
	w := &world{t: t, st: memory.New(), boxes: map[string]keyring.Box{}}
	r := mustOpen(t, w.st, p)
	for i := range tenants {
		tenant := fmt.Sprint("tenant-", i)
		w.boxes[tenant] = seal(t, r, w.st, tenantPlace(tenant), "value of "+tenant)
	}
	var err error
	if w.blob, err = r.Wrap("blob", []byte("signing key")); err != nil {
		t.Fatal(err)
	}
	w.mac = r.MAC("audit")([]byte("entry"))
	if err := w.st.Update(context.Background(), func(tx driver.Tx) error {
		s, err := r.Signer(context.Background(), tx, "test")
		if err == nil {
			w.signed, w.signer = s.Sign([]byte("msg")), keyring.PublicKey{ID: s.ID(), Key: s.Public()}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

// whole fails unless everything opens, but for the tenants named in destroyed.
func (w *world) whole(r *keyring.Ring, destroyed ...string) error {
	var errs []error
	for tenant, box := range w.boxes {
		got, err := unseal(r, w.st, tenantPlace(tenant), box)
		gone := len(destroyed) > 0 && tenant == destroyed[0]
		switch {
		case gone && (!errors.Is(err, keyring.ErrDestroyed) || got != ""):
			errs = append(errs, fmt.Errorf("%s was destroyed: %q, %w", tenant, got, err))
		case !gone && (err != nil || got != "value of "+tenant):
			errs = append(errs, fmt.Errorf("%s: %q, %w", tenant, got, err))
		}
	}
	if got, err := r.Unwrap("blob", w.blob); err != nil || string(got) != "signing key" {
		errs = append(errs, fmt.Errorf("the blob: %q, %w", got, err))
	}
	if !bytes.Equal(r.MAC("audit")([]byte("entry")), w.mac) {
		errs = append(errs, errors.New("the MAC is another"))
	}
	return errors.Join(append(errs, w.st.Update(context.Background(), func(tx driver.Tx) error {
		s, err := r.Signer(context.Background(), tx, "test")
		if err == nil && s.ID() != w.signer.ID {
			err = errors.New("another key signs")
		}
		return err
	}))...)
}

var errInjected = errors.New("injected")

// faults makes the nth thing that happens fail, before or after it took effect.
type faults struct {
	n     atomic.Int64
	at    int64
	after bool
}

func (f *faults) do(fn func() error) error {
	n := f.n.Add(1)
	if n == f.at && !f.after {
		return errInjected
	}
	err := fn()
	if n == f.at && err == nil {
		return errInjected
	}
	return err
}

// faultStore fails in its nth Update, faultRotator in its nth step that changes something.
type faultStore struct {
	*memory.Store
	*faults
}

func (s faultStore) Update(ctx context.Context, fn func(driver.Tx) error) error {
	return s.do(func() error { return s.Store.Update(ctx, fn) })
}

type faultRotator struct {
	keyring.Rotator
	*faults
}

func (r faultRotator) Next(ctx context.Context, create bool) (root keyring.Root, err error) {
	if !create {
		return r.Rotator.Next(ctx, create)
	}
	err = r.do(func() error { root, err = r.Rotator.Next(ctx, create); return err })
	return root, err
}

func (r faultRotator) Promote(ctx context.Context, rootID string) (advice string, err error) {
	err = r.do(func() error { advice, err = r.Rotator.Promote(ctx, rootID); return err })
	return advice, err
}

// eachFault runs work in fresh worlds, with a fault at each step in turn, until one run meets none.
func eachFault(t *testing.T, tenants int, work func(t *testing.T, w *world, path string, r *keyring.Ring, at string) (met bool)) {
	for _, after := range []bool{false, true} {
		steps := 0
		for at := int64(1); ; at++ {
			path := keyPath(t, nil)
			w := newWorld(t, keyring.FileRoot(path), tenants)
			f := &faults{after: after}
			r := mustOpen(t, faultStore{w.st, f}, faultRotator{keyring.FileRoot(path), f})
			f.n.Store(0)
			f.at = at
			if !work(t, w, path, r, fmt.Sprintf("step %d, after %v", at, after)) {
				break
			}
			steps++
		}
		if steps < 4 {
			t.Errorf("only %d steps were interrupted", steps)
		}
	}
}
