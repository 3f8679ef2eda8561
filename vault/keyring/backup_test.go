package keyring_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func TestAKeyBackupComesBackIntoAFreshStore(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 3)
	r := mustOpen(t, w.st, keyring.FileRoot(path))
	if _, err := r.Shred(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	backup, err := r.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rootID, epoch, at, err := keyring.ParseBackup(backup); rootID != r.RootID() || epoch != 2 || at == 0 || err != nil {
		t.Errorf("%s %d %d %v", rootID, epoch, at, err)
	}
	if bytes.Contains(backup, []byte("tenant-1")) {
		t.Error("the backup names its tenants")
	}
	old := w.st
	w.st = memory.New()
	done, err := keyring.Import(t.Context(), w.st, keyring.FileRoot(path), backup)
	if err != nil || done != (keyring.Imported{Added: 2 + 3}) { // keys of tenants; seed and two signing keys
		t.Fatalf("%+v, %v", done, err)
	}
	if err := w.whole(mustOpen(t, w.st, keyring.FileRoot(path)), "tenant-0"); err != nil {
		t.Error(err)
	}
	if done, err := keyring.Import(t.Context(), old, keyring.FileRoot(path), backup); err != nil || done != (keyring.Imported{Present: 5}) {
		t.Errorf("into the store it is from: %+v, %v", done, err)
	}
}

func TestAKeyBackupAddsAndReplacesNothing(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 2)
	r := mustOpen(t, w.st, keyring.FileRoot(path))
	backup, err := r.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// A store that was begun anew under the same root key.
	st := memory.New()
	anew := mustOpen(t, st, keyring.FileRoot(path))
	own := seal(t, anew, st, tenantPlace("tenant-0"), "own")
	if _, err := keyring.Import(t.Context(), st, keyring.FileRoot(path), backup); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, st, keyring.FileRoot(path))
	for tenant, box := range w.boxes {
		if got, err := unseal(again, st, tenantPlace(tenant), box); err != nil || got != "value of "+tenant {
			t.Errorf("%s: %q %v", tenant, got, err)
		}
	}
	if got, err := unseal(again, st, tenantPlace("tenant-0"), own); err != nil || got != "own" {
		t.Errorf("%q %v", got, err)
	}
	if box := seal(t, again, st, tenantPlace("tenant-0"), "v"); box.KeyID != own.KeyID {
		t.Error("the key in use was replaced")
	}
	if got, err := again.Unwrap("blob", w.blob); err != nil || string(got) != "signing key" {
		t.Errorf("what the other seed wrapped: %q %v", got, err)
	}
}

// What was destroyed since stays destroyed, also where the backup could still be opened.
func TestAKeyBackupBringsNoDestroyedKeysBack(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 2)
	r := mustOpen(t, w.st, keyring.FileRoot(path))
	backup, err := r.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.st.Update(t.Context(), func(tx driver.Tx) error {
		k, err := tx.PrimaryKey(t.Context(), "a", "tenant-0")
		return errors.Join(err, tx.DeleteKey(t.Context(), "a", "tenant-0", k.ID), tx.PutShred(t.Context(), driver.ShredRow{App: "a", Tenant: "tenant-0", ID: "key_r", State: "deleted"}))
	}); err != nil {
		t.Fatal(err)
	}
	done, err := keyring.Import(t.Context(), w.st, keyring.FileRoot(path), backup)
	if err != nil || done.Destroyed != 1 || done.Added != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if err := w.whole(r, "tenant-0"); err != nil {
		t.Error(err)
	}
}

func TestAKeyBackupThatDoesNotFit(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 1)
	r := mustOpen(t, w.st, keyring.FileRoot(path))
	backup, err := r.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		old, new string
		want     error
		kind     fault.Kind
	}{
		"epoch":  {`"epoch": 1`, `"epoch": 2`, base.ErrTampered, fault.Invalid},
		"time":   {`"created_at": 1`, `"created_at": 2`, base.ErrTampered, fault.Invalid},
		"sealed": {`"sealed": "`, `"sealed": "AAAA`, base.ErrTampered, fault.Invalid},
		"root":   {`"root_id": "root_`, `"root_id": "root_0`, base.ErrWrongRootKey, fault.Unavailable},
		"format": {"keys/1", "keys/2", nil, fault.Invalid}, "field": {`"epoch"`, `"era"`, nil, fault.Invalid},
		"more": {"}\n", "}{}", nil, fault.Invalid}, "empty": {string(backup), "", nil, fault.Invalid},
	} {
		changed := strings.Replace(string(backup), tc.old, tc.new, 1)
		_, err := keyring.Import(t.Context(), memory.New(), keyring.FileRoot(path), []byte(changed))
		if changed == string(backup) || !fault.Is(err, tc.kind) || (tc.want != nil && !errors.Is(err, tc.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := keyring.Import(t.Context(), memory.New(), keyring.FileRoot(keyPath(t, nil)), backup); !errors.Is(err, base.ErrNoRootKey) {
		t.Errorf("without the root key: %v", err)
	}
	if got := keyring.KeyTables(); len(got) != 5 {
		t.Errorf("%v", got)
	}
	f := &faults{at: 3}
	one := mustOpen(t, faultStore{w.st, f}, faultRotator{keyring.FileRoot(path), f})
	f.n.Store(0)
	_, _ = one.RotateRoot(t.Context())
	if _, err := r.Export(t.Context()); !fault.Is(err, fault.Conflict) {
		t.Errorf("while the root key is being changed: %v", err)
	}
}

func FuzzParseBackup(f *testing.F) {
	f.Add([]byte(`{"format":"hayward-keys/1","root_id":"r","epoch":1,"created_at":1,"sealed":"AAAA"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if rootID, _, _, err := keyring.ParseBackup(text); err == nil && rootID == "" {
			t.Fatal("a backup of no root key")
		}
	})
}
