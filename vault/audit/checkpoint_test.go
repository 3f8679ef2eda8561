package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// signer is a key made of one letter.
func signer(letter string) audit.Signer {
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat(letter, ed25519.SeedSize)))
	return audit.Signer{ID: "test-" + letter, Public: private.Public().(ed25519.PublicKey),
		Sign: func(m []byte) ([]byte, error) { return ed25519.Sign(private, m), nil }}
}

func keysOf(t testing.TB, s ...audit.Signer) audit.PublicKeys {
	t.Helper()
	var text []string
	for _, one := range s {
		line, err := one.Key()
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, line)
	}
	keys, err := audit.ParseKeys("# who signs\n\n" + strings.Join(text, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func (b *bench) journalPath() string { return filepath.Join(b.dir, "audit.checkpoints") }

// checkpointer follows the bench's logger.
func (b *bench) checkpointer() *audit.Checkpointer {
	b.t.Helper()
	j, err := audit.OpenJournal(b.journalPath())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = j.Close() })
	c, err := audit.NewCheckpointer(b.log, signer("s"), audit.CheckpointOptions{Journal: j})
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func checkpoint(t testing.TB, c *audit.Checkpointer) audit.Checkpoint {
	t.Helper()
	cp, fresh, err := c.Checkpoint(context.Background())
	if err != nil || !fresh {
		t.Fatalf("new %v, %v, %v", fresh, c.Status(), err)
	}
	return cp
}

// verifyHeld verifies with the checkpoint file and more checkpoints.
func (b *bench) verifyHeld(more ...audit.Checkpoint) audit.Report {
	b.t.Helper()
	set, err := audit.ReadHeads(b.headPath())
	if err != nil {
		b.t.Fatal(err)
	}
	held, err := audit.ReadHeld(b.journalPath(), keysOf(b.t, signer("s")))
	if err != nil {
		b.t.Fatal(err)
	}
	held.Checkpoints = append(held.Checkpoints, more...)
	r, err := audit.Verify(context.Background(), b.st, &set, b.mac, held)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func TestACheckpointSaysWhatEveryChainIs(t *testing.T) {
	b := open(t, t.TempDir())
	c := b.checkpointer()
	if _, fresh, err := c.Checkpoint(t.Context()); fresh || err != nil {
		t.Fatalf("an empty record has a checkpoint: %v", err)
	}
	b.act("t", "K")
	b.act("u", "K")
	first := checkpoint(t, c)
	if first.Number != 1 || first.Chains != 2 || first.Origin() != "hayward/audit/node-1/1" || c.Last().Text != first.Text {
		t.Errorf("%+v", first)
	}
	if _, fresh, err := c.Checkpoint(t.Context()); fresh || err != nil {
		t.Errorf("nothing was written, and there is a checkpoint: %v", err)
	}
	b.act("t", "K")
	second := checkpoint(t, c)
	if second.Number != 2 || second.Chains != 2 || second.Snapshot == first.Snapshot || second.Root == first.Root {
		t.Errorf("%+v", second)
	}
	if r := b.verifyHeld(); !r.OK() || r.Signed != 6 || r.Entries != 6 {
		t.Errorf("%+v", r)
	}
	list, _, err := audit.ReadJournal(b.journalPath())
	if err != nil || len(list) != 2 || list[0].Text != first.Text || list[1].Text != second.Text {
		t.Errorf("the file has %v, %v", list, err)
	}
	back, err := keysOf(t, signer("s")).Check(second.Text)
	if err != nil || back != second {
		t.Errorf("%+v became %+v, %v", second, back, err)
	}
}

// The one who goes on is another process: it must find the trees as they were signed.
func TestCheckpointsGoOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	for i := range 4 {
		b := open(t, dir)
		c := b.checkpointer()
		for range 3 {
			b.act("t", "K")
		}
		b.act(fmt.Sprint("tenant", i), "K")
		if cp := checkpoint(t, c); cp.Number != int64(i+1) || cp.Chains != int64(i+2) {
			t.Errorf("%+v", cp)
		}
		if r := b.verifyHeld(); !r.OK() || r.Signed != int64(8*(i+1)) {
			t.Errorf("%+v", r)
		}
		b.close()
	}
}

// A crash between the database and the checkpoint file leaves the file one behind.
func TestACrashBeforeTheCheckpointFile(t *testing.T) {
	b := open(t, t.TempDir())
	c := b.checkpointer()
	b.act("t", "K")
	checkpoint(t, c)
	early, err := os.ReadFile(b.journalPath())
	if err != nil {
		t.Fatal(err)
	}
	b.act("t", "K")
	checkpoint(t, c)
	b.act("t", "K")
	checkpoint(t, c)
	if err := os.WriteFile(b.journalPath(), append(early, "hayward/audit/node-1/1\n3\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := b.verifyHeld(); !r.OK() {
		t.Errorf("%+v", r)
	}
	c = b.checkpointer()
	b.act("t", "K")
	checkpoint(t, c)
	if list, _, err := audit.ReadJournal(b.journalPath()); err != nil || len(list) != 4 || list[3].Number != 4 {
		t.Errorf("%v, %v", list, err)
	}
	if r := b.verifyHeld(); !r.OK() || r.Signed != 8 {
		t.Errorf("%+v", r)
	}
}

// copyTo saves the whole data directory, as an attacker or a careless restore would.
func (b *bench) copyTo(dir string) {
	b.t.Helper()
	if err := b.db.Update(context.Background(), func(tx *db.Tx) error { return nil }); err != nil {
		b.t.Fatal(err)
	}
	for _, pattern := range []string{"hayward.db*", "audit.*"} {
		files, _ := filepath.Glob(filepath.Join(b.dir, pattern))
		for _, f := range files {
			content, err := os.ReadFile(f)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, filepath.Base(f)), content, 0o600)
			}
			if err != nil {
				b.t.Fatal(err)
			}
		}
	}
}

