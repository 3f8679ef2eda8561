package db_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
)

var owned = db.Schema{Name: "owned", Fenced: "owned_", FS: mapFS(`CREATE TABLE owned_thing (app TEXT NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (app, tenant, name)) STRICT;
CREATE TABLE owned_by_nobody (n INTEGER) STRICT;
CREATE TABLE other_thing (app TEXT, tenant TEXT) STRICT;`)}

// names reads every row that there is, with no condition at all.
func names(t *testing.T, tx *db.Tx) string {
	t.Helper()
	var out []string
	err := tx.Query(t.Context(), "SELECT app, tenant, name FROM owned_thing ORDER BY app, tenant, name", nil, func(scan func(...any) error) error {
		var app, tenant, name string
		err := scan(&app, &tenant, &name)
		out = append(out, app+"/"+tenant+"/"+name)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return strings.Join(out, " ")
}

func own(t *testing.T, tx *db.Tx, app, tenant, name string) error {
	_, err := tx.Exec(t.Context(), "INSERT INTO owned_thing (app, tenant, name) VALUES (?, ?, ?)", app, tenant, name)
	return err
}

func TestFence(t *testing.T) {
	e := dbtest.Postgres(t)
	d := e.Open(t, db.Options{})
	if err := d.Migrate(t.Context(), owned); err != nil {
		t.Fatal(err)
	}
	if holds, why, err := d.FenceHolds(t.Context()); !holds || why != "" || err != nil {
		t.Errorf("the fence of a plain role: %v %q %v", holds, why, err)
	}
	errs := inOneGroup(t, d,
		func(tx *db.Tx) error {
			tx.Fence("a", "t")
			if err := own(t, tx, "a", "t", "one"); err != nil {
				return err
			}
			tx.Fence("a\x00", "t\x01")
			return own(t, tx, "a\x00", "t\x01", "odd")
		},
		func(tx *db.Tx) error { // a fence does not outlive its write
			if got := names(t, tx); got != "" {
				t.Errorf("without a fence: %q", got)
			}
			return own(t, tx, "a", "t", "two")
		},
		func(tx *db.Tx) error {
			tx.Fence("b", "t")
			if got := names(t, tx); got != "" {
				t.Errorf("somebody else sees %q", got)
			}
			return errors.New("boom") // takes the fence back with it
		},
		func(tx *db.Tx) error { tx.Fence("b", "t"); return own(t, tx, "b", "t", "three") },
		func(tx *db.Tx) error { tx.Fence("b", "t"); return own(t, tx, "b", "u", "four") },
		func(tx *db.Tx) error { tx.Fence("b", "u"); return nil },
		func(tx *db.Tx) error {
			tx.Fence("b", "u")
			return own(t, tx, "b", "u", "five")
		},
	)
	for i, failed := range []bool{false, true, true, false, true, false, false} {
		if (errs[i] != nil) != failed {
			t.Errorf("write %d: %v", i, errs[i])
		}
	}
	err := d.View(t.Context(), func(tx *db.Tx) error {
		if got := names(t, tx); got != "" {
			t.Errorf("without a fence: %q", got)
		}
		for _, tc := range [][3]string{{"a", "t", "a/t/one"}, {"b", "t", "b/t/three"}, {"b", "t", "b/t/three"}, {"b", db.Everywhere, "b/t/three b/u/five"},
			{db.Everywhere, db.Everywhere, "a/t/one a\x00/t\x01/odd b/t/three b/u/five"}, {"a\x00", "t\x01", "a\x00/t\x01/odd"}, {"", db.Everywhere, ""}, {"c", "t", ""}, {"a", "", ""},
			{db.Everywhere, "u", "b/u/five"}} {
			tx.Fence(tc[0], tc[1])
			if got := names(t, tx); got != tc[2] {
				t.Errorf("behind the fence of %q, %q: %q", tc[0], tc[1], got)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	err = d.Update(t.Context(), func(tx *db.Tx) error {
		tx.Fence("a", "t")
		for _, q := range []string{"UPDATE owned_thing SET name = 'mine'", "DELETE FROM owned_thing"} {
			if n, err := tx.Exec(t.Context(), q); err != nil || n != 1 {
				t.Errorf("%s: %d rows, %v", q, n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if got := e.Server.Admin(t, "SELECT string_agg(app || tenant || name, ' ' ORDER BY name) FROM owned_thing WHERE app = 'b'"); fmt.Sprint(got) != "[bufive btthree]" {
		t.Errorf("others' rows afterwards: %v", got)
	}
	if got := e.Server.Admin(t, "SELECT relname FROM pg_class WHERE relforcerowsecurity ORDER BY 1"); fmt.Sprint(got) != "[owned_thing]" {
		t.Errorf("tables with a fence: %v", got)
	}
	for _, weak := range []string{"BYPASSRLS", "SUPERUSER NOBYPASSRLS"} {
		e.Server.Admin(t, "ALTER ROLE "+e.Server.User+" "+weak)
		if holds, why, err := d.FenceHolds(t.Context()); holds || !strings.Contains(why, e.Server.User) || err != nil {
			t.Errorf("%s: %v %q %v", weak, holds, why, err)
		}
	}
}

// TestAFenceThatFellIsRaisedAgain: each migration looks at every table, whoever made it.
func TestAFenceThatFellIsRaisedAgain(t *testing.T) {
	e := dbtest.Postgres(t)
	d := e.Open(t, db.Options{})
	for range 2 {
		if err := d.Migrate(t.Context(), owned); err != nil {
			t.Fatal(err)
		}
		if got := e.Server.Admin(t, `SELECT count(*) FROM pg_policies WHERE tablename = 'owned_thing'`); got[0] != "1" {
			t.Errorf("%v policies", got)
		}
		e.Server.Admin(t, "ALTER TABLE owned_thing DISABLE ROW LEVEL SECURITY", "DROP POLICY hayward_fence ON owned_thing")
	}
}

func TestSQLiteHasNoFence(t *testing.T) {
	d := dbtest.NewSQLite(t, owned)
	if holds, why, err := d.FenceHolds(t.Context()); holds || why == "" || err != nil {
		t.Errorf("%v %q %v", holds, why, err)
	}
	err := d.Update(t.Context(), func(tx *db.Tx) error { tx.Fence("a", "t"); return own(t, tx, "b", "u", "x") })
	if err != nil {
		t.Error(err)
	}
}
