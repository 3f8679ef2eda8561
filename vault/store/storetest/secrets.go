package storetest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"testing"

	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func service(t *testing.T, st driver.Store) *secret.Service {
	t.Helper()
	root, err := keyring.NewRoot(bytes.Repeat([]byte{7}, keyring.KeySize), "the test")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(t.Context(), st, root)
	if err != nil {
		t.Fatal(err)
	}
	return secret.NewService(st, ring, secret.WithGate(audit.NewGate(audit.NewLogger(st, audit.WithMAC(ring.MAC(audit.KeyPurpose))), nil)))
}

func as(t *testing.T, tenant string) context.Context {
	return scope.WithScope(t.Context(), "a", tenant, "ann", "10.0.0.1")
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Forms returns a value in each of the forms it must not be found in.
func Forms(value string) [][]byte {
	return [][]byte{[]byte(value), []byte(hex.EncodeToString([]byte(value))), []byte(base64.StdEncoding.EncodeToString([]byte(value))),
		[]byte(base64.RawURLEncoding.EncodeToString([]byte(value))), []byte(url.QueryEscape(value))}
}

func testCanary(t *testing.T, h Harness) {
	st := h.Open(t)
	svc := service(t, st)
	const canary = "sk-canary+0123456789/abcdef="
	must[*secret.Meta](t)(svc.Set(as(t, "t"), "OPENAI_API_KEY", []byte(canary), "", secret.WithMetadata(map[string]string{"owner": "planted-in-metadata"})))
	must[*secret.Meta](t)(svc.Set(as(t, "t"), "OPENAI_API_KEY", []byte(canary+"2"), ""))
	must[*secret.Meta](t)(svc.SetShared(as(t, ""), "SHARED", []byte(canary+"3"), "", secret.WithDestinations(sealed.MustDestination("https://api.openai.com"))))
	must[*secret.Secret](t)(svc.Get(as(t, "t"), "OPENAI_API_KEY", ""))
	if err := svc.Delete(as(t, "t"), "OPENAI_API_KEY", ""); err != nil {
		t.Fatal(err)
	}
	must[*secret.Meta](t)(svc.Set(as(t, "t"), "OTHER", []byte(canary+"4"), "", secret.WithMetadata(map[string]string{"owner": "planted-in-metadata"})))
	kept := h.Bytes(t, st)
	if !bytes.Contains(kept, []byte("planted-in-metadata")) || !bytes.Contains(kept, []byte("SHARED")) {
		t.Fatal("the search does not find what is known to be there")
	}
	for _, form := range Forms(canary) {
		// The last characters of base64 depend on what follows the canary.
		if bytes.Contains(kept, form[:len(form)-4]) {
			t.Errorf("%s is written down", form)
		}
	}
}

func testMovedRows(t *testing.T, h Harness) {
	st := h.Open(t)
	svc := service(t, st)
	for _, tenant := range []string{"t", "u"} {
		for _, name := range []string{"K", "L"} {
			must[*secret.Meta](t)(svc.Set(as(t, tenant), name, []byte("value of "+tenant+name), ""))
		}
	}
	read := func(tenant, name string) (driver.SecretRow, driver.SecretVersion) {
		var r driver.SecretRow
		var v driver.SecretVersion
		view(t, st, func(ctx context.Context, tx driver.Tx) (err error) {
			if r, err = tx.Secret(ctx, "a", tenant, name); err == nil {
				v, err = tx.SecretVersion(ctx, "a", tenant, name, r.Current)
			}
			return err
		})
		return r, v
	}
	write := func(r driver.SecretRow, v driver.SecretVersion) {
		update(t, st, func(ctx context.Context, tx driver.Tx) error {
			return errors.Join(tx.DeleteSecretVersions(ctx, r.App, r.Tenant, r.Name), tx.PutSecret(ctx, r), tx.AddSecretVersion(ctx, v))
		})
	}
	wantRow, wantVersion := read("t", "K")
	for name, change := range map[string]func(r *driver.SecretRow, v *driver.SecretVersion){
		"another tenant's value": func(_ *driver.SecretRow, v *driver.SecretVersion) {
			_, o := read("u", "K")
			v.Ciphertext = o.Ciphertext
		},
		"another tenant's value and key": func(_ *driver.SecretRow, v *driver.SecretVersion) {
			_, o := read("u", "K")
			v.Ciphertext, v.KeyID = o.Ciphertext, o.KeyID
		},
		"another tenant's whole row": func(r *driver.SecretRow, v *driver.SecretVersion) {
			*r, *v = read("u", "K")
			r.Tenant, v.Tenant = "t", "t"
		},
		"another name's whole row": func(r *driver.SecretRow, v *driver.SecretVersion) {
			*r, *v = read("t", "L")
			r.Name, v.Name = "K", "K"
		},
		"a destination":     func(_ *driver.SecretRow, v *driver.SecretVersion) { v.Destinations = `["https://evil.example"]` },
		"metadata":          func(_ *driver.SecretRow, v *driver.SecretVersion) { v.Metadata = `{"a":"b"}` },
		"the expiry":        func(_ *driver.SecretRow, v *driver.SecretVersion) { v.ExpiresAt = 1 << 60 },
		"the version's id":  func(_ *driver.SecretRow, v *driver.SecretVersion) { v.ID = "ver_x" },
		"when":              func(_ *driver.SecretRow, v *driver.SecretVersion) { v.CreatedAt++ },
		"who":               func(_ *driver.SecretRow, v *driver.SecretVersion) { v.CreatedBy = "mallory" },
		"the algorithm":     func(_ *driver.SecretRow, v *driver.SecretVersion) { v.Algorithm = "none" },
		"a bit":             func(_ *driver.SecretRow, v *driver.SecretVersion) { v.Ciphertext[20] ^= 1 },
		"no bytes":          func(_ *driver.SecretRow, v *driver.SecretVersion) { v.Ciphertext = nil },
		"the version count": func(r *driver.SecretRow, _ *driver.SecretVersion) { r.Latest++ },
		"the head's id":     func(r *driver.SecretRow, _ *driver.SecretVersion) { r.ID = "sec_x" },
		"the head's time":   func(r *driver.SecretRow, _ *driver.SecretVersion) { r.UpdatedAt++ },
		"the mark":          func(r *driver.SecretRow, _ *driver.SecretVersion) { r.Mark[len(r.Mark)-1] ^= 1 },
		"no mark":           func(r *driver.SecretRow, _ *driver.SecretVersion) { r.Mark = nil },
		"deleted":           func(r *driver.SecretRow, _ *driver.SecretVersion) { r.Current = 0 },
	} {
		r, v := wantRow, wantVersion
		r.Mark, v.Ciphertext = bytes.Clone(r.Mark), bytes.Clone(v.Ciphertext)
		change(&r, &v)
		write(r, v)
		if sec, err := svc.Get(as(t, "t"), "K", ""); !errors.Is(err, base.ErrTampered) && !errors.Is(err, base.ErrDecryptionFailed) {
			t.Errorf("%s: got %v, %v", name, sec, err)
		}
	}
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return errors.Join(tx.DeleteSecretVersions(ctx, "a", "t", "K"), tx.PutSecret(ctx, wantRow))
	})
	if _, err := svc.Get(as(t, "t"), "K", ""); !errors.Is(err, base.ErrTampered) {
		t.Errorf("the version is gone: %v", err)
	}
	write(wantRow, wantVersion)
	must[*secret.Secret](t)(svc.Get(as(t, "t"), "K", ""))
}

