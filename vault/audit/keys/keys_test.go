package keys_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/audit/keys"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// record is a store with a keyring, a logger that blinds, and a service that reads.
type record struct {
	st      driver.Store
	ring    *keyring.Ring
	blinder *keys.Blinder
	log     *audit.Logger
	svc     *audit.Service
}

func newRecord(t testing.TB, st driver.Store) *record {
	t.Helper()
	root, err := keyring.NewRoot([]byte(strings.Repeat("k", 32)), "the test")
	if err != nil {
		t.Fatal(err)
	}
	r := &record{st: st}
	if r.ring, err = keyring.New(root); err != nil {
		t.Fatal(err)
	}
	r.blinder = keys.New(r.ring, st)
	r.log = audit.NewLogger(st, audit.WithBlinder(r.blinder, audit.DefaultPersonal()), audit.WithMAC(r.ring.MAC(audit.KeyPurpose)))
	r.svc = audit.NewService(st, audit.NewGate(r.log, nil), audit.WithOpener(r.blinder))
	return r
}

func stores(t *testing.T, test func(t *testing.T, st driver.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, memory.New()) })
	t.Run("sqlite", func(t *testing.T) {
		d, err := db.OpenSQLite(t.Context(), t.TempDir()+"/v.db", db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		st := sqlite.New(d)
		if err := st.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, st)
	})
}

func as(tenant, user string) context.Context {
	return scope.WithCaller(context.Background(), caller(tenant, user))
}

func caller(tenant, user string) scope.Caller {
	return scope.Caller{App: "a", Tenant: tenant, User: user, IP: "192.0.2.77", RequestID: "req"}
}

func (r *record) write(t testing.TB, tenant, user string) {
	t.Helper()
	for _, ev := range []audit.Event{
		{Action: "secret.get", Resource: "secret", Name: "KEY", Details: []audit.Detail{{Key: "layer", Value: "tenant"}}},
		{Action: "user.create", Resource: "user", Name: "zoe@example.org", Details: []audit.Detail{{Key: "role", Value: "admin"}, {Key: "email", Value: "zoe@example.org"}}},
	} {
		if err := r.log.Record(t.Context(), caller(tenant, user), ev, audit.OK); err != nil {
			t.Fatal(err)
		}
	}
}

// list shows what a tenant's entries say, newest first, without those about reading the record.
func (r *record) list(t testing.TB, tenant string, q audit.Query) string {
	t.Helper()
	page, err := r.svc.List(as(tenant, "reader"), q)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range page.Entries {
		if e.Resource != "audit" {
			out = append(out, fmt.Sprintf("%s by %s from %s: %s %v", e.Action, e.UserID, e.IP, e.Key, e.Details))
		}
	}
	return strings.Join(out, "\n")
}

