package audit_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func operator() context.Context {
	return scope.WithCaller(context.Background(), scope.Caller{App: "a", User: "op", RequestID: "req_op"})
}

// broken is a server that finds the end of t's chain cut off.
func broken(t *testing.T) (*bench, *audit.Service) {
	dir := t.TempDir()
	b := open(t, dir)
	b.act("t", "K")
	b.act("t", "K")
	b.act("u", "K")
	b.exec("DELETE FROM vault_audit WHERE tenant = 't' AND seq > 2")
	b.close()
	b = open(t, dir)
	return b, audit.NewService(b.st, audit.NewGate(b.log, nil))
}

func (b *bench) tries(tenant string) error {
	p, err := b.log.Begin(context.Background(), caller(tenant), get("K"))
	if err != nil {
		return err
	}
	return p.End(context.Background(), audit.OK)
}

// actions lists a tenant's entries, oldest first, as the store has them.
func (b *bench) actions(tenant string) (out []driver.AuditRow) {
	b.t.Helper()
	if err := b.st.View(context.Background(), func(tx driver.Tx) (err error) {
		out, err = tx.ListAudit(context.Background(), "a", tenant, driver.AuditFilter{Limit: 1000, OldestFirst: true})
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
	return out
}

const reason = "restore of 2026-11-22, ticket 4711"

func TestBreakGlassLetsATenantGoOnAndIsChainedItself(t *testing.T) {
	b, svc := broken(t)
	if err := b.tries("t"); err == nil {
		t.Fatal("a chain that was cut takes entries")
	}
	g, err := svc.BreakGlass(operator(), audit.GlassRequest{Tenant: "t", Reason: reason})
	if err != nil || !g.Open || g.TenantID != "t" || g.OpenedBy != "op" || g.Until.Sub(g.OpenedAt) != time.Hour {
		t.Fatalf("%+v, %v", g, err)
	}
	for range 3 {
		if err := b.tries("t"); err != nil {
			t.Fatal(err)
		}
	}
	p, err := b.log.Begin(t.Context(), caller("t"), get("K"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.st.Update(t.Context(), func(tx driver.Tx) error { return p.EndTx(t.Context(), tx, audit.OK) }); err != nil {
		t.Fatal(err)
	}
	beside := driver.Chain{App: "a", Tenant: "t", Node: "node-1~" + g.ID.String(), Epoch: 1}
	var said []string
	written := b.actions("t")[2:]
	slices.SortFunc(written, func(a, b driver.AuditRow) int { return int(a.Seq - b.Seq) })
	for _, r := range written {
		if r.Chain != beside {
			t.Errorf("an entry is in %+v", r.Chain)
		}
		said = append(said, fmt.Sprint(r.Seq, " ", r.Action, " ", r.Outcome))
	}
	if got := strings.Join(said, ", "); !strings.HasPrefix(got, "1 audit.break_glass.use ok, 2 audit.break_glass.open ok, 3 secret.get begin, 4 secret.get ok") || len(said) != 10 {
		t.Errorf("the tenant's record: %s", got)
	}
	if first := written[0]; !strings.Contains(first.Details, reason) || !strings.Contains(first.Details, `["last","4"]`) || !strings.Contains(first.Details, "last_hash") {
		t.Errorf("the chain begins with %s", first.Details)
	}
	var mine []string
	for _, r := range b.actions(driver.Operator) {
		mine = append(mine, r.Action+" "+r.Outcome+" "+r.Name)
	}
	if got := strings.Join(mine, ", "); got != "audit.break_glass.open begin t, audit.break_glass.use ok t, audit.break_glass.open ok t" {
		t.Errorf("the operator's record: %s", got)
	}
	r := b.verify()
	if len(r.Problems) != 1 || r.Problems[0].Node != "node-1" || r.Problems[0].Tenant != "t" {
		t.Errorf("the verification no longer says what is wrong, or says more: %+v", r)
	}
	closed, err := svc.CloseGlass(operator(), "t")
	if err != nil || closed.Open || closed.ClosedAt.IsZero() || closed.ID != g.ID {
		t.Errorf("%+v, %v", closed, err)
	}
	if err := b.tries("t"); err == nil {
		t.Error("the tenant acts after the glass was closed")
	}
	if err := b.tries("u"); err != nil {
		t.Errorf("another tenant: %v", err)
	}
	list, err := svc.Glasses(operator(), "t")
	if err != nil || len(list) != 1 || list[0] != closed {
		t.Errorf("%+v, %v", list, err)
	}
	if last := b.actions("t"); last[len(last)-1].Action != "audit.break_glass.close" {
		t.Errorf("the last of the tenant's entries is %s", last[len(last)-1].Action)
	}
	// It outlives the process, as long as it is open.
	if _, err := svc.BreakGlass(operator(), audit.GlassRequest{Tenant: "t", Reason: reason}); err != nil {
		t.Fatal(err)
	}
	b.close()
	again := open(t, b.dir)
	if err := again.tries("t"); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if r := again.verify(); len(r.Problems) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestBreakGlassIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New()
		key := func(k string) audit.Option {
			return audit.WithMAC(func(b []byte) []byte { sum := sha256.Sum256(append([]byte(k), b...)); return sum[:] })
		}
		if err := audit.NewLogger(st, key("another server's")).Record(t.Context(), caller("t"), get("K"), audit.OK); err != nil {
			t.Fatal(err)
		}
		l := audit.NewLogger(st, key("mine"))
		svc := audit.NewService(st, audit.NewGate(l, nil))
		tries := func() error { return l.Record(t.Context(), caller("t"), get("K"), audit.OK) }
		if tries() == nil {
			t.Fatal("a chain of another server takes entries")
		}
		if _, err := svc.BreakGlass(operator(), audit.GlassRequest{Tenant: "t", Reason: reason, For: time.Minute}); err != nil {
			t.Fatal(err)
		}
		if err := tries(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if tries() == nil {
			t.Error("it has no end")
		}
	})
}

func TestBreakGlassCannotBeWrittenIntoTheDatabase(t *testing.T) {
	b, svc := broken(t)
	if _, err := svc.BreakGlass(operator(), audit.GlassRequest{Tenant: "t", Reason: reason, For: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if err := b.tries("t"); err != nil {
		t.Fatal(err)
	}
	b.exec("UPDATE vault_audit_glass SET until_at = until_at + 1")
	if err := b.tries("t"); err == nil {
		t.Error("somebody with the database made it longer")
	}
}

func TestBreakGlassIsStrict(t *testing.T) {
	b, svc := broken(t)
	for name, tc := range map[string]struct {
		ctx  context.Context
		req  audit.GlassRequest
		kind fault.Kind
	}{
		"a tenant":          {in("t"), audit.GlassRequest{Tenant: "t", Reason: reason}, fault.Denied},
		"another tenant":    {in("u"), audit.GlassRequest{Tenant: "t", Reason: reason}, fault.Denied},
		"no reason":         {operator(), audit.GlassRequest{Tenant: "t"}, fault.Invalid},
		"hardly a reason":   {operator(), audit.GlassRequest{Tenant: "t", Reason: "  because \n "}, fault.Invalid},
		"too long":          {operator(), audit.GlassRequest{Tenant: "t", Reason: reason, For: 25 * time.Hour}, fault.Invalid},
		"too short":         {operator(), audit.GlassRequest{Tenant: "t", Reason: reason, For: time.Second}, fault.Invalid},
		"backwards":         {operator(), audit.GlassRequest{Tenant: "t", Reason: reason, For: -time.Hour}, fault.Invalid},
		"no tenant":         {operator(), audit.GlassRequest{Reason: reason}, fault.Invalid},
		"the operator's":    {operator(), audit.GlassRequest{Tenant: driver.Operator, Reason: reason}, fault.Invalid},
		"the shared things": {operator(), audit.GlassRequest{Tenant: driver.Shared, Reason: reason}, fault.Invalid},
	} {
		if _, err := svc.BreakGlass(tc.ctx, tc.req); !fault.Is(err, tc.kind) && !(name == "a tenant" && err != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := svc.CloseGlass(operator(), "t"); !fault.Is(err, fault.NotFound) {
		t.Errorf("closing nothing: %v", err)
	}
	if err := b.tries("t"); err == nil {
		t.Error("a refused request opened it")
	}
	if _, err := svc.BreakGlass(operator(), audit.GlassRequest{Tenant: "t", Reason: reason}); err != nil {
		t.Fatal(err)
	}
	if _, err := svc.BreakGlass(operator(), audit.GlassRequest{Tenant: "t", Reason: reason}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second one: %v", err)
	}
	// While t's chain is whole again, or for a tenant whose chain is whole, it changes nothing.
	if _, err := svc.BreakGlass(operator(), audit.GlassRequest{Tenant: "u", Reason: reason}); err != nil {
		t.Fatal(err)
	}
	if err := b.tries("u"); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.actions("u") {
		if r.Node != "node-1" {
			t.Errorf("an entry is beside a whole chain: %+v", r.Chain)
		}
	}
	// Where nothing can be written, nothing happens.
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.tries("t"); err == nil {
		t.Error("an action without a record")
	}
}
