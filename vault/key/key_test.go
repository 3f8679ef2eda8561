package key_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/key"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// house is a vault with two tenants and an operator.
type house struct {
	t       *testing.T
	st      *memory.Store
	ring    *keyring.Ring
	keys    *key.Service
	secrets *secret.Service
	auditor *audit.Service
}

var (
	acme     = scope.WithScope(context.Background(), "app", "acme", "ann", "::1")
	globex   = scope.WithScope(context.Background(), "app", "globex", "gus", "::1")
	operator = scope.WithScope(context.Background(), "app", "", "olga", "::1")
)

func build(t *testing.T, opts ...key.Option) *house {
	t.Helper()
	st := memory.New()
	ring, err := keyring.Open(t.Context(), st, keyring.FileRoot(filepath.Join(t.TempDir(), "root.key")))
	if err != nil {
		t.Fatal(err)
	}
	gate := audit.NewGate(audit.NewLogger(st, audit.WithMAC(ring.MAC(audit.KeyPurpose))), nil)
	h := &house{t, st, ring, key.NewService(st, ring, append([]key.Option{key.WithGate(gate)}, opts...)...), secret.NewService(st, ring, secret.WithGate(gate)),
		audit.NewService(st, gate)}
	for _, ctx := range []context.Context{acme, globex} {
		h.set(ctx, "K", "value")
	}
	return h
}

func (h *house) set(ctx context.Context, name, value string) {
	h.t.Helper()
	if _, err := h.secrets.Set(ctx, name, []byte(value), ""); err != nil {
		h.t.Fatal(err)
	}
}

// entries are the last n of a chain, newest first, as "action outcome".
func (h *house) entries(ctx context.Context, n int) (out []string) {
	h.t.Helper()
	page, err := h.auditor.List(ctx, audit.Query{Action: "key.*", Limit: n})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range page.Entries {
		out = append(out, e.Action+" "+string(e.Outcome))
	}
	return out
}

func TestATenantSeesAndChangesItsOwnKeys(t *testing.T) {
	h := build(t)
	before, err := h.keys.List(acme, key.Owner{})
	if err != nil || len(before) != 1 || !before[0].Primary || before[0].Uses != 1 || before[0].RootID != h.ring.RootID() || before[0].CreatedAt.IsZero() {
		t.Fatalf("%+v, %v", before, err)
	}
	id, err := h.keys.RotateTenant(acme, key.Owner{})
	if err != nil {
		t.Fatal(err)
	}
	h.set(acme, "L", "new")
	after, err := h.keys.List(acme, key.Owner{Tenant: "acme", App: "app"})
	if err != nil || len(after) != 2 || after[0].Primary || after[1].ID != id || !after[1].Primary || after[1].Uses != 1 {
		t.Fatalf("%+v, %v", after, err)
	}
	if got := strings.Join(h.entries(acme, 4), ", "); got != "key.list ok, key.list begin, key.rotate ok, key.rotate begin" {
		t.Error(got)
	}
	if theirs, err := h.keys.List(globex, key.Owner{}); err != nil || len(theirs) != 1 {
		t.Errorf("%+v, %v", theirs, err)
	}
}

