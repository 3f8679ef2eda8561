package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the embedded engine

	"github.com/haywardhq/hayward/fault"
)

// Options configures [OpenSQLite]. The zero value of each field is usable.
type Options struct {
	Readers  int              // connections for reading; default: number of CPUs, at least 4
	MaxGroup int              // most writes committed together; default 256
	Now      func() time.Time // the clock; default time.Now
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	path    string
	now     func() time.Time
	writer  *sql.DB
	readers *sql.DB

	jobs     chan *job
	maxGroup int
	closing  chan struct{}
	closed   sync.Once
	done     chan struct{}
}

// OpenSQLite opens or creates the SQLite database in the file path, readable by its owner only.
func OpenSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	if o.Readers <= 0 {
		o.Readers = max(4, runtime.NumCPU())
	}
	if o.MaxGroup <= 0 {
		o.MaxGroup = 256
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	d := &DB{path: path, now: o.Now, maxGroup: o.MaxGroup, jobs: make(chan *job), closing: make(chan struct{}), done: make(chan struct{})}
	var err error
	if d.writer, err = sql.Open("sqlite", dsn(path, "_txlock=immediate")); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot open %s", path)
	}
	d.writer.SetMaxOpenConns(1)
	d.writer.SetConnMaxLifetime(0)
	if err := d.writer.PingContext(ctx); err != nil {
		d.writer.Close()
		return nil, fault.Wrap(fault.Unavailable, err, "cannot open the database %s", path).
			WithHint("check that the file is a Hayward database and that its directory can be written")
	}
	if d.readers, err = sql.Open("sqlite", dsn(path, "_pragma=query_only(1)")); err != nil {
		d.writer.Close()
		return nil, fault.Wrap(fault.Internal, err, "cannot open %s", path)
	}
	d.readers.SetMaxOpenConns(o.Readers)
	d.readers.SetMaxIdleConns(o.Readers)
	go d.writeLoop()
	return d, nil
}

func dsn(path, extra string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	u.RawQuery = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)" +
		"&_pragma=secure_delete(1)&_pragma=temp_store(MEMORY)&" + extra
	return u.String()
}

func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "cannot open the database file in %s", filepath.Dir(path)).
			WithHint("the data directory must exist and be writable by this user")
	}
	return f.Close()
}

// Path returns the file of the database.
func (d *DB) Path() string { return d.path }

// Now returns the database's clock in microseconds since 1970.
func (d *DB) Now() int64 { return d.now().UnixMicro() }

// Close waits for writes under way and closes the database. Later calls fail with Unavailable.
func (d *DB) Close() error {
	var err error
	d.closed.Do(func() {
		close(d.closing)
		<-d.done
		_, _ = d.writer.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		err = errors.Join(d.readers.Close(), d.writer.Close())
	})
	return err
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	return Classify(d.readers.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// View runs fn in a read transaction: everything it reads is of one moment.
func (d *DB) View(ctx context.Context, fn func(*Tx) error) error {
	tx, err := d.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Classify(err)
	}
	defer tx.Rollback()
	return fn(&Tx{tx: tx, now: d.Now()})
}

// Update runs fn in the write transaction and returns after its effects are on disk. If fn fails or panics, nothing of
// it is kept. Other callers' functions may be committed together with it; they cannot see each other fail. fn must not
// call Update, and must not do I/O other than on its Tx.
func (d *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	j := &job{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case d.jobs <- j:
	case <-ctx.Done():
		return fault.Wrap(fault.Canceled, context.Cause(ctx), "the write was not started")
	case <-d.closing:
		return fault.New(fault.Unavailable, "the database is closed")
	}
	<-j.done // once started, the outcome is waited for: an unknown outcome helps nobody
	if j.panicked != nil {
		panic(fmt.Sprintf("panic in a write: %v", j.panicked))
	}
	return j.err
}
