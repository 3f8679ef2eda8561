package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/vault/keyring"
)

// Two servers on one PostgreSQL database: what one is told, the other knows within a second.
func TestTwoServersOnOneDatabase(t *testing.T) {
	o := dbtest.PostgresOptions(parts.Postgres(t))
	root := filepath.Join(t.TempDir(), "root.key")
	start := func(node string) *apptest.Server {
		return apptest.Start(t, func(s *app.Settings) {
			s.Postgres, s.Node, s.Root, s.CheckpointEvery = &o, node, keyring.FileRoot(root), 200*time.Millisecond
		})
	}
	one := start("one")
	one.Member("acme", "ann", password, policy.Admin)
	one.Operator("olga", password)
	two := start("two")
	ann, olga := one.Login("ann", password), one.Login("olga", password)
	soon := func(what string, holds func() bool) {
		t.Helper()
		for end := time.Now().Add(5 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("never seen by the other server: %s", what)
			}
		}
	}
	status := func(s *apptest.Server, token, method, path, body string) int {
		code, _ := s.Call(token, method, path, body)
		return code
	}
	has := func(s *apptest.Server, token, path, text string) func() bool {
		return func() bool { _, body := s.Call(token, "GET", path, ""); return strings.Contains(body, text) }
	}

	// The login of one is good at the other, until it is ended there; so is a person made by the other.
	if code := status(two, ann, "GET", "/users/me", ""); code != 200 {
		t.Fatalf("the token of one at two: %d", code)
	}
	two.Must(201, olga, "POST", "/api/v1/users", `{"username": "bob", "password": "a long enough password", "tenant": "acme", "roles": ["editor"]}`)
	soon("a new user", func() bool { return has(one, ann, "/api/v1/users", "bob")() })
	bob := two.Login("bob", "a long enough password")
	soon("a membership", func() bool { return status(one, bob, "GET", "/api/v1/pipelines", "") == 200 })
	one.Must(200, ann, "PUT", "/api/v1/secrets/KEY", `{"value": "the-first-value"}`)
	two.Must(200, ann, "POST", "/api/v1/secrets/KEY/reveal", "")
	one.Must(200, ann, "PUT", "/api/v1/secrets/KEY", `{"value": "the-second-value"}`)
	soon("a secret", func() bool {
		_, body := two.Call(ann, "POST", "/api/v1/secrets/KEY/reveal", "")
		return strings.Contains(body, "the-second-value")
	})
	two.Must(200, olga, "PUT", "/api/v1/flag-definitions/f", `{"type": "bool", "default_value": false}`)
	one.Must(200, ann, "GET", "/api/v1/flags/f", "")
	two.Must(204, olga, "PUT", "/api/v1/flags/f/override?tenant=acme", `{"value": true}`)
	soon("a flag", has(one, ann, "/api/v1/flags/f", `"value":true`))
	one.Must(200, ann, "PUT", "/api/v1/config/c", `{"value": 1}`)
	soon("config", has(two, ann, "/api/v1/config/c", `"value":1`))

	// A pipeline is replaced under a server that has it compiled.
	one.Deploy(ann, "hello", helloYAML)
	run := func(s *apptest.Server) string {
		_, body := s.Call(ann, "POST", "/hello/run", `{"name": "x"}`)
		return body
	}
	soon("a deployment", func() bool { return strings.Contains(run(two), "Hello x!") })
	one.Deploy(ann, "hello", strings.Replace(helloYAML, "Hello", "Goodbye", 1))
	soon("a new version", func() bool { return strings.Contains(run(two), "Goodbye x!") })
	two.Must(204, ann, "DELETE", "/api/v1/pipelines/hello", "")
	soon("an undeployment", func() bool { return strings.Contains(run(one), "not found") })

	// Who is locked out of one is locked out of the other.
	one.Must(204, bob, "POST", "/logout", "")
	soon("a logout", func() bool { return status(two, bob, "GET", "/users/me", "") == 401 })
	bob = one.Login("bob", "a long enough password")
	two.Must(204, olga, "PATCH", "/api/v1/users/bob", `{"disabled": true}`)
	soon("a disabled user", func() bool { return status(one, bob, "GET", "/users/me", "") == 401 })

	// Each writes a record of its own, under checkpoints of its own, and each can verify.
	for _, s := range []*apptest.Server{one, two} {
		if body := s.Must(200, olga, "POST", "/api/v1/audit/verify", ""); !strings.Contains(body, `"problems":[]`) {
			t.Errorf("got %s", body)
		}
	}
	soon("checkpoints of both", func() bool {
		_, body := one.Call(ann, "GET", "/api/v1/audit/checkpoints", "")
		return strings.Contains(body, `"node":"one"`) && strings.Contains(body, `"node":"two"`)
	})
	if body := two.Must(200, ann, "GET", "/api/v1/audit?action=pipeline.deploy", ""); !strings.Contains(body, `"node":"one"`) {
		t.Errorf("the record of one, asked at two: %s", body)
	}
}

// Migrating and its status, for both engines.
func TestMigrations(t *testing.T) {
	for name, set := range map[string]func(t *testing.T, s *app.Settings){
		"SQLite": func(t *testing.T, s *app.Settings) { s.DataDir = t.TempDir() },
		"PostgreSQL": func(t *testing.T, s *app.Settings) {
			o := dbtest.PostgresOptions(parts.Postgres(t))
			s.Postgres = &o
		},
	} {
		t.Run(name, func(t *testing.T) {
			var s app.Settings
			set(t, &s)
			pending := func(statusOnly bool) (n int) {
				t.Helper()
				list, err := app.Migrations(t.Context(), s, statusOnly)
				if err != nil || len(list) < 4 {
					t.Fatalf("%d schemas, %v", len(list), err)
				}
				for _, st := range list {
					n += st.Pending()
				}
				return n
			}
			if n := pending(true); n < 5 {
				t.Errorf("%d migrations are pending in an empty database", n)
			}
			if n := pending(false); n != 0 {
				t.Errorf("%d are left", n)
			}
			if n := pending(true); n != 0 {
				t.Errorf("%d are left afterwards", n)
			}
		})
	}
}
