package audit_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func drawRow(t *rapid.T) driver.AuditRow {
	s := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("ab:\x00"))))
	return driver.AuditRow{Chain: driver.Chain{App: s.Draw(t, "app"), Tenant: s.Draw(t, "tenant"), Node: s.Draw(t, "node"), Epoch: rapid.Int64().Draw(t, "epoch")},
		Seq: rapid.Int64().Draw(t, "seq"), At: rapid.Int64().Draw(t, "at"), ID: s.Draw(t, "id"), Ref: s.Draw(t, "ref"), User: s.Draw(t, "user"),
		IP: s.Draw(t, "ip"), RequestID: s.Draw(t, "req"), Action: s.Draw(t, "action"), Resource: s.Draw(t, "resource"), Name: s.Draw(t, "name"),
		Outcome: s.Draw(t, "outcome"), Details: s.Draw(t, "details"), Sealed: s.Draw(t, "sealed")}
}

func TestCanonicalBytesNameExactlyOneEntry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawRow(t), drawRow(t)
		ca, cb := audit.Canonical(nil, &a), audit.Canonical(nil, &b)
		if bytes.Equal(ca, cb) != reflect.DeepEqual(a, b) {
			t.Fatalf("%+v and %+v collide", a, b)
		}
		back, err := audit.ParseCanonical(ca)
		if err != nil || !reflect.DeepEqual(back, a) {
			t.Fatalf("%+v became %+v, %v", a, back, err)
		}
	})
}

// Whatever is done to a chain of whatever entries, the verifier sees it, and sees nothing in an untouched one.
func TestAnyChangeOfAChainIsSeen(t *testing.T) {
	mac := (func(b []byte) []byte { return append([]byte("key"), b[len(b)-8:]...) })
	rapid.Check(t, func(t *rapid.T) {
		st := memory.New()
		l := audit.NewLogger(st, audit.WithMAC(mac))
		n := rapid.IntRange(2, 12).Draw(t, "entries")
		for range n {
			ev := audit.Event{Action: "secret.get", Resource: "secret", Name: rapid.String().Draw(t, "name")}
			if err := l.Record(t.Context(), scope.Caller{App: "a", Tenant: "t", User: rapid.String().Draw(t, "user")}, ev, audit.OK); err != nil {
				t.Fatal(err)
			}
		}
		var rows []driver.AuditRow
		_ = st.View(t.Context(), func(tx driver.Tx) error {
			return tx.ScanAudit(t.Context(), driver.Chain{App: "a", Tenant: "t", Node: "node-1", Epoch: 1}, 0, func(r driver.AuditRow) error {
				rows = append(rows, r)
				return nil
			})
		})
		if r := judge(t, rows, mac); !r.OK() || r.Entries != int64(n) {
			t.Fatalf("an untouched chain: %+v", r)
		}
		i := rapid.IntRange(0, n-2).Draw(t, "which")
		switch rapid.SampledFrom([]string{"remove", "edit", "swap", "repeat"}).Draw(t, "how") {
		case "remove":
			rows = append(rows[:i:i], rows[i+1:]...)
		case "edit":
			rows[i].Name += "x"
		case "swap":
			rows[i].Seq, rows[i+1].Seq = rows[i+1].Seq, rows[i].Seq
			rows[i], rows[i+1] = rows[i+1], rows[i]
		case "repeat":
			again := rows[i]
			again.Seq = int64(n + 1)
			rows = append(rows, again)
		}
		if r := judge(t, rows, mac); r.OK() {
			t.Fatal("it was not seen")
		}
	})
}

// What is stored is covered by a hash: another way to write it must give the same bytes.
func TestDetailsAreWrittenAsTheJSONPackageDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("a\"\\<>&\x00\x1f\x7f\u2028é"))))
		details := []audit.Detail{}
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			details = append(details, audit.Detail{Key: text.Draw(t, "key"), Value: text.Draw(t, "value")})
		}
		want, err := json.Marshal(details)
		if err != nil || string(audit.AppendDetails(details)) != string(want) {
			t.Fatalf("%s, not %s", audit.AppendDetails(details), want)
		}
	})
}

func judge(t *rapid.T, rows []driver.AuditRow, mac func([]byte) []byte) audit.Report {
	st := memory.New()
	if err := st.Update(t.Context(), func(tx driver.Tx) error {
		_, err := tx.AppendAudit(t.Context(), nil, rows)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r, err := audit.Verify(t.Context(), st, nil, mac)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func FuzzParseCanonical(f *testing.F) {
	f.Add(audit.Canonical(nil, &driver.AuditRow{Chain: driver.Chain{App: "a", Tenant: "t", Node: "n", Epoch: 1}, Seq: 1, ID: "x", Details: "[]"}))
	f.Add(audit.Canonical(nil, &driver.AuditRow{Chain: driver.Chain{App: "a", Tenant: "t", Node: "n", Epoch: 1}, Seq: 1, ID: "x", Details: "[]", Sealed: "s"}))
	f.Add([]byte{0, 0, 0, 1, 'a'})
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := audit.ParseCanonical(b); err == nil && !bytes.Equal(audit.Canonical(nil, &r), b) {
			t.Fatalf("%q is read, and written otherwise", b)
		}
	})
}

func FuzzHeadFile(f *testing.F) {
	f.Add([]byte(`["v1","a","t","node-1",1,2,"00ff","aa"]` + "\n"))
	f.Add([]byte(`["v1","a","t","node-1",1,2,"00ff","aa"]` + "\n" + `["v1","a","t"`))
	f.Add([]byte(`["v1","a","t","node-1",1.0,2,"00FF","aa"]` + "\n"))
	f.Add([]byte(`["v2","a","t","node-1",1,2,"00ff","aa",["AAAA","AAAA"]]` + "\n" + `["v2","a","t","node-1",1,3,"00ff","aa",["AAAA","AAAA"]]` + "\n"))
	f.Add([]byte(`["v2","a","t","node-1",1,9,"00ff","aa",["AAAA"]]` + "\n" + `["v1","a","t","node-1",1,9,"00ff","aa"]` + "\n"))
	f.Add([]byte(`["v2","a","t","node-1",1,1,"00ff","aa",[]]` + "\n" + `["v2","a","t","node-1",1,1,"00ff","aa",["A", "A"]]` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "heads")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		set, err := audit.ReadHeads(path)
		if err != nil {
			return
		}
		h, err := audit.OpenHeads(path)
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		// Opening drops a torn last line and nothing else.
		after, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(b, after) || bytes.Contains(b[len(after):], []byte{'\n'}) || (len(after) > 0 && after[len(after)-1] != '\n') {
			t.Fatalf("%q became %q, %v", b, after, err)
		}
		if again, err := audit.ReadHeads(path); err != nil || !reflect.DeepEqual(again, set) {
			t.Fatalf("read differently the second time: %v", err)
		}
	})
}

func FuzzDisplay(f *testing.F) {
	f.Add("a\nb\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		d := audit.Display(s)
		if audit.Display(d) != d || strings.ContainsAny(d, "\n\r\x1b\u202e\u2066\u2028\x00") {
			t.Fatalf("%q became %q", s, d)
		}
	})
}

func FuzzDetail(f *testing.F) {
	f.Add([]byte(`["a","b"]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d, again audit.Detail
		if json.Unmarshal(b, &d) != nil {
			return
		}
		out, err := json.Marshal(d)
		if err != nil || json.Unmarshal(out, &again) != nil || again != d {
			t.Fatalf("%q became %q", b, out)
		}
	})
}
