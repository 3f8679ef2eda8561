package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"math"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

const (
	auditCols = "app, tenant, node, epoch, seq, id, ref, at, user_id, ip, request_id, action, resource, name, outcome, " +
		"details, sealed, hash, mac"
	auditInsert = "INSERT INTO vault_audit (" + auditCols + ", packed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	auditSelect = "SELECT " + auditCols + ", packed FROM vault_audit WHERE "
	auditChain  = "app = ? AND tenant = ? AND node = ? AND epoch = ?"
)

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
	if ends, err := x.chainEnds(ctx, rows, prev); err != nil || !ends {
		return false, err
	}
	var args [][]any
	for len(rows) > 0 {
		n := packable(rows)
		args = append(args, auditArgs(rows[:n]))
		rows = rows[n:]
	}
	if len(args) == 1 {
		err := x.exec(ctx, auditInsert, args[0]...)
		return err == nil, err
	}
	_, err := x.t.ExecMany(ctx, auditInsert, args)
	return err == nil, err
}

// chainEnds reports whether the last entry of a chain has the hash prev; nil: that there is none. The numbers of rows must rise
// from that entry's on: the table's key has only the last one of each row.
func (x *tx) chainEnds(ctx context.Context, rows []driver.AuditRow, prev []byte) (bool, error) {
	var seq int64
	var end []byte
	c := rows[0].Chain
	err := x.row(ctx, "SELECT seq, hash FROM vault_audit WHERE "+auditChain+" ORDER BY seq DESC LIMIT 1",
		[]any{c.App, c.Tenant, c.Node, c.Epoch}, &seq, &end)
	switch {
	case errors.Is(err, driver.ErrNotFound):
		if prev != nil {
			return false, nil
		}
	case err != nil:
		return false, err
	case prev == nil || !bytes.Equal(end, prev):
		return false, nil
	case rows[0].Seq <= seq:
		return false, errNumber()
	}
	for i := range rows[1:] {
		if rows[i+1].Seq <= rows[i].Seq {
			return false, errNumber()
		}
	}
	return true, nil
}

func errNumber() error {
	return fault.New(fault.Conflict, "an audit entry with this number exists already")
}

// auditArgs are the columns of the row that carries entries.
func auditArgs(entries []driver.AuditRow) []any {
	before := len(entries) - 1
	r := &entries[before]
	var packed any
	if before > 0 {
		packed = pack(entries[:before])
	}
	return []any{r.App, r.Tenant, r.Node, r.Epoch, r.Seq, r.ID, r.Ref, r.At, r.User, r.IP, r.RequestID, r.Action,
		r.Resource, r.Name, r.Outcome, r.Details, r.Sealed, blob(r.Hash), blob(r.MAC), packed}
}

func (x *tx) AuditTail(ctx context.Context, c driver.Chain) (r driver.AuditRow, err error) {
	if err := x.own(c.App, c.Tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, "SELECT "+auditCols+" FROM vault_audit WHERE "+auditChain+" ORDER BY seq DESC LIMIT 1",
		[]any{c.App, c.Tenant, c.Node, c.Epoch}, auditDest(&r)...)
	return r, err
}

func (x *tx) ScanAudit(ctx context.Context, c driver.Chain, after int64, fn func(driver.AuditRow) error) error {
	if err := x.own(c.App, c.Tenant); err != nil {
		return err
	}
	var parcels []parcel
	args := []any{c.App, c.Tenant, c.Node, c.Epoch, after}
	return x.rows(ctx, auditSelect+auditChain+" AND seq > ? ORDER BY seq", args, func(last *driver.AuditRow, packed []byte) (err error) {
		if parcels, err = unpack(parcels, packed); err != nil {
			last.Hash = nil // see damaged
		}
		for i := range parcels {
			before := len(parcels) - i
			if last.Seq-int64(before) <= after {
				continue
			}
			if err := fn(parcels[i].row(last, before)); err != nil {
				return err
			}
		}
		return fn(*last)
	})
}

// rows calls fn with each row of the table: its last entry, which is overwritten afterwards, and the column packed.
func (x *tx) rows(ctx context.Context, query string, args []any, fn func(last *driver.AuditRow, packed []byte) error) error {
	var last driver.AuditRow
	var packed []byte
	dest := append(auditDest(&last), &packed)
	return x.t.Query(ctx, query, args, func(scan func(...any) error) error {
		last.Hash, last.MAC, packed = nil, nil, nil
		if err := scan(dest...); err != nil {
			return err
		}
		return fn(&last, packed)
	})
}

func (x *tx) ScanAuditHashes(ctx context.Context, c driver.Chain, after, limit int64, fn func(int64, []byte, []byte) error) error {
	if err := x.own(c.App, c.Tenant); err != nil || limit <= 0 {
		return err
	}
	each := func(seq int64, hash, mac []byte) error {
		if seq <= after {
			return nil
		}
		if err := fn(seq, hash, mac); err != nil {
			return err
		}
		if limit--; limit == 0 {
			return errEnough
		}
		return nil
	}
	var parcels []parcel
	err := x.t.Query(ctx, "SELECT seq, hash, mac, packed FROM vault_audit WHERE "+auditChain+" AND seq > ? ORDER BY seq LIMIT ?",
		[]any{c.App, c.Tenant, c.Node, c.Epoch, after, limit}, func(scan func(...any) error) (err error) {
			var seq int64
			var hash, mac, packed []byte
			if err := scan(&seq, &hash, &mac, &packed); err != nil {
				return err
			}
			if parcels, err = unpack(parcels, packed); err != nil {
				hash = nil // see damaged
			}
			for i, p := range parcels {
				if err := each(seq-int64(len(parcels)-i), p.hash, p.mac); err != nil {
					return err
				}
			}
			return each(seq, hash, mac)
		})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// errEnough ends a query whose caller has what it wants.
var errEnough = errors.New("enough")

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
