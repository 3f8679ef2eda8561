package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
	"github.com/haywardhq/hayward/vault/store/postgres"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// both is a store with the documented methods.
type both interface {
	driver.Store
	audit.Store
}

// kinds are the kinds of store each test runs on. exec changes rows behind everybody's back; memory has nobody who could.
var kinds = map[string]func(t *testing.T) (st both, exec func(query string)){
	"memory": func(*testing.T) (both, func(string)) { return memory.New(), nil },
	"sqlite": func(t *testing.T) (both, func(string)) {
		d := dbtest.New(t, sqlite.Schema())
		return sqlite.New(d), behind(t, d)
	},
	"postgres": func(t *testing.T) (both, func(string)) {
		d := dbtest.NewPostgres(t, postgres.Schema())
		return postgres.New(d), behind(t, d)
	},
}

func behind(t *testing.T, d *db.DB) func(string) {
	return func(query string) {
		t.Helper()
		if err := d.Update(t.Context(), func(tx *db.Tx) error {
			tx.Fence(db.Everywhere, db.Everywhere)
			n, err := tx.Exec(t.Context(), query)
			if err == nil && n == 0 {
				err = errors.New("no row was changed")
			}
			return err
		}); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
}

// everyStore runs a test on each kind of store.
func everyStore(t *testing.T, test func(t *testing.T, st both, exec func(string))) {
	for name, open := range kinds {
		t.Run(name, func(t *testing.T) { st, exec := open(t); test(t, st, exec) })
	}
}

// deaf is a store that takes no audit entries.
type deaf struct {
	driver.Store
	on bool
}

func (s *deaf) Update(ctx context.Context, fn func(driver.Tx) error) error {
	return s.Store.Update(ctx, func(tx driver.Tx) error { return fn(deafTx{tx, s.on}) })
}

type deafTx struct {
	driver.Tx
	on bool
}

func (x deafTx) AppendAudit(ctx context.Context, prev []byte, rows []driver.AuditRow) (bool, error) {
	if x.on {
		return false, errors.New("the audit table was dropped")
	}
	return x.Tx.AppendAudit(ctx, prev, rows)
}

func secrets(t *testing.T, st driver.Store) *secret.Service {
	t.Helper()
	enc, err := crypto.NewEncryptor([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return secret.NewService(st, enc)
}

// g: a failure of the audit store is swallowed, and the value returned.
func TestDefectGWithoutARecordThereIsNoAnswer(t *testing.T) {
	everyStore(t, func(t *testing.T, st both, _ func(string)) {
		broken := &deaf{Store: st}
		svc := secrets(t, broken)
		if _, err := svc.Set(in("t"), "KEY", []byte("v"), ""); err != nil {
			t.Fatal(err)
		}
		broken.on = true
		sec, err := svc.Get(in("t"), "KEY", "")
		if !errors.Is(err, base.ErrAuditUnavailable) || sec != nil {
			t.Errorf("a read: %v, %v", sec, err)
		}
		if _, err := svc.Set(in("t"), "KEY", []byte("w"), ""); !errors.Is(err, base.ErrAuditUnavailable) {
			t.Errorf("a write: %v", err)
		}
		l := audit.NewLogger(broken)
		ctx := scope.WithScope(t.Context(), "a", "t", "u", "")
		for name, err := range map[string]error{"access": l.LogAccess(ctx, "KEY", "secret.accessed", "secret"),
			"failure": l.LogFailure(ctx, "KEY", "secret.accessed", "secret", errors.New("x"))} {
			if !errors.Is(err, base.ErrAuditUnavailable) {
				t.Errorf("%s: %v", name, err)
			}
		}
		broken.on = false
		if m, err := svc.GetMeta(in("t"), "KEY", ""); err != nil || m.Version != 1 {
			t.Errorf("an unrecorded write was kept: %+v, %v", m, err)
		}
	})
}

// g2: nobody sees that entries were deleted or changed.
func TestDefectG2AChangeOfTheRecordShows(t *testing.T) {
	everyStore(t, func(t *testing.T, st both, exec func(string)) {
		mac := func(b []byte) []byte { return append([]byte("key"), b[len(b)-16:]...) }
		l := audit.NewLogger(st, audit.WithMAC(mac))
		for i, user := range []string{"ann", "mallory", "ann"} {
			c := scope.Caller{App: "a", Tenant: "t", User: user}
			if err := l.Record(t.Context(), c, get(fmt.Sprint("k", i+1)), audit.OK); err != nil {
				t.Fatal(err)
			}
		}
		c, err := audit.NewCheckpointer(l, signer("s"), audit.CheckpointOptions{})
		if err != nil {
			t.Fatal(err)
		}
		held := checkpoint(t, c)
		proofs := audit.Held{Keys: keysOf(t, signer("s")), Checkpoints: []audit.Checkpoint{held}}
		verify := func(st driver.Store) audit.Report {
			r, err := audit.Verify(t.Context(), st, nil, mac, proofs)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := verify(st); !r.OK() || r.Signed != 3 {
			t.Fatalf("untouched: %+v", r)
		}
		if exec == nil { // a store that holds other rows stands for one whose rows were changed
			forged := memory.New()
			if err := audit.NewLogger(forged, audit.WithMAC(mac)).Record(t.Context(), caller("t"), get("k1"), audit.OK); err != nil {
				t.Fatal(err)
			}
			if r := verify(forged); r.OK() {
				t.Error("it does not show")
			}
			return
		}
		exec("DELETE FROM vault_audit WHERE name = 'k1'")
		exec("UPDATE vault_audit SET user_id = 'alice' WHERE name = 'k2'")
		if r := verify(st); r.OK() || r.Problems[0].Tenant != "t" {
			t.Errorf("it does not show: %+v", r)
		}
		if r := offline(t, exportOf(t, st, "t"), held); r.OK() {
			t.Error("it does not show offline")
		}
		exec("DELETE FROM vault_audit")
		if r := verify(st); r.OK() {
			t.Error("that everything is gone does not show")
		}
	})
}

// g3: a list mixes tenants; misses, metadata and lists are not recorded; an entry without a scope goes under the app "".
func TestDefectG3ATenantsRecordIsItsOwnAndWhole(t *testing.T) {
	everyStore(t, func(t *testing.T, st both, _ func(string)) {
		svc := secrets(t, st)
		for _, tenant := range []string{"t1", "t2"} {
			ctx := scope.WithScope(t.Context(), "a", tenant, "user-of-"+tenant, "10.0.0.1")
			if _, err := svc.Set(ctx, "KEY", []byte("v"), ""); err != nil {
				t.Fatal(err)
			}
			_, _ = svc.Get(ctx, "MISSING", "")
			_, _ = svc.GetMeta(ctx, "KEY", "")
			_, _ = svc.List(ctx, "", secret.ListOpts{})
			_, _ = svc.ListVersions(ctx, "KEY", "")
		}
		ctx := scope.WithScope(t.Context(), "a", "t1", "user-of-t1", "10.0.0.1")
		list, err := st.ListAudit(ctx, "a", audit.ListOpts{})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, e := range list {
			if e.TenantID != "t1" || e.UserID != "user-of-t1" || e.AppID != "a" {
				t.Errorf("among t1's entries: %+v", e)
			}
			seen[e.Action+" "+string(e.Outcome)] = true
		}
		for _, want := range []string{"secret.set ok", "secret.get not_found", "secret.get_meta ok", "secret.list ok", "secret.list_versions ok"} {
			if !seen[want] {
				t.Errorf("%s is not recorded: %v", want, seen)
			}
		}
		for name, err := range map[string]error{
			"no scope":       second(st.ListAudit(t.Context(), "a", audit.ListOpts{})),
			"no tenant":      second(st.ListAudit(scope.WithAppID(t.Context(), "a"), "a", audit.ListOpts{})),
			"another app":    second(st.ListAudit(ctx, "b", audit.ListOpts{})),
			"by key, too":    second(st.ListAuditByKey(ctx, "KEY", "b", audit.ListOpts{})),
			"no key":         second(st.ListAuditByKey(ctx, "", "a", audit.ListOpts{})),
			"recorded":       st.RecordAudit(t.Context(), &audit.Entry{Action: "secret.get", Resource: "secret"}),
			"for another":    st.RecordAudit(ctx, &audit.Entry{Action: "secret.get", Resource: "secret", TenantID: "t2"}),
			"as another":     st.RecordAudit(ctx, &audit.Entry{Action: "secret.get", Resource: "secret", UserID: "bob"}),
			"an outcome":     st.RecordAudit(ctx, &audit.Entry{Action: "secret.get", Resource: "secret", Outcome: "fine"}),
			"nothing":        st.RecordAudit(ctx, nil),
			"a limit":        second(st.ListAudit(ctx, "a", audit.ListOpts{Limit: 1001})),
			"an offset":      second(st.ListAudit(ctx, "a", audit.ListOpts{Offset: -1})),
			"odd metadata":   st.RecordAudit(ctx, &audit.Entry{Action: "secret.get", Resource: "secret", Metadata: map[string]any{"f": func() {}}}),
			"the operator's": second(st.ListAudit(scope.WithTenantID(ctx, driver.Operator), "a", audit.ListOpts{})),
		} {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// The documented methods write into the chains of the logger that was made for the store.
func TestTheDocumentedStore(t *testing.T) {
	everyStore(t, func(t *testing.T, st both, _ func(string)) {
		mac := func(b []byte) []byte { return append([]byte("key"), b[len(b)-16:]...) }
		if err := audit.NewLogger(st, audit.WithMAC(mac)).Record(t.Context(), caller("t"), get("other"), audit.OK); err != nil {
			t.Fatal(err)
		}
		audit.NewLogger(memory.New()) // another store's
		ctx := in("t")
		for i := range 5 {
			e := &audit.Entry{Action: "secret.accessed", Resource: "secret", Key: fmt.Sprint("k", i%2), Outcome: "success", Metadata: map[string]any{"n": i, "why": "asked"}}
			if err := st.RecordAudit(ctx, e); err != nil {
				t.Fatal(err)
			}
			if e.ID == "" || e.Seq != int64(i+2) || e.Outcome != audit.OK || e.TenantID != "t" || e.UserID != "ann" || e.CreatedAt.IsZero() || e.Metadata["why"] != "asked" {
				t.Errorf("%+v", e)
			}
		}
		keys := func(list []*audit.Entry, err error) string {
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, e := range list {
				out = append(out, fmt.Sprint(e.Key, "/", e.Metadata["n"]))
			}
			return strings.Join(out, " ")
		}
		for got, want := range map[string]string{
			keys(st.ListAudit(ctx, "a", audit.ListOpts{Limit: 2})):                 "k0/4 k1/3",
			keys(st.ListAudit(ctx, "", audit.ListOpts{Limit: 2, Offset: 3})):       "k1/1 k0/0",
			keys(st.ListAudit(ctx, "a", audit.ListOpts{Offset: 6})):                "",
			keys(st.ListAuditByKey(ctx, "k1", "a", audit.ListOpts{})):              "k1/3 k1/1",
			keys(st.ListAuditByKey(ctx, "k1", "a", audit.ListOpts{Offset: 1})):     "k1/1",
			keys(st.ListAuditByKey(in("u"), "k1", "a", audit.ListOpts{})) + "none": "none",
		} {
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if r, err := audit.Verify(t.Context(), st, nil, mac); err != nil || !r.OK() || r.Entries != 6 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
