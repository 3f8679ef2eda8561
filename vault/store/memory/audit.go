package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func (x *tx) AppendAudit(_ context.Context, prev []byte, rows []driver.AuditRow) (bool, error) {
	if len(rows) == 0 {
		return true, nil
	}
	c := rows[0].Chain
	if err := x.writing(c.App, c.Tenant); err != nil {
		return false, err
	}
	have := x.s.data.audit[c]
	var end []byte
	if len(have) > 0 {
		end = have[len(have)-1].Hash
	}
	if (end == nil) != (prev == nil) || !bytes.Equal(end, prev) {
		return false, nil
	}
	for i, r := range rows {
		if len(have)+i > 0 && r.Seq <= seqAt(have, rows, len(have)+i-1) {
			return false, fault.New(fault.Conflict, "it exists already or refers to something that does not")
		}
	}
	// Appending never touches what is below the old length, so undo is the old slice.
	old := have
	x.undo = append(x.undo, func() { x.s.data.audit[c] = old[:len(old):len(old)] })
	for _, r := range rows {
		have = append(have, copyEntry(r))
	}
	x.s.data.audit[c] = have
	return true, nil
}

func seqAt(have, rows []driver.AuditRow, i int) int64 {
	if i < len(have) {
		return have[i].Seq
	}
	return rows[i-len(have)].Seq
}

func copyEntry(r driver.AuditRow) driver.AuditRow {
	r.Hash, r.MAC = bytes.Clone(r.Hash), bytes.Clone(r.MAC)
	return r
}

func (x *tx) AuditTail(_ context.Context, c driver.Chain) (driver.AuditRow, error) {
	if err := driver.Args(c.App, c.Tenant); err != nil {
		return driver.AuditRow{}, err
	}
	rows := x.s.data.audit[c]
	if len(rows) == 0 {
		return driver.AuditRow{}, driver.ErrNotFound
	}
	return copyEntry(rows[len(rows)-1]), nil
}

func (x *tx) ScanAudit(_ context.Context, c driver.Chain, after int64, fn func(driver.AuditRow) error) error {
	if err := driver.Args(c.App, c.Tenant); err != nil {
		return err
	}
	for _, r := range x.s.data.audit[c] {
		if r.Seq <= after {
			continue
		}
		if err := fn(copyEntry(r)); err != nil {
			return err
		}
	}
	return nil
}

func (x *tx) ListAudit(_ context.Context, app, tenant string, f driver.AuditFilter) ([]driver.AuditRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	return x.list(f, func(c driver.Chain) bool { return c.App == app && c.Tenant == tenant }), nil
}

func (x *tx) ListAuditEveryTenant(_ context.Context, app string, f driver.AuditFilter) ([]driver.AuditRow, error) {
	if err := driver.Args(app, driver.Operator); err != nil {
		return nil, err
	}
	return x.list(f, func(c driver.Chain) bool { return c.App == app }), nil
}

func (x *tx) list(f driver.AuditFilter, mine func(driver.Chain) bool) (out []driver.AuditRow) {
	for c, rows := range x.s.data.audit {
		if !mine(c) {
			continue
		}
		for i := range rows {
			if matches(f, &rows[i]) {
				out = append(out, copyEntry(rows[i]))
			}
		}
	}
	slices.SortFunc(out, func(a, b driver.AuditRow) int { return entryOrder(f, &a, b.At, b.ID) })
	return out[:min(f.Limit, len(out))]
}

// entryOrder compares r with (at, id) in the order the filter asks for.
func entryOrder(f driver.AuditFilter, r *driver.AuditRow, at int64, id string) int {
	n := cmp.Or(cmp.Compare(r.At, at), cmp.Compare(r.ID, id))
	if f.OldestFirst {
		return n
	}
	return -n
}

func matches(f driver.AuditFilter, r *driver.AuditRow) bool {
	is := func(want, have string, also ...string) bool {
		return want == "" || want == have || slices.Contains(also, have)
	}
	action := is(f.Action, r.Action)
	if prefix, ok := f.ActionPrefix(); ok {
		action = strings.HasPrefix(r.Action, prefix)
	}
	return action && r.At >= f.From && (f.To <= 0 || r.At < f.To) && is(f.User, r.User, f.Users...) && is(f.Resource, r.Resource) &&
		is(f.Name, r.Name, f.Names...) && is(f.Outcome, r.Outcome) && is(f.RequestID, r.RequestID) &&
		(f.BeforeAt == 0 || entryOrder(f, r, f.BeforeAt, f.BeforeID) > 0)
}

func (x *tx) ScanAuditHashes(_ context.Context, c driver.Chain, after, limit int64, fn func(int64, []byte, []byte) error) error {
	if err := driver.Args(c.App, c.Tenant); err != nil {
		return err
	}
	for _, r := range x.s.data.audit[c] {
		if r.Seq <= after {
			continue
		}
		if limit--; limit < 0 {
			return nil
		}
		if err := fn(r.Seq, bytes.Clone(r.Hash), bytes.Clone(r.MAC)); err != nil {
			return err
		}
	}
	return nil
}

func (x *tx) AuditEntry(_ context.Context, app, tenant, id string) (driver.AuditRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return driver.AuditRow{}, err
	}
	for c, rows := range x.s.data.audit {
		if c.App != app || c.Tenant != tenant {
			continue
		}
		for _, r := range rows {
			if r.ID == id {
				return copyEntry(r), nil
			}
		}
	}
	return driver.AuditRow{}, driver.ErrNotFound
}

func (x *tx) AuditChains(_ context.Context, app, tenant string) ([]driver.Chain, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	return x.chains(func(c driver.Chain) bool { return c.App == app && c.Tenant == tenant }), nil
}

func (x *tx) AuditChainsEverywhere(context.Context) ([]driver.Chain, error) {
	return x.chains(func(driver.Chain) bool { return true }), nil
}

func (x *tx) chains(mine func(driver.Chain) bool) (out []driver.Chain) {
	for c, rows := range x.s.data.audit {
		if len(rows) > 0 && mine(c) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, driver.Chain.Compare)
	return out
}
