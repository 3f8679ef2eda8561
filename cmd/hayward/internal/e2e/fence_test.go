package e2e

import (
	"strings"
	"testing"

	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/internal/parts"
)

// A role that walks through row-level security is warned of at the start; another is not.
func TestARoleThatWalksThroughTheFenceIsWarnedOf(t *testing.T) {
	server := parts.Postgres(t)
	o := dbtest.PostgresOptions(server)
	const warning = "row-level security does not bind this server"
	dir := t.TempDir()
	start := func() *apptest.Server {
		return apptest.StartIn(t, dir, func(s *app.Settings) { s.Postgres = &o })
	}
	plain := start()
	if text := plain.Logs.String(); strings.Contains(text, warning) {
		t.Errorf("a plain role: %s", text)
	}
	plain.Stop()
	server.Admin(t, "ALTER ROLE "+server.User+" BYPASSRLS")
	if text := start().Logs.String(); !strings.Contains(text, warning) || !strings.Contains(text, "has BYPASSRLS") || !strings.Contains(text, "NOBYPASSRLS") {
		t.Errorf("a role with BYPASSRLS: %s", text)
	}
}
