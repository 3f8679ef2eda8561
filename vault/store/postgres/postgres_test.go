package postgres_test

import (
	"encoding/base64"
	"strings"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/postgres"
	"github.com/haywardhq/hayward/vault/store/storetest"
)

func TestStore(t *testing.T) {
	type opened struct {
		e dbtest.Engine
		d *db.DB
	}
	var mu sync.Mutex
	of := map[driver.Store]opened{}
	engine := func(st driver.Store) opened {
		mu.Lock()
		defer mu.Unlock()
		return of[st]
	}
	open := func(t *testing.T, e dbtest.Engine) driver.Store {
		d := e.Open(t, db.Options{})
		st := postgres.New(d)
		if err := st.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		of[st] = opened{e, d}
		return st
	}
	storetest.Run(t, storetest.Harness{
		Open: func(t *testing.T) driver.Store { return open(t, dbtest.Postgres(t)) },
		Reopen: func(t *testing.T, st driver.Store) driver.Store {
			o := engine(st)
			o.e.Break(t, o.d)
			return open(t, o.e)
		},
		Bytes:   func(t *testing.T, st driver.Store) []byte { return written(t, engine(st).e.Server) },
		Replica: func(t *testing.T, st driver.Store) driver.Store { return open(t, engine(st).e) },
		Break:   func(t *testing.T, st driver.Store) { t.Helper(); o := engine(st); o.e.Break(t, o.d) },
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
