package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func in(tenant string) context.Context {
	return scope.WithCaller(context.Background(), caller(tenant))
}

func TestWhoReadsWhat(t *testing.T) {
	b := open(t, t.TempDir())
	svc := audit.NewService(b.st, audit.NewGate(b.log, nil))
	b.act("t", "of t")
	b.act("u", "of u")
	if err := b.log.Record(t.Context(), scope.Caller{App: "other", Tenant: "t"}, get("of another app"), audit.OK); err != nil {
		t.Fatal(err)
	}
	if err := b.log.Record(t.Context(), caller(""), audit.Event{Action: "tenant.create", Resource: "tenant", Name: "t", Operator: true}, audit.OK); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		tenant string
		query  audit.Query
		want   string // names, without repeats
		kind   fault.Kind
	}{
		{"a tenant", "t", audit.Query{Resource: "secret"}, "[of t]", 0},
		{"a tenant by its name", "t", audit.Query{Tenant: "t", Resource: "secret"}, "[of t]", 0},
		{"a tenant, another's", "t", audit.Query{Tenant: "u"}, "", fault.Denied},
		{"a tenant, nobody's", "t", audit.Query{Tenant: "nobody"}, "", fault.Denied},
		{"a tenant, all", "t", audit.Query{EveryTenant: true}, "", fault.Denied},
		{"a tenant, the operator's", "t", audit.Query{Tenant: driver.Operator}, "", fault.Denied},
		{"an operator", "", audit.Query{Resource: "tenant"}, "[t]", 0},
		{"an operator, one tenant's", "", audit.Query{Tenant: "u", Resource: "secret"}, "[of u]", 0},
		{"an operator, all", "", audit.Query{EveryTenant: true, Action: "secret.*"}, "[of u of t]", 0},
	} {
		page, err := svc.List(in(tc.tenant), tc.query)
		if (err == nil) != (tc.kind == 0) || (err != nil && !fault.Is(err, tc.kind)) {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		var names []string
		for _, e := range page.Entries {
			if len(names) == 0 || names[len(names)-1] != e.Key {
				names = append(names, e.Key)
			}
		}
		if tc.kind == 0 && fmt.Sprint(names) != tc.want {
			t.Errorf("%s: %v", tc.name, names)
		}
	}
	if _, err := svc.List(context.Background(), audit.Query{}); !errors.Is(err, scope.ErrNoApp) {
		t.Errorf("nobody: %v", err)
	}
	if r := b.verify(); !r.OK() || r.Unfinished != 0 {
		t.Errorf("%+v", r)
	}
}

func TestPagesHoldEachEntryOnce(t *testing.T) {
	b := open(t, t.TempDir())
	svc := audit.NewService(b.st, audit.NewGate(b.log, nil))
	for i := range 20 {
		b.act("t", fmt.Sprint(i))
	}
	for _, oldest := range []bool{false, true} {
		q := audit.Query{Limit: 7, Action: "secret.get", OldestFirst: oldest}
		var seqs []int64
		for {
			page, err := svc.List(in("t"), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Entries {
				seqs = append(seqs, e.Seq)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		if len(seqs) != 40 || (seqs[0] == 1) != oldest {
			t.Errorf("oldest first %v: %v", oldest, seqs)
		}
		seen := map[int64]bool{}
		for _, n := range seqs {
			if seen[n] {
				t.Errorf("entry %d twice", n)
			}
			seen[n] = true
		}
	}
	for name, q := range map[string]audit.Query{"limit": {Limit: 1001}, "below": {Limit: -1}, "cursor": {Cursor: "?"}, "forged": {Cursor: "YWJj"}} {
		if _, err := svc.List(in("t"), q); !fault.Is(err, fault.Invalid) || fault.From(err).Where.Field == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	page, err := svc.List(in("t"), audit.Query{From: time.Now().Add(time.Hour)})
	if err != nil || len(page.Entries) != 0 || page.Entries == nil {
		t.Errorf("the future: %+v %v", page, err)
	}
}

func TestExportIsWhole(t *testing.T) {
	b := open(t, t.TempDir())
	svc := audit.NewService(b.st, audit.NewGate(b.log, nil))
	for range 3 {
		b.act("t", "K")
	}
	var out bytes.Buffer
	n, err := svc.Export(in("t"), &out, audit.Query{Action: "secret.*", Limit: 1})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err != nil || n != 6 || len(lines) != 6 {
		t.Fatalf("%d entries, %d lines, %v", n, len(lines), err)
	}
	for i, line := range lines {
		var e struct {
			audit.Entry
			Hash, MAC []byte
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Seq != int64(i+1) || len(e.Hash) != 32 || len(e.MAC) != 32 || len(e.Details) != 1 || e.TenantID != "t" {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := svc.Export(in("t"), failing{}, audit.Query{}); !fault.Is(err, fault.Failed) {
		t.Errorf("a writer that fails: %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestTheHeadFileIsTidied(t *testing.T) {
	b := open(t, t.TempDir())
	lines := func() int {
		c, err := os.ReadFile(b.headPath())
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(c, []byte{'\n'})
	}
	b.act("t", "K")
	b.act("u", "K")
	before := lines()
	audit.Compact(t, b.heads)
	if after := lines(); before <= 2 || after != 2 {
		t.Errorf("%d lines, then %d", before, after)
	}
	b.act("t", "K")
	if r := b.verify(); !r.OK() || r.Ahead != 0 {
		t.Errorf("%+v", r)
	}
	b.close()
	again := open(t, b.dir)
	again.act("u", "K")
	if r := again.verify(); !r.OK() {
		t.Errorf("%+v", r)
	}
}

func TestAHeadFileThatIsFarBehindWasPutBack(t *testing.T) {
	b := open(t, t.TempDir())
	b.act("t", "K")
	early, err := os.ReadFile(b.headPath())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := b.st.Update(t.Context(), func(tx driver.Tx) error {
			for range audit.MaxAhead / 4 {
				p, err := b.log.Begun(caller("t"), get("K"))
				if err != nil {
					return err
				}
				if err := p.EndTx(t.Context(), tx, audit.OK); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if r := b.verify(); !r.OK() {
		t.Fatalf("%+v", r)
	}
	b.close()
	if err := os.WriteFile(b.headPath(), early, 0o600); err != nil {
		t.Fatal(err)
	}
	again := open(t, b.dir)
	if r := again.verify(); r.OK() || !strings.Contains(r.Problems[0].What, "older one") {
		t.Errorf("%+v", r)
	}
	if _, err := again.log.Begin(t.Context(), caller("t"), get("K")); err == nil {
		t.Error("it goes on")
	}
}