func testRolledBackVersion(t *testing.T, h Harness) {
	st := h.Open(t)
	svc := service(t, st)
	must[*secret.Meta](t)(svc.Set(as(t, "t"), "K", []byte("one"), ""))
	must[*secret.Meta](t)(svc.Set(as(t, "t"), "K", []byte("two"), ""))
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		r, err := tx.Secret(ctx, "a", "t", "K")
		r.Current = 1
		return errors.Join(err, tx.PutSecret(ctx, r))
	})
	if _, err := svc.Get(as(t, "t"), "K", ""); !errors.Is(err, base.ErrTampered) {
		t.Errorf("the head moved back to version 1: %v", err)
	}
}

func testNoReuse(t *testing.T, h Harness) {
	st := h.Open(t)
	svc := service(t, st)
	for want := int64(1); want <= 4; want++ {
		m := must[*secret.Meta](t)(svc.Set(as(t, "t"), "K", []byte("v"), ""))
		if m.Version != want {
			t.Errorf("version %d instead of %d", m.Version, want)
		}
		if want%2 == 0 {
			if err := svc.Delete(as(t, "t"), "K", ""); err != nil {
				t.Fatal(err)
			}
			if _, err := svc.Get(as(t, "t"), "K", ""); !errors.Is(err, base.ErrSecretNotFound) {
				t.Errorf("after deletion: %v", err)
			}
		}
	}
}

func testReopen(t *testing.T, h Harness) {
	if h.Reopen == nil {
		t.Skip("part missing: this store declares that nothing survives it")
	}
	st := h.Open(t)
	svc := service(t, st)
	must[*secret.Meta](t)(svc.Set(as(t, "t"), "K", []byte("kept"), ""))
	must[*secret.Meta](t)(svc.Set(as(t, "u"), "K", []byte("another"), ""))
	st = h.Reopen(t, st)
	svc = service(t, st)
	for tenant, want := range map[string]string{"t": "kept", "u": "another"} {
		sec := must[*secret.Secret](t)(svc.Get(as(t, tenant), "K", ""))
		if got := string(reveal.Inside(sec.Value)); got != want {
			t.Errorf("tenant %s reads %q", tenant, got)
		}
	}
	if m := must[*secret.Meta](t)(svc.Set(as(t, "t"), "K", []byte("later"), "")); m.Version != 2 {
		t.Errorf("version %d after reopening", m.Version)
	}
}
