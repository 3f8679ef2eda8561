package sqlstore

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/vault/store/driver"
)

const secretCols = "app, tenant, name, id, latest, current, pending, max_versions, versions, revision, due_at, mark, mark_key, " +
	"created_at, updated_at"

func secretDest(r *driver.SecretRow) []any {
	return []any{&r.App, &r.Tenant, &r.Name, &r.ID, &r.Latest, &r.Current, &r.Pending, &r.MaxVersions, &r.Versions, &r.Revision, &r.DueAt,
		&r.Mark, &r.MarkKey, &r.CreatedAt, &r.UpdatedAt}
}

func (x *tx) Secret(ctx context.Context, app, tenant, name string) (r driver.SecretRow, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, "SELECT "+secretCols+" FROM vault_secret WHERE app = ? AND tenant = ? AND name = ?",
		[]any{app, tenant, name}, secretDest(&r)...)
	return r, err
}

// A ciphertext that is not there scans as nil.
const currentQuery = `SELECT s.app, s.tenant, s.name, s.id, s.latest, s.current, s.pending, s.max_versions, s.versions, s.revision, s.due_at,
	s.mark, s.mark_key, s.created_at, s.updated_at,
	coalesce(v.app, ''), coalesce(v.tenant, ''), coalesce(v.name, ''), coalesce(v.version, 0), coalesce(v.id, ''), coalesce(v.key_id, ''),
	coalesce(v.algorithm, ''), v.ciphertext, coalesce(v.destinations, ''), coalesce(v.metadata, ''),
	coalesce(v.expires_at, 0), coalesce(v.lifetime, 0), coalesce(v.created_at, 0), coalesce(v.created_by, '')
	FROM vault_secret s LEFT JOIN vault_secret_version v
	ON v.app = s.app AND v.tenant = s.tenant AND v.name = s.name AND v.version = s.current
	WHERE s.app = ? AND s.tenant = ? AND s.name = ?`

func (x *tx) CurrentSecret(ctx context.Context, app, tenant, name string) (r driver.SecretRow, v driver.SecretVersion, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, v, err
	}
	err = x.row(ctx, currentQuery, []any{app, tenant, name}, append(secretDest(&r), versionDest(&v)...)...)
	return r, v, err
}

