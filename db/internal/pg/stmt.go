package pg

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// stmt is a statement of one connection.
type stmt struct {
	c        *Conn
	query    string
	prepared map[string]*pgconn.StatementDescription // by the types of the arguments; nil: compiled at each run
}

// Close does nothing: statements live as long as their connection.
func (s *stmt) Close() error  { return nil }
func (s *stmt) NumInput() int { return -1 } // the server counts

func (s *stmt) Exec([]driver.Value) (driver.Result, error) { return nil, errors.ErrUnsupported }
func (s *stmt) Query([]driver.Value) (driver.Rows, error)  { return nil, errors.ErrUnsupported }

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	r, err := s.run(ctx, args)
	if err != nil {
		return nil, err
	}
	tag, err := r.rr.Close()
	if err = cmp.Or(r.mrr.Close(), err); err != nil {
		return nil, err
	}
	return driver.RowsAffected(tag.RowsAffected()), nil
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	r, err := s.run(ctx, args)
	if err != nil {
		return nil, err
	}
	s.c.open = r
	return r, nil
}

// run sends what waits and the statement in one round trip and returns when its answer begins.
func (s *stmt) run(ctx context.Context, args []driver.NamedValue) (*rows, error) {
	c := s.c
	p, err := encode(args)
	if err != nil {
		return nil, err
	}
	if err := c.settle(); err != nil {
		return nil, err
	}
	desc, err := s.prepare(ctx, p)
	if err != nil {
		return nil, err
	}
	b := &pgconn.Batch{}
	n := c.load(b)
	if desc != nil {
		b.ExecStatement(desc, p.values, p.formats, resultFormats(desc.Fields))
	} else {
		b.ExecParams(s.query, p.values, p.oids, p.formats, nil)
	}
	r := &rows{c: c, mrr: c.pg.ExecBatch(ctx, b)}
	for range n {
		if !r.mrr.NextResult() {
			return nil, &ErrOrder{orEnded(r.mrr.Close())}
		}
		if _, err := r.mrr.ResultReader().Close(); err != nil {
			return nil, &ErrOrder{cmp.Or(r.mrr.Close(), err)}
		}
	}
	if !r.mrr.NextResult() {
		return nil, orEnded(r.mrr.Close())
	}
	r.rr = r.mrr.ResultReader()
	r.fields = append(r.fields, r.rr.FieldDescriptions()...)
	return r, nil
}

func (s *stmt) prepare(ctx context.Context, p *params) (*pgconn.StatementDescription, error) {
	if s.prepared == nil {
		return nil, nil
	}
	sig := p.signature()
	if d := s.prepared[sig]; d != nil {
		return d, nil
	}
	if _, err := s.c.Flush(ctx); err != nil { // what waits comes before an error of the statement
		return nil, err
	}
	s.c.serial++
	d, err := s.c.pg.Prepare(ctx, "s"+strconv.Itoa(s.c.serial), s.query, p.oids)
	if err == nil {
		s.prepared[sig] = d
	}
	return d, err
}

// rows is an answer that is being read: from the wire, or from memory once another statement needed the wire.
type rows struct {
	c      *Conn
	mrr    *pgconn.MultiResultReader
	rr     *pgconn.ResultReader
	fields []pgconn.FieldDescription
	kept   [][][]byte
	ended  bool  // nothing more is on the wire
	err    error // how it ended
}

func (r *rows) Columns() []string {
	out := make([]string, len(r.fields))
	for i, f := range r.fields {
		out[i] = f.Name
	}
	return out
}

func (r *rows) Next(dest []driver.Value) error {
	values, err := r.next()
	if err != nil {
		return err
	}
	for i, f := range r.fields {
		if dest[i], err = decode(f, values[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) next() ([][]byte, error) {
	if len(r.kept) > 0 {
		values := r.kept[0]
		r.kept = r.kept[1:]
		return values, nil
	}
	if !r.ended && r.rr.NextRow() {
		return r.rr.Values(), nil
	}
	r.end()
	if r.err != nil {
		return nil, r.err
	}
	return nil, io.EOF
}

// keepRest takes the rest of the answer to memory.
func (r *rows) keepRest() error {
	for !r.ended && r.rr.NextRow() {
		row := make([][]byte, len(r.fields))
		for i, v := range r.rr.Values() {
			if v != nil {
				row[i] = append(make([]byte, 0, len(v)), v...)
			}
		}
		r.kept = append(r.kept, row)
	}
	r.end()
	return r.err
}

func (r *rows) end() {
	if r.ended {
		return
	}
	r.ended = true
	_, err := r.rr.Close()
	r.err = cmp.Or(r.mrr.Close(), err)
	if r.c.open == r {
		r.c.open = nil
	}
}

// Close reads what is left and drops it.
func (r *rows) Close() error {
	r.kept = nil
	r.end()
	return nil
}
