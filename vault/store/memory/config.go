package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func (x *tx) Config(ctx context.Context, app, tenant, name string) (r driver.ConfigRow, v driver.ConfigVersion, err error) {
	if r, err = get(app, tenant, x.s.data.configs, name); err != nil || r.Current == 0 {
		return r, v, err
	}
	v, err = x.ConfigVersion(ctx, app, tenant, name, r.Current)
	return r, v, err
}

func (x *tx) PutConfig(_ context.Context, r driver.ConfigRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	set(x, x.s.data.configs, named{r.App, r.Tenant, r.Name}, r)
	x.changed(driver.NounConfig, r.App, r.Tenant, r.Name)
	return nil
}

func (x *tx) ListConfigs(_ context.Context, app, tenant, after string, limit int) ([]driver.ConfigRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	return list(x.s.data.configs, limit, func(k named) string { return k.name }, func(k named, r driver.ConfigRow) bool {
		return k.app == app && k.tenant == tenant && k.name > after && r.Current > 0
	}), nil
}

func (x *tx) ListConfigsEveryTenant(_ context.Context, app, name, after string, limit int) ([]driver.ConfigRow, error) {
	if err := driver.Args(app, driver.Shared); err != nil {
		return nil, err
	}
	return list(x.s.data.configs, limit, func(k named) string { return k.tenant }, func(k named, r driver.ConfigRow) bool {
		return k.app == app && k.name == name && k.tenant > after && k.tenant != driver.Shared && r.Current > 0
	}), nil
}

func (x *tx) ConfigVersion(_ context.Context, app, tenant, name string, version int64) (driver.ConfigVersion, error) {
	if err := driver.Args(app, tenant); err != nil {
		return driver.ConfigVersion{}, err
	}
	have := x.s.data.configVersions[named{app, tenant, name}]
	at, found := slices.BinarySearchFunc(have, version, byNumber)
	if !found {
		return driver.ConfigVersion{}, driver.ErrNotFound
	}
	return have[at], nil
}

func byNumber(v driver.ConfigVersion, n int64) int { return cmp.Compare(v.Version, n) }

func (x *tx) AddConfigVersion(_ context.Context, v driver.ConfigVersion) error {
	if err := x.writing(v.App, v.Tenant); err != nil {
		return err
	}
	k := named{v.App, v.Tenant, v.Name}
	have := x.s.data.configVersions[k]
	at, found := slices.BinarySearchFunc(have, v.Version, byNumber)
	if found {
		return fault.New(fault.Conflict, "it exists already or refers to something that does not")
	}
	// A fresh slice: the old one is what undo puts back.
	set(x, x.s.data.configVersions, k, slices.Insert(slices.Clone(have), at, v))
	return nil
}

func (x *tx) ListConfigVersions(_ context.Context, app, tenant, name string, above int64, limit int) ([]driver.ConfigVersion, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	have := x.s.data.configVersions[named{app, tenant, name}]
	at, _ := slices.BinarySearchFunc(have, above+1, byNumber)
	return slices.Clone(have[at:min(at+limit, len(have))]), nil
}

func (x *tx) DeleteConfigVersions(_ context.Context, app, tenant, name string, upTo int64) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	k := named{app, tenant, name}
	have := x.s.data.configVersions[k]
	at, _ := slices.BinarySearchFunc(have, upTo+1, byNumber)
	set(x, x.s.data.configVersions, k, slices.Clone(have[at:]))
	return nil
}
