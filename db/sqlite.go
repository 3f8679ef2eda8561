package db

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the embedded engine

	"github.com/haywardhq/hayward/fault"
)

// OpenSQLite opens or creates the SQLite database in the file path, readable by its owner only.
func OpenSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	e, err := openSQLite(path)
	if err == nil {
		var d *DB
		if d, err = open(ctx, e, o); err == nil {
			return d, nil
		}
		err = errors.Join(err, e.close())
	}
	return nil, fault.Wrap(fault.Unavailable, err, "cannot open the database %s", path).
		WithHint("check that the file is a Hayward database and that its directory can be written")
}

// sqlite is the embedded database: one file, one writer's connection.
type sqlite struct {
	file          string
	writes, reads *sql.DB
}

func openSQLite(path string) (e *sqlite, err error) {
	e = &sqlite{file: path}
	if e.writes, err = sql.Open("sqlite", dsn(path, "_txlock=immediate")); err != nil {
		return nil, err
	}
	if e.reads, err = sql.Open("sqlite", dsn(path, "_pragma=query_only(1)")); err != nil {
		return nil, errors.Join(err, e.writes.Close())
	}
	return e, nil
}

func dsn(path, extra string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	u.RawQuery = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)" +
		"&_pragma=secure_delete(1)&_pragma=temp_store(MEMORY)&" + extra
	return u.String()
}

// createPrivate makes the file exist and belong to its owner alone. SQLite gives its log files the same mode.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = errors.Join(f.Chmod(0o600), f.Close())
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "cannot open the database file in %s", filepath.Dir(path)).
			WithHint("the data directory must exist and be writable by this user")
	}
	return nil
}

func (e *sqlite) writer(ctx context.Context) (*session, error) { return newSession(ctx, e.writes) }
func (e *sqlite) reader(ctx context.Context) (*session, error) { return newSession(ctx, e.reads) }

func (e *sqlite) fresh(context.Context, *session) bool { return true }

// run runs a statement without a context: the transaction belongs to the whole group, and an interrupted write would roll
// all of it back (https://www.sqlite.org/c3ref/interrupt.html).
func (e *sqlite) run(s *session, query string) error {
	_, err := s.exec(context.Background(), query)
	return err
}

// begin says first how much of a commit is waited for: in WAL mode, NORMAL writes the log and leaves it to the system, and the
// next FULL commit syncs the whole of it (https://www.sqlite.org/pragma.html#pragma_synchronous).
func (e *sqlite) begin(s *session, relaxed bool) (string, error) {
	if s.relaxed != relaxed {
		level := "FULL"
		if relaxed {
			level = "NORMAL"
		}
		// Not a prepared statement: this pragma takes effect when it is compiled.
		if _, err := s.conn.ExecContext(context.Background(), "PRAGMA synchronous="+level); err != nil {
			return "", err
		}
		s.relaxed = relaxed
	}
	return "", e.run(s, "BEGIN IMMEDIATE")
}

func (e *sqlite) job(s *session) error  { return e.run(s, "SAVEPOINT job") }
func (e *sqlite) keep(s *session) error { return e.run(s, "RELEASE job") }

func (e *sqlite) undo(s *session) error {
	if err := e.run(s, "ROLLBACK TO job"); err != nil {
		return err
	}
	return e.run(s, "RELEASE job")
}

func (e *sqlite) commit(s *session, _ []note) error { return e.run(s, "COMMIT") }
func (e *sqlite) settle(*session, string) outcome   { return lost }
func (e *sqlite) rollback(s *session)               { _ = e.run(s, "ROLLBACK") } // it may be over already

func (e *sqlite) beginRead(s *session) error { return e.run(s, "BEGIN") }
func (e *sqlite) endRead(s *session) error   { return e.run(s, "ROLLBACK") }

// fence does nothing: SQLite has no row-level security.
func (e *sqlite) fence(*session, string, string) {}

func (e *sqlite) fenced(context.Context, *session) (string, error) {
	return "SQLite has no row-level security", nil
}

func (e *sqlite) execMany(ctx context.Context, s *session, query string, rows [][]any) (changed int64, err error) {
	for _, args := range rows {
		res, err := s.exec(ctx, query, args...)
		if err != nil {
			return changed, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return changed, err
		}
		changed += n
	}
	return changed, nil
}

// last leaves one file behind, not three. A read still under way prevents it, and the next start does it then.
func (e *sqlite) last(w *session) {
	if w != nil {
		_, _ = w.conn.ExecContext(context.Background(), "PRAGMA busy_timeout=0; PRAGMA wal_checkpoint(TRUNCATE)")
	}
}

func (e *sqlite) close() error { return errors.Join(e.reads.Close(), e.writes.Close()) }
func (e *sqlite) path() string { return e.file }
func (e *sqlite) remote() bool { return false }
