package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/vault/store/driver"
)

// A list is read in pages of rows, the first of them small: nobody knows how many entries a row has, and over PostgreSQL all
// of a page comes over the wire.
const (
	firstPage   = 32
	largestPage = 256
)

func (x *tx) ListAudit(ctx context.Context, app, tenant string, f driver.AuditFilter) ([]driver.AuditRow, error) {
	if err := x.own(app, tenant); err != nil {
		return nil, err
	}
	return x.list(ctx, &f, "app = ? AND tenant = ?", app, tenant)
}

func (x *tx) ListAuditEveryTenant(ctx context.Context, app string, f driver.AuditFilter) ([]driver.AuditRow, error) {
	if err := x.everyTenant(app); err != nil {
		return nil, err
	}
	return x.list(ctx, &f, "app = ?", app)
}

// list walks an index from moment to moment. Each page begins with a whole one, so that nothing is lost of those that have
// more rows than a page has left.
func (x *tx) list(ctx context.Context, f *driver.AuditFilter, owner string, args ...any) ([]driver.AuditRow, error) {
	if f.Limit <= 0 {
		return nil, nil
	}
	query, values := listQuery(f, owner)
	l := newLister(f)
	for size := firstPage; ; {
		err := x.rows(ctx, query, slices.Concat(args, []any{l.from, l.to}, values, []any{size}), l.take)
		if err == nil && l.read < size {
			err = l.emit()
		} else if err == nil {
			size = l.turn(size)
			continue
		}
		if err != nil && !errors.Is(err, errEnough) {
			return nil, err
		}
		return l.out, nil
	}
}

// listQuery returns the statement of a list, and what follows the owner and the time in its arguments. The filter is SQL's
// business for rows of one entry; the others are let through, for [lister.take].
func listQuery(f *driver.AuditFilter, owner string) (query string, args []any) {
	var conds []string
	and := func(cond string, more ...any) { conds, args = append(conds, cond), append(args, more...) }
	for _, c := range [...]struct {
		col, val string
		also     []string
	}{{"user_id", f.User, f.Users}, {"resource", f.Resource, nil}, {"name", f.Name, f.Names}, {"outcome", f.Outcome, nil},
		{"request_id", f.RequestID, nil}} {
		if c.val == "" {
			continue
		}
		and(c.col+" IN (?"+strings.Repeat(", ?", len(c.also))+")", c.val)
		for _, v := range c.also {
			args = append(args, v)
		}
	}
	if prefix, ok := f.ActionPrefix(); ok {
		and("substr(action, 1, length(?)) = ?", prefix, prefix)
	} else if f.Action != "" {
		and("action = ?", f.Action)
	}
	order, beyond := " ORDER BY at DESC, id DESC", "(at, id) < (?, ?)"
	if f.OldestFirst {
		order, beyond = " ORDER BY at, id", "(at, id) > (?, ?)"
	}
	if f.BeforeAt != 0 {
		and(beyond, f.BeforeAt, f.BeforeID)
	}
	query = auditSelect + owner + " AND at >= ? AND at <= ?"
	if len(conds) > 0 {
		query += " AND (packed IS NOT NULL OR (" + strings.Join(conds, " AND ") + "))"
	}
	return query + order + " LIMIT ?", args
}

// lister puts the entries of rows, which come in the order of their moments, into the order of a list.
type lister struct {
	f        *driver.AuditFilter
	from, to int64 // the moments that are still to be read, both included
	out      []driver.AuditRow

	// Of the page under way:
	read    int // rows
	first   int64
	at      int64
	same    []driver.AuditRow // entries of the moment at, in no order
	parcels []parcel
}

func newLister(f *driver.AuditFilter) *lister {
	l := &lister{f: f, from: f.From, to: math.MaxInt64}
	if f.To > 0 {
		l.to = f.To - 1
	}
	if f.BeforeAt != 0 {
		l.goOn(f.BeforeAt)
	}
	return l
}

