package db_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/sealed"
)

// TestTheEnvironmentSaysNothing: what PG* variables, a service file or a password file say changes nothing, whether it would
// lead elsewhere, open a door or break the connection.
func TestTheEnvironmentSaysNothing(t *testing.T) {
	p := parts.Postgres(t)
	home := t.TempDir()
	for name, text := range map[string]string{
		".pgpass":          fmt.Sprintf("*:*:*:*:%s\n", p.Password),
		".pg_service.conf": "[elsewhere]\nhost=192.0.2.1\nuser=mallory\n",
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for k, v := range map[string]string{"HOME": home, "PGHOST": "192.0.2.1", "PGPORT": "none", "PGDATABASE": "elsewhere", "PGUSER": "mallory",
		"PGPASSWORD": p.Password, "PGPASSFILE": filepath.Join(home, ".pgpass"), "PGSERVICE": "elsewhere",
		"PGSERVICEFILE": filepath.Join(home, ".pg_service.conf"), "PGSSLMODE": "nonsense", "PGSSLCERT": "/nowhere", "PGSSLKEY": "/nowhere",
		"PGSSLROOTCERT": "/nowhere", "PGAPPNAME": "mallory", "PGOPTIONS": "-c work_mem=64kB", "PGCONNECT_TIMEOUT": "soon", "PGTZ": "Asia/Tokyo",
		"PGTARGETSESSIONATTRS": "standby", "PGMAXPROTOCOLVERSION": "9"} {
		t.Setenv(k, v)
	}
	o := dbtest.PostgresOptions(p)
	d, err := db.OpenPostgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var user, database, name, zone, mem string
	err = d.View(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT current_user, current_database(), current_setting('application_name'), current_setting('TimeZone'),
			current_setting('work_mem')`, nil, &user, &database, &name, &zone, &mem)
	})
	if err != nil || user != p.User || database != p.Database || name != "hayward" || zone != "UTC" || mem == "64kB" {
		t.Errorf("%s %s %s %s %s, %v", user, database, name, zone, mem, err)
	}
	o.Password = sealed.Value{}
	if _, err := db.OpenPostgres(t.Context(), o); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without a password: %v", err)
	}
	for _, missing := range []func(*db.PostgresOptions){func(o *db.PostgresOptions) { o.Host = "" }, func(o *db.PostgresOptions) { o.Database = "" },
		func(o *db.PostgresOptions) { o.User = "" }} {
		o := dbtest.PostgresOptions(p)
		missing(&o)
		if _, err := db.OpenPostgres(t.Context(), o); !fault.Is(err, fault.Invalid) {
			t.Errorf("something is not given: %v", err)
		}
	}
}

func TestParsePostgresURL(t *testing.T) {
	for _, tc := range []struct {
		url, want string
	}{
		{"postgres://u:p%40s@db.example:5433/d?sslmode=verify-ca&sslrootcert=/ca.pem&schema=hay", "u p@s db.example 5433 d verify-ca /ca.pem   hay"},
		{"postgresql://u@[::1]/d%2Fx", "u - ::1 5432 d/x verify-full    public"},
		{"postgres://u:p@/d?host=/run/pg&sslmode=disable", "u p /run/pg 5432 d disable    public"},
		{"postgres://u:p@h/d?sslmode=verify-full&sslcert=/c&sslkey=/k", "u p h 5432 d verify-full  /c /k public"},
	} {
		o, err := db.ParsePostgresURL(sealed.NewString(tc.url))
		word := "-"
		if !o.Password.IsZero() {
			word = "p@s"
			if !strings.Contains(tc.url, "p%40s") {
				word = "p"
			}
		}
		if got := fmt.Sprint(o.User, " ", word, " ", o.Host, " ", o.Port, " ", o.Database, " ", o.TLS, " ", o.CAFile, " ", o.CertFile, " ", o.KeyFile, " ", o.Schema); err != nil || got != tc.want {
			t.Errorf("%s: %s, %v", tc.url, got, err)
		}
	}
	for _, bad := range []string{"", "h/d", "mysql://u:hunter2@h/d", "postgres://h/d", "postgres://u:hunter2@h", "postgres://u:hunter2@h/", "postgres://u:hunter2@h/d/e",
		"postgres://u:hunter2@h:x/d", "postgres://u:hunter2@h:99999/d", "postgres://u:hunter2@h:0x10/d", "postgres://u:hunter2@h,i/d", "postgres://u:hunter2@h/d?service=x",
		"postgres://u:hunter2@h/d?passfile=/x", "postgres://u:hunter2@h/d?sslmode=a&sslmode=b", "postgres://u:hunter2@h/d?sslmode=", "postgres://u:hunter2@h/d?host=i",
		"postgres://u:hunter2@h/d?host=i,j", "postgres://u:hunter2@h/d?%zz", "postgres://u:hunter2@h/d#x", "postgres:u:hunter2@h", "postgres://u:hunter2@h/d?sslcert=/c",
		"postgres://u:hunter2@h/d?sslmode=disable&sslrootcert=/x", "postgres://u:hunter2@h/d%00", "postgres://u:hunter2@h/d?schema=pg_catalog", "postgres://:hunter2@h/d"} {
		_, err := db.ParsePostgresURL(sealed.NewString(bad))
		if !fault.Is(err, fault.Invalid) || strings.Contains(fmt.Sprintf("%+v", err), "hunter2") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	o := db.PostgresOptions{Host: "h", Database: "d", User: "u", TLS: "prefer"}
	if _, err := db.OpenPostgres(t.Context(), o); !fault.Is(err, fault.Invalid) {
		t.Errorf("a TLS mode that falls back: %v", err)
	}
}

var things = db.Schema{Name: "things", FS: mapFS(`CREATE TABLE thing (id INTEGER NOT NULL PRIMARY KEY, s TEXT, n INTEGER, b BLOB, r REAL) STRICT;
CREATE UNIQUE INDEX thing_s ON thing (s) WHERE n > 0;`)}

// TestValues: what is written comes back as it was, and what is computed has the same Go type, whichever the database is.
func TestValues(t *testing.T) { dbtest.Each(t, testValues, things) }

func testValues(t *testing.T, d *db.DB) {
	type text string
	texts := []string{"", "plain", "é~\u202e", "nul \x00 one \x01 two \x02", "\x01", strings.Repeat("long ", 100_000), "$1 ? 'quoted' \\x41"}
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		for i, s := range texts {
			if _, err := tx.Exec(t.Context(), "INSERT INTO thing (id, s, n, b, r) VALUES (?, ?, ?, ?, ?)", i, text(s), i%2 == 0, []byte(s), float32(0.5)); err != nil {
				return err
			}
		}
		_, err := tx.Exec(t.Context(), "INSERT INTO thing (id, s, n, b, r) VALUES (?, ?, ?, ?, ?)", int64(math.MinInt64), nil, uint8(7), []byte{}, math.MaxFloat64)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = d.View(t.Context(), func(tx *db.Tx) error {
		for i, want := range texts {
			var s text
			var raw []byte
			var yes bool
			var n int64
			err := tx.QueryRow(t.Context(), "SELECT s, b, n, n FROM thing WHERE s = ? AND id = ?", []any{want, i}, &s, &raw, &yes, &n)
			if err != nil || string(s) != want || string(raw) != want || yes != (i%2 == 0) || n != int64((i+1)%2) {
				t.Errorf("text %d: %.40q %.40q %v %d, %v", i, s, raw, yes, n, err)
			}
		}
		for query, want := range map[string]string{
			"SELECT count(*), sum(n), max(id), min(id), avg(n) > 1.0 FROM thing":                                "int64 8 int64 11 int64 6 int64 -9223372036854775808 int64 1",
			"SELECT s, b, r FROM thing WHERE id < 0":                                                            "<nil> <nil> []uint8 [] float64 1.7976931348623157e+308",
			"SELECT coalesce(s, ''), coalesce(b, x''), coalesce(NULL, x'00ff') FROM thing WHERE id < 0":         "string  []uint8 [] []uint8 [0 255]",
			"SELECT n = 1, n <> 1, s IS NULL, 1 + 1, CAST('12' AS INTEGER), 0.5 + 0.25 FROM thing WHERE id = 0": "int64 1 int64 0 int64 0 int64 2 int64 12 float64 0.75",
			"SELECT v.a, v.b FROM (VALUES (?, ?)) AS v (a, b) WHERE false":                                      "",
			"SELECT substr(s, 1, length('pla')) FROM thing WHERE id = 1":                                        "string pla",
		} {
			args := []any{}
			if strings.Contains(query, "?") {
				args = []any{1, "x"}
				if d.Path() != "" {
					continue // SQLite does not name the columns of VALUES
				}
			}
			var got []string
			err := tx.Query(t.Context(), query, args, func(scan func(...any) error) error {
				cols := make([]any, strings.Count(want, " ")/2+1)
				for i := range cols {
					cols[i] = new(any)
				}
				err := scan(cols[:columns(query)]...)
				for _, c := range cols[:columns(query)] {
					got = append(got, fmt.Sprintf("%T %v", *c.(*any), *c.(*any)))
				}
				return err
			})
			if text := strings.Join(got, " "); err != nil || text != want {
				t.Errorf("%s:\n got %s, %v\nwant %s", query, text, err, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, write := range map[string]func(tx *db.Tx) error{
		"a text for a number": func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO thing (id, n) VALUES (99, ?)", "x")
			return err
		},
		"a struct": func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO thing (id, s) VALUES (98, ?)", struct{}{})
			return err
		},
	} {
		if err := d.Update(t.Context(), write); err == nil {
			t.Errorf("%s is stored", what)
		}
	}
	err = d.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO thing (id, s, n) VALUES (97, 'plain', 1), (96, 'plain', 1)")
		return err
	})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a partial unique index: %v", err)
	}
}

// columns counts the columns a query of TestValues answers with.
func columns(query string) int {
	head, _, _ := strings.Cut(strings.TrimPrefix(query, "SELECT "), " FROM ")
	n, depth := 1, 0
	for _, c := range head {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			n++
		}
	}
	return n
}

func TestExecMany(t *testing.T) { dbtest.Each(t, testExecMany, schema) }

func testExecMany(t *testing.T, d *db.DB) {
	many := func(from, n int) (rows [][]any) {
		for i := range n {
			rows = append(rows, []any{fmt.Sprintf("k%04d", from+i), i})
		}
		return rows
	}
	const query = "INSERT INTO t (k, v) VALUES (?, ?) ON CONFLICT (k) DO NOTHING"
	from := 0
	for _, n := range []int{0, 1, 3, 499, 500, 1201} {
		err := d.Update(t.Context(), func(tx *db.Tx) error {
			changed, err := tx.ExecMany(t.Context(), query, many(from, n))
			again, err2 := tx.ExecMany(t.Context(), query, many(from, n))
			if changed != int64(n) || again != 0 {
				t.Errorf("%d rows: %d changed, then %d", n, changed, again)
			}
			return errors.Join(err, err2)
		})
		if err != nil {
			t.Errorf("%d rows: %v", n, err)
		}
		from += n
	}
	if n := count(t, d); n != from {
		t.Errorf("%d rows of %d", n, from)
	}
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecMany(t.Context(), "INSERT INTO t (k, v) VALUES (?, ?)", append(many(9000, 20), []any{"k0000", 1}, []any{"k9999", 1}))
		return err
	})
	if n := count(t, d); !fault.Is(err, fault.Conflict) || n != from {
		t.Errorf("one row of many is there already: %v, %d rows of %d", err, n, from)
	}
	err = d.Update(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecMany(t.Context(), query, [][]any{{"x", struct{}{}}})
		return err
	})
	if err == nil {
		t.Error("a struct is stored")
	}
}

// TestAFailedStatementIsTheEndOfItsWrite: what a caller does not say about an error must not turn half a write into a whole.
func TestAFailedStatementIsTheEndOfItsWrite(t *testing.T) {
	d := dbtest.NewPostgres(t, schema)
	errs := inOneGroup(t, d,
		func(tx *db.Tx) error { return insert(t.Context(), tx, "a") },
		func(tx *db.Tx) error {
			if err := insert(t.Context(), tx, "b"); err != nil {
				return err
			}
			if err := insert(t.Context(), tx, "b"); !fault.Is(err, fault.Conflict) {
				t.Errorf("the same key twice: %v", err)
			}
			if err := insert(t.Context(), tx, "c"); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "earlier statement") {
				t.Errorf("a statement after one that failed: %v", err)
			}
			return nil
		},
		func(tx *db.Tx) error { return insert(t.Context(), tx, "d") },
	)
	if errs[0] != nil || !fault.Is(errs[1], fault.Conflict) || errs[2] != nil || keys(t, d) != "a d" {
		t.Errorf("%v, kept %q", errs, keys(t, d))
	}
}

func TestMigrationStatus(t *testing.T) {
	dbtest.EachEngine(t, func(t *testing.T, e dbtest.Engine) {
		d := e.Open(t, db.Options{})
		two := db.Schema{Name: "test", FS: fstest.MapFS{"00001_t.sql": schema.FS.(fstest.MapFS)["00001_t.sql"],
			"00002_u.sql": {Data: []byte("-- +goose Up\nCREATE TABLE u (k TEXT);\n")}}}
		want := func(s db.Schema, text string, newer bool) {
			t.Helper()
			all, err := d.MigrationStatus(t.Context(), s, things)
			if err != nil || len(all) != 2 || all[1].Pending() != 1 {
				t.Fatalf("%v, %v", all, err)
			}
			got := ""
			for _, m := range all[0].Migrations {
				got += fmt.Sprintf("%d %s %v ", m.Version, m.Name, time.Since(m.Applied) < time.Hour && time.Since(m.Applied) > -time.Minute)
			}
			if got != text || all[0].Newer() != newer {
				t.Errorf("got %s", got)
			}
		}
		want(two, "1 00001_t.sql false 2 00002_u.sql false ", false)
		for range 2 {
			if err := d.Migrate(t.Context(), schema); err != nil {
				t.Fatal(err)
			}
			want(two, "1 00001_t.sql true 2 00002_u.sql false ", false)
		}
		if err := d.Migrate(t.Context(), two); err != nil {
			t.Fatal(err)
		}
		want(schema, "1 00001_t.sql true 2  true ", true)
	})
}

func TestProcessesThatMigrateAtOnce(t *testing.T) {
	e := dbtest.Postgres(t)
	var wg sync.WaitGroup
	for range 4 {
		d := e.Open(t, db.Options{})
		wg.Go(func() {
			if err := d.Migrate(t.Context(), schema, things); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestAFailedMigrationOfPostgresLeavesNothing(t *testing.T) {
	d := dbtest.NewPostgres(t, schema)
	bad := db.Schema{Name: "bad", FS: mapFS("CREATE TABLE half (k TEXT);\nCREATE TABLE half (k TEXT);")}
	if err := d.Migrate(t.Context(), bad); err == nil {
		t.Fatal("no error")
	}
	var n int
	err := d.View(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE tablename = 'half'", nil, &n)
	})
	if err != nil || n != 0 {
		t.Fatalf("%d tables, %v", n, err)
	}
	if err := put(d, "a", 1); err != nil {
		t.Errorf("the lock of the migration is still held: %v", err)
	}
}

func TestTheTablesLieInTheirSchema(t *testing.T) {
	p := parts.Postgres(t)
	o := dbtest.PostgresOptions(p)
	o.Schema = `the "hay`
	d, err := db.OpenPostgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	if err := put(d, "a", 1); err != nil {
		t.Fatal(err)
	}
	if got := p.Admin(t, `SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE tableowner = '`+p.User+`'`); got[0] != `the "hay.schema_test the "hay.t` {
		t.Errorf("tables: %v", got)
	}
}

// TestAProcessThatHangsKeepsNobodyOut: the server ends a write that does nothing, and the others go on.
func TestAProcessThatHangsKeepsNobodyOut(t *testing.T) {
	p := parts.Postgres(t)
	o := dbtest.PostgresOptions(p)
	o.IdleTimeout = 300 * time.Millisecond
	hung, err := db.OpenPostgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer hung.Close()
	if err := hung.Migrate(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	o.LockTimeout = 50 * time.Millisecond
	o.IdleTimeout = 0
	other, err := db.OpenPostgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = hung.Update(t.Context(), func(tx *db.Tx) error {
		if err := insert(t.Context(), tx, "a"); err != nil {
			return err
		}
		if err := put(other, "impatient", 1); !fault.Is(err, fault.Unavailable) {
			t.Errorf("while another process writes: %v", err)
		}
		for deadline := time.Now().Add(20 * time.Second); put(other, "patient", 1) != nil; {
			if time.Now().After(deadline) {
				t.Error("a process that hangs keeps the others out")
				break
			}
		}
		return insert(t.Context(), tx, "b")
	})
	if !fault.Is(err, fault.Unavailable) || keys(t, other) != "patient" {
		t.Errorf("%v, kept %q", err, keys(t, other))
	}
	if err := put(hung, "again", 1); err != nil {
		t.Error(err)
	}
}

func TestAStatementThatTakesTooLong(t *testing.T) {
	o := dbtest.PostgresOptions(parts.Postgres(t))
	o.StatementTimeout = 200 * time.Millisecond
	d, err := db.OpenPostgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = d.Update(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(t.Context(), "SELECT pg_sleep(20)"); return err })
	if !fault.Is(err, fault.Timeout) {
		t.Errorf("got %v", err)
	}
	if err := d.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestReadsHeal(t *testing.T) {
	e := dbtest.Postgres(t)
	d := e.Open(t, db.Options{})
	if err := d.Migrate(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	err := d.View(t.Context(), func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM t", nil, &n); err != nil {
			return err
		}
		e.Break(t, d)
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM t", nil, &n)
	})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("a read whose connection broke: %v", err)
	}
	_ = count(t, d)
	e.Break(t, d)
	time.Sleep(1100 * time.Millisecond) // idle long enough to be asked first
	if n := count(t, d); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func TestOtherProcessesHear(t *testing.T) {
	e := dbtest.Postgres(t)
	one, two := e.Open(t, db.Options{}), e.Open(t, db.Options{})
	heard := make(chan string, 100)
	two.Listen("hay", func(m db.Message) { heard <- fmt.Sprintf("%.20q %v", m.Body, m.Resync) })
	two.Listen("straw", func(m db.Message) { heard <- "straw" })
	send := func(n int, body string) {
		err := one.Update(t.Context(), func(tx *db.Tx) error {
			for i := range n {
				tx.Notify("hay", strings.ReplaceAll(body, "#", fmt.Sprint(i)))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		n    int
		body string
		want string
	}{{1, "cut", `"cut" false`}, {1, "", `"" false`}, {1, "nul \x00 \x01\n=!", `"nul \x00 \x01\n=!" false`}, {3, "the same", `"the same" false`},
		{1, strings.Repeat("x", db.MaxMessage), `"xxxxxxxxxxxxxxxxxxxx" false`}, {1, strings.Repeat("x", db.MaxMessage+1), `"" true`},
		{1, strings.Repeat("\x00", db.MaxMessage), `"" true`}, {501, "#", `"" true`}} {
		send(tc.n, tc.body)
		select {
		case got := <-heard:
			if got != tc.want {
				t.Errorf("%d of %.20q: heard %s, want %s", tc.n, tc.body, got, tc.want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%d of %.20q: nothing is heard", tc.n, tc.body)
		}
	}
	send(1, "last")
	if got := <-heard; got != `"last" false` {
		t.Errorf("something was told twice: %s", got)
	}
}

func TestPostgresKeepsWhatAKilledProcessWasTold(t *testing.T) {
	p := parts.Postgres(t)
	killAndCheck(t, p.URL(), func() *db.DB {
		d, err := db.OpenPostgres(context.Background(), dbtest.PostgresOptions(p))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}, 60)
}
