package keyring_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

var request = keyring.ShredRequest{App: "a", Tenant: "tenant-0", Reason: "the contract ended", RequestedBy: "ann", Checkpoint: "audit/17"}

// receiptKey is the published key for receipts.
func receiptKey(t testing.TB, r *keyring.Ring, st driver.Store) ed25519.PublicKey {
	t.Helper()
	var keys []keyring.PublicKey
	if err := st.View(context.Background(), func(tx driver.Tx) (err error) {
		keys, err = r.PublicKeys(context.Background(), tx, keyring.ReceiptPurpose)
		return err
	}); err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	return keys[0].Key
}

func TestADestroyedTenantIsGoneAndNobodyElse(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 3)
	r, other := mustOpen(t, w.st, keyring.FileRoot(path)), mustOpen(t, w.st, keyring.FileRoot(path))
	if err := errors.Join(w.whole(r), w.whole(other)); err != nil { // both have every key in memory
		t.Fatal(err)
	}
	before := r.RootID()
	rec, err := r.Shred(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	for _, ring := range []*keyring.Ring{r, other, mustOpen(t, w.st, keyring.FileRoot(path))} {
		if err := w.whole(ring, "tenant-0"); err != nil {
			t.Error(err)
		}
		err := w.st.Update(t.Context(), func(tx driver.Tx) error {
			_, err := ring.Seal(t.Context(), tx, tenantPlace("tenant-0"), sealed.NewString("new"))
			return err
		})
		if !errors.Is(err, keyring.ErrDestroyed) || !errors.Is(err, base.ErrDecryptionFailed) || !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), rec.ID) {
			t.Errorf("a new value: %v", err)
		}
		err = w.st.Update(t.Context(), func(tx driver.Tx) error { _, err := ring.RotateTenant(t.Context(), tx, "a", "tenant-0"); return err })
		if !errors.Is(err, keyring.ErrDestroyed) {
			t.Errorf("a new key: %v", err)
		}
	}
	if rec.Tenant != "tenant-0" || rec.App != "a" || rec.Reason != request.Reason || rec.RequestedBy != "ann" || rec.Checkpoint != "audit/17" ||
		rec.EpochBefore != 1 || rec.EpochAfter != 2 || rec.RootBefore != before || rec.RootAfter != r.RootID() || rec.Count != 1 ||
		rec.Keys[0] != w.boxes["tenant-0"].KeyID || rec.CompletedAt.Before(rec.RequestedAt) || !strings.Contains(rec.Limits, "old copy") {
		t.Errorf("%+v", rec)
	}
	if err := keyring.VerifyReceipt(receiptKey(t, r, w.st), rec); err != nil {
		t.Error(err)
	}
	again, err := r.Shred(t.Context(), keyring.ShredRequest{App: "a", Tenant: "tenant-0", Reason: "once more"})
	if a, b := toJSON(t, rec), toJSON(t, again); a != b || err != nil {
		t.Errorf("a second time: %s, %v", b, err)
	}
	var list []keyring.Receipt
	_ = w.st.View(t.Context(), func(tx driver.Tx) (err error) { list, err = r.Receipts(t.Context(), tx, "a", "", 10); return err })
	if len(list) != 1 || toJSON(t, list[0]) != toJSON(t, rec) {
		t.Errorf("%v", list)
	}
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhatIsNotDestroyed(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 1)
	r := mustOpen(t, w.st, keyring.FileRoot(path))
	for name, tc := range map[string]struct {
		req  keyring.ShredRequest
		kind fault.Kind
	}{
		"no such tenant": {keyring.ShredRequest{App: "a", Tenant: "tenant-00", Reason: "r"}, fault.NotFound},
		"no tenant":      {keyring.ShredRequest{App: "a", Reason: "r"}, fault.Invalid},
		"no app":         {keyring.ShredRequest{Tenant: "tenant-0", Reason: "r"}, fault.Invalid},
		"no reason":      {keyring.ShredRequest{App: "a", Tenant: "tenant-0"}, fault.Invalid},
		"another app":    {keyring.ShredRequest{App: "b", Tenant: "tenant-0", Reason: "r"}, fault.NotFound},
	} {
		if _, err := r.Shred(t.Context(), tc.req); !fault.Is(err, tc.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.whole(r); err != nil {
		t.Error(err)
	}
}

func TestInterruptedDestructionGoesOn(t *testing.T) {
	for _, resume := range []string{"same call", "all"} {
		eachFault(t, 3, func(t *testing.T, w *world, path string, r *keyring.Ring, at string) bool {
			_, err := r.Shred(t.Context(), request)
			if err == nil {
				return false
			}
			if !errors.Is(err, errInjected) {
				t.Fatalf("%s: %v", at, err)
			}
			again := mustOpen(t, w.st, keyring.FileRoot(path))
			begun := false
			_ = w.st.View(t.Context(), func(tx driver.Tx) error {
				_, err := tx.Shred(t.Context(), "a", "tenant-0")
				begun = err == nil
				return nil
			})
			if begun {
				err = errors.Join(w.whole(r, "tenant-0"), w.whole(again, "tenant-0"))
			} else {
				err = errors.Join(w.whole(r), w.whole(again))
			}
			if err != nil {
				t.Errorf("%s: %v", at, err)
			}
			if resume == "all" {
				if err := again.ResumeShreds(t.Context()); err != nil {
					t.Errorf("%s: %v", at, err)
				}
			}
			rec, err := again.Shred(t.Context(), request)
			if err != nil || rec.EpochAfter <= rec.EpochBefore || rec.Count != 1 {
				t.Fatalf("%s: %+v, %v", at, rec, err)
			}
			if err := keyring.VerifyReceipt(receiptKey(t, again, w.st), rec); err != nil {
				t.Errorf("%s: %v", at, err)
			}
			if err := errors.Join(w.whole(again, "tenant-0"), w.whole(mustOpen(t, w.st, keyring.FileRoot(path)), "tenant-0")); err != nil {
				t.Errorf("%s: %v", at, err)
			}
			if got := files(t, path); got != "root.key" {
				t.Errorf("%s: the files are %s", at, got)
			}
			return true
		})
	}
}

// A change of the root key that began while the tenant's keys were there rewrapped them: the new root key of that change
// opens a copy from its middle. So it must not be the one that the receipt counts on.
func TestAChangeThatSawTheKeysDoesNotCount(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 3)
	f := &faults{at: 4} // next, announce, one batch, then it is interrupted
	one := mustOpen(t, faultStore{w.st, f}, faultRotator{keyring.FileRoot(path), f})
	f.n.Store(0)
	if _, err := one.RotateRoot(t.Context()); !errors.Is(err, errInjected) {
		t.Fatal(err)
	}
	var copied driver.KeyRow
	_ = w.st.View(t.Context(), func(tx driver.Tx) (err error) {
		copied, err = tx.PrimaryKey(t.Context(), "a", "tenant-0")
		return err
	})
	r := mustOpen(t, w.st, keyring.FileRoot(path))
	if copied.RootID == r.RootID() {
		t.Fatal("the key was not rewrapped yet")
	}
	// The first step of destroying, as another process takes it in the middle of the change.
	if err := w.st.Update(t.Context(), func(tx driver.Tx) error {
		row, err := tx.Root(t.Context())
		return errors.Join(err, tx.PutShred(t.Context(), driver.ShredRow{App: "a", Tenant: "tenant-0", ID: "key_r", State: "overwritten", Reason: "r",
			KeyIDs: toJSON(t, []string{copied.ID}), EpochBefore: row.Epoch, RootBefore: row.RootID}))
	}); err != nil {
		t.Fatal(err)
	}
	rec, err := r.Shred(t.Context(), request)
	if err != nil || rec.EpochAfter-rec.EpochBefore != 2 || rec.RootAfter == copied.RootID {
		t.Fatalf("%+v, %v", rec, err)
	}
	if err := w.whole(r, "tenant-0"); err != nil {
		t.Error(err)
	}
}

