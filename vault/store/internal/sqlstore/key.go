package sqlstore

import (
	"context"

	"github.com/haywardhq/hayward/vault/store/driver"
)

func (x *tx) Root(ctx context.Context) (r driver.RootRow, err error) {
	err = x.row(ctx, "SELECT root_id, check_blob, created_at FROM vault_root WHERE id = 1", nil, &r.RootID, &r.Check, &r.CreatedAt)
	return r, err
}

func (x *tx) PutRoot(ctx context.Context, r driver.RootRow) error {
	return x.exec(ctx, `INSERT INTO vault_root (id, root_id, check_blob, created_at) VALUES (1, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET root_id = excluded.root_id, check_blob = excluded.check_blob, created_at = excluded.created_at`,
		r.RootID, blob(r.Check), r.CreatedAt)
}

func (x *tx) HasKeys(ctx context.Context) (bool, error) {
	var n int64
	err := x.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM vault_key LIMIT 1)", nil, &n)
	return n > 0, err
}

const keyQuery = "SELECT app, tenant, id, root_id, wrapped, is_primary, created_at FROM vault_key WHERE app = ? AND tenant = ? AND "

func (x *tx) Key(ctx context.Context, app, tenant, id string) (driver.KeyRow, error) {
	return x.key(ctx, app, tenant, keyQuery+"id = ?", id)
}

func (x *tx) PrimaryKey(ctx context.Context, app, tenant string) (driver.KeyRow, error) {
	return x.key(ctx, app, tenant, keyQuery+"is_primary = 1")
}

func (x *tx) key(ctx context.Context, app, tenant, query string, more ...any) (r driver.KeyRow, err error) {
	if err := driver.Args(app, tenant); err != nil {
		return r, err
	}
	var primary int64
	err = x.row(ctx, query, append([]any{app, tenant}, more...), &r.App, &r.Tenant, &r.ID, &r.RootID, &r.Wrapped, &primary, &r.CreatedAt)
	r.Primary = primary == 1
	return r, err
}

func (x *tx) PutKey(ctx context.Context, r driver.KeyRow) error {
	if err := driver.Args(r.App, r.Tenant); err != nil {
		return err
	}
	primary := int64(0)
	if r.Primary {
		primary = 1
		if err := x.exec(ctx, "UPDATE vault_key SET is_primary = 0 WHERE app = ? AND tenant = ? AND is_primary = 1", r.App, r.Tenant); err != nil {
			return err
		}
	}
	return x.exec(ctx, `INSERT INTO vault_key (app, tenant, id, root_id, wrapped, is_primary, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (app, tenant, id) DO UPDATE SET root_id = excluded.root_id, wrapped = excluded.wrapped, is_primary = excluded.is_primary`,
		r.App, r.Tenant, r.ID, r.RootID, blob(r.Wrapped), primary, r.CreatedAt)
}
