package memory

import (
	"bytes"
	"context"

	"github.com/haywardhq/hayward/vault/store/driver"
)

func (x *tx) Root(context.Context) (driver.RootRow, error) {
	if x.s.data.root == nil {
		return driver.RootRow{}, driver.ErrNotFound
	}
	r := *x.s.data.root
	r.Check = bytes.Clone(r.Check)
	return r, nil
}

func (x *tx) PutRoot(_ context.Context, r driver.RootRow) error {
	if err := x.writing(driver.Operator, driver.Operator); err != nil {
		return err
	}
	old := x.s.data.root
	x.undo = append(x.undo, func() { x.s.data.root = old })
	r.Check = bytes.Clone(r.Check)
	x.s.data.root = &r
	return nil
}

func (x *tx) HasKeys(context.Context) (bool, error) { return len(x.s.data.keys) > 0, nil }

func (x *tx) Key(_ context.Context, app, tenant, id string) (driver.KeyRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return driver.KeyRow{}, err
	}
	r, ok := x.s.data.keys[named{app, tenant, id}]
	if !ok {
		return driver.KeyRow{}, driver.ErrNotFound
	}
	return copyKey(r), nil
}

func copyKey(r driver.KeyRow) driver.KeyRow {
	r.Wrapped = bytes.Clone(r.Wrapped)
	return r
}

func (x *tx) PrimaryKey(_ context.Context, app, tenant string) (driver.KeyRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return driver.KeyRow{}, err
	}
	for k, r := range x.s.data.keys {
		if k.app == app && k.tenant == tenant && r.Primary {
			return copyKey(r), nil
		}
	}
	return driver.KeyRow{}, driver.ErrNotFound
}

func (x *tx) PutKey(ctx context.Context, r driver.KeyRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	if r.Primary {
		if old, err := x.PrimaryKey(ctx, r.App, r.Tenant); err == nil {
			old.Primary = false
			set(x, x.s.data.keys, named{r.App, r.Tenant, old.ID}, old)
		}
	}
	set(x, x.s.data.keys, named{r.App, r.Tenant, r.ID}, copyKey(r))
	return nil
}
