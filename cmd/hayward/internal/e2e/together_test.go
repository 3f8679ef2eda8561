package e2e

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"

	_ "modernc.org/sqlite"
)

// A change of a tenant or a user and the entry that says it was made are one write: when the entry cannot be kept, nothing
// was changed.
func TestNoChangeOfPeopleWithoutItsRecord(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	s.Member("acme", "bob", password, policy.Viewer)
	s.Operator("olga", password)
	ann, olga := s.Login("ann", password), s.Login("olga", password)
	d, err := sql.Open("sqlite", filepath.Join(s.Dir, "hayward.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	_, err = d.Exec("CREATE TRIGGER refuse BEFORE INSERT ON vault_audit WHEN NEW.outcome = 'ok' AND NEW.action IN ('user.manage', 'tenant.manage') " +
		"BEGIN SELECT RAISE(ABORT, 'refused'); END")
	if err != nil {
		t.Fatal(err)
	}
	state := func() string {
		return s.Must(200, olga, "GET", "/api/v1/users?tenant=acme", "")
	}
	before := state()
	for _, call := range []struct{ token, method, path, body string }{
		{ann, "POST", "/api/v1/users", `{"username": "new", "password": "a long enough password", "roles": ["viewer"]}`},
		{ann, "PATCH", "/api/v1/users/bob", `{"roles": ["editor"], "password": "another long password", "disabled": true}`},
		{olga, "POST", "/api/v1/users", `{"username": "second", "password": "a long enough password", "operator": true}`},
		{olga, "POST", "/api/v1/tenants", `{"slug": "globex"}`},
		{olga, "PATCH", "/api/v1/tenants/acme", `{"suspended": true}`},
	} {
		if code, text := s.Call(call.token, call.method, call.path, call.body); code != 503 || !strings.Contains(text, "AuditUnavailable") {
			t.Errorf("%s %s: %d %s", call.method, call.path, code, text)
		}
	}
	if after := state(); after != before {
		t.Errorf("something was changed:\n%s\n%s", before, after)
	}
	s.Login("bob", password)
	if _, err := d.Exec("DROP TRIGGER refuse"); err != nil {
		t.Fatal(err)
	}
	if list := s.Must(200, olga, "GET", "/api/v1/tenants", ""); strings.Contains(list, "globex") || strings.Contains(list, `"suspended":true`) {
		t.Errorf("got %s", list)
	}
	s.Must(201, ann, "POST", "/api/v1/users", `{"username": "new", "password": "a long enough password", "roles": ["viewer"]}`)
	s.Must(201, olga, "POST", "/api/v1/tenants", `{"slug": "globex"}`)
	s.Login("new", "a long enough password")
}
