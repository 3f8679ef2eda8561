package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// column is a column of the table and another value for it.
type column struct{ name, value string }

var columns = []column{
	{"app", "app || 'x'"}, {"tenant", "tenant || 'x'"}, {"node", "node || 'x'"}, {"epoch", "epoch + 1"}, {"seq", "seq + 100000"}, {"seq", "-seq"},
	{"id", "id || 'x'"}, {"ref", "ref || ' '"}, {"at", "at + 1"}, {"user_id", "'mallory'"}, {"ip", "ip || '0'"}, {"request_id", "''"},
	{"action", "'secret.got'"}, {"resource", "upper(resource)"}, {"name", "name || char(0)"}, {"outcome", "'error'"}, {"details", "details || ' '"}, {"sealed", "sealed || 'x'"},
	{"hash", "zeroblob(32)"}, {"mac", "zeroblob(32)"}, {"hash", "x''"}, {"mac", "x''"}, {"packed", "zeroblob(1)"},
}

func TestTheTamperTestKnowsEveryColumn(t *testing.T) {
	b := open(t, t.TempDir())
	var have []string
	if err := b.db.View(t.Context(), func(tx *db.Tx) error {
		return tx.Query(t.Context(), "SELECT name FROM pragma_table_info('vault_audit')", nil, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			have = append(have, name)
			return err
		})
	}); err != nil || len(have) < 18 {
		t.Fatal(have, err)
	}
	for _, name := range have {
		known := false
		for _, c := range columns {
			known = known || c.name == name
		}
		if !known {
			t.Errorf("no change of the column %s is tried", name)
		}
	}
}

