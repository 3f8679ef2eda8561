package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/haywardhq/hayward/vault/store/driver"
)

func (x *tx) Flag(_ context.Context, app, tenant, name string) (driver.FlagRow, error) {
	return get(app, tenant, x.s.data.flags, name)
}

// get reads one row of a map, after the check of its owner.
func get[V any](app, tenant string, m map[named]V, name string) (v V, err error) {
	if err := driver.Args(app, tenant); err != nil {
		return v, err
	}
	v, ok := m[named{app, tenant, name}]
	if !ok {
		return v, driver.ErrNotFound
	}
	return v, nil
}

func (x *tx) PutFlag(_ context.Context, r driver.FlagRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	set(x, x.s.data.flags, named{r.App, r.Tenant, r.Name}, r)
	x.changed(driver.NounFlag, r.App, r.Tenant, r.Name)
	return nil
}

func (x *tx) DeleteFlag(_ context.Context, app, tenant, name string) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	remove(x, x.s.data.flags, named{app, tenant, name})
	x.changed(driver.NounFlag, app, tenant, name)
	return nil
}

func (x *tx) ListFlags(_ context.Context, app, tenant, after string, limit int) ([]driver.FlagRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	return list(x.s.data.flags, limit, func(k named) string { return k.name }, func(k named, _ driver.FlagRow) bool {
		return k.app == app && k.tenant == tenant && k.name > after
	}), nil
}

// list returns the rows that are wanted in the order of one part of their key.
func list[V any](m map[named]V, limit int, by func(named) string, want func(named, V) bool) []V {
	var keys []named
	for k, v := range m {
		if want(k, v) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b named) int { return cmp.Compare(by(a), by(b)) })
	keys = keys[:min(limit, len(keys))]
	out := make([]V, len(keys))
	for i, k := range keys {
		out[i] = m[k]
	}
	return out
}

func (x *tx) FlagOverride(_ context.Context, app, tenant, name string) (driver.FlagOverrideRow, error) {
	return get(app, tenant, x.s.data.flagOverrides, name)
}

func (x *tx) PutFlagOverride(_ context.Context, r driver.FlagOverrideRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	set(x, x.s.data.flagOverrides, named{r.App, r.Tenant, r.Name}, r)
	x.changed(driver.NounFlag, r.App, r.Tenant, r.Name)
	return nil
}

func (x *tx) DeleteFlagOverride(_ context.Context, app, tenant, name string) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	remove(x, x.s.data.flagOverrides, named{app, tenant, name})
	x.changed(driver.NounFlag, app, tenant, name)
	return nil
}

func (x *tx) ListFlagOverridesEveryTenant(_ context.Context, app, name, after string, limit int) ([]driver.FlagOverrideRow, error) {
	if err := driver.Args(app, driver.Shared); err != nil {
		return nil, err
	}
	return list(x.s.data.flagOverrides, limit, func(k named) string { return k.tenant }, func(k named, _ driver.FlagOverrideRow) bool {
		return k.app == app && k.name == name && k.tenant > after
	}), nil
}

func (x *tx) DeleteFlagOverridesEveryTenant(_ context.Context, app, name string) error {
	if err := x.writing(app, driver.Shared); err != nil {
		return err
	}
	for k := range x.s.data.flagOverrides {
		if k.app == app && k.name == name {
			remove(x, x.s.data.flagOverrides, k)
		}
	}
	x.changed(driver.NounFlag, app, driver.Shared, name)
	return nil
}

func (x *tx) FlagSegment(_ context.Context, app, tenant, name string) (driver.FlagSegmentRow, error) {
	return get(app, tenant, x.s.data.flagSegments, name)
}

func (x *tx) PutFlagSegment(_ context.Context, r driver.FlagSegmentRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	set(x, x.s.data.flagSegments, named{r.App, r.Tenant, r.Name}, r)
	x.changed(driver.NounFlagSegment, r.App, r.Tenant, r.Name)
	return nil
}

func (x *tx) DeleteFlagSegment(_ context.Context, app, tenant, name string) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	remove(x, x.s.data.flagSegments, named{app, tenant, name})
	x.changed(driver.NounFlagSegment, app, tenant, name)
	return nil
}

func (x *tx) ListFlagSegments(_ context.Context, app, tenant, after string, limit int) ([]driver.FlagSegmentRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	return list(x.s.data.flagSegments, limit, func(k named) string { return k.name }, func(k named, _ driver.FlagSegmentRow) bool {
		return k.app == app && k.tenant == tenant && k.name > after
	}), nil
}
