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
	tx    *sql.Tx
	now   int64
	after *after // nil in a read transaction
}

// ErrNoRows is what [Row.Scan] returns when there is no row.
var ErrNoRows = sql.ErrNoRows

// Now returns the moment of this transaction in microseconds since 1970, the same for all its statements.
func (t *Tx) Now() int64 { return t.now }

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, Classify(err)
	}
	n, err := res.RowsAffected()
	return n, Classify(err)
}

// Query runs a query. fn is called for each row, in order; scan reads the row's columns. The first error ends it.
func (t *Tx) Query(ctx context.Context, query string, args []any, fn func(scan func(dest ...any) error) error) error {
	rows, err := t.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return Classify(rows.Err())
}

// QueryRow reads one row into dest. It returns [ErrNoRows] when there is none.
func (t *Tx) QueryRow(ctx context.Context, query string, args []any, dest ...any) error {
	err := t.tx.QueryRowContext(ctx, query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNoRows
	}
	return Classify(err)
}

// AfterCommit has fn run once the transaction is on disk and before Update returns; if fn fails, Update does. Of several
// functions with the same non-nil key in one group of writes, only the first runs. It panics in a read transaction.
func (t *Tx) AfterCommit(key any, fn func() error) { t.after.add(key, fn) }

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

// classifyCode reads SQLite's primary result codes (https://www.sqlite.org/rescode.html).
func classifyCode(err error, code int) error {
	switch code & 0xff {
	case 19:
		return fault.Wrap(fault.Conflict, err, "it exists already or refers to something that does not")
	case 5, 6:
		return fault.Wrap(fault.Unavailable, err, "the database is locked by another process")
	case 13:
		return fault.Wrap(fault.Unavailable, err, "the disk is full")
	case 8, 14, 10:
		return fault.Wrap(fault.Unavailable, err, "the database file cannot be read or written")
	case 11, 26:
		return fault.Wrap(fault.Internal, err, "the database file is damaged or not a database")
	case 9:
		return fault.Wrap(fault.Canceled, err, "the statement was interrupted")
	}
	return fault.Wrap(fault.Internal, err, "the database refused a statement")
}
