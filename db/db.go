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
	"sync/atomic"
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
	pool    *sql.DB // behind writer
	writer  *session
	readers *readers
	lock    *DirLock // of [OpenDir], or nil

	listeners listeners

	jobs     chan *job
	maxGroup int
	loopID   atomic.Uint64 // the goroutine that writes
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
	if err := d.connect(ctx, o.Readers); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "cannot open the database %s", path).
			WithHint("check that the file is a Hayward database and that its directory can be written")
	}
	go d.writeLoop()
	return d, nil
}

func (d *DB) connect(ctx context.Context, readerCount int) (err error) {
	if d.pool, err = sql.Open("sqlite", dsn(d.path, "_txlock=immediate")); err != nil {
		return err
	}
	if d.writer, err = newSession(ctx, d.pool); err != nil {
		return errors.Join(err, d.pool.Close())
	}
	d.readers = &readers{slots: make(chan struct{}, readerCount), closing: d.closing}
	if d.readers.pool, err = sql.Open("sqlite", dsn(d.path, "_pragma=query_only(1)")); err != nil {
		return errors.Join(err, d.writer.close(), d.pool.Close())
	}
	return nil
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

// Path returns the file of the database.
func (d *DB) Path() string { return d.path }

// Now returns the database's clock in microseconds since 1970.
func (d *DB) Now() int64 { return d.now().UnixMicro() }

// Close waits for writes under way and closes the database. Later calls fail with Unavailable; reads under way may.
func (d *DB) Close() error {
	var err error
	d.closed.Do(func() {
		close(d.closing)
		<-d.done
		err = d.readers.close()
		// Leaves one file behind, not three. A read still under way prevents it, and the next start does it then.
		_, _ = d.writer.conn.ExecContext(context.Background(), "PRAGMA busy_timeout=0; PRAGMA wal_checkpoint(TRUNCATE)")
		err = errors.Join(err, d.writer.close(), d.pool.Close())
		if d.lock != nil {
			err = errors.Join(err, d.lock.Unlock())
		}
	})
	return err
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	return d.View(ctx, func(tx *Tx) error { return tx.QueryRow(ctx, "SELECT 1", nil, &one) })
}

// View runs fn in a read transaction: everything it reads is of one moment, that of its first read.
func (d *DB) View(ctx context.Context, fn func(*Tx) error) error {
	s, err := d.readers.take(ctx)
	if err != nil {
		return err
	}
	if _, err := s.exec(context.Background(), "BEGIN"); err != nil {
		d.readers.give(s, false)
		return Classify(err)
	}
	defer func() {
		_, err := s.exec(context.Background(), "ROLLBACK")
		d.readers.give(s, err == nil)
	}()
	return fn(&Tx{d: d, s: s, now: d.Now()})
}

// Update runs fn in the write transaction and returns after its effects are on disk. If fn fails or panics, nothing of
// it is kept. Other callers' functions may be committed together with it; they cannot see each other fail. fn must not
// call Update (that is an error), must not do I/O other than on its Tx, and is not interrupted: when ctx ends, its next
// statement fails.
func (d *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	j := &job{ctx: ctx, fn: fn, done: make(chan struct{})}
	if err := d.enqueue(j); err != nil {
		return err
	}
	<-j.done // once started, the outcome is waited for: an unknown outcome helps nobody
	if j.panicked != nil {
		panic(fmt.Sprintf("panic in a write: %v\n\n%s", j.panicked, j.stack))
	}
	return j.err
}

func (d *DB) enqueue(j *job) error {
	select {
	case d.jobs <- j:
		return nil
	default: // the writer is busy, perhaps with the caller itself
	}
	if d.loopID.Load() == goroutineID() {
		return fault.New(fault.Internal, "a write was started inside another write").
			WithHint("pass the transaction along instead of calling Update again")
	}
	select {
	case d.jobs <- j:
		return nil
	case <-j.ctx.Done():
		return notStarted(j.ctx)
	case <-d.closing:
		return errClosed()
	}
}

func notStarted(ctx context.Context) error {
	kind := fault.Canceled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		kind = fault.Timeout
	}
	return fault.Wrap(kind, context.Cause(ctx), "the write was not started")
}
