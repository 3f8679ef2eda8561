package crypto_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func TestKeyStore(t *testing.T) {
	st, p := memory.New(), keyring.FileRoot(filepath.Join(t.TempDir(), "root.key"))
	ring, err := keyring.Open(t.Context(), st, p)
	if err != nil {
		t.Fatal(err)
	}
	keys := func(app, tenant string) crypto.KeyStore {
		t.Helper()
		s, err := crypto.NewKeyStore(st, ring, app, tenant)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	acme, globex := keys("app", "acme"), keys("app", "globex")
	if _, err := acme.Get(t.Context(), "orders"); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	first, err := acme.GetOrCreate(t.Context(), "orders")
	if err != nil || len(first) != crypto.KeySize {
		t.Fatal(err)
	}
	same, err := acme.Get(t.Context(), "orders")
	again, err2 := acme.GetOrCreate(t.Context(), "orders")
	if errors.Join(err, err2) != nil || !bytes.Equal(first, same) || !bytes.Equal(first, again) {
		t.Fatal("another key", err, err2)
	}
	other, err := acme.GetOrCreate(t.Context(), "people")
	theirs, err2 := globex.GetOrCreate(t.Context(), "orders")
	if errors.Join(err, err2) != nil || bytes.Equal(first, other) || bytes.Equal(first, theirs) {
		t.Fatal("the same key", err, err2)
	}
	if _, err := ring.RotateRoot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if same, err := acme.Get(t.Context(), "orders"); err != nil || !bytes.Equal(first, same) {
		t.Error("the key changed with the root key", err)
	}
	root := ring.RootID()
	for range 2 {
		if err := acme.Delete(t.Context(), "orders"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := acme.Get(t.Context(), "orders"); !fault.Is(err, fault.NotFound) || ring.RootID() == root {
		t.Errorf("%v", err)
	}
	fresh, err := acme.GetOrCreate(t.Context(), "orders")
	if err != nil || bytes.Equal(first, fresh) {
		t.Error("it came back", err)
	}
	if same, err := acme.Get(t.Context(), "people"); err != nil || !bytes.Equal(other, same) {
		t.Error(err)
	}
	if _, err := ring.Shred(t.Context(), keyring.ShredRequest{App: "app", Tenant: "acme", Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	_, err = acme.Get(t.Context(), "people")
	_, err2 = acme.GetOrCreate(t.Context(), "new")
	if !errors.Is(err, keyring.ErrDestroyed) || !errors.Is(err2, keyring.ErrDestroyed) {
		t.Errorf("%v, %v", err, err2)
	}
	if same, err := globex.Get(t.Context(), "orders"); err != nil || !bytes.Equal(theirs, same) {
		t.Error(err)
	}
}

func TestKeyStoreRefuses(t *testing.T) {
	st := memory.New()
	enc, err := crypto.NewEncryptor([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := enc.Ring()
	if err != nil {
		t.Fatal(err)
	}
	for _, owner := range [][2]string{{"", "t"}, {"a", ""}, {"a", driver.Shared}} {
		if _, err := crypto.NewKeyStore(st, ring, owner[0], owner[1]); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", owner, err)
		}
	}
	if _, err := crypto.NewKeyStore(st, nil, "a", "t"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	s, err := crypto.NewKeyStore(st, ring, "a", "t")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.GetOrCreate(t.Context(), "k"); err != nil {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), "k"); !fault.Is(err, fault.Unsupported) {
		t.Errorf("a root key that cannot change: %v", err)
	}
	if _, err := s.Get(t.Context(), "k"); err != nil {
		t.Errorf("it was refused, and yet: %v", err)
	}
	for _, name := range []string{"", "a\n", strings.Repeat("x", 201)} {
		if _, err := s.GetOrCreate(t.Context(), name); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