func (r *record) stored(t testing.TB, tenant string) []driver.AuditRow {
	t.Helper()
	var rows []driver.AuditRow
	if err := r.st.View(t.Context(), func(tx driver.Tx) (err error) {
		rows, err = tx.ListAudit(t.Context(), "a", tenant, driver.AuditFilter{Limit: 1000})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return rows
}

func (r *record) verify(t testing.TB) {
	t.Helper()
	report, err := audit.Verify(t.Context(), r.st, nil, r.ring.MAC(audit.KeyPurpose))
	if err != nil || !report.OK() {
		t.Errorf("%+v, %v", report, err)
	}
}

const clear = "user.create by ann.lee from 192.0.2.77: zoe@example.org [{role admin} {email zoe@example.org}]\n" +
	"secret.get by ann.lee from 192.0.2.77: KEY [{layer tenant}]"

func TestPersonalFieldsAreReadAndNotStored(t *testing.T) {
	stores(t, func(t *testing.T, st driver.Store) {
		r := newRecord(t, st)
		r.write(t, "t", "ann.lee")
		r.write(t, "u", "ann.lee")
		if got := r.list(t, "t", audit.Query{}); got != clear {
			t.Errorf("got\n%s", got)
		}
		if got := r.list(t, "t", audit.Query{User: "ann.lee"}); got != clear {
			t.Errorf("by user:\n%s", got)
		}
		if got := r.list(t, "t", audit.Query{Key: "zoe@example.org"}); got != strings.SplitN(clear, "\n", 2)[0] {
			t.Errorf("by name:\n%s", got)
		}
		if got := r.list(t, "t", audit.Query{User: "bob.lee"}); got != "" {
			t.Errorf("by another user:\n%s", got)
		}
		all := fmt.Sprint(r.stored(t, "t"), r.stored(t, "u"))
		for _, plain := range []string{"ann.lee", "192.0.2.77", "zoe@"} {
			if strings.Contains(all, plain) {
				t.Errorf("%s is stored", plain)
			}
		}
		if mine, theirs := r.stored(t, "t")[0].User, r.stored(t, "u")[0].User; mine == theirs || len(mine) != audit.AliasSize {
			t.Errorf("two tenants share what stands for a user: %s and %s", mine, theirs)
		}
		r.verify(t)
		// An operator looks over all tenants.
		page, err := r.svc.List(scope.WithCaller(t.Context(), scope.Caller{App: "a", User: "op"}), audit.Query{EveryTenant: true, User: "ann.lee"})
		if err != nil || len(page.Entries) != 4 || page.Entries[0].UserID != "ann.lee" {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

func TestEntriesWrittenBeforeBlindingAreReadTheSame(t *testing.T) {
	stores(t, func(t *testing.T, st driver.Store) {
		r := newRecord(t, st)
		plain := audit.NewLogger(st, audit.WithMAC(r.ring.MAC(audit.KeyPurpose)))
		if err := plain.Record(t.Context(), caller("t", "ann.lee"), audit.Event{Action: "secret.get", Resource: "secret", Name: "KEY"}, audit.OK); err != nil {
			t.Fatal(err)
		}
		r.write(t, "t", "ann.lee")
		if got := r.list(t, "t", audit.Query{User: "ann.lee"}); strings.Count(got, "by ann.lee from 192.0.2.77") != 3 {
			t.Errorf("got\n%s", got)
		}
		r.verify(t)
	})
}

// destroy does to the store what destroying a tenant's keys does.
func (r *record) destroy(t testing.TB, tenant string) {
	t.Helper()
	if err := r.st.Update(t.Context(), func(tx driver.Tx) error {
		list, err := tx.ListKeys(t.Context(), "a", tenant)
		for _, k := range list {
			if err == nil {
				err = tx.DeleteKey(t.Context(), "a", tenant, k.ID)
			}
		}
		if err != nil {
			return err
		}
		return tx.PutShred(t.Context(), driver.ShredRow{App: "a", Tenant: tenant, ID: "shred_1", State: "done"})
	}); err != nil {
		t.Fatal(err)
	}
	r.ring.Forget("a", tenant)
}

func TestDestroyingATenantsKeysBlindsItsEntries(t *testing.T) {
	stores(t, func(t *testing.T, st driver.Store) {
		r := newRecord(t, st)
		r.write(t, "t", "ann.lee")
		r.write(t, "u", "ann.lee")
		signer, trusted, err := keys.Signer(t.Context(), st, r.ring)
		if err != nil {
			t.Fatal(err)
		}
		c, err := audit.NewCheckpointer(r.log, signer, audit.CheckpointOptions{Trusted: trusted})
		if err != nil {
			t.Fatal(err)
		}
		held, _, err := c.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.destroy(t, "t")
		want := "user.create by (destroyed) from (destroyed): (destroyed) [{role admin} {email (destroyed)}]\n" +
			"secret.get by (destroyed) from (destroyed): KEY [{layer tenant}]"
		if got := r.list(t, "t", audit.Query{}); got != want {
			t.Errorf("got\n%s", got)
		}
		if got := r.list(t, "t", audit.Query{User: "ann.lee"}); got != "" {
			t.Errorf("by user:\n%s", got)
		}
		if got := r.list(t, "u", audit.Query{User: "ann.lee"}); got != clear {
			t.Errorf("another tenant's:\n%s", got)
		}
		// What is recorded afterwards is blind from the start, and the chain is whole.
		r.write(t, "t", "bob.lee")
		if all := fmt.Sprint(r.stored(t, "t")); strings.Contains(all, "bob.lee") || strings.Contains(all, "zoe@") {
			t.Error("a name is stored in clear")
		}
		if got := r.list(t, "t", audit.Query{Resource: "secret"}); strings.Count(got, "by (destroyed)") != 2 {
			t.Errorf("got\n%s", got)
		}
		r.verify(t)
		var out bytes.Buffer
		if _, err := r.svc.Export(as("t", "reader"), &out, audit.Query{}); err != nil {
			t.Fatal(err)
		}
		if report, err := audit.VerifyExport(&out, []audit.Checkpoint{held}, trusted); err != nil || !report.OK() || report.Signed != 2 {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

// Rotating the tenant's key re-encrypts one small key and no entry.
func TestATenantsKeyIsRotated(t *testing.T) {
	stores(t, func(t *testing.T, st driver.Store) {
		r := newRecord(t, st)
		r.write(t, "t", "ann.lee")
		before := r.stored(t, "t")[0].User
		var former []driver.KeyRow
		if err := st.Update(t.Context(), func(tx driver.Tx) (err error) {
			if former, err = tx.ListKeys(t.Context(), "a", "t"); err != nil {
				return err
			}
			_, err = r.ring.RotateTenant(t.Context(), tx, "a", "t")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		r.write(t, "t", "ann.lee")
		if after := r.stored(t, "t")[0].User; after != before {
			t.Error("what stands for a user has changed")
		}
		if err := st.Update(t.Context(), func(tx driver.Tx) error {
			row, err := tx.AuditKey(t.Context(), "a", "t", "")
			if err != nil || row.KeyID == former[0].ID {
				return fmt.Errorf("the key of the entries is under %s still: %w", row.KeyID, err)
			}
			return tx.DeleteKey(t.Context(), "a", "t", former[0].ID)
		}); err != nil {
			t.Fatal(err)
		}
		r.ring.Forget("a", "t")
		if got := r.list(t, "t", audit.Query{User: "ann.lee"}); got != clear+"\n"+clear {
			t.Errorf("got\n%s", got)
		}
	})
}

// A row put in another's place, or under another tenant, does not open.
func TestPersonalFieldsOpenInTheirPlaceAlone(t *testing.T) {
	st := memory.New()
	r := newRecord(t, st)
	r.write(t, "t", "ann.lee")
	r.write(t, "u", "bob.lee")
	mine, theirs := r.stored(t, "t")[0], r.stored(t, "u")[0]
	if err := st.View(t.Context(), func(tx driver.Tx) error {
		for name, ask := range map[string][3]string{"another entry": {"t", theirs.ID, mine.Sealed}, "another tenant": {"u", mine.ID, mine.Sealed},
			"cut": {"t", mine.ID, mine.Sealed[:len(mine.Sealed)-4]}, "nothing": {"t", mine.ID, ""}, "no key": {"t", mine.ID, "key_x:AAAA"}, "short": {"t", mine.ID, strings.SplitN(mine.Sealed, ":", 2)[0] + ":AA"}} {
			if p, err := r.blinder.Open(t.Context(), tx, "a", ask[0], ask[1], ask[2]); err == nil {
				t.Errorf("%s: %+v", name, p)
			}
		}
		p, err := r.blinder.Open(t.Context(), tx, "a", "t", mine.ID, mine.Sealed)
		if err != nil || p.User != "ann.lee" {
			t.Errorf("%+v, %v", p, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkBlind is what blinding adds to an entry.
func BenchmarkBlind(b *testing.B) {
	r := newRecord(b, memory.New())
	for range 2 { // the key is made, then opened
		r.write(b, "t", "ann.lee")
	}
	_ = r.st.Update(b.Context(), func(tx driver.Tx) error {
		p := audit.Personal{User: "ann.lee", IP: "192.0.2.77"}
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := r.blinder.Blind(b.Context(), tx, "a", "t", "x", p); err != nil {
				b.Fatal(err)
			}
		}
		return nil
	})
}
