package sqlstore

import (
	"context"

	"github.com/haywardhq/hayward/vault/store/driver"
)

const configQuery = `SELECT c.app, c.tenant, c.name, c.id, c.latest, c.current, c.schema, c.created_at, c.updated_at,
	coalesce(v.app, ''), coalesce(v.tenant, ''), coalesce(v.name, ''), coalesce(v.version, 0), coalesce(v.id, ''), coalesce(v.kind, ''),
	coalesce(v.value, ''), coalesce(v.value_type, ''), coalesce(v.description, ''), coalesce(v.metadata, ''),
	coalesce(v.created_at, 0), coalesce(v.created_by, '')
	FROM vault_config c LEFT JOIN vault_config_version v
	ON v.app = c.app AND v.tenant = c.tenant AND v.name = c.name AND v.version = c.current
	WHERE c.app = ? AND c.tenant = ? AND c.name = ?`

func (x *tx) Config(ctx context.Context, app, tenant, name string) (r driver.ConfigRow, v driver.ConfigVersion, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, v, err
	}
	err = x.row(ctx, configQuery, []any{app, tenant, name}, append(configDest(&r), configVersionDest(&v)...)...)
	if err == nil && v.Version != r.Current {
		err = driver.ErrNotFound
	}
	return r, v, err
}

const configCols = "app, tenant, name, id, latest, current, schema, created_at, updated_at"

func configDest(r *driver.ConfigRow) []any {
	return []any{&r.App, &r.Tenant, &r.Name, &r.ID, &r.Latest, &r.Current, &r.Schema, &r.CreatedAt, &r.UpdatedAt}
}

func (x *tx) PutConfig(ctx context.Context, r driver.ConfigRow) error {
	return x.write(ctx, change(driver.NounConfig, r.App, r.Tenant, r.Name), "INSERT INTO vault_config ("+configCols+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (app, tenant, name) DO UPDATE SET id = excluded.id, latest = excluded.latest,
		current = excluded.current, schema = excluded.schema, created_at = excluded.created_at, updated_at = excluded.updated_at`,
		r.App, r.Tenant, r.Name, r.ID, r.Latest, r.Current, r.Schema, r.CreatedAt, r.UpdatedAt)
}

func (x *tx) ListConfigs(ctx context.Context, app, tenant, after string, limit int) ([]driver.ConfigRow, error) {
	return list(ctx, x, app, tenant, configDest, "SELECT "+configCols+` FROM vault_config
		WHERE app = ? AND tenant = ? AND name > ? AND current > 0 ORDER BY name LIMIT ?`, app, tenant, after, limit)
}

func (x *tx) ListConfigsEveryTenant(ctx context.Context, app, name, after string, limit int) ([]driver.ConfigRow, error) {
	return listEveryTenant(ctx, x, app, configDest, "SELECT "+configCols+` FROM vault_config
		WHERE app = ? AND name = ? AND tenant > ? AND tenant <> ? AND current > 0 ORDER BY tenant LIMIT ?`,
		app, name, after, driver.Shared, limit)
}

const configVersionCols = "app, tenant, name, version, id, kind, value, value_type, description, metadata, created_at, created_by"

func configVersionDest(v *driver.ConfigVersion) []any {
	return []any{&v.App, &v.Tenant, &v.Name, &v.Version, &v.ID, &v.Kind, &v.Value, &v.ValueType, &v.Description, &v.Metadata,
		&v.CreatedAt, &v.CreatedBy}
}

func (x *tx) ConfigVersion(ctx context.Context, app, tenant, name string, version int64) (v driver.ConfigVersion, err error) {
	if err := x.own(app, tenant); err != nil {
		return v, err
	}
	err = x.row(ctx, "SELECT "+configVersionCols+" FROM vault_config_version WHERE app = ? AND tenant = ? AND name = ? AND version = ?",
		[]any{app, tenant, name, version}, configVersionDest(&v)...)
	return v, err
}

func (x *tx) AddConfigVersion(ctx context.Context, v driver.ConfigVersion) error {
	if err := x.own(v.App, v.Tenant); err != nil {
		return err
	}
	return x.exec(ctx, "INSERT INTO vault_config_version ("+configVersionCols+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		v.App, v.Tenant, v.Name, v.Version, v.ID, v.Kind, v.Value, v.ValueType, v.Description, v.Metadata, v.CreatedAt, v.CreatedBy)
}

func (x *tx) ListConfigVersions(ctx context.Context, app, tenant, name string, above int64, limit int) ([]driver.ConfigVersion, error) {
	return list(ctx, x, app, tenant, configVersionDest, "SELECT "+configVersionCols+` FROM vault_config_version
		WHERE app = ? AND tenant = ? AND name = ? AND version > ? ORDER BY version LIMIT ?`, app, tenant, name, above, limit)
}

func (x *tx) DeleteConfigVersions(ctx context.Context, app, tenant, name string, upTo int64) error {
	if err := x.own(app, tenant); err != nil {
		return err
	}
	return x.exec(ctx, "DELETE FROM vault_config_version WHERE app = ? AND tenant = ? AND name = ? AND version <= ?",
		app, tenant, name, upTo)
}
