package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"time"
)

// maxPrepared bounds the statements a connection keeps. Statements here are constants of the program; one that is made
// up at run time beyond that number is compiled each time, as it would be without a cache.
const maxPrepared = 512

// session is one connection with its compiled statements, used by one goroutine at a time. Compiling a statement costs
// more than running most of them.
type session struct {
	conn  *sql.Conn
	stmts map[string]*prepared
	stale bool      // the server forgot a compiled statement, or the tables changed under one
	fence [2]string // on PostgreSQL: whose rows the statements may touch; see postgres.fence
	used  time.Time // when it was given back

	relaxed bool // on SQLite: commits do not wait for the disk
}

// whole reports whether the connection can still be used.
func (s *session) whole() bool {
	return !s.stale && s.conn.Raw(func(c any) error {
		if v, ok := c.(driver.Validator); ok && !v.IsValid() {
			return sql.ErrConnDone
		}
		return nil
	}) == nil
}

type prepared struct {
	*sql.Stmt
	busy bool // rows of it are being read: a second run would reset them
}

func newSession(ctx context.Context, pool *sql.DB) (*session, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &session{conn: conn, stmts: map[string]*prepared{}}, nil
}

func (s *session) close() error {
	for _, p := range s.stmts {
		_ = p.Close()
	}
	return s.conn.Close()
}

// prepare returns the compiled statement, or nil when it is busy or there are too many.
func (s *session) prepare(ctx context.Context, query string) (*prepared, error) {
	if p, ok := s.stmts[query]; ok {
		if p.busy {
			return nil, nil
		}
		return p, nil
	}
	if len(s.stmts) >= maxPrepared {
		return nil, nil
	}
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p := &prepared{Stmt: stmt}
	s.stmts[query] = p
	return p, nil
}

func (s *session) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	switch p, err := s.prepare(ctx, query); {
	case err != nil:
		return nil, err
	case p != nil:
		return p.ExecContext(ctx, args...)
	}
	return s.conn.ExecContext(ctx, query, args...)
}

// query returns rows and what to call when they are read.
func (s *session) query(ctx context.Context, query string, args []any) (*sql.Rows, func(), error) {
	p, err := s.prepare(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	if p == nil {
		rows, err := s.conn.QueryContext(ctx, query, args...)
		return rows, func() { _ = rows.Close() }, err
	}
	rows, err := p.QueryContext(ctx, args...)
	if err != nil {
		return nil, nil, err
	}
	p.busy = true
	return rows, func() { p.busy = false; _ = rows.Close() }, nil
}
