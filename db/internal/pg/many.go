package pg

import (
	"cmp"
	"context"
	"database/sql/driver"

	"github.com/jackc/pgx/v5/pgconn"
)

// perTrip bounds the rows of one round trip, so that neither side holds too much at once.
const perTrip = 500

// ExecMany runs a statement once for each row of arguments, in order and in as few round trips as there are hundreds of
// rows, and returns how many rows all of them changed. Rows after one that fails are not run.
func (c *Conn) ExecMany(ctx context.Context, query string, rows [][]driver.NamedValue) (changed int64, err error) {
	s := c.repeated(query)
	for len(rows) > 0 {
		n := min(len(rows), perTrip)
		some, err := s.some(ctx, rows[:n])
		if changed += some; err != nil {
			return changed, err
		}
		rows = rows[n:]
	}
	return changed, nil
}

// maxRepeated bounds the statements that are kept for ExecMany.
const maxRepeated = 128

func (c *Conn) repeated(query string) *stmt {
	if s := c.many[query]; s != nil {
		return s
	}
	s := &stmt{c: c, query: Translate(query)}
	if len(c.many) < maxRepeated {
		s.prepared = map[string]*pgconn.StatementDescription{}
		c.many[query] = s
	}
	return s
}

func (s *stmt) some(ctx context.Context, rows [][]driver.NamedValue) (changed int64, err error) {
	if err := s.c.settle(); err != nil {
		return 0, err
	}
	all, descs := make([]*params, len(rows)), make([]*pgconn.StatementDescription, len(rows))
	for i, args := range rows {
		if all[i], err = encode(args); err != nil {
			return 0, err
		}
		if descs[i], err = s.prepare(ctx, all[i]); err != nil {
			return 0, err
		}
	}
	b := &pgconn.Batch{}
	orders := s.c.load(b)
	for i, p := range all {
		if descs[i] == nil {
			b.ExecParams(s.query, p.values, p.oids, p.formats, nil)
		} else {
			b.ExecStatement(descs[i], p.values, p.formats, nil)
		}
	}
	mrr := s.c.pg.ExecBatch(ctx, b)
	n := 0
	for ; mrr.NextResult(); n++ {
		tag, err := mrr.ResultReader().Close()
		if err != nil {
			return changed, cmp.Or(mrr.Close(), err)
		}
		if n >= orders {
			changed += tag.RowsAffected()
		}
	}
	if err = mrr.Close(); err != nil && n < orders {
		err = &ErrOrder{err}
	}
	return changed, err
}
