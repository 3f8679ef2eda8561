package sqlstore

import (
	"context"

	"github.com/haywardhq/hayward/vault/store/driver"
)

const flagCols = "app, tenant, name, id, version, definition, rules, created_at, updated_at"

func flagDest(r *driver.FlagRow) []any {
	return []any{&r.App, &r.Tenant, &r.Name, &r.ID, &r.Version, &r.Definition, &r.Rules, &r.CreatedAt, &r.UpdatedAt}
}

func (x *tx) Flag(ctx context.Context, app, tenant, name string) (r driver.FlagRow, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, "SELECT "+flagCols+" FROM vault_flag WHERE app = ? AND tenant = ? AND name = ?",
		[]any{app, tenant, name}, flagDest(&r)...)
	return r, err
}

func (x *tx) PutFlag(ctx context.Context, r driver.FlagRow) error {
	return x.write(ctx, change(driver.NounFlag, r.App, r.Tenant, r.Name), "INSERT INTO vault_flag ("+flagCols+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (app, tenant, name) DO UPDATE SET id = excluded.id, version = excluded.version,
		definition = excluded.definition, rules = excluded.rules, created_at = excluded.created_at, updated_at = excluded.updated_at`,
		r.App, r.Tenant, r.Name, r.ID, r.Version, r.Definition, r.Rules, r.CreatedAt, r.UpdatedAt)
}

func (x *tx) DeleteFlag(ctx context.Context, app, tenant, name string) error {
	return x.write(ctx, change(driver.NounFlag, app, tenant, name),
		"DELETE FROM vault_flag WHERE app = ? AND tenant = ? AND name = ?", app, tenant, name)
}

func (x *tx) ListFlags(ctx context.Context, app, tenant, after string, limit int) ([]driver.FlagRow, error) {
	return list(ctx, x, app, tenant, flagDest, "SELECT "+flagCols+` FROM vault_flag
		WHERE app = ? AND tenant = ? AND name > ? ORDER BY name LIMIT ?`, app, tenant, after, limit)
}

const overrideCols = "app, tenant, name, id, version, kind, value, created_at, updated_at"

func overrideDest(r *driver.FlagOverrideRow) []any {
	return []any{&r.App, &r.Tenant, &r.Name, &r.ID, &r.Version, &r.Kind, &r.Value, &r.CreatedAt, &r.UpdatedAt}
}

func (x *tx) FlagOverride(ctx context.Context, app, tenant, name string) (r driver.FlagOverrideRow, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, "SELECT "+overrideCols+" FROM vault_flag_override WHERE app = ? AND tenant = ? AND name = ?",
		[]any{app, tenant, name}, overrideDest(&r)...)
	return r, err
}

func (x *tx) PutFlagOverride(ctx context.Context, r driver.FlagOverrideRow) error {
	return x.write(ctx, change(driver.NounFlag, r.App, r.Tenant, r.Name), "INSERT INTO vault_flag_override ("+overrideCols+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (app, tenant, name) DO UPDATE SET id = excluded.id,
		version = excluded.version, kind = excluded.kind, value = excluded.value, created_at = excluded.created_at, updated_at = excluded.updated_at`,
		r.App, r.Tenant, r.Name, r.ID, r.Version, r.Kind, r.Value, r.CreatedAt, r.UpdatedAt)
}

func (x *tx) DeleteFlagOverride(ctx context.Context, app, tenant, name string) error {
	return x.write(ctx, change(driver.NounFlag, app, tenant, name),
		"DELETE FROM vault_flag_override WHERE app = ? AND tenant = ? AND name = ?", app, tenant, name)
}

func (x *tx) ListFlagOverridesEveryTenant(ctx context.Context, app, name, after string, limit int) ([]driver.FlagOverrideRow, error) {
	return listEveryTenant(ctx, x, app, overrideDest, "SELECT "+overrideCols+` FROM vault_flag_override
		WHERE app = ? AND name = ? AND tenant > ? ORDER BY tenant LIMIT ?`, app, name, after, limit)
}

func (x *tx) DeleteFlagOverridesEveryTenant(ctx context.Context, app, name string) error {
	return x.writeEveryTenant(ctx, change(driver.NounFlag, app, driver.Shared, name),
		"DELETE FROM vault_flag_override WHERE app = ? AND name = ?", app, name)
}

const segmentCols = "app, tenant, name, id, version, definition, created_at, updated_at"

func segmentDest(r *driver.FlagSegmentRow) []any {
	return []any{&r.App, &r.Tenant, &r.Name, &r.ID, &r.Version, &r.Definition, &r.CreatedAt, &r.UpdatedAt}
}

func (x *tx) FlagSegment(ctx context.Context, app, tenant, name string) (r driver.FlagSegmentRow, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, "SELECT "+segmentCols+" FROM vault_flag_segment WHERE app = ? AND tenant = ? AND name = ?",
		[]any{app, tenant, name}, segmentDest(&r)...)
	return r, err
}

func (x *tx) PutFlagSegment(ctx context.Context, r driver.FlagSegmentRow) error {
	return x.write(ctx, change(driver.NounFlagSegment, r.App, r.Tenant, r.Name), "INSERT INTO vault_flag_segment ("+segmentCols+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (app, tenant, name) DO UPDATE SET id = excluded.id, version = excluded.version,
		definition = excluded.definition, created_at = excluded.created_at, updated_at = excluded.updated_at`,
		r.App, r.Tenant, r.Name, r.ID, r.Version, r.Definition, r.CreatedAt, r.UpdatedAt)
}

func (x *tx) DeleteFlagSegment(ctx context.Context, app, tenant, name string) error {
	return x.write(ctx, change(driver.NounFlagSegment, app, tenant, name),
		"DELETE FROM vault_flag_segment WHERE app = ? AND tenant = ? AND name = ?", app, tenant, name)
}

func (x *tx) ListFlagSegments(ctx context.Context, app, tenant, after string, limit int) ([]driver.FlagSegmentRow, error) {
	return list(ctx, x, app, tenant, segmentDest, "SELECT "+segmentCols+` FROM vault_flag_segment
		WHERE app = ? AND tenant = ? AND name > ? ORDER BY name LIMIT ?`, app, tenant, after, limit)
}
