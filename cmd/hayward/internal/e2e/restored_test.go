package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/vault/keyring"
)

// checkpointed starts a server that signs often, and writes until several checkpoints were made.
func checkpointed(t *testing.T, dir string) *apptest.Server {
	t.Helper()
	s := apptest.StartIn(t, dir, func(set *app.Settings) { set.CheckpointEvery = 50 * time.Millisecond })
	s.Member("acme", "ann", password, policy.Admin)
	s.Operator("olga", password)
	ann := s.Login("ann", password)
	journal := func() int {
		b, _ := os.ReadFile(filepath.Join(s.Dir, app.JournalFile))
		return strings.Count(string(b), "hayward/audit/node-1/")
	}
	for end := time.Now().Add(30 * time.Second); journal() < 4 && time.Now().Before(end); time.Sleep(60 * time.Millisecond) {
		s.Must(200, ann, "PUT", "/api/v1/config/x", `{"value": 1}`)
	}
	return s
}

// A checkpoint file that was emptied, cut or put back does not pass for a whole one.
func TestAnEmptiedCheckpointFileIsFound(t *testing.T) {
	dir := t.TempDir()
	checkpointed(t, dir).Stop()
	if r := verifyCopy(t, dir, func(string) {}); !r.OK() || r.Signed == 0 {
		t.Fatalf("the untouched record: %+v", r)
	}
	for name, change := range map[string]func(file []byte) []byte{
		"emptied": func([]byte) []byte { return nil },
		"cut to the first": func(b []byte) []byte {
			second := bytes.Index(b[1:], []byte("hayward/audit/"))
			return b[:second+1]
		},
	} {
		r := verifyCopy(t, dir, func(db string) {
			path := filepath.Join(filepath.Dir(db), app.JournalFile)
			b, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, change(b), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].What, "the checkpoint file ") || r.Problems[0].Node != "node-1" {
			t.Errorf("%s: %+v", name, r.Problems)
		}
	}
}

// restoredServer makes a record, and restores a backup of it elsewhere. It returns the new directory.
func restoredServer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s := checkpointed(t, dir)
	olga := s.Login("olga", password)
	data := s.Must(200, olga, "POST", "/api/v1/backup", "")
	keys := s.Must(200, olga, "POST", "/api/v1/keys/export", "")
	s.Stop()
	next := t.TempDir()
	key, err := os.ReadFile(filepath.Join(dir, "root.key"))
	if err == nil {
		err = os.WriteFile(filepath.Join(next, "root.key"), key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	set := app.Settings{DataDir: filepath.Join(next, "data"), Root: keyring.FileRoot(filepath.Join(next, "root.key"))}
	if _, err := app.Restore(context.Background(), set, strings.NewReader(data), []byte(keys)); err != nil {
		t.Fatal(err)
	}
	return next
}

// After a restore the record verifies: the entry of the restore says where the chains of the backup ended, and nothing can be cut
// off, added or changed there unseen, nor that entry itself.
func TestARestoredRecordVerifies(t *testing.T) {
	dir := restoredServer(t)
	fresh := verifyCopy(t, dir, func(string) {})
	if !fresh.OK() || fresh.Restored == nil || fresh.Restored.Epochs != 1 || fresh.Restored.Chains < 2 || len(fresh.Restored.SHA256) != 64 || fresh.Restored.At.IsZero() {
		t.Fatalf("%+v %+v", fresh.Report, fresh.Restored)
	}
	s := apptest.StartIn(t, dir, func(set *app.Settings) { set.CheckpointEvery = 50 * time.Millisecond })
	ann, olga := s.Login("ann", password), s.Login("olga", password)
	for range 3 {
		s.Must(200, ann, "PUT", "/api/v1/config/x", `{"value": 2}`)
		time.Sleep(100 * time.Millisecond)
	}
	if text := s.Must(200, olga, "POST", "/api/v1/audit/verify", ""); !strings.Contains(text, `"problems":[]`) || !strings.Contains(text, `"restored":{"epochs":1,`) {
		t.Errorf("the running server: %s", text)
	}
	s.Stop()
	if r := verifyCopy(t, dir, func(string) {}); !r.OK() || r.Restored == nil {
		t.Fatalf("%+v %+v", r.Report, r.Restored)
	}
	const last = "(SELECT max(seq) FROM vault_audit v WHERE v.app = vault_audit.app AND v.tenant = vault_audit.tenant AND v.node = vault_audit.node AND v.epoch = vault_audit.epoch)"
	for name, statement := range map[string]string{
		"the ends of the old chains cut off": "DELETE FROM vault_audit WHERE epoch = 1 AND seq = " + last,
		"a whole old chain taken out":        "DELETE FROM vault_audit WHERE epoch = 1 AND tenant LIKE 'ten_%'",
		"an old entry changed":               "UPDATE vault_audit SET outcome = 'denied' WHERE epoch = 1 AND seq = 2",
		"the entry of the restore taken out": "DELETE FROM vault_audit WHERE app = 'restored'",
		"the entry of the restore changed":   "UPDATE vault_audit SET details = replace(details, 'heads', 'hands') WHERE app = 'restored'",
	} {
		r := verifyCopy(t, dir, func(db string) {
			d, err := sql.Open("sqlite", db)
			if err == nil {
				_, err = d.Exec(statement)
			}
			if err == nil {
				err = d.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		if r.OK() || r.Restored != nil {
			t.Errorf("%s: %+v", name, r.Report)
		}
	}
}
