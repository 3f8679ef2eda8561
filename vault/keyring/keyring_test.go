package keyring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func root(t testing.TB, b byte) keyring.Root {
	t.Helper()
	r, err := keyring.NewRoot(bytes.Repeat([]byte{b}, keyring.KeySize), "the test")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func open(t testing.TB, st driver.Store, opts ...keyring.Option) *keyring.Ring {
	t.Helper()
	r, err := keyring.Open(context.Background(), st, root(t, 1), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var place = keyring.Place{Format: "hayward/test/1", App: "a", Tenant: "t", Name: "K", Version: 1, Bound: []byte("bound")}

func seal(t testing.TB, r *keyring.Ring, st driver.Store, p keyring.Place, value string) (box keyring.Box) {
	t.Helper()
	if err := st.Update(context.Background(), func(tx driver.Tx) (err error) {
		box, err = r.Seal(context.Background(), tx, p, sealed.NewString(value))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return box
}

func unseal(r *keyring.Ring, st driver.Store, p keyring.Place, b keyring.Box) (value string, err error) {
	err = st.View(context.Background(), func(tx driver.Tx) error {
		v, err := r.Unseal(context.Background(), tx, p, b)
		value = string(reveal.Inside(v))
		return err
	})
	return value, err
}

func TestAValueOpensAtItsPlaceOnly(t *testing.T) {
	st := memory.New()
	r := open(t, st)
	box := seal(t, r, st, place, "sk-1")
	if got, err := unseal(r, st, place, box); err != nil || got != "sk-1" {
		t.Fatalf("%q, %v", got, err)
	}
	for _, other := range []string{"u", "t"} {
		p := place
		p.Tenant = other
		seal(t, r, st, p, "so that the tenant has a key")
	}
	for name, change := range map[string]func(p *keyring.Place, b *keyring.Box){
		"format":     func(p *keyring.Place, _ *keyring.Box) { p.Format += "x" },
		"app":        func(p *keyring.Place, _ *keyring.Box) { p.App = "b" },
		"tenant":     func(p *keyring.Place, _ *keyring.Box) { p.Tenant = "u" },
		"name":       func(p *keyring.Place, _ *keyring.Box) { p.Name = "L" },
		"version":    func(p *keyring.Place, _ *keyring.Box) { p.Version++ },
		"bound":      func(p *keyring.Place, _ *keyring.Box) { p.Bound = nil },
		"joined":     func(p *keyring.Place, _ *keyring.Box) { p.Name, p.Tenant = "", "tK" },
		"key":        func(_ *keyring.Place, b *keyring.Box) { b.KeyID += "x" },
		"algorithm":  func(_ *keyring.Place, b *keyring.Box) { b.Algorithm = "" },
		"ciphertext": func(_ *keyring.Place, b *keyring.Box) { b.Ciphertext = bytes.Clone(b.Ciphertext); b.Ciphertext[0] ^= 1 },
		"cut":        func(_ *keyring.Place, b *keyring.Box) { b.Ciphertext = b.Ciphertext[:len(b.Ciphertext)-1] },
		"short":      func(_ *keyring.Place, b *keyring.Box) { b.Ciphertext = b.Ciphertext[:3] },
		"empty":      func(_ *keyring.Place, b *keyring.Box) { b.Ciphertext = nil },
	} {
		p, b := place, box
		change(&p, &b)
		if got, err := unseal(r, st, p, b); !errors.Is(err, base.ErrDecryptionFailed) || got != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestOneValueTwiceGivesTwoCiphertexts(t *testing.T) {
	st := memory.New()
	r := open(t, st)
	if bytes.Equal(seal(t, r, st, place, "v").Ciphertext, seal(t, r, st, place, "v").Ciphertext) {
		t.Fatal("a nonce was used twice")
	}
}

func TestTheRightRootKeyIsFoundOutAtTheStart(t *testing.T) {
	st := memory.New()
	box := seal(t, open(t, st), st, place, "sk-1")
	if got, err := unseal(open(t, st), st, place, box); err != nil || got != "sk-1" {
		t.Fatalf("the same key after a restart: %q, %v", got, err)
	}
	_, err := keyring.Open(t.Context(), st, root(t, 2))
	if !errors.Is(err, base.ErrWrongRootKey) || !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), root(t, 1).ID()) {
		t.Errorf("another key: %v", err)
	}
	_, err = keyring.Open(t.Context(), st, keyring.Root{})
	if !errors.Is(err, base.ErrNoRootKey) || !strings.Contains(err.Error(), root(t, 1).ID()) || fault.From(err).Hint == "" {
		t.Errorf("a lost key: %v", err)
	}
	lazy, err := keyring.New(root(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unseal(lazy, st, place, box); !errors.Is(err, base.ErrWrongRootKey) {
		t.Errorf("reading with another key: %v", err)
	}
	other := place
	other.Tenant = "new"
	for _, p := range []keyring.Place{place, other} {
		if err := st.Update(t.Context(), func(tx driver.Tx) error {
			_, err := lazy.Seal(t.Context(), tx, p, sealed.NewString("x"))
			return err
		}); !errors.Is(err, base.ErrWrongRootKey) {
			t.Errorf("writing for %s with another key: %v", p.Tenant, err)
		}
	}
	// The record of the root key, changed or gone.
	put := func(row driver.RootRow) {
		if err := st.Update(t.Context(), func(tx driver.Tx) error { return tx.PutRoot(t.Context(), row) }); err != nil {
			t.Fatal(err)
		}
	}
	put(driver.RootRow{RootID: root(t, 1).ID(), Check: make([]byte, 28)})
	if _, err := keyring.Open(t.Context(), st, root(t, 1)); !errors.Is(err, base.ErrTampered) {
		t.Errorf("a changed record: %v", err)
	}
	bare := memory.New()
	if err := bare.Update(t.Context(), func(tx driver.Tx) error {
		return tx.PutKey(t.Context(), driver.KeyRow{App: "a", Tenant: "t", ID: "k", Primary: true})
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Open(t.Context(), bare, root(t, 1)); !errors.Is(err, base.ErrTampered) {
		t.Errorf("keys without the record: %v", err)
	}
}

// A key that a failed write made must not encrypt anything: nobody could open it again.
func TestAKeyThatWasNotKeptIsNotUsed(t *testing.T) {
	st := memory.New()
	r := open(t, st)
	_ = st.Update(t.Context(), func(tx driver.Tx) error {
		if _, err := r.Seal(t.Context(), tx, place, sealed.NewString("lost")); err != nil {
			t.Error(err)
		}
		return errors.New("boom")
	})
	box := seal(t, r, st, place, "kept")
	r.Forget("a", "t")
	if got, err := unseal(r, st, place, box); err != nil || got != "kept" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestAWrappedKeyBelongsToItsTenant(t *testing.T) {
	st := memory.New()
	r := open(t, st)
	box := seal(t, r, st, place, "sk-1")
	if err := st.Update(t.Context(), func(tx driver.Tx) error {
		row, err := tx.PrimaryKey(t.Context(), "a", "t")
		row.Tenant = "u"
		return errors.Join(err, tx.PutKey(t.Context(), row))
	}); err != nil {
		t.Fatal(err)
	}
	p := place
	p.Tenant = "u"
	if got, err := unseal(r, st, p, box); !errors.Is(err, base.ErrTampered) {
		t.Errorf("a stolen key row: %q, %v", got, err)
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	st := memory.New()
	r := open(t, st, keyring.WithCacheSize(3))
	boxes := map[string]keyring.Box{}
	for i := range 20 {
		p := place
		p.Tenant = fmt.Sprint("t", i)
		boxes[p.Tenant] = seal(t, r, st, p, p.Tenant)
	}
	for tenant, box := range boxes {
		p := place
		p.Tenant = tenant
		if got, err := unseal(r, st, p, box); err != nil || got != tenant {
			t.Errorf("%q, %v", got, err)
		}
	}
	if n := keyring.Cached(r); n > 3 {
		t.Errorf("%d keys are kept", n)
	}
}

func TestMarks(t *testing.T) {
	st := memory.New()
	r := open(t, st)
	mark := func(p keyring.Place) (m []byte) {
		if err := st.Update(t.Context(), func(tx driver.Tx) (err error) { m, err = r.Mark(t.Context(), tx, p); return err }); err != nil {
			t.Fatal(err)
		}
		return m
	}
	check := func(p keyring.Place, m []byte) error {
		return st.View(t.Context(), func(tx driver.Tx) error { return r.CheckMark(t.Context(), tx, p, m) })
	}
	m := mark(place)
	if err := check(place, m); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := place
		p.Version = rapid.Int64().Draw(t, "version")
		p.Bound = rapid.SliceOf(rapid.Byte()).Draw(t, "bound")
		if err := check(p, m); err == nil && (p.Version != place.Version || !bytes.Equal(p.Bound, place.Bound)) {
			t.Fatalf("the mark fits %+v too", p)
		}
		bad := bytes.Clone(m)
		bad[rapid.IntRange(0, len(bad)-1).Draw(t, "byte")] ^= 1
		if check(place, bad) == nil || check(place, m[:rapid.IntRange(0, len(m)-1).Draw(t, "cut")]) == nil {
			t.Fatal("a changed mark fits")
		}
	})
}

func TestServerKeysAreBoundToTheirPurpose(t *testing.T) {
	r := open(t, memory.New())
	w, err := r.Wrap("jwt", []byte("signing key"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Unwrap("jwt", w); err != nil || string(got) != "signing key" {
		t.Errorf("%q, %v", got, err)
	}
	other, err := keyring.New(root(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"purpose": second(r.Unwrap("jwt2", w)), "root": second(other.Unwrap("jwt", w)), "bytes": second(r.Unwrap("jwt", append([]byte{0}, w...))), "nothing": second(r.Unwrap("jwt", nil)),
	} {
		if !errors.Is(err, base.ErrDecryptionFailed) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if bytes.Equal(r.MAC("audit")([]byte("x")), r.MAC("other")([]byte("x"))) || !bytes.Equal(r.MAC("audit")([]byte("x")), r.MAC("audit")([]byte("x"))) {
		t.Error("MACs do not depend on their purpose alone")
	}
}

func second[T any](_ T, err error) error { return err }

func TestNoPrintingShowsAKey(t *testing.T) {
	const text = "0123456789abcdef0123456789abcdef"
	rt, err := keyring.NewRoot([]byte(text), "the test")
	if err != nil {
		t.Fatal(err)
	}
	st := memory.New()
	r, err := keyring.Open(t.Context(), st, rt)
	if err != nil {
		t.Fatal(err)
	}
	seal(t, r, st, place, "v")
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb, rt, r, struct{ r *keyring.Ring }{r})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "root", rt, "ring", r)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "root", rt, "ring", r)
	for _, form := range []string{text, hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))), base64.StdEncoding.EncodeToString([]byte(text)),
		strings.Trim(fmt.Sprint([]byte(text)), "[]")} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q is printed", form)
		}
	}
}

// BenchmarkUnseal opens a value whose key is in memory, beside the floor: the bare AEAD with its associated data at hand. The
// target is three times the floor.
func BenchmarkUnseal(b *testing.B) {
	st := memory.New()
	r := open(b, st)
	value := strings.Repeat("s", 51)
	box := seal(b, r, st, place, value)
	aead, err := subtle.NewAESGCM(bytes.Repeat([]byte{3}, keyring.KeySize))
	if err != nil {
		b.Fatal(err)
	}
	ad := bytes.Repeat([]byte{1}, 120)
	bare, err := aead.Encrypt([]byte(value), ad)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := aead.Decrypt(bare, ad); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	b.Run("ring", func(b *testing.B) {
		b.ReportAllocs()
		_ = st.View(context.Background(), func(tx driver.Tx) error {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := r.Unseal(context.Background(), tx, place, box); err != nil {
						b.Fatal(err)
					}
				}
			})
			return nil
		})
	})
}
