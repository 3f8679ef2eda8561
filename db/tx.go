package db

import (
	"context"
	"database/sql"
	"errors"

	"modernc.org/sqlite"

	"github.com/haywardhq/hayward/fault"
)

// Tx is a transaction. It is valid until the function it was given to returns, in one goroutine.
type Tx struct {
	d      *DB
	s      *session
	now    int64
	after  *after // nil in a read transaction
	job    *job
	broken error // the engine gave the whole transaction up
}

// ErrNoRows is what [Tx.QueryRow] returns when there is no row.
var ErrNoRows = sql.ErrNoRows

// Now returns the moment of this transaction in microseconds since 1970, the same for all its statements.
func (t *Tx) Now() int64 { return t.now }

// begin returns the context to run a statement with. A write is never interrupted half-way, see [DB.Update].
func (t *Tx) begin(ctx context.Context) (context.Context, error) {
	if t.broken != nil {
		return nil, Classify(t.broken)
	}
	if err := ctx.Err(); err != nil {
		return nil, Classify(err)
	}
	if t.after != nil {
		return context.Background(), nil
	}
	return ctx, nil
}

// end classifies a statement's error, and remembers one after which SQLite has rolled the transaction back
// (https://www.sqlite.org/lang_transaction.html, section 3.1): what follows it would be outside of any.
func (t *Tx) end(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case codeNoMemory, codeInterrupted, codeIO, codeFull:
			t.broken = err
		}
	}
	return Classify(err)
}

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	ctx, err := t.begin(ctx)
	if err != nil {
		return 0, err
	}
	res, err := t.s.exec(ctx, query, args...)
	if err != nil {
		return 0, t.end(err)
	}
	n, err := res.RowsAffected()
	return n, t.end(err)
}

// Query runs a query. fn is called for each row, in order; scan reads the row's columns. The first error ends it.
func (t *Tx) Query(ctx context.Context, query string, args []any, fn func(scan func(dest ...any) error) error) error {
	ctx, err := t.begin(ctx)
	if err != nil {
		return err
	}
	rows, release, err := t.s.query(ctx, query, args)
	if err != nil {
		return t.end(err)
	}
	defer release()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return t.end(rows.Err())
}

// QueryRow reads one row into dest. It returns [ErrNoRows] when there is none.
func (t *Tx) QueryRow(ctx context.Context, query string, args []any, dest ...any) error {
	ctx, err := t.begin(ctx)
	if err != nil {
		return err
	}
	rows, release, err := t.s.query(ctx, query, args)
	if err != nil {
		return t.end(err)
	}
	defer release()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return t.end(err)
		}
		return ErrNoRows
	}
	return t.end(rows.Scan(dest...))
}

// AfterCommit has fn run once the transaction is on disk and before Update returns; if fn fails, Update does. Of several
// functions with the same non-nil key in one group of writes, only the first runs, for all of them and after all those
// without a key: it must read what it writes down when it runs. It panics in a read transaction.
func (t *Tx) AfterCommit(key any, fn func() error) { t.after.add(key, fn, t.job) }

// Classify turns a driver's error into a fault. It returns nil for nil, and errors that are faults already unchanged.
func Classify(err error) error {
	var f *fault.Error
	var e *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return err
	case errors.Is(err, context.Canceled):
		return fault.Wrap(fault.Canceled, err, "the caller went away")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Timeout, err, "the database took too long")
	case errors.As(err, &e):
		return classifyCode(err, e.Code())
	case errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone):
		return fault.Wrap(fault.Unavailable, err, "the database is closed")
	}
	return fault.Wrap(fault.Internal, err, "the database refused a statement")
}

// SQLite's primary result codes (https://www.sqlite.org/rescode.html).
const (
	codeBusy, codeLocked                   = 5, 6
	codeNoMemory, codeReadOnly             = 7, 8
	codeInterrupted, codeIO, codeCorrupt   = 9, 10, 11
	codeFull, codeCantOpen, codeConstraint = 13, 14, 19
	codeNotADatabase                       = 26
)

func classifyCode(err error, code int) error {
	switch code & 0xff {
	case codeConstraint:
		return fault.Wrap(fault.Conflict, err, "it exists already or refers to something that does not")
	case codeBusy, codeLocked:
		return fault.Wrap(fault.Unavailable, err, "the database is locked by another process")
	case codeFull:
		return fault.Wrap(fault.Unavailable, err, "the disk is full")
	case codeReadOnly, codeCantOpen, codeIO:
		return fault.Wrap(fault.Unavailable, err, "the database file cannot be read or written")
	case codeCorrupt, codeNotADatabase:
		return fault.Wrap(fault.Internal, err, "the database file is damaged or not a database")
	case codeInterrupted:
		return fault.Wrap(fault.Canceled, err, "the statement was interrupted")
	}
	return fault.Wrap(fault.Internal, err, "the database refused a statement")
}
