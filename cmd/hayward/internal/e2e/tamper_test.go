package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/vault/keyring"
)

// Somebody with the sqlite3 shell changes the record of a real session; the verifier names the entry every time.
func TestTheShellCannotChangeTheRecordUnseen(t *testing.T) {
	shell := parts.Need(t, parts.SQLiteShell)
	dir := t.TempDir()
	s := apptest.StartIn(t, dir, nil)
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	s.Deploy(ann, "hello", helloYAML)
	s.Must(200, ann, "PUT", "/api/v1/secrets/THE_KEY", `{"value": "12345678"}`)
	for range 3 {
		s.Must(200, ann, "POST", "/hello/run", `{"name": "Ann"}`)
	}
	s.Stop()
	if r := verifyCopy(t, dir, func(string) {}); !r.OK() || r.Entries < 10 {
		t.Fatalf("the untouched record: %+v", r)
	}
	query := func(db, sql string) string {
		out, err := exec.Command(shell, db, sql).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v %s", sql, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	ids := strings.Fields(query(filepath.Join(dir, "data", app.DatabaseFile), "SELECT id FROM vault_audit ORDER BY app, tenant, node, epoch, seq"))
	changes := map[string]string{
		"changed user":    "UPDATE vault_audit SET user_id = 'mallory' WHERE id = '%'",
		"changed outcome": "UPDATE vault_audit SET outcome = 'denied' || outcome WHERE id = '%'",
		"changed time":    "UPDATE vault_audit SET at = at + 1 WHERE id = '%'",
		"changed details": "UPDATE vault_audit SET details = details || ' ' WHERE id = '%'",
		"removed":         "DELETE FROM vault_audit WHERE id = '%'",
		"moved":           "UPDATE vault_audit SET seq = seq + 1000 WHERE id = '%'",
		"tail cut off":    "DELETE FROM vault_audit WHERE (app, tenant, node, epoch) = (SELECT app, tenant, node, epoch FROM vault_audit WHERE id = '%') AND seq >= (SELECT seq FROM vault_audit WHERE id = '%')",
	}
	for name, sql := range changes {
		t.Run(name, func(t *testing.T) {
			for _, id := range ids {
				r := verifyCopy(t, dir, func(db string) { query(db, strings.ReplaceAll(sql, "%", id)) })
				if r.OK() {
					t.Errorf("entry %s: not noticed", id)
				} else if p := r.Problems[0]; p.Seq == 0 && p.ID == "" && !strings.Contains(p.What, "chain") {
					t.Errorf("entry %s: the verifier does not say where: %s", id, p)
				}
			}
		})
	}
	t.Run("swapped", func(t *testing.T) {
		swapped := 0
		for i := 1; i < len(ids); i++ {
			where := func(id string) string { return "WHERE id = '" + id + "'" }
			place := "SELECT app || tenant || node || epoch FROM vault_audit "
			main := filepath.Join(dir, "data", app.DatabaseFile)
			if query(main, place+where(ids[i-1])) != query(main, place+where(ids[i])) {
				continue // two chains
			}
			first, second := query(main, "SELECT seq FROM vault_audit "+where(ids[i-1])), query(main, "SELECT seq FROM vault_audit "+where(ids[i]))
			r := verifyCopy(t, dir, func(db string) {
				query(db, "UPDATE vault_audit SET seq = -1 "+where(ids[i-1])+"; UPDATE vault_audit SET seq = "+first+" "+where(ids[i])+
					"; UPDATE vault_audit SET seq = "+second+" "+where(ids[i-1]))
			})
			if r.OK() {
				t.Errorf("entries %s and %s: not noticed", ids[i-1], ids[i])
			}
			swapped++
		}
		if swapped < 5 {
			t.Errorf("only %d pairs swapped", swapped)
		}
	})
}

// verifyCopy copies the data directory, changes the copy's database, and verifies it.
func verifyCopy(t *testing.T, dir string, change func(db string)) app.Report {
	t.Helper()
	work := t.TempDir()
	data := filepath.Join(work, "data")
	if err := os.CopyFS(data, os.DirFS(filepath.Join(dir, "data"))); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(filepath.Join(data, "lock"))
	change(filepath.Join(data, app.DatabaseFile))
	v, err := app.OpenVault(t.Context(), app.Settings{DataDir: data, Root: keyring.FileRoot(filepath.Join(dir, "root.key"))})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	r, err := v.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}
