package sqlstore

import (
	"context"

	"github.com/haywardhq/hayward/vault/store/driver"
)

const flagVersionCols = "app, tenant, kind, name, version, id, action, body, created_at, created_by"

func flagVersionDest(v *driver.FlagVersion) []any {
	return []any{&v.App, &v.Tenant, &v.Kind, &v.Name, &v.Version, &v.ID, &v.Action, &v.Body, &v.CreatedAt, &v.CreatedBy}
}

func (x *tx) AddFlagVersion(ctx context.Context, v driver.FlagVersion) error {
	if err := x.own(v.App, v.Tenant); err != nil {
		return err
	}
	return x.exec(ctx, "INSERT INTO vault_flag_version ("+flagVersionCols+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		v.App, v.Tenant, v.Kind, v.Name, v.Version, v.ID, v.Action, v.Body, v.CreatedAt, v.CreatedBy)
}

const ofFlag = " FROM vault_flag_version WHERE app = ? AND tenant = ? AND kind = ? AND name = ? "

func (x *tx) FlagVersion(ctx context.Context, app, tenant, kind, name string, version int64) (v driver.FlagVersion, err error) {
	if err := x.own(app, tenant); err != nil {
		return v, err
	}
	err = x.row(ctx, "SELECT "+flagVersionCols+ofFlag+"AND version = ?", []any{app, tenant, kind, name, version}, flagVersionDest(&v)...)
	return v, err
}

func (x *tx) LatestFlagVersion(ctx context.Context, app, tenant, kind, name string) (v driver.FlagVersion, err error) {
	if err := x.own(app, tenant); err != nil {
		return v, err
	}
	err = x.row(ctx, "SELECT "+flagVersionCols+ofFlag+"ORDER BY version DESC LIMIT 1", []any{app, tenant, kind, name}, flagVersionDest(&v)...)
	return v, err
}

func (x *tx) ListFlagVersions(ctx context.Context, app, tenant, kind, name string, above int64, limit int) ([]driver.FlagVersion, error) {
	return list(ctx, x, app, tenant, flagVersionDest, "SELECT "+flagVersionCols+ofFlag+"AND version > ? ORDER BY version LIMIT ?",
		app, tenant, kind, name, above, limit)
}

func (x *tx) DeleteFlagVersions(ctx context.Context, app, tenant, kind, name string, upTo int64) error {
	if err := x.own(app, tenant); err != nil {
		return err
	}
	return x.exec(ctx, "DELETE"+ofFlag+"AND version <= ?", app, tenant, kind, name, upTo)
}
