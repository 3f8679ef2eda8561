package audit_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// bench is a database with a logger and a head file beside it.
type bench struct {
	t     testing.TB
	dir   string
	db    *db.DB
	st    *sqlite.Store
	mac   func([]byte) []byte
	heads *audit.Heads
	log   *audit.Logger
}

func open(t testing.TB, dir string) *bench {
	t.Helper()
	d, err := db.OpenSQLite(context.Background(), filepath.Join(dir, "hayward.db"), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, dir: dir, db: d, st: sqlite.New(d)}
	t.Cleanup(b.close)
	if err := b.st.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	root, err := keyring.NewRoot([]byte(strings.Repeat("k", 32)), "the test")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.New(root)
	if err != nil {
		t.Fatal(err)
	}
	b.mac = ring.MAC(audit.KeyPurpose)
	if b.heads, err = audit.OpenHeads(b.headPath()); err != nil {
		t.Fatal(err)
	}
	b.log = audit.NewLogger(b.st, audit.WithMAC(b.mac), audit.WithHeads(b.heads))
	return b
}

func (b *bench) headPath() string { return filepath.Join(b.dir, "audit.heads") }

func (b *bench) close() {
	if err := errors.Join(b.db.Close(), b.heads.Close()); err != nil {
		b.t.Error(err)
	}
}

