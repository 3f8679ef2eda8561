package dbtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/internal/parts"
	"github.com/haywardhq/hayward/sealed"
)

// Engine is a kind of database that a test can run over.
type Engine struct {
	Name     string // "sqlite" or "postgres"
	Postgres bool
	// Open opens the database again, as a process of its own would: over PostgreSQL another connection to the same
	// database, over SQLite the same file, which its first holder must have closed. It is closed at the end of the test.
	Open func(t testing.TB, o db.Options) *db.DB
	// Server is the database of a PostgreSQL engine.
	Server parts.PostgresDatabase
	// Break ends every connection that an open PostgreSQL database has, as the server's restart would; nil for SQLite. It
	// returns when they are gone.
	Break func(t testing.TB, d *db.DB)
	path  string // of an SQLite engine's file
}

// New returns an empty SQLite database with the given schemas, closed at the end of the test; a PostgreSQL one if the
// variable parts.PostgresEverywhere says so.
func New(t testing.TB, schemas ...db.Schema) *db.DB {
	t.Helper()
	if parts.WantPostgres() {
		return NewPostgres(t, schemas...)
	}
	return NewSQLite(t, schemas...)
}

// NewSQLite returns an empty SQLite database with the given schemas, closed at the end of the test.
func NewSQLite(t testing.TB, schemas ...db.Schema) *db.DB {
	t.Helper()
	e := SQLite(t)
	if len(schemas) > 0 {
		if err := os.WriteFile(e.path, migratedFile(t, schemas), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return e.Open(t, db.Options{})
}

// NewPostgres returns an empty PostgreSQL database with the given schemas, closed at the end of the test. Without a
// PostgreSQL the test ends (see package parts).
func NewPostgres(t testing.TB, schemas ...db.Schema) *db.DB {
	t.Helper()
	return Postgres(t, schemas...).Open(t, db.Options{})
}

// file is a database with the tables of some schemas, and nothing else.
type file struct {
	once  sync.Once
	bytes []byte
	err   error
}

var (
	filesMu sync.Mutex
	files   = map[string]*file{}
)

// migratedFile returns an SQLite database with the given schemas, which a process makes once: each test gets a copy.
func migratedFile(t testing.TB, schemas []db.Schema) []byte {
	t.Helper()
	k := key(t, schemas)
	filesMu.Lock()
	f := files[k]
	if f == nil {
		f = &file{}
		files[k] = f
	}
	filesMu.Unlock()
	f.once.Do(func() { f.bytes, f.err = makeFile(schemas) })
	if f.err != nil {
		t.Fatal(f.err)
	}
	return f.bytes
}

func makeFile(schemas []db.Schema) ([]byte, error) {
	dir, err := os.MkdirTemp("", "hayward-dbtest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "pattern.db")
	d, err := db.OpenSQLite(context.Background(), path, db.Options{})
	if err != nil {
		return nil, err
	}
	// Closing puts what the write-ahead log holds into the file.
	if err := errors.Join(d.Migrate(context.Background(), schemas...), d.Close()); err != nil {
		return nil, err
	}
	if left, err := os.ReadFile(path + "-wal"); err == nil && len(left) > 0 {
		return nil, errors.New("the closed database keeps a write-ahead log: its file alone is no copy of it")
	}
	return os.ReadFile(path)
}

// Each runs a test over a fresh database of each kind, with the given schemas.
func Each(t *testing.T, test func(t *testing.T, d *db.DB), schemas ...db.Schema) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, NewSQLite(t, schemas...)) })
	t.Run("postgres", func(t *testing.T) { test(t, NewPostgres(t, schemas...)) })
}

// EachEngine runs a test with each kind of database, not opened yet.
func EachEngine(t *testing.T, test func(t *testing.T, e Engine)) {
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// SQLite names a file of its own for the test.
func SQLite(t testing.TB) Engine {
	path := filepath.Join(t.TempDir(), "test.db")
	return Engine{Name: "sqlite", path: path, Open: func(t testing.TB, o db.Options) *db.DB {
		t.Helper()
		d, err := db.OpenSQLite(t.Context(), path, o)
		return closing(t, d, err)
	}}
}

// Postgres makes a database of its own for the test. With schemas, their tables are there already: it is a copy.
func Postgres(t testing.TB, schemas ...db.Schema) Engine {
	t.Helper()
	var p parts.PostgresDatabase
	if len(schemas) == 0 {
		p = parts.Postgres(t)
	} else {
		p = parts.PostgresLike(t, key(t, schemas), func(p parts.PostgresDatabase) error { return migrate(p, schemas) })
	}
	var mu sync.Mutex
	names := map[*db.DB]string{}
	e := Engine{Name: "postgres", Postgres: true, Server: p}
	e.Open = func(t testing.TB, o db.Options) *db.DB {
		t.Helper()
		po := PostgresOptions(p)
		po.Options, po.Name = o, "test "+rand.Text()
		d, err := db.OpenPostgres(t.Context(), po)
		mu.Lock()
		defer mu.Unlock()
		names[d] = po.Name
		return closing(t, d, err)
	}
	e.Break = func(t testing.TB, d *db.DB) {
		t.Helper()
		mu.Lock()
		name := names[d]
		mu.Unlock()
		ended := p.Admin(t, "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE left(application_name, 31) = '"+name+"'")
		if ended[0] == "0" {
			t.Fatal("the database has no connection that could break")
		}
	}
	return e
}

// key names what schemas make.
func key(t testing.TB, schemas []db.Schema) string {
	t.Helper()
	h := sha256.New()
	for _, s := range schemas {
		fmt.Fprintf(h, "%q %q\n", s.Name, s.Fenced)
		err := fs.WalkDir(s.FS, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(s.FS, path)
			fmt.Fprintf(h, "%q %q\n", path, text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return string(h.Sum(nil))
}

func migrate(p parts.PostgresDatabase, schemas []db.Schema) error {
	d, err := db.OpenPostgres(context.Background(), PostgresOptions(p))
	if err != nil {
		return err
	}
	return errors.Join(d.Migrate(context.Background(), schemas...), d.Close())
}

// PostgresOptions are those of the test's plain role.
func PostgresOptions(p parts.PostgresDatabase) db.PostgresOptions {
	return db.PostgresOptions{Host: p.Host, Port: p.Port, Database: p.Database, User: p.User, Password: sealed.NewString(p.Password),
		TLS: db.TLSDisable}
}

func closing(t testing.TB, d *db.DB, err error) *db.DB {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}