// Everything that was ever written down before, together with today's root key, opens nothing of the tenant.
func TestNoEarlierCopyOpensWithTodaysKeys(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 3)
	r := mustOpen(t, w.st, keyring.FileRoot(path))
	backup, err := r.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var rows []driver.KeyRow // a copy of the key tables, which no backup of the data holds
	_ = w.st.View(t.Context(), func(tx driver.Tx) (err error) {
		rows, err = tx.ListKeysEverywhere(t.Context(), driver.KeyRow{}, 100)
		return err
	})
	if _, err := r.Shred(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	todays := mustRoot(t, string(bytes.TrimSpace(text)))

	// The key backup.
	if _, err := keyring.Import(t.Context(), w.st, keyring.FileRoot(path), backup); !errors.Is(err, base.ErrWrongRootKey) {
		t.Errorf("the earlier key backup: %v", err)
	}
	if _, err := keyring.Import(t.Context(), memory.New(), keyring.FileRoot(path), backup); !errors.Is(err, base.ErrWrongRootKey) {
		t.Errorf("the earlier key backup, into a fresh store: %v", err)
	}
	// The rows, put back by hand, as they are and under today's name.
	for _, rename := range []bool{false, true} {
		st := memory.New()
		_ = st.Update(t.Context(), func(tx driver.Tx) error {
			for _, k := range rows {
				if rename {
					k.RootID = todays.ID()
				}
				if err := tx.PutKey(t.Context(), k); err != nil {
					return err
				}
			}
			return nil
		})
		lazy, err := keyring.New(todays)
		if err != nil {
			t.Fatal(err)
		}
		for tenant, box := range w.boxes {
			if got, err := unseal(lazy, st, tenantPlace(tenant), box); err == nil || got != "" {
				t.Errorf("%s opens: %q", tenant, got)
			}
		}
	}
	// The tenant's rows, put back into today's store, beside the record that they were destroyed.
	_ = w.st.Update(t.Context(), func(tx driver.Tx) error {
		for _, k := range rows {
			if k.Tenant == "tenant-0" {
				return tx.PutKey(t.Context(), k)
			}
		}
		return nil
	})
	if got, err := unseal(r, w.st, tenantPlace("tenant-0"), w.boxes["tenant-0"]); !errors.Is(err, base.ErrDecryptionFailed) || got != "" {
		t.Errorf("%q, %v", got, err)
	}
}

