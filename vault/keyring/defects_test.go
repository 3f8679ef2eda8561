package keyring_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// What the peer gets wrong about keys, shown absent. The letters are those of the published table of defects.

// A blob copied to another app's secret opened there, and version 1 replayed as the current one was not noticed.
func TestDefectDABlobOpensAtItsPlaceOnly(t *testing.T) {
	st := memory.New()
	r := open(t, st)
	at := func(app, name string, version int64) keyring.Place {
		return keyring.Place{Format: "hayward/secret/1", App: app, Tenant: "t", Name: name, Version: version}
	}
	root := seal(t, r, st, at("app2", "root", 1), "ROOT-PASSWORD")
	seal(t, r, st, at("app1", "cheap", 1), "cheap")
	second := at("app2", "root", 2)
	mark := []byte(nil)
	if err := st.Update(t.Context(), func(tx driver.Tx) (err error) { mark, err = r.Mark(t.Context(), tx, second); return err }); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]keyring.Place{"another secret": at("app1", "cheap", 1), "another name": at("app2", "cheap", 1), "replayed as version 2": second} {
		if got, err := unseal(r, st, p, root); !errors.Is(err, base.ErrDecryptionFailed) || got != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if err := st.View(t.Context(), func(tx driver.Tx) error { return r.CheckMark(t.Context(), tx, at("app2", "root", 1), mark) }); !errors.Is(err, base.ErrTampered) {
		t.Errorf("the mark fits an older version: %v", err)
	}
}

// The key's id was never stored, a new master key broke everything with an error nobody could match, and there was no way
// to encrypt again.
func TestDefectEKeysHaveIDsAndChange(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 2)
	r := mustOpen(t, w.st, keyring.FileRoot(path))
	for tenant, box := range w.boxes {
		if box.KeyID == "" {
			t.Errorf("%s: no key id", tenant)
		}
	}
	if err := w.st.Update(t.Context(), func(tx driver.Tx) error { _, err := r.RotateTenant(t.Context(), tx, "a", "tenant-0"); return err }); err != nil {
		t.Fatal(err)
	}
	if _, err := r.RotateRoot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.whole(r); err != nil {
		t.Error(err)
	}
	again := seal(t, r, w.st, tenantPlace("tenant-0"), "value of tenant-0")
	if again.KeyID == w.boxes["tenant-0"].KeyID {
		t.Error("encrypted again under the former key")
	}
	other := mustRootOf(t, 9)
	if _, err := keyring.Open(t.Context(), w.st, other); !errors.Is(err, base.ErrWrongRootKey) {
		t.Errorf("another root key: %v", err)
	}
	box := w.boxes["tenant-1"]
	box.Ciphertext = append(bytes.Clone(box.Ciphertext), 0)
	if _, err := unseal(r, w.st, tenantPlace("tenant-1"), box); !errors.Is(err, base.ErrDecryptionFailed) {
		t.Errorf("what does not open cannot be matched: %v", err)
	}
}

func mustRootOf(t *testing.T, b byte) keyring.Root {
	t.Helper()
	r, err := keyring.NewRoot(bytes.Repeat([]byte{b}, keyring.KeySize), "the test")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A variable that holds no key was quoted in the error.
func TestDefectE2NoErrorQuotesAKey(t *testing.T) {
	const text = "super-secret-password"
	t.Setenv("ROOT", text)
	t.Setenv("ROOT_NEXT", text)
	path := keyPath(t, []byte(text))
	env := keyring.EnvRoot("ROOT")
	_, rootErr := env.Root(t.Context(), false)
	_, nextErr := env.Next(t.Context(), true)
	_, promoteErr := env.Promote(t.Context(), "root_x")
	_, fileErr := keyring.FileRoot(path).Root(t.Context(), false)
	_, keyErr := keyring.NewRoot([]byte(text), "the test")
	_, wrappedErr := keyring.WithKeyFile(keyring.EnvRoot("ROOT"), filepath.Join(t.TempDir(), "k")).Root(t.Context(), true)
	for name, err := range map[string]error{"variable": rootErr, "next": nextErr, "promote": promoteErr, "file": fileErr, "bytes": keyErr, "wrapped": wrappedErr} {
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		all := fmt.Sprintf("%v %+v %#v %s", err, err, fault.From(err), fault.From(err).Hint)
		for cut := 5; cut <= len(text); cut++ {
			if strings.Contains(all, text[:cut]) {
				t.Errorf("%s: the error quotes %d characters of the key", name, cut)
				break
			}
		}
	}
}
