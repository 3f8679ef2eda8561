package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"

	"github.com/haywardhq/hayward/vault/store/driver"
)

const (
	auditCols = "app, tenant, node, epoch, seq, id, ref, at, user_id, ip, request_id, action, resource, name, outcome, " +
		"details, sealed, hash, mac"
	auditRow = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

// chunk is how many of n rows one statement adds. There are three sizes only, so that their statements stay prepared, and no
// large one: the SQLite driver looks for each parameter among all of a statement.
func chunk(n int) int {
	for _, size := range [...]int{8, 3} {
		if n >= size {
			return size
		}
	}
	return 1
}

func auditDest(r *driver.AuditRow) []any {
	return []any{&r.App, &r.Tenant, &r.Node, &r.Epoch, &r.Seq, &r.ID, &r.Ref, &r.At, &r.User, &r.IP, &r.RequestID, &r.Action,
		&r.Resource, &r.Name, &r.Outcome, &r.Details, &r.Sealed, &r.Hash, &r.MAC}
}

func (x *tx) AppendAudit(ctx context.Context, prev []byte, rows []driver.AuditRow) (bool, error) {
	if len(rows) == 0 {
		return true, nil
	}
	if err := x.own(rows[0].App, rows[0].Tenant); err != nil {
		return false, err
	}
	if ends, err := x.chainEnds(ctx, rows[0].Chain, prev); err != nil || !ends {
		return false, err
	}
	for len(rows) > 0 {
		n := chunk(len(rows))
		if err := x.appendSome(ctx, rows[:n]); err != nil {
			return false, err
		}
		rows = rows[n:]
	}
	return true, nil
}

// chainEnds reports whether the last entry of a chain has the hash prev; nil: that there is none.
func (x *tx) chainEnds(ctx context.Context, c driver.Chain, prev []byte) (bool, error) {
	var end []byte
	err := x.row(ctx, "SELECT hash FROM vault_audit WHERE app = ? AND tenant = ? AND node = ? AND epoch = ? ORDER BY seq DESC LIMIT 1",
		[]any{c.App, c.Tenant, c.Node, c.Epoch}, &end)
	if errors.Is(err, driver.ErrNotFound) {
		return prev == nil, nil
	}
	return err == nil && prev != nil && bytes.Equal(end, prev), err
}

func (x *tx) appendSome(ctx context.Context, rows []driver.AuditRow) error {
	args := make([]any, 0, len(rows)*19)
	for i := range rows {
		r := &rows[i]
		args = append(args, r.App, r.Tenant, r.Node, r.Epoch, r.Seq, r.ID, r.Ref, r.At, r.User, r.IP, r.RequestID, r.Action,
			r.Resource, r.Name, r.Outcome, r.Details, r.Sealed, blob(r.Hash), blob(r.MAC))
	}
	return x.exec(ctx, auditInsert[len(rows)], args...)
}

// auditInsert has the statement for each size of a chunk.
var auditInsert = func() map[int]string {
	out := map[int]string{}
	for _, n := range [...]int{1, 3, 8} {
		out[n] = "INSERT INTO vault_audit (" + auditCols + ") VALUES " + strings.Repeat(auditRow+", ", n-1) + auditRow
	}
	return out
}()

const auditChain = "SELECT " + auditCols + " FROM vault_audit WHERE app = ? AND tenant = ? AND node = ? AND epoch = ?"

func (x *tx) AuditTail(ctx context.Context, c driver.Chain) (r driver.AuditRow, err error) {
	if err := x.own(c.App, c.Tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, auditChain+" ORDER BY seq DESC LIMIT 1", []any{c.App, c.Tenant, c.Node, c.Epoch}, auditDest(&r)...)
	return r, err
}

func (x *tx) ScanAudit(ctx context.Context, c driver.Chain, after int64, fn func(driver.AuditRow) error) error {
	if err := x.own(c.App, c.Tenant); err != nil {
		return err
	}
	return x.rows(ctx, auditChain+" AND seq > ? ORDER BY seq", []any{c.App, c.Tenant, c.Node, c.Epoch, after}, fn)
}

func (x *tx) rows(ctx context.Context, query string, args []any, fn func(driver.AuditRow) error) error {
	return x.t.Query(ctx, query, args, func(scan func(...any) error) error {
		var r driver.AuditRow
		if err := scan(auditDest(&r)...); err != nil {
			return err
		}
		return fn(r)
	})
}

func (x *tx) ListAudit(ctx context.Context, app, tenant string, f driver.AuditFilter) ([]driver.AuditRow, error) {
	if err := x.own(app, tenant); err != nil {
		return nil, err
	}
	return x.list(ctx, f, "app = ? AND tenant = ?", app, tenant)
}

func (x *tx) ListAuditEveryTenant(ctx context.Context, app string, f driver.AuditFilter) ([]driver.AuditRow, error) {
	if err := x.everyTenant(app); err != nil {
		return nil, err
	}
	return x.list(ctx, f, "app = ?", app)
}

func (x *tx) list(ctx context.Context, f driver.AuditFilter, where string, args ...any) (out []driver.AuditRow, err error) {
	and := func(cond string, more ...any) { where, args = where+" AND "+cond, append(args, more...) }
	and("at >= ?", f.From)
	if f.To > 0 {
		and("at < ?", f.To)
	}
	for _, c := range [...]struct {
		col, val string
		also     []string
	}{{"user_id", f.User, f.Users}, {"resource", f.Resource, nil}, {"name", f.Name, f.Names}, {"outcome", f.Outcome, nil},
		{"request_id", f.RequestID, nil}} {
		if c.val == "" {
			continue
		}
		vals := []any{c.val}
		for _, v := range c.also {
			vals = append(vals, v)
		}
		and(c.col+" IN (?"+strings.Repeat(", ?", len(c.also))+")", vals...)
	}
	if prefix, ok := f.ActionPrefix(); ok {
		and("substr(action, 1, length(?)) = ?", prefix, prefix)
	} else if f.Action != "" {
		and("action = ?", f.Action)
	}
	order := "ORDER BY at DESC, id DESC"
	if f.OldestFirst {
		order = "ORDER BY at, id"
	}
	switch {
	case f.BeforeAt == 0:
	case f.OldestFirst:
		and("(at, id) > (?, ?)", f.BeforeAt, f.BeforeID)
	default:
		and("(at, id) < (?, ?)", f.BeforeAt, f.BeforeID)
	}
	query := "SELECT " + auditCols + " FROM vault_audit WHERE " + where + " " + order + " LIMIT ?"
	err = x.rows(ctx, query, append(args, f.Limit), func(r driver.AuditRow) error {
		out = append(out, r)
		return nil
	})
	return out, err
}

func (x *tx) ScanAuditHashes(ctx context.Context, c driver.Chain, after, limit int64, fn func(int64, []byte, []byte) error) error {
	if err := x.own(c.App, c.Tenant); err != nil {
		return err
	}
	return x.t.Query(ctx, `SELECT seq, hash, mac FROM vault_audit WHERE app = ? AND tenant = ? AND node = ? AND epoch = ? AND seq > ?
		ORDER BY seq LIMIT ?`, []any{c.App, c.Tenant, c.Node, c.Epoch, after, limit}, func(scan func(...any) error) error {
		var seq int64
		var hash, mac []byte
		if err := scan(&seq, &hash, &mac); err != nil {
			return err
		}
		return fn(seq, hash, mac)
	})
}

func (x *tx) AuditEntry(ctx context.Context, app, tenant, id string) (r driver.AuditRow, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, "SELECT "+auditCols+" FROM vault_audit WHERE app = ? AND tenant = ? AND id = ?", []any{app, tenant, id}, auditDest(&r)...)
	return r, err
}

