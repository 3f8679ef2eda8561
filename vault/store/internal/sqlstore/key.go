package sqlstore

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/vault/store/driver"
)

func (x *tx) Root(ctx context.Context) (r driver.RootRow, err error) {
	if err = x.row(ctx, "SELECT root_id, check_blob, created_at FROM vault_root WHERE id = 1", nil, &r.RootID, &r.Check, &r.CreatedAt); err != nil {
		return r, err
	}
	var direct int64
	err = x.row(ctx, `SELECT epoch, direct, next_id, next_wrapped, former_id, total, changed_at FROM vault_root_state WHERE id = 1`, nil,
		&r.Epoch, &direct, &r.NextID, &r.Next, &r.FormerID, &r.Total, &r.ChangedAt)
	r.Direct = direct == 1
	if errors.Is(err, driver.ErrNotFound) { // written before root keys could change
		r.Direct, err = true, nil
	}
	return r, err
}

func (x *tx) PutRoot(ctx context.Context, r driver.RootRow) error {
	if err := x.exec(ctx, `INSERT INTO vault_root (id, root_id, check_blob, created_at) VALUES (1, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET root_id = excluded.root_id, check_blob = excluded.check_blob, created_at = excluded.created_at`,
		r.RootID, blob(r.Check), r.CreatedAt); err != nil {
		return err
	}
	return x.write(ctx, change(driver.NounKey, driver.Operator, driver.Operator, ""), `INSERT INTO vault_root_state
		(id, epoch, direct, next_id, next_wrapped, former_id, total, changed_at) VALUES (1, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, direct = excluded.direct, next_id = excluded.next_id,
		next_wrapped = excluded.next_wrapped, former_id = excluded.former_id, total = excluded.total, changed_at = excluded.changed_at`,
		r.Epoch, asBit(r.Direct), r.NextID, blob(r.Next), r.FormerID, r.Total, r.ChangedAt)
}

func asBit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// LockRoot writes the row as it is: a second writer then waits for the first, in a database that has several.
func (x *tx) LockRoot(ctx context.Context) error {
	return x.exec(ctx, "UPDATE vault_root SET created_at = created_at WHERE id = 1")
}

func (x *tx) HasKeys(ctx context.Context) (bool, error) {
	x.everywhere()
	var n int64
	err := x.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM vault_key LIMIT 1) AS any_key", nil, &n)
	return n > 0, err
}

const (
	keyColumns = "SELECT app, tenant, id, root_id, wrapped, is_primary, created_at FROM vault_key "
	keyQuery   = keyColumns + "WHERE app = ? AND tenant = ? AND "
)

func (x *tx) Key(ctx context.Context, app, tenant, id string) (driver.KeyRow, error) {
	return x.key(ctx, app, tenant, keyQuery+"id = ?", id)
}

func (x *tx) PrimaryKey(ctx context.Context, app, tenant string) (driver.KeyRow, error) {
	return x.key(ctx, app, tenant, keyQuery+"is_primary = 1")
}

func (x *tx) key(ctx context.Context, app, tenant, query string, more ...any) (r driver.KeyRow, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, err
	}
	var primary int64
	err = x.row(ctx, query, append([]any{app, tenant}, more...), &r.App, &r.Tenant, &r.ID, &r.RootID, &r.Wrapped, &primary, &r.CreatedAt)
	r.Primary = primary == 1
	return r, err
}

func (x *tx) PutKey(ctx context.Context, r driver.KeyRow) error {
	if err := x.own(r.App, r.Tenant); err != nil {
		return err
	}
	if r.Primary {
		if err := x.exec(ctx, "UPDATE vault_key SET is_primary = 0 WHERE app = ? AND tenant = ? AND is_primary = 1 AND id <> ?",
			r.App, r.Tenant, r.ID); err != nil {
			return err
		}
	}
	return x.write(ctx, change(driver.NounKey, r.App, r.Tenant, r.ID), `INSERT INTO vault_key
		(app, tenant, id, root_id, wrapped, is_primary, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (app, tenant, id) DO UPDATE SET root_id = excluded.root_id, wrapped = excluded.wrapped, is_primary = excluded.is_primary`,
		r.App, r.Tenant, r.ID, r.RootID, blob(r.Wrapped), asBit(r.Primary), r.CreatedAt)
}

// keyRows reads rows that begin with keyColumns.
func (x *tx) keyRows(ctx context.Context, query string, args ...any) (out []driver.KeyRow, err error) {
	err = x.t.Query(ctx, query, args, func(scan func(...any) error) error {
		var r driver.KeyRow
		var primary int64
		err := scan(&r.App, &r.Tenant, &r.ID, &r.RootID, &r.Wrapped, &primary, &r.CreatedAt)
		r.Primary = primary == 1
		out = append(out, r)
		return err
	})
	return out, err
}

func (x *tx) ListKeys(ctx context.Context, app, tenant string) ([]driver.KeyRow, error) {
	if err := x.own(app, tenant); err != nil {
		return nil, err
	}
	return x.keyRows(ctx, keyColumns+"WHERE app = ? AND tenant = ? ORDER BY id", app, tenant)
}

func (x *tx) DeleteKey(ctx context.Context, app, tenant, id string) error {
	return x.write(ctx, change(driver.NounKey, app, tenant, id), "DELETE FROM vault_key WHERE app = ? AND tenant = ? AND id = ?", app, tenant, id)
}

func (x *tx) KeyUses(ctx context.Context, app, tenant, id string) (n int64, err error) {
	if err := x.own(app, tenant); err != nil {
		return 0, err
	}
	err = x.row(ctx, `SELECT (SELECT count(*) FROM vault_secret_version WHERE app = ? AND tenant = ? AND key_id = ?) +
		(SELECT count(*) FROM vault_audit_key WHERE app = ? AND tenant = ? AND key_id = ?)`, []any{app, tenant, id, app, tenant, id}, &n)
	return n, err
}

func (x *tx) ListKeysEverywhere(ctx context.Context, after driver.KeyRow, limit int) ([]driver.KeyRow, error) {
	x.everywhere()
	return x.keyRows(ctx, keyColumns+"WHERE (app, tenant, id) > (?, ?, ?) ORDER BY app, tenant, id LIMIT ?", after.App, after.Tenant, after.ID, limit)
}

func (x *tx) ListKeysEverywhereBut(ctx context.Context, rootID string, limit int) ([]driver.KeyRow, error) {
	x.everywhere()
	return x.keyRows(ctx, keyColumns+"WHERE root_id <> ? AND root_id <> '' ORDER BY app, tenant, id LIMIT ?", rootID, limit)
}

func (x *tx) CountKeysEverywhere(ctx context.Context, rootID string) (all, under int64, err error) {
	x.everywhere()
	err = x.row(ctx, "SELECT count(*) FROM vault_key WHERE root_id <> ''", nil, &all)
	if err == nil {
		err = x.row(ctx, "SELECT count(*) FROM vault_key WHERE root_id = ?", []any{rootID}, &under)
	}
	return all, under, err
}
