package db

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	sqlitedriver "modernc.org/sqlite"

	"github.com/haywardhq/hayward/db/internal/pg"
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
	failed error // a statement failed, and this engine runs no other after it
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
	if t.failed != nil {
		return nil, fault.Wrap(fault.KindOf(t.failed), t.failed, "an earlier statement of this transaction failed")
	}
	if err := ctx.Err(); err != nil {
		return nil, Classify(err)
	}
	if t.after != nil {
		return context.Background(), nil
	}
	return ctx, nil
}

// end classifies a statement's error and remembers what can still be done after it. SQLite rolls a transaction back by
// itself after some errors (https://www.sqlite.org/lang_transaction.html, section 3.1): what follows would be outside of any.
// PostgreSQL refuses every statement after a failed one until the write is undone.
func (t *Tx) end(err error) error {
	if err == nil {
		return nil
	}
	var lite *sqlitedriver.Error
	var order *pg.ErrOrder
	var server *pgconn.PgError
	switch {
	case errors.As(err, &lite):
		switch lite.Code() & 0xff {
		case codeNoMemory, codeInterrupted, codeIO, codeFull:
			t.broken = err
		}
	case errors.As(err, &order), t.d.engine.remote() && !t.s.whole():
		t.broken = err
	case errors.As(err, &server):
		if t.after != nil && server.Code == codeQueryCanceled {
			err = fault.Wrap(fault.Timeout, err, "the database took too long") // nobody but a time limit ends a write's statement
		}
		t.s.stale = t.s.stale || server.Code == codeFeature || server.Code == codeNoStatement
		t.failed = Classify(err)
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

// ExecMany runs a statement once for each row of arguments, in order, and returns how many rows all of them changed. Over
// PostgreSQL several hundred rows take one round trip. What rows before one that fails have done is undone with the write.
//
//	n, err := tx.ExecMany(ctx, "INSERT INTO t (k, v) VALUES (?, ?)", [][]any{{"a", 1}, {"b", 2}})
func (t *Tx) ExecMany(ctx context.Context, query string, rows [][]any) (int64, error) {
	ctx, err := t.begin(ctx)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	n, err := t.d.engine.execMany(ctx, t.s, query, rows)
	return n, t.end(err)
}

// Everywhere is the app or tenant of a fence that lets through any.
const Everywhere = "/everywhere"

// Fence says whose rows the statements that follow may touch, until the next Fence or the end of the transaction: those of
// one app and tenant, or of all with [Everywhere]. It is a second fence behind the statements' own conditions, of tables
// whose [Schema] asks for one: without a call, nothing is in such a table. SQLite has no such thing and ignores it. It
// costs no round trip: it goes with the next statement.
func (t *Tx) Fence(app, tenant string) { t.d.engine.fence(t.s, app, tenant) }

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
