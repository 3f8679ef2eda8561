package pg

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Conn is a connection, used by one goroutine at a time.
type Conn struct {
	pg     *pgconn.PgConn
	ahead  []order // go with the next statement, in front of it
	open   *rows   // being read from the connection
	serial int     // of prepared statements
	many   map[string]*stmt
	shut   bool
}

// order is a statement that answers nothing.
type order struct {
	query string
	p     *params
}

func newConn(p *pgconn.PgConn) *Conn { return &Conn{pg: p, many: map[string]*stmt{}} }

// ErrOrder is an error of a statement that was sent ahead of another: the transaction cannot be trusted any more.
type ErrOrder struct{ Err error }

func (e *ErrOrder) Error() string { return e.Err.Error() }
func (e *ErrOrder) Unwrap() error { return e.Err }

// Ahead has a statement run in front of the next one, in the same round trip.
func (c *Conn) Ahead(query string, args ...string) {
	p := &params{}
	for _, a := range args {
		p.values, p.oids, p.formats = append(p.values, []byte(escapeText(a))), append(p.oids, oidText), append(p.formats, textFormat)
	}
	c.ahead = append(c.ahead, order{query, p})
}

// Waiting returns how many statements wait for the next one.
func (c *Conn) Waiting() int { return len(c.ahead) }

// Forget drops the statements that wait beyond the first n.
func (c *Conn) Forget(n int) { c.ahead = c.ahead[:min(n, len(c.ahead))] }

// Withdraw drops the waiting statement query and those behind it, if it waits.
func (c *Conn) Withdraw(query string) bool {
	for i, o := range c.ahead {
		if o.query == query {
			c.ahead = c.ahead[:i]
			return true
		}
	}
	return false
}

// Flush runs what waits.
func (c *Conn) Flush(ctx context.Context) (tags []string, err error) {
	if len(c.ahead) == 0 {
		return nil, nil
	}
	if err := c.settle(); err != nil {
		return nil, err
	}
	b := &pgconn.Batch{}
	n := c.load(b)
	mrr := c.pg.ExecBatch(ctx, b)
	for range n {
		if !mrr.NextResult() {
			return tags, &ErrOrder{orEnded(mrr.Close())}
		}
		tag, err := mrr.ResultReader().Close()
		if err != nil {
			return tags, &ErrOrder{cmp.Or(mrr.Close(), err)}
		}
		tags = append(tags, tag.String())
	}
	if err := mrr.Close(); err != nil {
		return tags, &ErrOrder{err}
	}
	return tags, nil
}

func orEnded(err error) error {
	if err == nil {
		return errors.New("the server answered less than it was asked")
	}
	return err
}

func (c *Conn) load(b *pgconn.Batch) int {
	n := len(c.ahead)
	for _, o := range c.ahead {
		b.ExecParams(o.query, o.p.values, o.p.oids, o.p.formats, nil)
	}
	c.ahead = c.ahead[:0]
	return n
}

// Simple runs statements without arguments in one round trip and returns the first column of their rows, as text.
func (c *Conn) Simple(ctx context.Context, queries string) (out []string, err error) {
	if err := c.settle(); err != nil {
		return nil, err
	}
	results, err := c.pg.Exec(ctx, queries).ReadAll()
	for _, r := range results {
		for _, row := range r.Rows {
			out = append(out, string(row[0]))
		}
	}
	return out, err
}

// settle makes room on the wire: rows that are still being read are taken to memory.
func (c *Conn) settle() error {
	if c.open == nil {
		return nil
	}
	return c.open.keepRest()
}

// InTransaction reports whether the server has begun one for this connection.
func (c *Conn) InTransaction() bool { return c.pg.TxStatus() != 'I' }

// Alive reports whether the connection can still be used.
func (c *Conn) Alive() bool { return !c.shut && !c.pg.IsClosed() }

// Wait returns after a notification, or with the context's error; the connection stays usable then.
func (c *Conn) Wait(ctx context.Context) error { return c.pg.WaitForNotification(ctx) }

// Close ends the connection.
func (c *Conn) Close() error {
	c.shut = true
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return c.pg.Close(ctx)
}

// IsValid tells database/sql whether the connection may be kept.
func (c *Conn) IsValid() bool { return c.Alive() }

// Ping asks the server.
func (c *Conn) Ping(ctx context.Context) error {
	_, err := c.Simple(ctx, "SELECT 1")
	return err
}

// Prepare returns a statement that is compiled by the server when it first runs with arguments of some types.
func (c *Conn) Prepare(query string) (driver.Stmt, error) {
	return &stmt{c: c, query: Translate(query), prepared: map[string]*pgconn.StatementDescription{}}, nil
}

// ExecContext runs a statement that is not kept.
func (c *Conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return (&stmt{c: c, query: Translate(query)}).ExecContext(ctx, args)
}

// QueryContext runs a query that is not kept.
func (c *Conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return (&stmt{c: c, query: Translate(query)}).QueryContext(ctx, args)
}

// Begin starts a transaction.
func (c *Conn) Begin() (driver.Tx, error) { return c.BeginTx(context.Background(), driver.TxOptions{}) }

// BeginTx starts a transaction, for database/sql's own; those of db are made with [Conn.Ahead].
func (c *Conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if o.Isolation != 0 || o.ReadOnly {
		return nil, errors.New("only plain transactions are begun here")
	}
	_, err := c.Simple(ctx, "BEGIN")
	return transaction{c}, err
}

type transaction struct{ c *Conn }

func (t transaction) Commit() error   { return t.end("COMMIT") }
func (t transaction) Rollback() error { return t.end("ROLLBACK") }

func (t transaction) end(how string) error {
	t.c.Forget(0)
	t.c.Ahead(how)
	tags, err := t.c.Flush(context.Background())
	if err == nil && tags[0] != how {
		return fmt.Errorf("the transaction ended with %s", tags[0])
	}
	return err
}
