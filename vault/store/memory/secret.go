package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func (x *tx) Secret(_ context.Context, app, tenant, name string) (driver.SecretRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return driver.SecretRow{}, err
	}
	r, ok := x.s.data.secrets[named{app, tenant, name}]
	if !ok {
		return driver.SecretRow{}, driver.ErrNotFound
	}
	return copyHead(r), nil
}

func (x *tx) CurrentSecret(ctx context.Context, app, tenant, name string) (driver.SecretRow, driver.SecretVersion, error) {
	r, err := x.Secret(ctx, app, tenant, name)
	if err != nil {
		return r, driver.SecretVersion{}, err
	}
	v, err := x.SecretVersion(ctx, app, tenant, name, r.Current)
	if errors.Is(err, driver.ErrNotFound) {
		err = nil
	}
	return r, v, err
}

func copyHead(r driver.SecretRow) driver.SecretRow {
	r.Mark = bytes.Clone(r.Mark)
	return r
}

func (x *tx) PutSecret(_ context.Context, r driver.SecretRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	set(x, x.s.data.secrets, named{r.App, r.Tenant, r.Name}, copyHead(r))
	return nil
}

func (x *tx) ListSecrets(_ context.Context, app, tenant, after string, limit int) ([]driver.SecretRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	var out []driver.SecretRow
	for k, r := range x.s.data.secrets {
		if k.app == app && k.tenant == tenant && k.name > after && r.Current > 0 {
			out = append(out, copyHead(r))
		}
	}
	slices.SortFunc(out, func(a, b driver.SecretRow) int { return cmp.Compare(a.Name, b.Name) })
	return out[:min(limit, len(out))], nil
}

func (x *tx) SecretVersion(_ context.Context, app, tenant, name string, version int64) (driver.SecretVersion, error) {
	if err := driver.Args(app, tenant); err != nil {
		return driver.SecretVersion{}, err
	}
	for _, v := range x.s.data.versions[named{app, tenant, name}] {
		if v.Version == version {
			return copyVersion(v), nil
		}
	}
	return driver.SecretVersion{}, driver.ErrNotFound
}

func copyVersion(v driver.SecretVersion) driver.SecretVersion {
	v.Ciphertext = bytes.Clone(v.Ciphertext)
	return v
}

func (x *tx) AddSecretVersion(_ context.Context, v driver.SecretVersion) error {
	if err := x.writing(v.App, v.Tenant); err != nil {
		return err
	}
	k := named{v.App, v.Tenant, v.Name}
	have := x.s.data.versions[k]
	at, found := slices.BinarySearchFunc(have, v.Version, func(a driver.SecretVersion, n int64) int { return cmp.Compare(a.Version, n) })
	if found {
		return fault.New(fault.Conflict, "it exists already or refers to something that does not")
	}
	// A fresh slice: the old one is what undo puts back.
	set(x, x.s.data.versions, k, slices.Insert(slices.Clone(have), at, copyVersion(v)))
	return nil
}

func (x *tx) ListSecretVersions(_ context.Context, app, tenant, name string, above int64, limit int) ([]driver.SecretVersion, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	var out []driver.SecretVersion
	for _, v := range x.s.data.versions[named{app, tenant, name}] {
		if v.Version > above && len(out) < limit {
			out = append(out, copyVersion(v))
		}
	}
	return out, nil
}

func (x *tx) DeleteSecretVersions(_ context.Context, app, tenant, name string) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	set(x, x.s.data.versions, named{app, tenant, name}, nil)
	return nil
}