func TestWhoMay(t *testing.T) {
	h := build(t)
	others := []key.Owner{{Tenant: "globex"}, {Shared: true}, {Operator: true}}
	for _, o := range others {
		_, listErr := h.keys.List(acme, o)
		_, rotateErr := h.keys.RotateTenant(acme, o)
		if !fault.Is(listErr, fault.Denied) || !fault.Is(rotateErr, fault.Denied) {
			t.Errorf("%+v: %v, %v", o, listErr, rotateErr)
		}
		if _, err := h.keys.RotateTenant(operator, o); err != nil {
			t.Errorf("%+v: the operator: %v", o, err)
		}
		if list, err := h.keys.List(operator, o); err != nil || len(list) == 0 {
			t.Errorf("%+v: the operator: %v, %v", o, list, err)
		}
	}
	for name, call := range map[string]func(context.Context) error{
		"rotate root": func(ctx context.Context) error { _, err := h.keys.RotateRoot(ctx); return err },
		"root":        func(ctx context.Context) error { _, err := h.keys.Root(ctx); return err },
		"shred own":   func(ctx context.Context) error { _, err := h.keys.Shred(ctx, "acme", "", "r"); return err },
		"receipts":    func(ctx context.Context) error { _, err := h.keys.Receipts(ctx, "", "", 0); return err },
	} {
		if err := call(acme); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", name, err)
		}
		if err := call(context.Background()); !errors.Is(err, base.ErrNoApp) {
			t.Errorf("%s without a scope: %v", name, err)
		}
	}
	for name, o := range map[string]key.Owner{"two": {Shared: true, Operator: true}, "three": {Tenant: "acme", Shared: true}, "odd": {Tenant: "/shared"}, "app": {App: "other", Shared: true}, "none": {}} {
		if _, err := h.keys.List(operator, o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := h.secrets.Get(acme, "K", ""); err != nil || got.Version != 1 {
		t.Errorf("%v", err)
	}
}

func TestTheRootKeyChanges(t *testing.T) {
	h := build(t)
	before, err := h.keys.Root(operator)
	if err != nil || before.Phase != keyring.PhaseIdle {
		t.Fatal(err)
	}
	after, err := h.keys.RotateRoot(operator)
	if err != nil || after.Epoch != before.Epoch+1 || after.RootID == before.RootID {
		t.Errorf("%+v, %v", after, err)
	}
	if _, err := h.secrets.Get(acme, "K", ""); err != nil {
		t.Error(err)
	}
	if got := strings.Join(h.entries(operator, 2), ", "); got != "key.rotate_root ok, key.rotate_root begin" {
		t.Error(got)
	}
}

func TestDestroyingATenant(t *testing.T) {
	asked := 0
	h := build(t, key.WithCheckpoint(func(context.Context) (string, error) {
		asked++
		if asked == 1 {
			return "", errors.New("no disk")
		}
		return "checkpoint 7", nil
	}))
	if _, err := h.keys.Shred(operator, "acme", "", "the contract ended"); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("the record cannot say where it stands: %v", err)
	}
	for _, reason := range []string{"", "  ", strings.Repeat("x", 1001), "\xff"} {
		if _, err := h.keys.Shred(operator, "acme", "", reason); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", reason, err)
		}
	}
	if _, err := h.secrets.Get(acme, "K", ""); err != nil {
		t.Fatalf("it was refused, and yet: %v", err)
	}
	rec, err := h.keys.Shred(operator, "acme", "app", " the contract ended ")
	if err != nil || rec.Checkpoint != "checkpoint 7" || rec.RequestedBy != "olga" || rec.Reason != "the contract ended" || rec.Tenant != "acme" {
		t.Fatalf("%+v, %v", rec, err)
	}
	public, err := h.keys.PublicKeys(context.Background(), keyring.ReceiptPurpose)
	if err != nil || len(public) != 1 || keyring.VerifyReceipt(public[0].Key, rec) != nil {
		t.Errorf("%v, %v", public, err)
	}
	if _, err := h.secrets.Get(acme, "K", ""); !errors.Is(err, base.ErrDecryptionFailed) {
		t.Errorf("reading: %v", err)
	}
	if _, err := h.secrets.Set(acme, "N", []byte("v"), ""); !errors.Is(err, keyring.ErrDestroyed) {
		t.Errorf("writing: %v", err)
	}
	if _, err := h.secrets.Get(globex, "K", ""); err != nil {
		t.Errorf("another tenant: %v", err)
	}
	list, err := h.keys.Receipts(operator, "", "", 0)
	if err != nil || len(list) != 1 || list[0].ID != rec.ID {
		t.Errorf("%v, %v", list, err)
	}
	for _, limit := range []int{-1, 1001} {
		if _, err := h.keys.Receipts(operator, "", "", limit); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d: %v", limit, err)
		}
	}
	if _, err := h.keys.Shred(operator, "acm", "", "r"); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such tenant: %v", err)
	}
	if _, err := h.keys.Shred(operator, "", "", "r"); !errors.Is(err, base.ErrNoTenant) {
		t.Errorf("no tenant: %v", err)
	}
}

