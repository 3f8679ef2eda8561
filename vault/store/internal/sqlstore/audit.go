package sqlstore

import (
	"context"
	"strings"

	"github.com/haywardhq/hayward/vault/store/driver"
)

const (
	auditCols = "app, tenant, node, epoch, seq, id, ref, at, user_id, ip, request_id, action, resource, name, outcome, " +
		"details, hash, mac"
	auditRow = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

// chunk is how many of n rows one statement adds. There are four sizes only, so that their statements stay prepared.
func chunk(n int) int {
	for _, size := range [...]int{64, 16, 4} {
		if n >= size {
			return size
		}
	}
	return 1
}

func auditDest(r *driver.AuditRow) []any {
	return []any{&r.App, &r.Tenant, &r.Node, &r.Epoch, &r.Seq, &r.ID, &r.Ref, &r.At, &r.User, &r.IP, &r.RequestID, &r.Action,
		&r.Resource, &r.Name, &r.Outcome, &r.Details, &r.Hash, &r.MAC}
}

func (x *tx) AppendAudit(ctx context.Context, prev []byte, rows []driver.AuditRow) (bool, error) {
	if len(rows) == 0 {
		return true, nil
	}
	if err := driver.Args(rows[0].App, rows[0].Tenant); err != nil {
		return false, err
	}
	for len(rows) > 0 {
		n := chunk(len(rows))
		added, err := x.appendSome(ctx, prev, rows[:n])
		if err != nil || !added {
			return false, err
		}
		prev, rows = rows[n-1].Hash, rows[n:]
	}
	return true, nil
}

// appendSome adds rows in one statement, which adds nothing if the chain does not end with prev.
func (x *tx) appendSome(ctx context.Context, prev []byte, rows []driver.AuditRow) (bool, error) {
	args := make([]any, 0, len(rows)*18+5)
	for i := range rows {
		r := &rows[i]
		args = append(args, r.App, r.Tenant, r.Node, r.Epoch, r.Seq, r.ID, r.Ref, r.At, r.User, r.IP, r.RequestID, r.Action,
			r.Resource, r.Name, r.Outcome, r.Details, blob(r.Hash), blob(r.MAC))
	}
	c := rows[0].Chain
	args = append(args, c.App, c.Tenant, c.Node, c.Epoch)
	if prev == nil {
		args = append(args, nil)
	} else {
		args = append(args, prev)
	}
	n, err := x.t.Exec(ctx, "INSERT INTO vault_audit ("+auditCols+") SELECT * FROM (VALUES "+
		strings.Repeat(auditRow+", ", len(rows)-1)+auditRow+`) WHERE (SELECT hash FROM vault_audit
		WHERE app = ? AND tenant = ? AND node = ? AND epoch = ? ORDER BY seq DESC LIMIT 1) IS ?`, args...)
	return n > 0, err
}

const auditChain = "SELECT " + auditCols + " FROM vault_audit WHERE app = ? AND tenant = ? AND node = ? AND epoch = ?"

func (x *tx) AuditTail(ctx context.Context, c driver.Chain) (r driver.AuditRow, err error) {
	if err := driver.Args(c.App, c.Tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, auditChain+" ORDER BY seq DESC LIMIT 1", []any{c.App, c.Tenant, c.Node, c.Epoch}, auditDest(&r)...)
	return r, err
}

func (x *tx) ScanAudit(ctx context.Context, c driver.Chain, after int64, fn func(driver.AuditRow) error) error {
	if err := driver.Args(c.App, c.Tenant); err != nil {
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
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	return x.list(ctx, f, "app = ? AND tenant = ?", app, tenant)
}

func (x *tx) ListAuditEveryTenant(ctx context.Context, app string, f driver.AuditFilter) ([]driver.AuditRow, error) {
	if err := driver.Args(app, driver.Operator); err != nil {
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
	for _, c := range [...]struct{ col, val string }{{"user_id", f.User}, {"resource", f.Resource}, {"name", f.Name},
		{"outcome", f.Outcome}, {"request_id", f.RequestID}} {
		if c.val != "" {
			and(c.col+" = ?", c.val)
		}
	}
	if prefix, ok := f.ActionPrefix(); ok {
		and("substr(action, 1, ?) = ?", len([]rune(prefix)), prefix)
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

func (x *tx) AuditChainsEverywhere(ctx context.Context) (out []driver.Chain, err error) {
	err = x.t.Query(ctx, "SELECT DISTINCT app, tenant, node, epoch FROM vault_audit ORDER BY app, tenant, node, epoch", nil,
		func(scan func(...any) error) error {
			var c driver.Chain
			if err := scan(&c.App, &c.Tenant, &c.Node, &c.Epoch); err != nil {
				return err
			}
			out = append(out, c)
			return nil
		})
	return out, err
}
