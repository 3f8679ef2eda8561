package secret_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// underRing is a service with a keyring that knows its store, as a server has one.
func underRing(t testing.TB, st driver.Store) (*secret.Service, *keyring.Ring) {
	t.Helper()
	root, err := keyring.NewRoot(bytes.Repeat([]byte{7}, keyring.KeySize), "the test")
	fine(t, err)
	ring, err := keyring.Open(t.Context(), st, root)
	fine(t, err)
	return secret.NewService(st, ring, secret.WithAppID("myapp")), ring
}

func rotateKey(t testing.TB, st driver.Store, ring *keyring.Ring) (key string) {
	t.Helper()
	fine(t, inTx(t, st, func(ctx context.Context, tx driver.Tx) (err error) {
		key, err = ring.RotateTenant(ctx, tx, "myapp", "t")
		return err
	}))
	return key
}

// A tenant's key is replaced: everything stays readable, and step by step nothing needs the former key any more.
func TestReencrypt(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc, ring := underRing(t, st)
		for i := range 5 {
			for _, v := range []string{"one", "two"} {
				set(t, svc, "t", fmt.Sprintf("K%d", i), v, secret.WithLifetime(1e15))
			}
		}
		fine(t, svc.Delete(as("t"), "K1", ""))
		fine(t, svc.DestroyVersions(as("t"), "K2", "", 1))
		if _, err := stage(t, st, svc, ownerT, "K3", "pending"); err != nil {
			t.Fatal(err)
		}
		set(t, svc, "u", "K0", "of u")
		before := must(svc.Get(as("t"), "K0", ""))
		if done, left, err := svc.Reencrypt(t.Context(), "myapp", "t", 100); done != 0 || left != 0 || err != nil {
			t.Errorf("nothing is to do: %d, %d, %v", done, left, err)
		}
		key := rotateKey(t, st, ring)
		if got := value(svc, "t", "K0"); got != "two" {
			t.Errorf("under the former key: %q", got)
		}
		if m := set(t, svc, "t", "K4", "three"); m.EncryptionKeyID != key {
			t.Errorf("a new version is under %s, not %s", m.EncryptionKeyID, key)
		}
		wantUsed := func(want bool) {
			t.Helper()
			fine(t, inTx(t, st, func(ctx context.Context, tx driver.Tx) error {
				used, err := svc.KeyUsed(ctx, tx, "myapp", "t", before.EncryptionKeyID)
				if used != want {
					t.Errorf("the former key is used: %v", used)
				}
				return err
			}))
		}
		wantUsed(true)
		var progress []string
		for range 4 {
			done, left, err := svc.Reencrypt(t.Context(), "myapp", "t", 2)
			progress = append(progress, fmt.Sprint(done, left, err))
		}
		if got := fmt.Sprint(progress); got != "[2 3 <nil> 2 1 <nil> 1 0 <nil> 0 0 <nil>]" {
			t.Errorf("%s", got)
		}
		wantUsed(false)
		fine(t, st.View(t.Context(), func(tx driver.Tx) error {
			uses, err := tx.ListKeys(t.Context(), "myapp", "t")
			for _, k := range uses {
				n, err := tx.KeyUses(t.Context(), "myapp", "t", k.ID)
				if err != nil || (n == 0) != (k.ID != key) {
					t.Errorf("%s of %s: %d uses, %v", k.ID, key, n, err)
				}
			}
			return err
		}))
		// The former key can go: a reader that never saw it reads everything.
		fine(t, inTx(t, st, func(ctx context.Context, tx driver.Tx) error {
			keys, err := tx.ListKeys(ctx, "myapp", "t")
			for _, k := range keys {
				if k.ID != key {
					err = errors.Join(err, tx.DeleteKey(ctx, "myapp", "t", k.ID))
				}
			}
			return err
		}))
		reader, _ := underRing(t, st)
		after := must(reader.Get(as("t"), "K0", ""))
		if after.EncryptionKeyID != key || !after.UpdatedAt.Equal(before.UpdatedAt) || !after.ExpiresAt.Equal(*before.ExpiresAt) || after.Version != before.Version {
			t.Errorf("%+v\n%+v", before.Meta, after.Meta)
		}
		if got := valueOf(reader.GetVersion(as("t"), "K0", "", 1)); got != "one" {
			t.Errorf("%q", got)
		}
		fine(t, reader.Undelete(as("t"), "K1", ""))
		if got := value(reader, "t", "K1"); got != "two" {
			t.Errorf("%q", got)
		}
		fine(t, inTx(t, st, func(ctx context.Context, tx driver.Tx) error { return reader.Promote(ctx, tx, ownerT, "K3", 3, 2) }))
		for key, want := range map[string]string{"K2": "two", "K3": "pending", "K4": "three"} {
			if got := value(reader, "t", key); got != want {
				t.Errorf("%s is %q", key, got)
			}
		}
		if got := value(reader, "u", "K0"); got != "of u" {
			t.Errorf("another tenant's is %q", got)
		}
	})
}

// What is damaged stays as it is, and holds up nothing else.
func TestReencryptLeavesDamageAlone(t *testing.T) {
	everyStore(t, func(t *testing.T, st driver.Store) {
		svc, ring := underRing(t, st)
		for _, k := range []string{"A", "K", "Z"} {
			set(t, svc, "t", k, "of "+k)
		}
		bad := snapshot(t, st, "K")
		bad.versions[0].Metadata = `{"a":"b"}`
		putBack(t, st, bad)
		rotateKey(t, st, ring)
		for range 2 {
			if _, left, err := svc.Reencrypt(t.Context(), "myapp", "t", 100); left != 1 || !errors.Is(err, base.ErrDecryptionFailed) {
				t.Errorf("%d left, %v", left, err)
			}
		}
		for _, k := range []string{"A", "Z"} {
			if got := value(svc, "t", k); got != "of "+k {
				t.Errorf("%q", got)
			}
		}
		for _, o := range []secret.Owner{{}, {App: "myapp"}, {App: "myapp", Tenant: driver.Operator}} {
			if _, _, err := svc.Reencrypt(t.Context(), o.App, o.Tenant, 1); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", o, err)
			}
			if _, err := svc.Sweep(t.Context(), o.App, o.Tenant, 1); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", o, err)
			}
		}
		if done, left, err := svc.Reencrypt(t.Context(), "myapp", "nobody", 5); done != 0 || left != 0 || err != nil {
			t.Errorf("a tenant without secrets: %d, %d, %v", done, left, err)
		}
	})
}