func remove(t testing.TB, paths ...string) {
	for _, p := range paths {
		if err := os.Remove(p); err != nil {
			t.Fatal(err)
		}
	}
}

// What the head file alone cannot show.
func TestWhatOnlyACheckpointShows(t *testing.T) {
	setup := func(t *testing.T) (*bench, *audit.Checkpointer) {
		b := open(t, t.TempDir())
		c := b.checkpointer()
		for range 5 {
			b.act("t", "K")
			b.act("u", "K")
		}
		checkpoint(t, c)
		return b, c
	}
	t.Run("an emptied head file", func(t *testing.T) {
		b, _ := setup(t)
		b.close()
		if err := os.WriteFile(b.headPath(), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		again := open(t, b.dir)
		if r := again.verify(); !r.OK() {
			t.Errorf("without checkpoints it shows, and this test is about nothing: %+v", r)
		}
		if r := again.verifyHeld(); len(r.Problems) != 2 || !strings.Contains(r.Problems[0].What, "older head file") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("database and head file put back together", func(t *testing.T) {
		b, c := setup(t)
		saved := t.TempDir()
		b.copyTo(saved)
		b.act("t", "the one to hide")
		held := checkpoint(t, c)
		old := open(t, saved)
		if r := old.verify(); !r.OK() {
			t.Errorf("without checkpoints it shows, and this test is about nothing: %+v", r)
		}
		if r := old.verifyHeld(); !r.OK() { // the checkpoint file was put back, too
			t.Errorf("%+v", r)
		}
		r := old.verifyHeld(held)
		if r.OK() || !strings.Contains(r.Problems[0].What, "older database") {
			t.Errorf("%+v", r)
		}
		// Only database and head file, and not the checkpoint file beside them.
		content, err := os.ReadFile(b.journalPath())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(old.journalPath(), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if r := old.verifyHeld(); r.OK() || !strings.Contains(r.Problems[0].What, "older database") {
			t.Errorf("%+v", r)
		}
		if _, _, err := old.checkpointer().Checkpoint(t.Context()); err == nil || !strings.Contains(err.Error(), "older database") {
			t.Errorf("it signs on: %v", err)
		}
	})
	t.Run("a checkpoint file that is gone", func(t *testing.T) {
		b, c := setup(t)
		b.act("t", "K")
		checkpoint(t, c)
		remove(t, b.journalPath())
		if r := b.verifyHeld(); r.OK() || !strings.Contains(r.Problems[0].What, "is missing") {
			t.Errorf("%+v", r)
		}
		if _, _, err := b.checkpointer().Checkpoint(t.Context()); err == nil || !strings.Contains(err.Error(), "is missing") {
			t.Errorf("it signs on: %v", err)
		}
	})
	for name, sql := range map[string]string{
		"a checkpoint removed":          "DELETE FROM vault_audit_checkpoint",
		"a checkpoint changed":          "UPDATE vault_audit_checkpoint SET note = replace(note, 'chains 2', 'chains 1')",
		"a tree changed":                "UPDATE vault_audit_tree SET size = size - 1 WHERE tenant = 't'",
		"a tree removed":                "DELETE FROM vault_audit_tree WHERE tenant = 't'",
		"a tree of another tenant":      "UPDATE vault_audit_tree SET tenant = 'v' WHERE tenant = 't'",
		"a chain and its tree removed":  "DELETE FROM vault_audit_tree WHERE tenant = 't'; DELETE FROM vault_audit WHERE tenant = 't'",
		"an end, its tree and all logs": "DELETE FROM vault_audit WHERE seq > 2; DELETE FROM vault_audit_tree; DELETE FROM vault_audit_checkpoint",
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := setup(t)
			for _, q := range strings.Split(sql, ";") {
				b.exec(q)
			}
			if r := b.verifyHeld(); r.OK() {
				t.Error("it is not found")
			}
			if !strings.Contains(sql, "vault_audit_") {
				return
			}
			again := b.checkpointer()
			_ = b.log.Record(t.Context(), caller("u"), get("K"), audit.OK)
			if _, fresh, err := again.Checkpoint(t.Context()); err == nil {
				t.Errorf("it signs on: %v", fresh)
			}
		})
	}
}

func (b *bench) exec(q string) {
	b.t.Helper()
	err := b.db.Update(context.Background(), func(tx *db.Tx) error {
		n, err := tx.Exec(context.Background(), q)
		if err == nil && n == 0 {
			err = fmt.Errorf("%s changed nothing", q)
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// A chain somebody has tampered with is not signed any further; the others are.
func TestABadChainIsNotSigned(t *testing.T) {
	b := open(t, t.TempDir())
	c := b.checkpointer()
	b.act("t", "K")
	b.act("u", "K")
	checkpoint(t, c)
	b.act("t", "K")
	b.act("u", "K")
	b.exec("UPDATE vault_audit SET hash = zeroblob(32) WHERE tenant = 't' AND seq = 3")
	cp := checkpoint(t, c)
	if s := c.Status(); len(s.Problems) != 1 || s.Problems[0].Tenant != "t" || !strings.Contains(s.Problems[0].What, "entry 3") || s.Number != 2 {
		t.Errorf("%+v", s)
	}
	if r := b.verifyHeld(); r.OK() || r.Problems[0].Tenant != "t" || cp.Chains != 2 {
		t.Errorf("%+v", r)
	}
}

func TestCheckpointsComeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New()
		l := audit.NewLogger(st)
		var got []audit.Checkpoint
		c, err := audit.NewCheckpointer(l, signer("s"), audit.CheckpointOptions{Publish: func(_ context.Context, cp audit.Checkpoint) { got = append(got, cp) }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); c.Run(ctx) }()
		write := func(n int) {
			for range n {
				if err := l.Record(t.Context(), caller("t"), get("K"), audit.OK); err != nil {
					t.Fatal(err)
				}
			}
		}
		synctest.Wait()
		write(1)
		time.Sleep(10*time.Second + time.Millisecond)
		if synctest.Wait(); len(got) != 1 {
			t.Errorf("after ten seconds: %d", len(got))
		}
		write(1000)
		if synctest.Wait(); len(got) < 2 {
			t.Errorf("after a thousand entries: %d", len(got))
		}
		before := len(got)
		write(1)
		cancel()
		<-done
		if len(got) != before+1 {
			t.Errorf("at the end: %d", len(got))
		}
	})
}

func TestParseCheckpointRefuses(t *testing.T) {
	b := open(t, t.TempDir())
	b.act("t", "K")
	cp := checkpoint(t, b.checkpointer())
	keys := keysOf(t, signer("s"))
	if _, err := keys.Check(cp.Text); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(string) string{
		"another number":    func(s string) string { return strings.Replace(s, "\n1\n", "\n2\n", 1) },
		"another epoch":     func(s string) string { return strings.Replace(s, "node-1/1", "node-1/2", 1) },
		"another time":      func(s string) string { return strings.Replace(s, "time 2", "time 3", 1) },
		"a plus sign":       func(s string) string { return strings.Replace(s, "\n1\n", "\n+1\n", 1) },
		"a line more":       func(s string) string { return strings.Replace(s, "time ", "more\ntime ", 1) },
		"no signature":      func(s string) string { return s[:strings.Index(s, "\n\n")+1] },
		"half a signature":  func(s string) string { return s[:len(s)-10] + "\n" },
		"nothing":           func(string) string { return "" },
		"another log":       func(s string) string { return strings.Replace(s, "hayward/", "heyward/", 1) },
		"a root cut short":  func(s string) string { return strings.Replace(s, "=\nchains", "\nchains", 1) },
		"carriage returns":  func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"something after":   func(s string) string { return s + "x" },
		"spelled otherwise": func(s string) string { return strings.Replace(s, "node-1", "%6eode-1", 1) },
	} {
		if _, err := keys.Check(change(cp.Text)); err == nil || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := keysOf(t, signer("x")).Check(cp.Text); err == nil {
		t.Error("anybody's key will do")
	}
	if _, err := (audit.PublicKeys{}).Check(cp.Text); err == nil {
		t.Error("no key will do")
	}
	both, err := audit.ParseCheckpoints("\n" + cp.Text + "\n\n" + cp.Text)
	if err != nil || len(both) != 2 || both[1] != cp {
		t.Errorf("%v, %v", both, err)
	}
	for _, bad := range []string{"", "x", cp.Text + "x"} {
		if _, err := audit.ParseCheckpoints(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	for _, bad := range []string{"", "# nothing", "name", "a+b+c"} {
		if _, err := audit.ParseKeys(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := audit.NewCheckpointer(b.log, audit.Signer{ID: "a b"}, audit.CheckpointOptions{}); err == nil {
		t.Error("a key without a name signs")
	}
}

// The signed note is what other programs for transparency logs read, too.
func FuzzParseCheckpoint(f *testing.F) {
	st := memory.New()
	l := audit.NewLogger(st, audit.WithNode("näme with/+ %"))
	_ = l.Record(context.Background(), caller("t"), get("K"), audit.OK)
	c, _ := audit.NewCheckpointer(l, signer("s"), audit.CheckpointOptions{})
	cp, _, err := c.Checkpoint(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(cp.Text)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := audit.ParseCheckpoint(s)
		if err == nil && (!strings.HasPrefix(s, got.Origin()+"\n"+fmt.Sprint(got.Number)+"\n") || got.Text != s) {
			t.Fatalf("%q became %+v", s, got)
		}
		list, err := audit.ParseCheckpoints(s)
		if err == nil && len(list) == 0 {
			t.Fatal("no checkpoint and no error")
		}
	})
}

// export exports what a tenant, or for "" the operator, has.
func (b *bench) export(tenant string, q audit.Query) string {
	b.t.Helper()
	var out bytes.Buffer
	if _, err := audit.NewService(b.st, audit.NewGate(b.log, nil)).Export(in(tenant), &out, q); err != nil {
		b.t.Fatal(err)
	}
	return out.String()
}

// offline verifies an export with a checkpoint and a key.
func offline(t testing.TB, export string, held ...audit.Checkpoint) audit.Report {
	t.Helper()
	r, err := audit.VerifyExport(strings.NewReader(export), held, keysOf(t, signer("s")))
	if err != nil {
		return audit.Report{Problems: []audit.Problem{{What: err.Error()}}}
	}
	return r
}

func TestAnExportIsVerifiedWithoutTheServer(t *testing.T) {
	b := open(t, t.TempDir())
	c := b.checkpointer()
	for range 3 {
		b.act("t", "K <&> ö \n")
		b.act("u", "K")
	}
	first := checkpoint(t, c)
	b.act("t", "K")
	held := checkpoint(t, c)
	b.act("t", "after the checkpoint")
	mine := b.export("t", audit.Query{})
	// Its own entries, two of them not signed yet, and the beginning of the export.
	if r := offline(t, mine, held); !r.OK() || r.Entries != 11 || r.Signed != 8 || r.Chains != 1 {
		t.Errorf("%+v", r)
	}
	if strings.Contains(mine, `"u"`) {
		t.Error("another tenant is named")
	}
	if r := offline(t, mine, first); !r.OK() {
		t.Errorf("an earlier checkpoint: %+v", r)
	}
	all := b.export("", audit.Query{EveryTenant: true})
	if r := offline(t, all, held); !r.OK() || r.Chains != 3 || r.Signed != 14 {
		t.Errorf("%+v", r) // the chain of the operator is not signed yet
	}
	checkpoint(t, c)
	if r := offline(t, b.export("", audit.Query{EveryTenant: true}), held); !r.OK() || r.Chains != 3 {
		t.Errorf("%+v", r)
	}
	proving := b.export("t", audit.Query{Since: []audit.Checkpoint{first}})
	if !strings.Contains(proving, `"continues":{"from":1,"to":3`) {
		t.Error("that the checkpoint continues the one before is not proven")
	}
	if r := offline(t, proving, held, first); !r.OK() {
		t.Errorf("%+v", r)
	}
	for name, tc := range map[string]struct {
		export string
		held   []audit.Checkpoint
		says   string
	}{
		"no checkpoint":           {mine, nil, "no checkpoint of this log is held"},
		"a newer checkpoint":      {mine, []audit.Checkpoint{c.Last()}, "checkpoint 3 is held"},
		"nothing":                 {"", []audit.Checkpoint{held}, "the export has none of this log"},
		"no seal":                 {mine[:strings.LastIndex(strings.TrimSpace(mine), "\n")], []audit.Checkpoint{held}, "no checkpoint in the export"},
		"a filtered export":       {b.export("t", audit.Query{Action: "secret.*"}), []audit.Checkpoint{held}, "no checkpoint in the export"},
		"an unknown field":        {`{"id":"x","mine":1}`, []audit.Checkpoint{held}, "line 1"},
		"not JSON":                {mine + "garbage", []audit.Checkpoint{held}, "line 13"},
		"somebody else's seal":    {mine + lastLine(all), []audit.Checkpoint{held}, ""},
		"a seal without its path": {strings.Replace(mine, `"path":[`, `"path":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="`+comma(mine), 1), []audit.Checkpoint{held}, "is not under checkpoint"},
	} {
		if r := offline(t, tc.export, tc.held...); r.OK() || !strings.Contains(fmt.Sprint(r.Problems), tc.says) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r, err := audit.VerifyExport(strings.NewReader(mine), []audit.Checkpoint{held}, keysOf(t, signer("x"))); err != nil || r.OK() {
		t.Errorf("anybody's key will do: %+v, %v", r, err)
	}
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndex(s, "\n")+1:]
}

// comma is what follows a first element of the path in an export.
func comma(export string) string {
	if strings.Contains(export, `"path":[]`) {
		return ""
	}
	return ","
}

// The attacks of somebody with the database and without the server's keys, made with the sqlite3 shell while the server is
// down. The server, restarted, exports what it finds; whoever holds a checkpoint sees it.
func TestOfflineVerificationFindsWhatADatabaseWriterDid(t *testing.T) {
	shell := parts.Need(t, parts.SQLiteShell)
	const at = " WHERE app = 'a' AND tenant = 't' AND seq = 3"
	for name, sql := range map[string]string{
		"edit":             "UPDATE vault_audit SET user_id = 'mallory'" + at,
		"edit of a detail": "UPDATE vault_audit SET details = '[]'" + at,
		"edit of time":     "UPDATE vault_audit SET at = at + 1" + at,
		"delete":           "DELETE FROM vault_audit" + at,
		"delete and close the gap": "DELETE FROM vault_audit" + at +
			"; UPDATE vault_audit SET seq = seq - 1 WHERE tenant = 't' AND seq > 3",
		"reorder": "UPDATE vault_audit SET seq = 0" + at + "; UPDATE vault_audit SET seq = 3 WHERE tenant = 't' AND seq = 4;" +
			"UPDATE vault_audit SET seq = 4 WHERE tenant = 't' AND seq = 0",
		"truncate":                        "DELETE FROM vault_audit WHERE tenant = 't' AND seq > 4",
		"truncate, logs and all":          "DELETE FROM vault_audit WHERE tenant = 't' AND seq > 4; DELETE FROM vault_audit_tree; DELETE FROM vault_audit_checkpoint",
		"the whole chain":                 "DELETE FROM vault_audit WHERE tenant = 't'",
		"the whole chain and its tree":    "DELETE FROM vault_audit WHERE tenant = 't'; DELETE FROM vault_audit_tree WHERE tenant = 't'",
		"insert":                          "INSERT INTO vault_audit SELECT app, tenant, node, epoch, 9, id || 'x', ref, at, user_id, ip, request_id, action, resource, name, outcome, details, hash, mac, sealed, packed FROM vault_audit" + at,
		"an entry of another tenant":      "DELETE FROM vault_audit" + at + "; UPDATE vault_audit SET tenant = 't' WHERE tenant = 'u' AND seq = 3",
		"a tree that fits the truncation": "DELETE FROM vault_audit WHERE tenant = 't' AND seq > 4; UPDATE vault_audit_tree SET size = 4 WHERE tenant = 't'",
		"an unescaped newline":            `UPDATE vault_audit SET name = 'K' || char(10)` + at,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b := open(t, dir)
			c := b.checkpointer()
			for range 3 {
				b.act("t", "K\n")
				b.act("u", "K\n")
			}
			held := checkpoint(t, c)
			if r := offline(t, b.export("t", audit.Query{}), held); !r.OK() {
				t.Fatalf("untouched: %+v", r)
			}
			b.close()
			if out, err := exec.Command(shell, filepath.Join(dir, "hayward.db"), sql).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v", out, err)
			}
			b = open(t, dir)
			export := exportOf(t, b.st, "t")
			r := offline(t, export, held)
			if r.OK() || r.Err() == nil {
				t.Errorf("it is not found in\n%s", export)
			}
			t.Log(r.Problems)
		})
	}
}

// exportOf exports a tenant's chains without writing an entry about it, which a server refuses on a record that was changed.
func exportOf(t *testing.T, st driver.Store, tenant string) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := audit.NewService(st, audit.NewGate(audit.NewLogger(memory.New()), nil)).Export(in(tenant), &out, audit.Query{}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The end of a chain written anew with correct hashes: whoever has the code and the database can make those.
func TestOfflineVerificationFindsARewrittenTail(t *testing.T) {
	b := open(t, t.TempDir())
	c := b.checkpointer()
	for range 4 {
		b.act("t", "K")
	}
	held := checkpoint(t, c)
	rows := b.rows()
	forged := memory.New()
	l := audit.NewLogger(forged)
	for range 8 {
		if err := l.Record(t.Context(), caller("t"), get("innocent"), audit.OK); err != nil {
			t.Fatal(err)
		}
	}
	if err := forged.View(t.Context(), func(tx driver.Tx) error {
		return tx.ScanAudit(t.Context(), rows[0].Chain, 0, func(r driver.AuditRow) error { rows[r.Seq-1] = r; return nil })
	}); err != nil {
		t.Fatal(err)
	}
	b.restore(rows)
	r := offline(t, exportOf(t, b.st, "t"), held)
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].What, "written anew") {
		t.Errorf("%+v", r)
	}
}

func TestOneEntryIsProven(t *testing.T) {
	b := open(t, t.TempDir())
	c := b.checkpointer()
	var ids []string
	for i := range 9 {
		p, err := b.log.Begin(t.Context(), caller("t"), get(fmt.Sprint("K", i)))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.ID())
		b.act(fmt.Sprint("tenant", i), "K")
	}
	svc := audit.NewService(b.st, audit.NewGate(b.log, nil))
	if _, err := svc.Prove(in("t"), ids[0]); !fault.Is(err, fault.Conflict) {
		t.Errorf("before a checkpoint: %v", err)
	}
	held := checkpoint(t, c)
	keys := keysOf(t, signer("s"))
	var last audit.Proof
	for _, entry := range ids {
		p, err := svc.Prove(in("t"), entry)
		if err != nil {
			t.Fatal(err)
		}
		wire, err := json.Marshal(p)
		if err != nil || strings.Contains(string(wire), "tenant") && strings.Contains(string(wire), "tenant3") {
			t.Fatalf("%s, %v", wire, err)
		}
		var back audit.Proof
		if err := json.Unmarshal(wire, &back); err != nil {
			t.Fatal(err)
		}
		if err := audit.VerifyInclusion(back, held, keys); err != nil {
			t.Error(err)
		}
		if err := audit.VerifyInclusion(back, audit.Checkpoint{}, keys); err != nil {
			t.Error(err)
		}
		last = back
	}
	for name, change := range map[string]func(p *audit.Proof){
		"another user":   func(p *audit.Proof) { p.Entry.UserID = "mallory" },
		"another number": func(p *audit.Proof) { p.Entry.Seq-- },
		"another chain":  func(p *audit.Proof) { p.Entry.TenantID, p.Chain.TenantID = "u", "u" },
		"another size":   func(p *audit.Proof) { p.Chain.Size++ },
		"another index":  func(p *audit.Proof) { p.Chain.Index-- },
		"another before": func(p *audit.Proof) { p.Prev[0]++ },
		"no path":        func(p *audit.Proof) { p.Path = nil },
		"no checkpoint":  func(p *audit.Proof) { p.Checkpoint = "" },
	} {
		p := last
		p.Prev = bytes.Clone(p.Prev)
		if change(&p); audit.VerifyInclusion(p, audit.Checkpoint{}, keys) == nil {
			t.Errorf("%s: it holds", name)
		}
	}
	for name, ask := range map[string]string{"another tenant's": "tenant1", "nobody's": "nobody"} {
		if _, err := svc.Prove(in(ask), ids[0]); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.act("t", "K")
	if checkpoint(t, c).Number != 2 || audit.VerifyInclusion(last, c.Last(), keys) == nil {
		t.Error("a proof for another checkpoint than the one that is held")
	}
	if got, err := svc.Checkpoints(in("t")); err != nil || len(got) != 1 || got[0] != c.Last() {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := svc.Checkpoints(in("stranger")); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// Whatever is done to the lines of an export, it shows.
func TestAnyChangeOfAnExportIsSeen(t *testing.T) {
	b := open(t, t.TempDir())
	c := b.checkpointer()
	for range 6 {
		b.act("t", "K")
	}
	held := checkpoint(t, c)
	lines := strings.Split(strings.TrimSpace(exportOf(t, b.st, "t")), "\n")
	rapid.Check(t, func(rt *rapid.T) {
		mine := append([]string(nil), lines...)
		i := rapid.IntRange(0, len(mine)-1).Draw(rt, "line")
		switch rapid.SampledFrom([]string{"remove", "repeat", "swap", "byte", "cut"}).Draw(rt, "how") {
		case "remove":
			mine = append(mine[:i:i], mine[i+1:]...)
		case "repeat":
			mine = append(mine[:i+1:i+1], mine[i:]...)
			if i == len(lines)-1 {
				return // the seal, twice, says the same twice
			}
		case "swap":
			j := (i + 1) % len(mine)
			if i == len(lines)-1 || j == len(lines)-1 {
				return // where the seal stands does not matter
			}
			mine[i], mine[j] = mine[j], mine[i]
		case "byte":
			at := rapid.IntRange(0, len(mine[i])-1).Draw(rt, "at")
			line := []byte(mine[i])
			if line[at]++; sameLine(mine[i], string(line)) {
				return
			}
			mine[i] = string(line)
		case "cut":
			mine = mine[:i]
		}
		if r := offline(t, strings.Join(mine, "\n"), held); r.OK() {
			rt.Fatalf("line %d", i)
		}
	})
}

// sameLine reports whether two lines say the same: the MAC is for the server, and JSON has spellings.
func sameLine(a, b string) bool {
	var x, y audit.Line
	var s, u audit.Seal
	if json.Unmarshal([]byte(a), &s) == nil && s.Checkpoint != "" {
		return json.Unmarshal([]byte(b), &u) == nil && fmt.Sprint(s) == fmt.Sprint(u)
	}
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	x.MAC, y.MAC = nil, nil
	return fmt.Sprintf("%+v", x) == fmt.Sprintf("%+v", y)
}

func FuzzVerifyExport(f *testing.F) {
	st := memory.New()
	l := audit.NewLogger(st)
	_ = l.Record(context.Background(), caller("t"), get("K"), audit.OK)
	c, _ := audit.NewCheckpointer(l, signer("s"), audit.CheckpointOptions{})
	cp, _, _ := c.Checkpoint(context.Background())
	var out bytes.Buffer
	_, _ = audit.NewService(st, audit.NewGate(l, nil)).Export(in("t"), &out, audit.Query{})
	f.Add(out.String())
	f.Add(`{"checkpoint":"x","chains":[{"size":-1,"path":null}]}`)
	keys := keysOf(f, signer("s"))
	f.Fuzz(func(t *testing.T, s string) {
		r, err := audit.VerifyExport(strings.NewReader(s), []audit.Checkpoint{cp}, keys)
		if err == nil && r.OK() && r.Entries == 0 {
			t.Fatalf("%q is taken for a record", s)
		}
	})
}