// goOn leaves out what comes before a moment in the order of the list.
func (l *lister) goOn(at int64) {
	if l.f.OldestFirst {
		l.from = max(l.from, at)
	} else {
		l.to = min(l.to, at)
	}
}

// turn ends a page after which there is more. The last moment may go on there, and is read again. It returns how many rows
// the next page has.
func (l *lister) turn(size int) int {
	read, got := l.read, len(l.out)
	l.read, l.same = 0, l.same[:0]
	l.goOn(l.at)
	if l.at == l.first { // a page has to be larger than a moment
		return size * 4
	}
	missing := l.f.Limit - got
	return min(max(missing*read/max(got, 1)+2, firstPage), largestPage)
}

// take takes in one row.
func (l *lister) take(last *driver.AuditRow, packed []byte) (err error) {
	if l.read == 0 {
		l.first = last.At
	} else if last.At != l.at {
		if err := l.emit(); err != nil {
			return err
		}
	}
	l.read++
	l.at = last.At
	if packed == nil {
		l.same = append(l.same, *last)
		l.prune()
		return nil
	}
	if l.parcels, err = unpack(l.parcels, packed); err != nil {
		return damaged(last, err)
	}
	for i := range l.parcels {
		p := &l.parcels[i]
		if matches(l.f, p.user, p.resource, p.name, p.outcome, p.requestID, p.action) && l.beyond(last.At, string(p.id)) {
			r := p.row(last, len(l.parcels)-i)
			r.Hash, r.MAC = bytes.Clone(r.Hash), bytes.Clone(r.MAC) // one entry does not hold a whole row
			l.same = append(l.same, r)
		}
	}
	if matches(l.f, last.User, last.Resource, last.Name, last.Outcome, last.RequestID, last.Action) && l.beyond(last.At, last.ID) {
		l.same = append(l.same, *last)
	}
	l.prune()
	return nil
}

// beyond reports whether an entry comes after the one that the list is continued from.
func (l *lister) beyond(at int64, id string) bool {
	if l.f.BeforeAt == 0 {
		return true
	}
	n := cmp.Or(cmp.Compare(at, l.f.BeforeAt), strings.Compare(id, l.f.BeforeID))
	return n != 0 && (n > 0) == l.f.OldestFirst
}

// prune keeps a moment with very many entries from being held whole.
func (l *lister) prune() {
	if need := l.f.Limit - len(l.out); len(l.same) > 2*need+100 {
		l.sort()
		clear(l.same[need:])
		l.same = l.same[:need]
	}
}

func (l *lister) sort() {
	slices.SortStableFunc(l.same, func(a, b driver.AuditRow) int {
		if l.f.OldestFirst {
			return strings.Compare(a.ID, b.ID)
		}
		return strings.Compare(b.ID, a.ID)
	})
}

// emit ends a moment. It returns errEnough when the list is complete.
func (l *lister) emit() error {
	l.sort()
	l.out = append(l.out, l.same[:min(len(l.same), l.f.Limit-len(l.out))]...)
	l.same = l.same[:0]
	if len(l.out) == l.f.Limit {
		return errEnough
	}
	return nil
}

// matches applies what [listQuery] has SQL apply. T spares texts that are looked at only.
func matches[T string | []byte](f *driver.AuditFilter, user, resource, name, outcome, requestID, action T) bool {
	return is(outcome, f.Outcome, nil) && matchesAction(f, action) && is(user, f.User, f.Users) && is(resource, f.Resource, nil) &&
		is(name, f.Name, f.Names) && is(requestID, f.RequestID, nil)
}

func matchesAction[T string | []byte](f *driver.AuditFilter, action T) bool {
	if prefix, ok := f.ActionPrefix(); ok {
		return len(action) >= len(prefix) && string(action[:len(prefix)]) == prefix
	}
	return is(action, f.Action, nil)
}

func is[T string | []byte](have T, want string, also []string) bool {
	if want == "" || string(have) == want {
		return true
	}
	for _, v := range also {
		if string(have) == v {
			return true
		}
	}
	return false
}