func (x *tx) PutSecret(ctx context.Context, r driver.SecretRow) error {
	return x.write(ctx, change(driver.NounSecret, r.App, r.Tenant, r.Name), "INSERT INTO vault_secret ("+secretCols+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (app, tenant, name) DO UPDATE SET id = excluded.id, latest = excluded.latest, current = excluded.current,
		pending = excluded.pending, max_versions = excluded.max_versions, versions = excluded.versions, revision = excluded.revision,
		due_at = excluded.due_at, mark = excluded.mark, mark_key = excluded.mark_key,
		created_at = excluded.created_at, updated_at = excluded.updated_at`,
		r.App, r.Tenant, r.Name, r.ID, r.Latest, r.Current, r.Pending, r.MaxVersions, r.Versions, r.Revision, r.DueAt,
		blob(r.Mark), r.MarkKey, r.CreatedAt, r.UpdatedAt)
}

func (x *tx) ListSecrets(ctx context.Context, app, tenant, after string, limit int) ([]driver.SecretRow, error) {
	return list(ctx, x, app, tenant, secretDest, "SELECT "+secretCols+` FROM vault_secret
		WHERE app = ? AND tenant = ? AND name > ? AND current > 0 ORDER BY name LIMIT ?`, app, tenant, after, limit)
}

func (x *tx) ListDeletedSecrets(ctx context.Context, app, tenant, after string, limit int) ([]driver.SecretRow, error) {
	return list(ctx, x, app, tenant, secretDest, "SELECT "+secretCols+` FROM vault_secret
		WHERE app = ? AND tenant = ? AND name > ? AND current = 0 ORDER BY name LIMIT ?`, app, tenant, after, limit)
}

func (x *tx) ListDueSecrets(ctx context.Context, app, tenant string, until int64, limit int) ([]driver.SecretRow, error) {
	return list(ctx, x, app, tenant, secretDest, "SELECT "+secretCols+` FROM vault_secret
		WHERE app = ? AND tenant = ? AND due_at > 0 AND due_at <= ? ORDER BY name LIMIT ?`, app, tenant, until, limit)
}

const versionCols = "app, tenant, name, version, id, key_id, algorithm, ciphertext, destinations, metadata, " +
	"expires_at, lifetime, created_at, created_by"

func versionDest(v *driver.SecretVersion) []any {
	return []any{&v.App, &v.Tenant, &v.Name, &v.Version, &v.ID, &v.KeyID, &v.Algorithm, &v.Ciphertext, &v.Destinations,
		&v.Metadata, &v.ExpiresAt, &v.Lifetime, &v.CreatedAt, &v.CreatedBy}
}

func (x *tx) SecretVersion(ctx context.Context, app, tenant, name string, version int64) (v driver.SecretVersion, err error) {
	if err := x.own(app, tenant); err != nil {
		return v, err
	}
	err = x.row(ctx, "SELECT "+versionCols+" FROM vault_secret_version WHERE app = ? AND tenant = ? AND name = ? AND version = ?",
		[]any{app, tenant, name, version}, versionDest(&v)...)
	return v, err
}

func (x *tx) AddSecretVersion(ctx context.Context, v driver.SecretVersion) error {
	if err := x.own(v.App, v.Tenant); err != nil {
		return err
	}
	return x.exec(ctx, "INSERT INTO vault_secret_version ("+versionCols+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		v.App, v.Tenant, v.Name, v.Version, v.ID, v.KeyID, v.Algorithm, blob(v.Ciphertext), v.Destinations, v.Metadata,
		v.ExpiresAt, v.Lifetime, v.CreatedAt, v.CreatedBy)
}

func (x *tx) ReplaceSecretVersion(ctx context.Context, v driver.SecretVersion) error {
	if err := x.own(v.App, v.Tenant); err != nil {
		return err
	}
	return x.exec(ctx, `UPDATE vault_secret_version SET key_id = ?, algorithm = ?, ciphertext = ?
		WHERE app = ? AND tenant = ? AND name = ? AND version = ?`,
		v.KeyID, v.Algorithm, blob(v.Ciphertext), v.App, v.Tenant, v.Name, v.Version)
}

func (x *tx) ListSecretVersions(ctx context.Context, app, tenant, name string, above int64, limit int) ([]driver.SecretVersion, error) {
	return list(ctx, x, app, tenant, versionDest, "SELECT "+versionCols+` FROM vault_secret_version
		WHERE app = ? AND tenant = ? AND name = ? AND version > ? ORDER BY version LIMIT ?`, app, tenant, name, above, limit)
}

// DestroySecretVersion writes zeros first: an engine that keeps the page until it is needed again keeps those.
func (x *tx) DestroySecretVersion(ctx context.Context, app, tenant, name string, version int64) error {
	v, err := x.SecretVersion(ctx, app, tenant, name, version)
	if errors.Is(err, driver.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	v.Ciphertext = make([]byte, len(v.Ciphertext))
	if err := x.ReplaceSecretVersion(ctx, v); err != nil {
		return err
	}
	return x.exec(ctx, "DELETE FROM vault_secret_version WHERE app = ? AND tenant = ? AND name = ? AND version = ?",
		app, tenant, name, version)
}

func (x *tx) DeleteSecretVersions(ctx context.Context, app, tenant, name string) error {
	if err := x.own(app, tenant); err != nil {
		return err
	}
	return x.exec(ctx, "DELETE FROM vault_secret_version WHERE app = ? AND tenant = ? AND name = ?", app, tenant, name)
}

const staleWhere = ` FROM vault_secret WHERE app = ? AND tenant = ? AND (mark_key <> ? OR EXISTS (
	SELECT 1 FROM vault_secret_version v WHERE v.app = vault_secret.app AND v.tenant = vault_secret.tenant
	AND v.name = vault_secret.name AND v.key_id <> ?))`

func (x *tx) StaleSecrets(ctx context.Context, app, tenant, keyID, after string, limit int) ([]driver.SecretRow, error) {
	return list(ctx, x, app, tenant, secretDest, "SELECT "+secretCols+staleWhere+" AND name > ? ORDER BY name LIMIT ?",
		app, tenant, keyID, keyID, after, limit)
}

func (x *tx) CountStaleSecrets(ctx context.Context, app, tenant, keyID string) (n int64, err error) {
	if err := x.own(app, tenant); err != nil {
		return 0, err
	}
	err = x.row(ctx, "SELECT count(*)"+staleWhere, []any{app, tenant, keyID, keyID}, &n)
	return n, err
}

const ledgerCols = "app, tenant, part, revision, entries, mark, mark_key"

func ledgerDest(r *driver.LedgerRow) []any {
	return []any{&r.App, &r.Tenant, &r.Part, &r.Revision, &r.Entries, &r.Mark, &r.MarkKey}
}

func (x *tx) Ledger(ctx context.Context, app, tenant string, part int64) (r driver.LedgerRow, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, "SELECT "+ledgerCols+" FROM vault_secret_ledger WHERE app = ? AND tenant = ? AND part = ?",
		[]any{app, tenant, part}, ledgerDest(&r)...)
	return r, err
}

func (x *tx) ListLedger(ctx context.Context, app, tenant string) ([]driver.LedgerRow, error) {
	return list(ctx, x, app, tenant, ledgerDest, "SELECT "+ledgerCols+` FROM vault_secret_ledger
		WHERE app = ? AND tenant = ? ORDER BY part`, app, tenant)
}

func (x *tx) PutLedger(ctx context.Context, r driver.LedgerRow) error {
	if err := x.own(r.App, r.Tenant); err != nil {
		return err
	}
	return x.exec(ctx, "INSERT INTO vault_secret_ledger ("+ledgerCols+`) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (app, tenant, part) DO UPDATE SET revision = excluded.revision, entries = excluded.entries, mark = excluded.mark,
		mark_key = excluded.mark_key`,
		r.App, r.Tenant, r.Part, r.Revision, blob(r.Entries), blob(r.Mark), r.MarkKey)
}

// LockSecrets writes the root as it is, or an empty one: a second writer then waits for the first, in a database that has
// several.
func (x *tx) LockSecrets(ctx context.Context, app, tenant string) error {
	if err := x.own(app, tenant); err != nil {
		return err
	}
	return x.exec(ctx, "INSERT INTO vault_secret_ledger ("+ledgerCols+`) VALUES (?, ?, ?, 0, ?, ?, '')
		ON CONFLICT (app, tenant, part) DO UPDATE SET part = excluded.part`, app, tenant, driver.LedgerRoot, []byte{}, []byte{})
}