// Done line: whatever backup of the data is restored, with today's keys not one value of the tenant opens, and every other
// tenant's do.
func TestNoEarlierBackupOfTheDataOpens(t *testing.T) {
	h := build(t)
	names := []string{"K", "A", "B"}
	var backups []backup
	for i, value := range []string{"one", "two"} {
		for _, ctx := range []context.Context{acme, globex} {
			for _, name := range names[1:] {
				h.set(ctx, name, value)
			}
		}
		backups = append(backups, h.backup())
		if i == 0 {
			if _, err := h.keys.RotateTenant(acme, key.Owner{}); err != nil {
				t.Fatal(err)
			}
			if _, err := h.keys.RotateRoot(operator); err != nil {
				t.Fatal(err)
			}
		}
	}
	rec, err := h.keys.Shred(operator, "acme", "", "the contract ended")
	if err != nil || rec.Count != 2 {
		t.Fatalf("%+v, %v", rec, err)
	}
	for i, b := range backups {
		h.restore(b)
		opened := 0
		for _, v := range b.versions {
			p := keyring.Box{KeyID: v.KeyID, Algorithm: v.Algorithm, Ciphertext: v.Ciphertext}
			err := h.st.View(t.Context(), func(tx driver.Tx) error {
				_, err := h.ring.Unseal(t.Context(), tx, keyring.Place{App: v.App, Tenant: v.Tenant}, p)
				return err
			})
			if v.Tenant == "acme" && !errors.Is(err, keyring.ErrDestroyed) {
				t.Errorf("backup %d: %s version %d: %v", i, v.Name, v.Version, err)
			}
		}
		for _, name := range names {
			if _, err := h.secrets.Get(acme, name, ""); !errors.Is(err, base.ErrDecryptionFailed) {
				t.Errorf("backup %d: %s: %v", i, name, err)
			}
			if got, err := h.secrets.Get(globex, name, ""); err == nil && !got.Value.IsZero() {
				opened++
			} else {
				t.Errorf("backup %d: globex %s: %v", i, name, err)
			}
		}
		if opened != len(names) {
			t.Errorf("backup %d: %d of the other tenant's values open", i, opened)
		}
	}
}

// backup is the data as a backup holds it: everything but the key tables.
type backup struct {
	heads    []driver.SecretRow
	versions []driver.SecretVersion
	ledgers  []driver.LedgerRow
}

func (h *house) backup() (b backup) {
	h.t.Helper()
	err := h.st.View(h.t.Context(), func(tx driver.Tx) error {
		for _, tenant := range []string{"acme", "globex"} {
			heads, err := tx.ListSecrets(h.t.Context(), "app", tenant, "", 100)
			if err != nil {
				return err
			}
			b.heads = append(b.heads, heads...)
			for _, head := range heads {
				versions, err := tx.ListSecretVersions(h.t.Context(), "app", tenant, head.Name, 0, 100)
				if err != nil {
					return err
				}
				b.versions = append(b.versions, versions...)
			}
			parts, err := tx.ListLedger(h.t.Context(), "app", tenant)
			if err != nil {
				return err
			}
			b.ledgers = append(b.ledgers, parts...)
		}
		return nil
	})
	if err != nil || len(b.versions) < 6 {
		h.t.Fatal(len(b.versions), err)
	}
	return b
}

// restore puts the data of a backup in the place of today's, as a fresh start of the server over it.
func (h *house) restore(b backup) {
	h.t.Helper()
	ctx := h.t.Context()
	if err := h.st.Update(ctx, func(tx driver.Tx) error {
		for _, head := range b.heads {
			if err := errors.Join(tx.DeleteSecretVersions(ctx, head.App, head.Tenant, head.Name), tx.PutSecret(ctx, head)); err != nil {
				return err
			}
		}
		for _, v := range b.versions {
			if err := tx.AddSecretVersion(ctx, v); err != nil {
				return err
			}
		}
		for _, part := range b.ledgers {
			if err := tx.PutLedger(ctx, part); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		h.t.Fatal(err)
	}
	h.secrets = secret.NewService(h.st, h.ring, secret.WithGate(audit.NewGate(audit.NewLogger(h.st, audit.WithMAC(h.ring.MAC(audit.KeyPurpose))), nil)))
}
