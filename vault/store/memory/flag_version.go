package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// flagThing is what has versions: a flag, a segment, a tenant's own value.
type flagThing struct{ app, tenant, kind, name string }

func byFlagVersion(v driver.FlagVersion, n int64) int { return cmp.Compare(v.Version, n) }

func (x *tx) AddFlagVersion(_ context.Context, v driver.FlagVersion) error {
	if err := x.writing(v.App, v.Tenant); err != nil {
		return err
	}
	k := flagThing{v.App, v.Tenant, v.Kind, v.Name}
	have := x.s.data.flagVersions[k]
	at, found := slices.BinarySearchFunc(have, v.Version, byFlagVersion)
	if found {
		return fault.New(fault.Conflict, "it exists already or refers to something that does not")
	}
	// A fresh slice: the old one is what undo puts back.
	set(x, x.s.data.flagVersions, k, slices.Insert(slices.Clone(have), at, v))
	return nil
}

func (x *tx) flagVersions(app, tenant, kind, name string) ([]driver.FlagVersion, error) {
	return x.s.data.flagVersions[flagThing{app, tenant, kind, name}], driver.Args(app, tenant)
}

func (x *tx) FlagVersion(_ context.Context, app, tenant, kind, name string, version int64) (driver.FlagVersion, error) {
	have, err := x.flagVersions(app, tenant, kind, name)
	if err != nil {
		return driver.FlagVersion{}, err
	}
	at, found := slices.BinarySearchFunc(have, version, byFlagVersion)
	if !found {
		return driver.FlagVersion{}, driver.ErrNotFound
	}
	return have[at], nil
}

func (x *tx) LatestFlagVersion(_ context.Context, app, tenant, kind, name string) (driver.FlagVersion, error) {
	have, err := x.flagVersions(app, tenant, kind, name)
	switch {
	case err != nil:
		return driver.FlagVersion{}, err
	case len(have) == 0:
		return driver.FlagVersion{}, driver.ErrNotFound
	}
	return have[len(have)-1], nil
}

func (x *tx) ListFlagVersions(_ context.Context, app, tenant, kind, name string, above int64, limit int) ([]driver.FlagVersion, error) {
	have, err := x.flagVersions(app, tenant, kind, name)
	if err != nil {
		return nil, err
	}
	at, _ := slices.BinarySearchFunc(have, above+1, byFlagVersion)
	return slices.Clone(have[at:min(at+limit, len(have))]), nil
}

func (x *tx) DeleteFlagVersions(_ context.Context, app, tenant, kind, name string, upTo int64) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	k := flagThing{app, tenant, kind, name}
	have := x.s.data.flagVersions[k]
	at, _ := slices.BinarySearchFunc(have, upTo+1, byFlagVersion)
	set(x, x.s.data.flagVersions, k, slices.Clone(have[at:]))
	return nil
}