// sql changes the database behind everybody's back. Each change is made in a savepoint of its own and undone after check.
func (b *bench) tampered(query string, check func(r audit.Report)) {
	b.t.Helper()
	before := b.rows()
	if err := b.db.Update(context.Background(), func(tx *db.Tx) error {
		for _, q := range strings.Split(query, ";") {
			n, err := tx.Exec(context.Background(), q)
			if err != nil || n == 0 {
				return fmt.Errorf("%s changed %d rows: %w", q, n, err)
			}
		}
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
	check(b.verify())
	b.restore(before)
}

func (b *bench) rows() (out []driver.AuditRow) {
	_ = b.st.View(context.Background(), func(tx driver.Tx) error {
		chains, err := tx.AuditChainsEverywhere(context.Background())
		for _, c := range chains {
			err = tx.ScanAudit(context.Background(), c, -1<<63, func(r driver.AuditRow) error { out = append(out, r); return nil })
		}
		return err
	})
	return out
}

func (b *bench) restore(rows []driver.AuditRow) {
	b.t.Helper()
	if err := b.db.Update(context.Background(), func(tx *db.Tx) error {
		if _, err := tx.Exec(context.Background(), "DELETE FROM vault_audit"); err != nil {
			return err
		}
		prev := map[driver.Chain][]byte{}
		for _, r := range rows {
			if ok, err := b.st.In(tx).AppendAudit(context.Background(), prev[r.Chain], []driver.AuditRow{r}); err != nil || !ok {
				return fmt.Errorf("cannot put entry %d back: %v", r.Seq, err)
			}
			prev[r.Chain] = r.Hash
		}
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
}

func TestEveryChangeOfOneRowIsFoundAndNamed(t *testing.T) {
	b := open(t, t.TempDir())
	for range 4 {
		b.act("t", "K")
		b.act("u", "K")
	}
	if r := b.verify(); !r.OK() || r.Entries != 16 {
		t.Fatalf("%+v", r)
	}
	const last = 8
	at := func(n int) string { return fmt.Sprintf(" WHERE app = 'a' AND tenant = 't' AND seq = %d", n) }
	named := func(what string, n int) func(audit.Report) {
		return func(r audit.Report) {
			t.Helper()
			found := false
			for _, p := range r.Problems {
				found = found || (p.Tenant == "t" && p.Node == "node-1" && p.Epoch == 1 && (p.Seq == int64(n) || p.Seq == -int64(n)))
				if p.Tenant == "u" {
					t.Errorf("%s of entry %d: %s", what, n, p)
				}
			}
			if !found {
				t.Errorf("%s of entry %d is not found: %v", what, n, r.Problems)
			}
			if r.Err() == nil {
				t.Errorf("%s of entry %d: the report is no error", what, n)
			}
		}
	}
	for n := 1; n <= last; n++ {
		for _, c := range columns {
			b.tampered("UPDATE vault_audit SET "+c.name+" = "+c.value+at(n), named("a changed "+c.name, n))
		}
		b.tampered("DELETE FROM vault_audit"+at(n), named("removal", n))
		if n < last {
			swap := "UPDATE vault_audit SET seq = 0" + at(n) + "; UPDATE vault_audit SET seq = " + fmt.Sprint(n) + at(n+1) + "; UPDATE vault_audit SET seq = " + fmt.Sprint(n+1) + at(0)
			b.tampered(swap, named("a swap with the next", n))
			b.tampered("DELETE FROM vault_audit WHERE tenant = 't' AND seq > "+fmt.Sprint(n), named("a cut", n+1))
		}
		twin := "INSERT INTO vault_audit SELECT app, tenant, node, epoch, 9, id || 'x', ref, at, user_id, ip, request_id, action, resource, name, outcome, details, hash, mac, sealed, packed FROM vault_audit" + at(n)
		b.tampered(twin, named("a copy put at the end", 9))
		moved := "UPDATE vault_audit SET tenant = 'x' WHERE tenant = 'u' AND seq = " + fmt.Sprint(n)
		b.tampered(moved, func(r audit.Report) {
			if len(r.Problems) != 2 {
				t.Errorf("entry %d moved to another tenant: %v", n, r.Problems)
			}
		})
	}
	b.tampered("DELETE FROM vault_audit WHERE tenant = 't'", func(r audit.Report) {
		if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].What, "whole chain is missing") || r.Problems[0].Tenant != "t" {
			t.Errorf("%v", r.Problems)
		}
	})
	b.tampered("DELETE FROM vault_audit", func(r audit.Report) {
		if len(r.Problems) != 2 {
			t.Errorf("%v", r.Problems)
		}
	})
	if r := b.verify(); !r.OK() {
		t.Errorf("after putting everything back: %v", r.Problems)
	}
}

// Somebody with the database, the source code and no root key writes the end of a chain anew.
func TestARewrittenEndIsFound(t *testing.T) {
	b := open(t, t.TempDir())
	for range 3 {
		b.act("t", "K")
	}
	rows := b.rows()
	forger := open(t, t.TempDir())
	forged := audit.NewLogger(forger.st) // no MAC
	for range 3 {
		if err := forged.Record(t.Context(), caller("t"), get("K"), audit.OK); err != nil {
			t.Fatal(err)
		}
	}
	fresh := forger.rows()
	b.restore(fresh)
	if r := b.verify(); r.OK() || r.Problems[0].Seq != 1 {
		t.Errorf("a chain without MACs passes: %v", r.Problems)
	}
	b.restore(rows)
	// With the MAC key of another root.
	other := (func(data []byte) []byte { return make([]byte, 32) })
	set, err := audit.ReadHeads(b.headPath())
	if err != nil {
		t.Fatal(err)
	}
	if r, err := audit.Verify(t.Context(), b.st, &set, other); err != nil || r.OK() {
		t.Errorf("%v, %v", r, err)
	}
}

func TestTheHeadFile(t *testing.T) {
	setup := func(t *testing.T) (*bench, []byte) {
		b := open(t, t.TempDir())
		b.act("t", "K")
		early, err := os.ReadFile(b.headPath())
		if err != nil {
			t.Fatal(err)
		}
		b.act("t", "K")
		b.act("u", "K")
		return b, bytes.TrimRight(early, "\x00")
	}
	put := func(t *testing.T, b *bench, content string) {
		if err := os.WriteFile(b.headPath(), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(t *testing.T, b *bench) string {
		c, err := os.ReadFile(b.headPath())
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimRight(string(c), "\x00") // room for the lines to come
	}
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, b *bench, early []byte)
		says   string // "" means legal
	}{
		{"untouched", func(*testing.T, *bench, []byte) {}, ""},
		{"missing", func(t *testing.T, b *bench, _ []byte) { _ = os.Remove(b.headPath()) }, "is missing"},
		{"a few entries behind, as a crash leaves it", func(t *testing.T, b *bench, early []byte) { put(t, b, string(early)) }, ""},
		{"a torn last line", func(t *testing.T, b *bench, _ []byte) { put(t, b, read(t, b)+`["v1","a","t"`) }, ""},
		{"a torn line in the middle", func(t *testing.T, b *bench, _ []byte) { put(t, b, `["v1","a","t"`+"\n"+read(t, b)) }, "line 1"},
		{"a line that goes back", func(t *testing.T, b *bench, early []byte) { put(t, b, read(t, b)+string(early)) }, "goes back"},
		{"another number", func(t *testing.T, b *bench, _ []byte) {
			put(t, b, strings.ReplaceAll(read(t, b), `"a","t","node-1",1,4`, `"a","t","node-1",1,3`))
		}, "tenant t"},
		{"another tenant's head", func(t *testing.T, b *bench, _ []byte) {
			put(t, b, strings.ReplaceAll(read(t, b), `"a","u"`, `"a","v"`))
		}, "tenant v"},
		{"not text", func(t *testing.T, b *bench, _ []byte) { put(t, b, "\x00\x01\n") }, "line 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, early := setup(t)
			tc.change(t, b, early)
			r := b.verify()
			switch {
			case tc.says == "" && !r.OK():
				t.Errorf("%v", r.Problems)
			case tc.says != "" && (r.OK() || !strings.Contains(fmt.Sprint(r.Problems), tc.says)):
				t.Errorf("%v does not say %q", r.Problems, tc.says)
			}
		})
	}
}

// A server that starts on a record that was changed writes nothing more for that tenant, and serves the others.
func TestAServerRefusesToGoOnAfterATamperedEnd(t *testing.T) {
	for _, tc := range []struct {
		name, sql string
		heads     func(path string)
		others    bool // other tenants are served
	}{
		{name: "cut", sql: "DELETE FROM vault_audit WHERE tenant = 't' AND seq > 2", others: true},
		{name: "gone", sql: "DELETE FROM vault_audit WHERE tenant = 't'", others: true},
		{name: "last changed", sql: "UPDATE vault_audit SET hash = zeroblob(32) WHERE tenant = 't' AND seq = 4", others: true},
		{name: "last mac changed", sql: "UPDATE vault_audit SET mac = zeroblob(32) WHERE tenant = 't' AND seq = 4", others: true},
		{name: "head file removed", heads: func(path string) { _ = os.Remove(path) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			b := open(t, dir)
			b.act("t", "K")
			b.act("t", "K")
			b.act("u", "K")
			if tc.sql != "" {
				if err := b.db.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(t.Context(), tc.sql); return err }); err != nil {
					t.Fatal(err)
				}
			}
			b.close()
			if tc.heads != nil {
				tc.heads(b.headPath())
			}
			again := open(t, dir)
			if _, err := again.log.Begin(t.Context(), caller("t"), get("K")); err == nil || !strings.Contains(err.Error(), "audit record of this tenant was changed") {
				t.Errorf("it goes on: %v", err)
			}
			_, err := again.log.Begin(t.Context(), caller("u"), get("K"))
			if (err == nil) != tc.others {
				t.Errorf("the other tenant: %v", err)
			}
			next := audit.NewLogger(again.st, audit.WithMAC(again.mac), audit.WithHeads(again.heads), audit.WithEpoch(2))
			if _, err := next.Begin(t.Context(), caller("t"), get("K")); err != nil {
				t.Errorf("the next epoch: %v", err)
			}
			if r := again.verify(); r.OK() || r.Problems[0].Epoch != 1 {
				t.Errorf("the next epoch hides what is wrong with the one before: %+v", r)
			}
		})
	}
}

// A crash between the commit and the head file leaves the database ahead; the next start goes on from there.
func TestACrashBetweenCommitAndHeadFile(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	b.act("t", "K")
	early, err := os.ReadFile(b.headPath())
	if err != nil {
		t.Fatal(err)
	}
	b.act("t", "K")
	b.close()
	if err := os.WriteFile(filepath.Join(dir, "audit.heads"), append(early, `["v1","a",`...), 0o600); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	again.act("t", "K")
	if r := again.verify(); !r.OK() || r.Entries != 6 || r.Ahead != 0 {
		t.Errorf("%+v", r)
	}
}
