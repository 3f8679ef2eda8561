package parts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// The variables that say which PostgreSQL tests use.
const (
	// PostgresURL names a running server by the URL of a superuser, as in postgres://postgres:word@127.0.0.1:5432/postgres.
	// Without it, each test process starts one of its own.
	PostgresURL = "HAYWARD_TEST_POSTGRES"
	// PostgresBin names the folder of initdb and postgres; nothing else is then tried.
	PostgresBin = "HAYWARD_POSTGRES_BIN"
	// PostgresFsync set to "on" makes a server of one's own write as in production, which benchmarks want.
	PostgresFsync = "HAYWARD_TEST_POSTGRES_FSYNC"
	// PostgresEverywhere set to "1" gives tests that take whatever database they get (dbtest.New) a PostgreSQL instead of
	// SQLite, so that any room's suite can be run over it.
	PostgresEverywhere = "HAYWARD_TEST_POSTGRES_EVERYWHERE"
)

// WantPostgres reports whether [PostgresEverywhere] is set.
func WantPostgres() bool { return os.Getenv(PostgresEverywhere) == "1" }

// PostgresDatabase is a fresh database of one test, and who may enter it.
type PostgresDatabase struct {
	Host           string
	Port           int
	Database       string
	User, Password string // a plain role that owns the database: no superuser, and row-level security binds it
	admin          postgresServer
}

// postgresServer is a server and its superuser.
type postgresServer struct {
	host           string
	port           int
	database       string
	user, password string
}

// URL names the database and the plain role, without TLS.
func (p PostgresDatabase) URL() string {
	return postgresServer{p.Host, p.Port, p.Database, p.User, p.Password}.url(p.Database)
}

// AdminURL names the same database and the server's superuser.
func (p PostgresDatabase) AdminURL() string { return p.admin.url(p.Database) }

// Admin runs statements as the superuser, in the test's database and each by itself, and returns the first column of the
// last one's rows.
func (p PostgresDatabase) Admin(t testing.TB, statements ...string) []string {
	t.Helper()
	out, err := p.admin.run(p.Database, statements...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s postgresServer) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(s.user, s.password), Host: net.JoinHostPort(s.host, strconv.Itoa(s.port)),
		Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

func (s postgresServer) run(database string, statements ...string) (out []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgconn.Connect(ctx, s.url(database))
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close(ctx) }()
	for _, q := range statements {
		out = nil
		results, err := c.Exec(ctx, q).ReadAll()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q, err)
		}
		for _, row := range results[len(results)-1].Rows {
			out = append(out, string(row[0]))
		}
	}
	return out, nil
}

// Postgres returns a fresh, empty database on a real PostgreSQL, dropped at the end of the test. The first call of a
// process starts the server, which ends with the process however that ends. Without one the test ends, see [Need].
func Postgres(t testing.TB) PostgresDatabase {
	t.Helper()
	s, err := startedPostgres()
	var missing missingError
	if errors.As(err, &missing) {
		Lack(t, missing.Error())
	}
	if err != nil {
		t.Fatalf("PostgreSQL does not start: %v", err)
	}
	p := s.named()
	p.User, p.Password = p.Database, rand.Text()
	_, err = s.run(s.database, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", p.User, p.Password), p.create("template0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := s.run(s.database, p.drop(), "DROP ROLE IF EXISTS "+p.User); err != nil {
			t.Errorf("the test's database is left behind: %v", err)
		}
	})
	return p
}

// pattern is a database that others are copied from.
type pattern struct {
	once sync.Once
	p    PostgresDatabase
	err  error
}

var (
	patternMu sync.Mutex
	patterns  = map[string]*pattern{}
)

// PostgresLike is [Postgres], but the database is a copy of one that make has filled; it is made once in a process for each
// key. That is quicker than filling each anew. The copies have one plain role between them.
func PostgresLike(t testing.TB, key string, make func(PostgresDatabase) error) PostgresDatabase {
	t.Helper()
	s, err := startedPostgres()
	if err != nil {
		return Postgres(t) // says what is wrong
	}
	patternMu.Lock()
	like := patterns[key]
	if like == nil {
		like = &pattern{}
		patterns[key] = like
	}
	patternMu.Unlock()
	like.once.Do(func() {
		like.p = s.named()
		like.p.User, like.p.Password = like.p.Database, rand.Text()
		_, like.err = s.run(s.database, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", like.p.User, like.p.Password), like.p.create("template0"))
		if like.err == nil {
			like.err = make(like.p)
		}
	})
	if like.err != nil {
		t.Fatal(like.err)
	}
	p := s.named()
	p.User, p.Password = like.p.User, like.p.Password
	if _, err := s.run(s.database, p.create(like.p.Database)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := s.run(s.database, p.drop()); err != nil {
			t.Errorf("the test's database is left behind: %v", err)
		}
	})
	return p
}

// named makes up the name of a database of the server.
func (s postgresServer) named() PostgresDatabase {
	return PostgresDatabase{Host: s.host, Port: s.port, Database: "test_" + strings.ToLower(rand.Text()[:16]), admin: s}
}

func (p PostgresDatabase) create(from string) string {
	return fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE %s ENCODING 'UTF8'", p.Database, p.User, from)
}

func (p PostgresDatabase) drop() string { return "DROP DATABASE " + p.Database + " WITH (FORCE)" }

// missingError says what is not installed.
type missingError string

func (e missingError) Error() string { return string(e) }

// startedPostgres starts the server of this process, once.
var startedPostgres = sync.OnceValues(func() (postgresServer, error) {
	if text := os.Getenv(PostgresURL); text != "" {
		return givenPostgres(text)
	}
	bin, why := postgresBin()
	if why != "" {
		return postgresServer{}, missingError("PostgreSQL (" + why + ")")
	}
	return startPostgres(bin)
})

func givenPostgres(text string) (postgresServer, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" || u.User == nil || u.Hostname() == "" {
		return postgresServer{}, fmt.Errorf("%s is not a URL like postgres://user:password@host:port/database", PostgresURL)
	}
	port := 5432
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return postgresServer{}, err
		}
	}
	password, _ := u.User.Password()
	return postgresServer{u.Hostname(), port, strings.TrimPrefix(u.Path, "/"), u.User.Username(), password}, nil
}

// postgresBin returns the folder of initdb and postgres, or why there is none. Of several the newest is taken.
func postgresBin() (dir, why string) {
	var dirs []string
	if given := os.Getenv(PostgresBin); given != "" {
		dirs = []string{given}
	} else {
		dirs, _ = filepath.Glob("/usr/lib/postgresql/*/bin")
		slices.SortFunc(dirs, func(a, b string) int { return postgresMajor(b) - postgresMajor(a) })
		dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	}
	for _, dir := range dirs {
		_, err := os.Stat(filepath.Join(dir, "initdb"))
		_, err2 := os.Stat(filepath.Join(dir, "postgres"))
		if err == nil && err2 == nil {
			return dir, ""
		}
	}
	return "", "no folder with initdb and postgres in /usr/lib/postgresql/*/bin or on PATH"
}

func postgresMajor(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	return n
}

// freePort returns a port of loopback that nobody uses now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
