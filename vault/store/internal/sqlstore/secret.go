package sqlstore

import (
	"context"

	"github.com/haywardhq/hayward/vault/store/driver"
)

const secretCols = "app, tenant, name, id, latest, current, mark, created_at, updated_at"

func (x *tx) Secret(ctx context.Context, app, tenant, name string) (r driver.SecretRow, err error) {
	if err := driver.Args(app, tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, "SELECT "+secretCols+" FROM vault_secret WHERE app = ? AND tenant = ? AND name = ?",
		[]any{app, tenant, name}, secretDest(&r)...)
	return r, err
}

const currentQuery = `SELECT s.app, s.tenant, s.name, s.id, s.latest, s.current, s.mark, s.created_at, s.updated_at,
	coalesce(v.app, ''), coalesce(v.tenant, ''), coalesce(v.name, ''), coalesce(v.version, 0), coalesce(v.id, ''), coalesce(v.key_id, ''),
	coalesce(v.algorithm, ''), coalesce(v.ciphertext, x''), coalesce(v.destinations, ''), coalesce(v.metadata, ''),
	coalesce(v.expires_at, 0), coalesce(v.created_at, 0), coalesce(v.created_by, '')
	FROM vault_secret s LEFT JOIN vault_secret_version v
	ON v.app = s.app AND v.tenant = s.tenant AND v.name = s.name AND v.version = s.current
	WHERE s.app = ? AND s.tenant = ? AND s.name = ?`

func (x *tx) CurrentSecret(ctx context.Context, app, tenant, name string) (r driver.SecretRow, v driver.SecretVersion, err error) {
	if err := driver.Args(app, tenant); err != nil {
		return r, v, err
	}
	err = x.row(ctx, currentQuery, []any{app, tenant, name}, append(secretDest(&r), versionDest(&v)...)...)
	return r, v, err
}

func secretDest(r *driver.SecretRow) []any {
	return []any{&r.App, &r.Tenant, &r.Name, &r.ID, &r.Latest, &r.Current, &r.Mark, &r.CreatedAt, &r.UpdatedAt}
}

func (x *tx) PutSecret(ctx context.Context, r driver.SecretRow) error {
	if err := driver.Args(r.App, r.Tenant); err != nil {
		return err
	}
	return x.exec(ctx, "INSERT INTO vault_secret ("+secretCols+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (app, tenant, name) DO UPDATE SET id = excluded.id, latest = excluded.latest, current = excluded.current,
		mark = excluded.mark, created_at = excluded.created_at, updated_at = excluded.updated_at`,
		r.App, r.Tenant, r.Name, r.ID, r.Latest, r.Current, blob(r.Mark), r.CreatedAt, r.UpdatedAt)
}

func (x *tx) ListSecrets(ctx context.Context, app, tenant, after string, limit int) (out []driver.SecretRow, err error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	err = x.t.Query(ctx, "SELECT "+secretCols+` FROM vault_secret WHERE app = ? AND tenant = ? AND name > ? AND current > 0
		ORDER BY name LIMIT ?`, []any{app, tenant, after, limit}, func(scan func(...any) error) error {
		var r driver.SecretRow
		if err := scan(secretDest(&r)...); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

const versionCols = "app, tenant, name, version, id, key_id, algorithm, ciphertext, destinations, metadata, " +
	"expires_at, created_at, created_by"

func versionDest(v *driver.SecretVersion) []any {
	return []any{&v.App, &v.Tenant, &v.Name, &v.Version, &v.ID, &v.KeyID, &v.Algorithm, &v.Ciphertext, &v.Destinations,
		&v.Metadata, &v.ExpiresAt, &v.CreatedAt, &v.CreatedBy}
}

func (x *tx) SecretVersion(ctx context.Context, app, tenant, name string, version int64) (v driver.SecretVersion, err error) {
	if err := driver.Args(app, tenant); err != nil {
		return v, err
	}
	err = x.row(ctx, "SELECT "+versionCols+" FROM vault_secret_version WHERE app = ? AND tenant = ? AND name = ? AND version = ?",
		[]any{app, tenant, name, version}, versionDest(&v)...)
	return v, err
}

func (x *tx) AddSecretVersion(ctx context.Context, v driver.SecretVersion) error {
	if err := driver.Args(v.App, v.Tenant); err != nil {
		return err
	}
	return x.exec(ctx, "INSERT INTO vault_secret_version ("+versionCols+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		v.App, v.Tenant, v.Name, v.Version, v.ID, v.KeyID, v.Algorithm, blob(v.Ciphertext), v.Destinations, v.Metadata,
		v.ExpiresAt, v.CreatedAt, v.CreatedBy)
}

func (x *tx) ListSecretVersions(ctx context.Context, app, tenant, name string, above int64, limit int) (out []driver.SecretVersion, err error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	err = x.t.Query(ctx, "SELECT "+versionCols+` FROM vault_secret_version WHERE app = ? AND tenant = ? AND name = ?
		AND version > ? ORDER BY version LIMIT ?`, []any{app, tenant, name, above, limit}, func(scan func(...any) error) error {
		var v driver.SecretVersion
		if err := scan(versionDest(&v)...); err != nil {
			return err
		}
		out = append(out, v)
		return nil
	})
	return out, err
}

func (x *tx) DeleteSecretVersions(ctx context.Context, app, tenant, name string) error {
	if err := driver.Args(app, tenant); err != nil {
		return err
	}
	return x.exec(ctx, "DELETE FROM vault_secret_version WHERE app = ? AND tenant = ? AND name = ?", app, tenant, name)
}
