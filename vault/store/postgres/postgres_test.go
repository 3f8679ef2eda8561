package postgres_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/postgres"
	"github.com/haywardhq/hayward/vault/store/storetest"
)

func TestStore(t *testing.T) {
	engines := map[driver.Store]dbtest.Engine{}
	open := func(t *testing.T, e dbtest.Engine) driver.Store {
		st := postgres.New(e.Open(t, db.Options{}))
		if err := st.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		engines[st] = e
		return st
	}
	storetest.Run(t, storetest.Harness{
		Open: func(t *testing.T) driver.Store { return open(t, dbtest.Postgres(t)) },
		Reopen: func(t *testing.T, st driver.Store) driver.Store {
			return open(t, engines[st])
		},
		Bytes: func(t *testing.T, st driver.Store) []byte { return written(t, engines[st].Server) },
	})
}

// written returns the files of the database's tables, indexes and oversized values, and the log of changes.
func written(t *testing.T, p parts.PostgresDatabase) (all []byte) {
	t.Helper()
	files := p.Admin(t, "CHECKPOINT", `SELECT encode(pg_read_binary_file(pg_relation_filepath(c.oid)), 'base64') FROM pg_class c
		WHERE c.relkind IN ('r', 'i', 't') AND c.oid >= 16384 AND pg_relation_size(c.oid) > 0`)
	log := p.Admin(t, `SELECT encode(pg_read_binary_file('pg_wal/' || name), 'base64') FROM pg_ls_waldir() WHERE name = pg_walfile_name(pg_current_wal_lsn())`)
	for _, text := range append(files, log...) {
		b, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(text, "\n", ""))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}
