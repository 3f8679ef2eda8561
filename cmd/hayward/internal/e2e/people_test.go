package e2e

import (
	"strings"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
)

// An admin manages the members of his own tenant; everybody else does not exist for him.
func TestAnAdminManagesHisOwnTenantOnly(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	s.Member("acme", "bob", password, policy.Viewer)
	s.Member("globex", "gus", password, policy.Admin)
	s.Operator("olga", password)
	ann, gus, olga := s.Login("ann", password), s.Login("gus", password), s.Login("olga", password)
	users := func(name string) string { return "/api/v1/users/" + name }

	// Another tenant's user, an operator, nobody, and what cannot be a name: one answer.
	for _, body := range []string{`{"disabled": true}`, `{"password": "a long enough password"}`, `{"roles": ["viewer"]}`} {
		none := strings.ReplaceAll(neutral(s.Must(404, gus, "PATCH", users("nobody"), body)), "nobody", "X")
		for _, name := range []string{"bob", "ann", "olga"} {
			if got := strings.ReplaceAll(neutral(s.Must(404, gus, "PATCH", users(name), body)), name, "X"); got != none {
				t.Errorf("%s: %s, but nobody: %s", name, got, none)
			}
		}
		s.Must(404, gus, "PATCH", users("%00%2e%2e%2f%f0%9f%90%84"), body)
	}
	if list := s.Must(200, gus, "GET", "/api/v1/users", ""); strings.Contains(list, "ann") || strings.Contains(list, "olga") || !strings.Contains(list, "gus") {
		t.Errorf("gus sees %s", list)
	}
	here := strings.ReplaceAll(neutral(s.Must(404, gus, "GET", "/api/v1/users?tenant=acme", "")), "acme", "X")
	if nowhere := strings.ReplaceAll(neutral(s.Must(404, gus, "GET", "/api/v1/users?tenant=nowhere", "")), "nowhere", "X"); here != nowhere {
		t.Errorf("another tenant: %s, none: %s", here, nowhere)
	}
	s.Must(404, gus, "POST", "/api/v1/users", `{"username": "spy", "password": "a long enough password", "tenant": "acme", "roles": ["admin"]}`)
	s.Must(403, ann, "POST", "/api/v1/users", `{"username": "spy", "password": "a long enough password", "operator": true}`)
	s.Must(422, ann, "POST", "/api/v1/users", `{"username": "spy", "password": "a long enough password", "roles": ["operator"]}`)
	s.Must(422, ann, "PATCH", users("bob"), `{"roles": ["operator"]}`)
	s.Must(404, ann, "PATCH", users("bob"), `{"roles": ["admin"], "tenant": "globex"}`)
	s.Must(422, olga, "GET", "/api/v1/users", "")
	s.Must(200, olga, "GET", "/api/v1/users?tenant=acme", "")

	// Nothing is changed unless all of it can be.
	s.Must(422, ann, "PATCH", users("bob"), `{"roles": ["admin"], "password": "short"}`)
	if list := s.Must(200, ann, "GET", "/api/v1/users", ""); !strings.Contains(list, `"roles":["viewer"]`) {
		t.Errorf("half of a change was made: %s", list)
	}
	s.Login("bob", password)

	// A member of two tenants is nobody's to lock out.
	s.Must(204, olga, "PATCH", users("bob"), `{"roles": ["runner"], "tenant": "globex"}`)
	s.Must(403, ann, "PATCH", users("bob"), `{"disabled": true}`)
	s.Must(204, ann, "PATCH", users("bob"), `{"roles": ["editor"]}`)
}

// A tenant cannot lose its last admin by its own hand; the operator can do it, and undo it.
func TestTheLastAdminStays(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	s.Member("acme", "abe", password, policy.Admin)
	s.Operator("olga", password)
	ann, olga := s.Login("ann", password), s.Login("olga", password)
	s.Must(204, ann, "PATCH", "/api/v1/users/abe", `{"roles": ["viewer"]}`)
	for _, body := range []string{`{"roles": ["editor"]}`, `{"disabled": true}`} {
		if text := s.Must(409, ann, "PATCH", "/api/v1/users/ann", body); !strings.Contains(text, "LastAdmin") {
			t.Errorf("got %s", text)
		}
	}
	s.Must(204, ann, "PATCH", "/api/v1/users/abe", `{"roles": ["admin"], "disabled": true}`)
	s.Must(409, ann, "PATCH", "/api/v1/users/ann", `{"disabled": true}`) // a disabled admin is none
	s.Must(204, ann, "PATCH", "/api/v1/users/ann", `{"roles": ["admin", "editor"]}`)
	s.Must(204, olga, "PATCH", "/api/v1/users/ann", `{"disabled": true}`)
	s.Must(204, olga, "PATCH", "/api/v1/users/ann", `{"disabled": false}`)
}

// An operator stands outside every tenant: he is told so in his own terms, and cannot lock himself out.
func TestAnOperatorOutsideTenants(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Operator("olga", password)
	s.Operator("oskar", password)
	olga, oskar := s.Login("olga", password), s.Login("oskar", password)
	for _, path := range []string{"/api/v1/pipelines", "/api/v1/secrets"} {
		text := s.Must(422, olga, "GET", path, "")
		if !strings.Contains(text, "an operator belongs to none") || strings.Contains(text, "scope.WithScope") {
			t.Errorf("%s: %s", path, text)
		}
	}
	if text := s.Must(409, olga, "PATCH", "/api/v1/users/olga", `{"disabled": true}`); !strings.Contains(text, "OwnAccount") {
		t.Errorf("got %s", text)
	}
	s.Must(204, olga, "PATCH", "/api/v1/users/olga", `{"disabled": false}`)
	s.Must(204, oskar, "PATCH", "/api/v1/users/olga", `{"disabled": true}`)
	s.Must(401, olga, "GET", "/api/v1/tenants", "")
}

// A word that no entry's outcome can be is an error, not an empty list.
func TestTheAuditsFiltersAreChecked(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	for _, outcome := range []string{"begin", "ok", "denied", "not_found", "error"} {
		s.Must(200, ann, "GET", "/api/v1/audit?outcome="+outcome, "")
	}
	if text := s.Must(422, ann, "GET", "/api/v1/audit?outcome=failed", ""); !strings.Contains(text, "begin or ok or denied") {
		t.Errorf("got %s", text)
	}
}