func (x *tx) AuditChains(ctx context.Context, app, tenant string) ([]driver.Chain, error) {
	if err := x.own(app, tenant); err != nil {
		return nil, err
	}
	return x.chains(ctx, "app = ? AND tenant = ? AND (node, epoch) > (?, ?)", func(c driver.Chain) []any { return []any{app, tenant, c.Node, c.Epoch} })
}

func (x *tx) AuditChainsEverywhere(ctx context.Context) ([]driver.Chain, error) {
	x.everywhere()
	return x.chains(ctx, "(app, tenant, node, epoch) > (?, ?, ?, ?)", func(c driver.Chain) []any { return []any{c.App, c.Tenant, c.Node, c.Epoch} })
}

// chains jumps from chain to chain along the primary key: DISTINCT would read every entry.
func (x *tx) chains(ctx context.Context, where string, args func(driver.Chain) []any) (out []driver.Chain, err error) {
	query := "SELECT app, tenant, node, epoch FROM vault_audit WHERE " + where + " ORDER BY app, tenant, node, epoch LIMIT 1"
	c := driver.Chain{Epoch: math.MinInt64}
	for {
		if err := x.row(ctx, query, args(c), &c.App, &c.Tenant, &c.Node, &c.Epoch); errors.Is(err, driver.ErrNotFound) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
}