func mustRoot(t *testing.T, text string) keyring.Root {
	t.Helper()
	key, err := keyring.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := keyring.NewRoot(key, "today's file")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAReceiptCannotBeChanged(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 1)
	r := mustOpen(t, w.st, keyring.FileRoot(path))
	rec, err := r.Shred(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	public := receiptKey(t, r, w.st)
	parsed, err := keyring.ParseReceipt([]byte(toJSON(t, rec)))
	if err != nil || keyring.VerifyReceipt(public, parsed) != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*keyring.Receipt){
		"format": func(r *keyring.Receipt) { r.Format += "x" }, "id": func(r *keyring.Receipt) { r.ID = "x" }, "app": func(r *keyring.Receipt) { r.App = "b" },
		"tenant": func(r *keyring.Receipt) { r.Tenant = "t" }, "reason": func(r *keyring.Receipt) { r.Reason = "" }, "by": func(r *keyring.Receipt) { r.RequestedBy = "" },
		"requested": func(r *keyring.Receipt) { r.RequestedAt = r.RequestedAt.Add(time.Second) }, "completed": func(r *keyring.Receipt) { r.CompletedAt = time.Time{} },
		"before": func(r *keyring.Receipt) { r.EpochBefore-- }, "after": func(r *keyring.Receipt) { r.EpochAfter++ }, "same epoch": func(r *keyring.Receipt) { r.EpochAfter = r.EpochBefore },
		"root before": func(r *keyring.Receipt) { r.RootBefore = "x" }, "root after": func(r *keyring.Receipt) { r.RootAfter = "x" },
		"keys": func(r *keyring.Receipt) { r.Keys = []string{"key_x"} }, "count": func(r *keyring.Receipt) { r.Count++ },
		"fewer":      func(r *keyring.Receipt) { r.Keys, r.Count = nil, 0 },
		"checkpoint": func(r *keyring.Receipt) { r.Checkpoint = "" }, "limits": func(r *keyring.Receipt) { r.Limits = "" }, "signer": func(r *keyring.Receipt) { r.Signer = "x" },
		"signature": func(r *keyring.Receipt) { r.Signature = bytes.Repeat([]byte{1}, 64) }, "no signature": func(r *keyring.Receipt) { r.Signature = nil },
		"moved": func(r *keyring.Receipt) { r.App, r.Tenant = r.App+r.Tenant, "" },
	} {
		changed := rec
		change(&changed)
		if err := keyring.VerifyReceipt(public, changed); !errors.Is(err, base.ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, key := range []ed25519.PublicKey{nil, public[:31], make(ed25519.PublicKey, 32)} {
		if keyring.VerifyReceipt(key, rec) == nil {
			t.Errorf("it verifies with %x", key)
		}
	}
	for _, text := range []string{"", "{", "[]", `{"format":"x","more":1}`, toJSON(t, rec) + "{}"} {
		if _, err := keyring.ParseReceipt([]byte(text)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseReceipt(f *testing.F) {
	f.Add([]byte(`{"format":"hayward-shred-receipt/1","keys":["k"],"count":1}`))
	public, _, _ := ed25519.GenerateKey(nil)
	f.Fuzz(func(t *testing.T, text []byte) {
		rec, err := keyring.ParseReceipt(text)
		if err == nil && keyring.VerifyReceipt(public, rec) == nil {
			t.Fatal("a receipt that nobody signed verifies")
		}
	})
}

func TestSigners(t *testing.T) {
	st := memory.New()
	r := open(t, st)
	signer := func(fn func(driver.Tx) (*keyring.Signer, error)) (s *keyring.Signer) {
		t.Helper()
		if err := st.Update(t.Context(), func(tx driver.Tx) (err error) { s, err = fn(tx); return err }); err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := signer(func(tx driver.Tx) (*keyring.Signer, error) { return r.Signer(t.Context(), tx, "audit") })
	other := signer(func(tx driver.Tx) (*keyring.Signer, error) { return r.Signer(t.Context(), tx, "other") })
	restarted := open(t, st)
	same := signer(func(tx driver.Tx) (*keyring.Signer, error) { return restarted.Signer(t.Context(), tx, "audit") })
	sig := first.Sign([]byte("m"))
	if first.ID() != same.ID() || first.ID() == other.ID() || first.ID() != keyring.SignerID(first.Public()) || !ed25519.Verify(same.Public(), []byte("m"), sig) {
		t.Fatal("the key is not the one of its purpose")
	}
	first.Public()[0] ^= 1
	second := signer(func(tx driver.Tx) (*keyring.Signer, error) { return r.RotateSigner(t.Context(), tx, "audit") })
	var keys []keyring.PublicKey
	if err := st.View(t.Context(), func(tx driver.Tx) (err error) {
		if s, err := r.Signer(t.Context(), tx, "audit"); err != nil || s.ID() != second.ID() {
			t.Errorf("in a read transaction: %v", err)
		}
		if _, err := r.Signer(t.Context(), tx, "never used"); err == nil {
			t.Error("a read transaction made a key")
		}
		keys, err = r.PublicKeys(t.Context(), tx, "audit")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(keys) != 2 || keys[0].ID != first.ID() || keys[0].RetiredAt == 0 || keys[1].ID != second.ID() || keys[1].RetiredAt != 0 ||
		!ed25519.Verify(keys[0].Key, []byte("m"), sig) {
		t.Errorf("%+v", keys)
	}
	if text := toJSON(t, keys[0]); !strings.Contains(text, `"key":"`) || strings.Contains(text, "=") || strings.Contains(text, "[") {
		t.Errorf("%s", text)
	}
	// A retired key's private part is gone, and a changed public part is found.
	var row driver.SystemKeyRow
	_ = st.Update(t.Context(), func(tx driver.Tx) error {
		row, _ = tx.SystemKey(t.Context(), "sign/audit", first.ID())
		forged := row
		forged.Public = other.Public()
		return tx.PutSystemKey(t.Context(), forged)
	})
	if err := st.View(t.Context(), func(tx driver.Tx) error { _, err := r.PublicKeys(t.Context(), tx, "audit"); return err }); !errors.Is(err, base.ErrTampered) {
		t.Errorf("a forged public key: %v", err)
	}
	if n := len(row.Wrapped); n > 12+16 {
		t.Errorf("the retired key still holds %d bytes", n-28)
	}
	if got := fmt.Sprintf("%v %+v %#v", first, *first, first); strings.Contains(got, "Seed") {
		t.Error(got)
	}
}

// changing is a root key that can change, without a disk.
type changing struct {
	mu        sync.Mutex // rings that follow a change ask in the background
	now, next byte
}

func numbered(n byte) (keyring.Root, error) {
	return keyring.NewRoot(bytes.Repeat([]byte{n}, keyring.KeySize), "memory")
}

func (c *changing) Root(context.Context, bool) (keyring.Root, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return numbered(c.now)
}

func (c *changing) Next(_ context.Context, create bool) (keyring.Root, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if create && c.next == 0 {
		c.next = c.now%250 + 1
	}
	if c.next == 0 {
		return keyring.Root{}, nil
	}
	return numbered(c.next)
}

func (c *changing) Promote(context.Context, string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != 0 {
		c.now, c.next = c.next, 0
	}
	return "", nil
}

// Whatever happens in whatever order, a value opens unless its tenant's keys were destroyed.
func TestKeysInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := &changing{now: rapid.Byte().Draw(rt, "root key")}
		st := memory.New()
		r := mustOpen(t, st, p)
		type value struct {
			box  keyring.Box
			text string
		}
		values, gone := map[string][]value{}, map[string]bool{}
		tenants := []string{"t0", "t1", "t2"}
		update := func(fn func(driver.Tx) error) error { return st.Update(context.Background(), fn) }
		rt.Repeat(map[string]func(*rapid.T){
			"seal": func(rt *rapid.T) {
				tenant, text := rapid.SampledFrom(tenants).Draw(rt, "tenant"), rapid.String().Draw(rt, "text")
				var box keyring.Box
				err := update(func(tx driver.Tx) (err error) {
					box, err = r.Seal(context.Background(), tx, tenantPlace(tenant), sealed.NewString(text))
					return err
				})
				if gone[tenant] != errors.Is(err, keyring.ErrDestroyed) || (!gone[tenant] && err != nil) {
					rt.Fatalf("%s: %v", tenant, err)
				}
				if err == nil {
					values[tenant] = append(values[tenant], value{box, text})
				}
			},
			"rotate tenant": func(rt *rapid.T) {
				tenant := rapid.SampledFrom(tenants).Draw(rt, "tenant")
				if err := update(func(tx driver.Tx) error { _, err := r.RotateTenant(context.Background(), tx, "a", tenant); return err }); err != nil && !gone[tenant] {
					rt.Fatal(err)
				}
			},
			"rotate root": func(rt *rapid.T) {
				if _, err := r.RotateRoot(context.Background()); err != nil {
					rt.Fatal(err)
				}
			},
			"shred": func(rt *rapid.T) {
				tenant := rapid.SampledFrom(tenants).Draw(rt, "tenant")
				_, err := r.Shred(context.Background(), keyring.ShredRequest{App: "a", Tenant: tenant, Reason: "r"})
				if err != nil && !fault.Is(err, fault.NotFound) {
					rt.Fatal(err)
				}
				gone[tenant] = gone[tenant] || err == nil
			},
			"restart": func(*rapid.T) { r = mustOpen(t, st, p) },
			"": func(rt *rapid.T) {
				for tenant, list := range values {
					for _, v := range list {
						got, err := unseal(r, st, tenantPlace(tenant), v.box)
						if gone[tenant] && !errors.Is(err, keyring.ErrDestroyed) || !gone[tenant] && (err != nil || got != v.text) {
							rt.Fatalf("%s (destroyed %v): %q, %v", tenant, gone[tenant], got, err)
						}
					}
				}
			},
		})
	})
}
