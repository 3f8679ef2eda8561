package sqlstore

import (
	"context"

	"github.com/haywardhq/hayward/vault/store/driver"
)

const systemColumns = "SELECT purpose, id, root_id, wrapped, public, is_primary, created_at, retired_at FROM vault_system_key "

func (x *tx) SystemKey(ctx context.Context, purpose, id string) (driver.SystemKeyRow, error) {
	return x.systemKey(ctx, systemColumns+"WHERE purpose = ? AND id = ?", purpose, id)
}

func (x *tx) PrimarySystemKey(ctx context.Context, purpose string) (driver.SystemKeyRow, error) {
	return x.systemKey(ctx, systemColumns+"WHERE purpose = ? AND is_primary = 1", purpose)
}

func (x *tx) systemKey(ctx context.Context, query string, args ...any) (driver.SystemKeyRow, error) {
	rows, err := x.systemRows(ctx, query, args...)
	if err == nil && len(rows) == 0 {
		return driver.SystemKeyRow{}, driver.ErrNotFound
	}
	if err != nil {
		return driver.SystemKeyRow{}, err
	}
	return rows[0], nil
}

func (x *tx) systemRows(ctx context.Context, query string, args ...any) (out []driver.SystemKeyRow, err error) {
	err = x.t.Query(ctx, query, args, func(scan func(...any) error) error {
		var r driver.SystemKeyRow
		var primary int64
		err := scan(&r.Purpose, &r.ID, &r.RootID, &r.Wrapped, &r.Public, &primary, &r.CreatedAt, &r.RetiredAt)
		r.Primary = primary == 1
		out = append(out, r)
		return err
	})
	return out, err
}

func (x *tx) AddSystemKey(ctx context.Context, r driver.SystemKeyRow) (bool, error) {
	n, err := x.t.Exec(ctx, `INSERT INTO vault_system_key (purpose, id, root_id, wrapped, public, is_primary, created_at, retired_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		r.Purpose, r.ID, r.RootID, blob(r.Wrapped), blob(r.Public), asBit(r.Primary), r.CreatedAt, r.RetiredAt)
	return n > 0, err
}

func (x *tx) PutSystemKey(ctx context.Context, r driver.SystemKeyRow) error {
	return x.exec(ctx, `UPDATE vault_system_key SET root_id = ?, wrapped = ?, public = ?, is_primary = ?, retired_at = ?
		WHERE purpose = ? AND id = ?`, r.RootID, blob(r.Wrapped), blob(r.Public), asBit(r.Primary), r.RetiredAt, r.Purpose, r.ID)
}

func (x *tx) ListSystemKeys(ctx context.Context) ([]driver.SystemKeyRow, error) {
	return x.systemRows(ctx, systemColumns+"ORDER BY purpose, created_at, id")
}

const shredColumns = `SELECT app, tenant, id, state, reason, requested_by, requested_at, checkpoint, key_ids, epoch_before, root_before,
	target, receipt FROM vault_shred `

func shredDest(r *driver.ShredRow) []any {
	return []any{&r.App, &r.Tenant, &r.ID, &r.State, &r.Reason, &r.RequestedBy, &r.RequestedAt, &r.Checkpoint, &r.KeyIDs, &r.EpochBefore,
		&r.RootBefore, &r.Target, &r.Receipt}
}

func (x *tx) Shred(ctx context.Context, app, tenant string) (r driver.ShredRow, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, shredColumns+"WHERE app = ? AND tenant = ?", []any{app, tenant}, shredDest(&r)...)
	return r, err
}

func (x *tx) PutShred(ctx context.Context, r driver.ShredRow) error {
	return x.write(ctx, change(driver.NounKey, r.App, r.Tenant, ""), `INSERT INTO vault_shred (app, tenant, id, state, reason, requested_by,
		requested_at, checkpoint, key_ids, epoch_before, root_before, target, receipt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (app, tenant) DO UPDATE SET state = excluded.state, reason = excluded.reason, requested_by = excluded.requested_by,
		requested_at = excluded.requested_at, checkpoint = excluded.checkpoint, key_ids = excluded.key_ids,
		epoch_before = excluded.epoch_before, root_before = excluded.root_before, target = excluded.target, receipt = excluded.receipt`,
		r.App, r.Tenant, r.ID, r.State, r.Reason, r.RequestedBy, r.RequestedAt, r.Checkpoint, r.KeyIDs, r.EpochBefore, r.RootBefore, r.Target, r.Receipt)
}

func (x *tx) shreds(ctx context.Context, query string, args ...any) (out []driver.ShredRow, err error) {
	err = x.t.Query(ctx, query, args, func(scan func(...any) error) error {
		var r driver.ShredRow
		err := scan(shredDest(&r)...)
		out = append(out, r)
		return err
	})
	return out, err
}

func (x *tx) ListShredsEveryTenant(ctx context.Context, app, after string, limit int) ([]driver.ShredRow, error) {
	if err := x.everyTenant(app); err != nil {
		return nil, err
	}
	return x.shreds(ctx, shredColumns+"WHERE app = ? AND tenant > ? ORDER BY tenant LIMIT ?", app, after, limit)
}

func (x *tx) ListShredsEverywhere(ctx context.Context, state string) ([]driver.ShredRow, error) {
	x.everywhere()
	return x.shreds(ctx, shredColumns+"WHERE state = ? ORDER BY app, tenant", state)
}
