package pg

import (
	"strings"
	"testing"
)

func TestTranslate(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"SELECT 1", "SELECT 1"},
		{"SELECT a FROM t WHERE b = ? AND c IN (?, ?)", "SELECT a FROM t WHERE b = $1 AND c IN ($2, $3)"},
		{"SELECT '?', \"?\", 'it''s ?' -- ?\n, ? /* ? */", "SELECT '?', \"?\", 'it''s ?' -- ?\n, $1 /* ? */"},
		{"SELECT coalesce(v, x''), X'00fF', max'', xx, x", `SELECT coalesce(v, '\x'::bytea), '\x00fF'::bytea, max'', xx, x`},
		{"SELECT x'0', x'0g'", "SELECT x'0', x'0g'"},
		{"CREATE TABLE t (a TEXT NOT NULL, b INTEGER, c BLOB, d REAL, PRIMARY KEY (a, b)) STRICT",
			`CREATE TABLE t (a TEXT COLLATE "C" NOT NULL, b BIGINT, c BYTEA, d DOUBLE PRECISION, PRIMARY KEY (a, b)) `},
		{"create table if not exists t (a text primary key) strict, without rowid;\nselect ?",
			`create table if not exists t (a TEXT COLLATE "C" primary key)   ;` + "\nselect $1"},
		{"CREATE TABLE t (a TEXT) WITHOUT ROWID, STRICT", `CREATE TABLE t (a TEXT COLLATE "C")   `},
		{"CREATE TABLE t (text TEXT CHECK (text <> 'TEXT'), integer INTEGER DEFAULT 1, strict BLOB)",
			`CREATE TABLE t (text TEXT COLLATE "C" CHECK (text <> 'TEXT'), integer BIGINT DEFAULT 1, strict BYTEA)`},
		{"CREATE TABLE t (\n  \"a b\" TEXT, -- TEXT, b TEXT\n  b TEXT)", "CREATE TABLE t (\n  \"a b\" TEXT COLLATE \"C\", -- TEXT, b TEXT\n  b TEXT COLLATE \"C\")"},
		{"CREATE TABLE t (n BIGINT NOT NULL, k TEXT REFERENCES u (k))", `CREATE TABLE t (n BIGINT NOT NULL, k TEXT COLLATE "C" REFERENCES u (k))`},
		{"ALTER TABLE t ADD COLUMN w INTEGER NOT NULL DEFAULT 7", "ALTER TABLE t ADD COLUMN w BIGINT NOT NULL DEFAULT 7"},
		{"ALTER TABLE t ADD w TEXT", `ALTER TABLE t ADD w TEXT COLLATE "C"`},
		{"CREATE INDEX text ON t (text, integer)", "CREATE INDEX text ON t (text, integer)"},
		{"SELECT text, blob FROM integer WHERE strict = 1", "SELECT text, blob FROM integer WHERE strict = 1"},
		{"SELECT CAST(? AS INTEGER), CAST(b AS TEXT ), a AS text FROM t", `SELECT CAST($1 AS BIGINT), CAST(b AS TEXT COLLATE "C" ), a AS text FROM t`},
		{"SELECT 'open ?", "SELECT 'open ?"},
		{"SELECT /* open ?", "SELECT /* open ?"},
		{"INSERT INTO t (k) VALUES ('ä?', ?)", "INSERT INTO t (k) VALUES ('ä?', $1)"},
		{"", ""},
	} {
		if got := Translate(tc.in); got != tc.want {
			t.Errorf("%q:\n got %q\nwant %q", tc.in, got, tc.want)
		}
	}
}

// FuzzTranslate: whatever comes in, what is not a placeholder, a blob or a table's definition comes out again.
func FuzzTranslate(f *testing.F) {
	for _, s := range []string{"SELECT '?'", "a ? b", "x'00'", "CREATE TABLE t (a TEXT) STRICT", "-- ?", "/* ?", "\"", "?,?;?", "select x''"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Translate(s)
		upper := strings.ToUpper(s)
		if !strings.ContainsAny(s, "?") && !strings.Contains(upper, "X'") && !strings.Contains(upper, "TABLE") && !strings.Contains(upper, "AS") && got != s {
			t.Errorf("%q became %q", s, got)
		}
		if again := Translate(s); again != got {
			t.Errorf("%q twice: %q and %q", s, got, again)
		}
		if quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"; Translate(quoted) != quoted {
			t.Errorf("the string %s became %s", quoted, Translate(quoted))
		}
	})
}
