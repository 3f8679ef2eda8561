package postgres_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

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
		mu.Lock()
		defer mu.Unlock()
		of[st] = opened{e, d}
		return st
	}
	storetest.Run(t, storetest.Harness{
		Open: func(t *testing.T) driver.Store { return open(t, dbtest.Postgres(t, postgres.Schema())) },
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

// TestEveryTableHasItsFence: also one that a later migration adds.
func TestEveryTableHasItsFence(t *testing.T) {
	e := dbtest.Postgres(t)
	d := e.Open(t, db.Options{})
	if err := d.Migrate(t.Context(), postgres.Schema()); err != nil {
		t.Fatal(err)
	}
	tables := e.Server.Admin(t, `SELECT c.relname || ' ' || c.relrowsecurity || ' ' || c.relforcerowsecurity || ' ' ||
		coalesce((SELECT string_agg(pg_get_expr(polqual, polrelid), '') FROM pg_policy WHERE polrelid = c.oid AND polpermissive AND polcmd = '*' AND polroles = '{0}'), '')
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant'
		WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1`)
	if len(tables) < 10 {
		t.Errorf("only %d tables have a tenant: %v", len(tables), tables)
	}
	for _, table := range tables {
		name, rest, _ := strings.Cut(table, " ")
		if !strings.HasPrefix(rest, "true true ") || strings.Count(rest, "hayward.app") != 2 || strings.Count(rest, "hayward.tenant") != 2 {
			t.Errorf("%s: %s", name, rest)
		}
	}
	if holds, why, err := d.FenceHolds(t.Context()); !holds || err != nil {
		t.Errorf("%s, %v", why, err)
	}
}

// TestAStatementWithoutATenant: what a statement forgot, the fence remembers.
func TestAStatementWithoutATenant(t *testing.T) {
	e := dbtest.Postgres(t)
	d := e.Open(t, db.Options{})
	st := postgres.New(d)
	if err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"a", "b"} {
		err := st.Update(t.Context(), func(tx driver.Tx) error {
			return tx.PutSecret(t.Context(), driver.SecretRow{App: "app", Tenant: tenant, Name: "K", ID: tenant, Latest: 1, Current: 1})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	tenants := func(tx *db.Tx) (out string) {
		err := tx.Query(t.Context(), "SELECT tenant FROM vault_secret ORDER BY tenant", nil, func(scan func(...any) error) error {
			var s string
			err := scan(&s)
			out += s
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return out
	}
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		if got := tenants(tx); got != "" {
			t.Errorf("before anybody said whose: %q", got)
		}
		if _, err := st.In(tx).Secret(t.Context(), "app", "a", "K"); err != nil {
			return err
		}
		if got := tenants(tx); got != "a" {
			t.Errorf("in the transaction of tenant a: %q", got)
		}
		n, err := tx.Exec(t.Context(), "UPDATE vault_secret SET name = 'stolen'")
		if err != nil || n != 1 {
			t.Errorf("%d rows, %v", n, err)
		}
		return errors.New("enough")
	})
	if err == nil || err.Error() != "enough" {
		t.Error(err)
	}
	err = d.Update(t.Context(), func(tx *db.Tx) error {
		_, _ = st.In(tx).Secret(t.Context(), "app", "a", "K")
		_, err := tx.Exec(t.Context(), "UPDATE vault_secret SET tenant = 'b', name = 'planted'")
		return err
	})
	if err == nil {
		t.Error("a row was moved to another tenant")
	}
}

// TestTwoRooms: a room with tables of its own and the vault write in one transaction.
func TestTwoRooms(t *testing.T) {
	theirs := db.Schema{Name: "theirs", FS: fstest.MapFS{"00001_t.sql": {Data: []byte("-- +goose Up\nCREATE TABLE theirs (n INTEGER NOT NULL) STRICT;\n")}}}
	d := dbtest.NewPostgres(t, postgres.Schema(), theirs)
	st := postgres.New(d)
	for _, boom := range []error{errors.New("boom"), nil} {
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			if _, err := tx.Exec(t.Context(), "INSERT INTO theirs (n) VALUES (?)", 1); err != nil {
				return err
			}
			return errors.Join(st.In(tx).PutKey(t.Context(), driver.KeyRow{App: "a", Tenant: "t", ID: "k", Primary: true}), boom)
		})
		if !errors.Is(err, boom) {
			t.Error(err)
		}
		want := map[bool]string{true: "0 0", false: "1 1"}[boom != nil]
		var own, keys int
		err = d.View(t.Context(), func(tx *db.Tx) error {
			tx.Fence(db.Everywhere, db.Everywhere)
			return tx.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM theirs), (SELECT count(*) FROM vault_key)", nil, &own, &keys)
		})
		if got := fmt.Sprint(own, keys); err != nil || got != want {
			t.Errorf("%s rows, want %s, %v", got, want, err)
		}
	}
}