func (b *bench) verify() audit.Report {
	b.t.Helper()
	set, err := audit.ReadHeads(b.headPath())
	if err != nil {
		return audit.Report{Problems: []audit.Problem{{What: err.Error()}}}
	}
	r, err := audit.Verify(context.Background(), b.st, &set, b.mac)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func caller(tenant string) scope.Caller {
	return scope.Caller{App: "a", Tenant: tenant, User: "ann", IP: "10.0.0.1", RequestID: "req_1"}
}

func get(name string) audit.Event {
	return audit.Event{Action: "secret.get", Resource: "secret", Name: name, Details: []audit.Detail{{Key: "k", Value: "v"}}}
}

func (b *bench) act(tenant, name string) {
	b.t.Helper()
	p, err := b.log.Begin(context.Background(), caller(tenant), get(name))
	if err == nil {
		err = p.End(context.Background(), audit.OK, audit.Detail{Key: "version", Value: "1"})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestAnActionIsTwoEntriesAndItsNotes(t *testing.T) {
	b := open(t, t.TempDir())
	p, err := b.log.Begin(t.Context(), caller("t"), get("K"))
	if err != nil {
		t.Fatal(err)
	}
	p.Note(audit.Detail{Key: "secret", Value: "OPENAI_API_KEY"}, audit.Detail{Key: "layer", Value: "tenant"})
	if !p.Open() {
		t.Error("an action under way is not open")
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.End(canceled, audit.Denied, audit.Detail{Key: "why", Value: "no role"}); err != nil {
		t.Fatalf("how it ended must be recorded when the caller has left: %v", err)
	}
	if err := p.End(t.Context(), audit.OK); err != nil || p.Open() {
		t.Errorf("a second end: %v", err)
	}
	page, err := audit.NewService(b.st, audit.NewGate(b.log, nil)).List(scope.WithCaller(t.Context(), caller("t")), audit.Query{OldestFirst: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Entries) != 3 { // the two, and the reading itself
		t.Fatalf("%d entries", len(page.Entries))
	}
	first, second := page.Entries[0], page.Entries[1]
	if first.Outcome != audit.Begun || second.Outcome != audit.Denied || second.Ref != first.ID.String() || first.ID.String() != p.ID() || first.Seq != 1 || second.Seq != 2 {
		t.Errorf("%+v\n%+v", first, second)
	}
	if got := fmt.Sprint(second.Details); got != "[{secret OPENAI_API_KEY} {layer tenant} {why no role}]" {
		t.Errorf("details %s", got)
	}
	if first.UserID != "ann" || first.IP != "10.0.0.1" || first.RequestID != "req_1" || first.TenantID != "t" || first.AppID != "a" || first.Key != "K" {
		t.Errorf("%+v", first)
	}
	if page.Entries[2].Action != "audit.list" {
		t.Errorf("reading the record is not recorded: %+v", page.Entries[2])
	}
	if r := b.verify(); !r.OK() || r.Entries != 4 || r.Unfinished != 0 || r.Ahead != 0 {
		t.Errorf("%+v", r)
	}
}

func TestTheDocumentedCallsReadTheScopeAndReturnErrors(t *testing.T) {
	st := memory.New()
	var hooked []audit.Entry
	l := audit.NewLogger(st, audit.WithHook(audit.HookFunc(func(_ context.Context, e audit.Entry) { hooked = append(hooked, e) })))
	ctx := scope.WithScope(t.Context(), "myapp", "tenant-1", "user-42", "10.0.0.1")
	if err := l.LogAccess(ctx, "api-key", "secret.accessed", "secret"); err != nil {
		t.Fatal(err)
	}
	if err := l.LogFailure(ctx, "api-key", "secret.accessed", "secret", fault.New(fault.NotFound, "sk-in-a-message")); err != nil {
		t.Fatal(err)
	}
	if len(hooked) != 2 || hooked[0].AppID != "myapp" || hooked[0].TenantID != "tenant-1" || hooked[0].UserID != "user-42" || hooked[0].IP != "10.0.0.1" ||
		hooked[0].Outcome != audit.OK || hooked[1].Outcome != audit.NotFound || strings.Contains(fmt.Sprint(hooked), "sk-in") {
		t.Errorf("%+v", hooked)
	}
	for name, err := range map[string]error{
		"no tenant": l.LogAccess(scope.WithAppID(t.Context(), "a"), "k", "secret.get", "secret"),
		"no app":    l.LogAccess(t.Context(), "k", "secret.get", "secret"),
		"action":    l.LogAccess(ctx, "k", "Secret Get\n", "secret"),
		"resource":  l.LogAccess(ctx, "k", "secret.get", ""),
		"operator":  l.LogAccess(scope.WithTenantID(ctx, driver.Operator), "k", "secret.get", "secret"),
		"shared":    l.LogAccess(scope.WithTenantID(ctx, driver.Shared), "k", "secret.get", "secret"),
		"failure":   l.LogFailure(ctx, "k", "secret.get", "secret", nil),
	} {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(hooked) != 2 {
		t.Error("a refused entry was announced")
	}
}

func TestHostileNamesCannotForgeLines(t *testing.T) {
	for in, want := range map[string]string{
		"plain":               "plain",
		"a\nb\r\x1b[31m\x00":  `a\u{a}b\u{d}\u{1b}[31m\u{0}`,
		"\u202eevil\u2066":    `\u{202e}evil\u{2066}`,
		"line\u2028separator": `line\u{2028}separator`,
		"Zürich 東京":           "Zürich 東京",
		"bad\xff":             `bad\x{ff}`,
		"\u200bzero width":    `\u{200b}zero width`,
	} {
		if got := audit.Display(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	b := open(t, t.TempDir())
	c := caller("t")
	c.User, c.IP, c.RequestID = "ann\n", strings.Repeat("ö", 500), "\u202e"
	if err := b.log.Record(t.Context(), c, get("K\nFORGED"), audit.Denied, audit.Detail{Key: "Bad Key\n", Value: "v\n"}); err != nil {
		t.Fatal(err)
	}
	_ = b.st.View(t.Context(), func(tx driver.Tx) error {
		rows, err := tx.ListAudit(t.Context(), "a", "t", driver.AuditFilter{Limit: 1})
		if err != nil || strings.ContainsAny(fmt.Sprint(rows), "\n\u202e") || len(rows[0].IP) > 256 || rows[0].Details != `[["k","v"],["detail","v\\u{a}"]]` {
			t.Errorf("%+v, %v", rows, err)
		}
		return nil
	})
}

func TestAnEntryThatCannotBeWrittenMeansNo(t *testing.T) {
	b := open(t, t.TempDir())
	b.act("t", "K")
	begun, err := b.log.Begin(t.Context(), caller("t"), get("K"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = b.log.Begin(t.Context(), caller("t"), get("K"))
	if !errors.Is(err, base.ErrAuditUnavailable) || !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "nothing was done") {
		t.Errorf("%v", err)
	}
	// The effects of what had begun are there: saying that nothing was done would be untrue.
	err = begun.End(t.Context(), audit.OK)
	if !errors.Is(err, base.ErrAuditUnavailable) || strings.Contains(err.Error(), "nothing was done") {
		t.Errorf("%v", err)
	}
}

func TestAFullHeadFileIsAnErrorAndHeals(t *testing.T) {
	b := open(t, t.TempDir())
	b.act("t", "K")
	if err := b.heads.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.log.Begin(t.Context(), caller("t"), get("K")); !errors.Is(err, base.ErrAuditUnavailable) {
		t.Errorf("without a head file: %v", err)
	}
	if r := b.verify(); !r.OK() || r.Ahead != 1 {
		t.Errorf("%+v", r)
	}
}

func TestEndInATransactionIsKeptOrLostWithIt(t *testing.T) {
	b := open(t, t.TempDir())
	p, err := b.log.Begin(t.Context(), caller("t"), get("K"))
	if err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	err = b.st.Update(t.Context(), func(tx driver.Tx) error {
		if err := p.EndTx(t.Context(), tx, audit.OK); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) || !p.Open() {
		t.Fatalf("%v, open %v", err, p.Open())
	}
	if err := p.EndErr(t.Context(), boom); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	b.act("t", "K")
	q, err := b.log.Begin(t.Context(), caller("t"), get("K"))
	if err != nil {
		t.Fatal(err)
	}
	// As a room with tables of its own does it.
	if err := b.db.Update(t.Context(), func(tx *db.Tx) error { return q.EndTx(t.Context(), b.st.In(tx), audit.OK) }); err != nil || q.Open() {
		t.Fatal(err)
	}
	if err := b.st.Update(t.Context(), func(tx driver.Tx) error { return q.EndTx(t.Context(), tx, audit.OK) }); err == nil {
		t.Error("an action ended twice")
	}
	if r := b.verify(); !r.OK() || r.Entries != 6 || r.Unfinished != 0 {
		t.Errorf("%+v", r)
	}
}

// Failing writes between good ones of the same chain, many at once: numbers stay without gaps, heads stay true.
func TestWritesOfManyAtOnce(t *testing.T) {
	b := open(t, t.TempDir())
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 20 {
				p, err := b.log.Begin(context.Background(), caller(fmt.Sprintf("t%d", i%3)), get("K"))
				if err != nil {
					t.Error(err)
					return
				}
				err = b.st.Update(context.Background(), func(tx driver.Tx) error {
					err := p.EndTx(context.Background(), tx, audit.OK)
					if j%3 == 0 {
						return errors.Join(err, errors.New("boom"))
					}
					return err
				})
				if (err != nil) != (j%3 == 0) {
					t.Error(err)
				}
				if err := p.End(context.Background(), audit.Error); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	r := b.verify()
	if !r.OK() || r.Entries != 16*20*2 || r.Chains != 3 || r.Unfinished != 0 || r.Ahead != 0 {
		t.Errorf("%+v", r)
	}
	b.close()
	again := open(t, b.dir)
	again.act("t0", "K")
	if r := again.verify(); !r.OK() {
		t.Errorf("after reopening: %+v", r)
	}
}

func TestGate(t *testing.T) {
	b := open(t, t.TempDir())
	denied := fault.New(fault.Denied, "no").WithCode("NoRole")
	for _, tc := range []struct {
		name  string
		req   audit.Request
		allow func(context.Context, audit.Request) error
		want  error
		kind  fault.Kind
		chain string // where the last entry is
		last  audit.Outcome
	}{
		{name: "inside a tenant", req: audit.Request{Caller: caller("t")}, chain: "t", last: audit.Begun},
		{name: "denied", req: audit.Request{Caller: caller("u")}, allow: func(context.Context, audit.Request) error { return denied }, want: denied, kind: fault.Denied, chain: "u", last: audit.Denied},
		{name: "a tenant as operator", req: audit.Request{Caller: caller("v"), Operator: true}, kind: fault.Denied, chain: "v", last: audit.Denied},
		{name: "an operator", req: audit.Request{Caller: caller(""), Operator: true}, chain: driver.Operator, last: audit.Begun},
		{name: "nobody", req: audit.Request{Caller: caller("")}, want: scope.ErrNoTenant, kind: fault.Invalid},
		{name: "no app", req: audit.Request{Operator: true}, want: scope.ErrNoApp, kind: fault.Invalid},
		{name: "somebody who calls himself operator", req: audit.Request{Caller: caller(driver.Operator)}, kind: fault.Invalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.req.Action, tc.req.Resource = "secret.get", "secret"
			p, err := audit.NewGate(b.log, tc.allow).Enter(t.Context(), tc.req)
			if (tc.kind == 0) != (err == nil) || (err != nil && !fault.Is(err, tc.kind)) || (tc.want != nil && !errors.Is(err, tc.want)) {
				t.Fatalf("%v", err)
			}
			if (p != nil) != (err == nil) {
				t.Error("an action is open without leave")
			}
			if tc.chain == "" {
				return
			}
			_ = b.st.View(t.Context(), func(tx driver.Tx) error {
				tail, err := tx.AuditTail(t.Context(), driver.Chain{App: "a", Tenant: tc.chain, Node: "node-1", Epoch: 1})
				if err != nil || tail.Outcome != string(tc.last) {
					t.Errorf("the last entry is %v, %v", tail, err)
				}
				return nil
			})
		})
	}
}
