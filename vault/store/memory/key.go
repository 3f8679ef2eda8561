package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/haywardhq/hayward/vault/store/driver"
)

func (x *tx) Root(context.Context) (driver.RootRow, error) {
	if x.s.data.root == nil {
		return driver.RootRow{}, driver.ErrNotFound
	}
	return copyRoot(*x.s.data.root), nil
}

func copyRoot(r driver.RootRow) driver.RootRow {
	r.Check, r.Next = bytes.Clone(r.Check), bytes.Clone(r.Next)
	return r
}

func (x *tx) PutRoot(_ context.Context, r driver.RootRow) error {
	if err := x.writing(driver.Operator, driver.Operator); err != nil {
		return err
	}
	old := x.s.data.root
	x.undo = append(x.undo, func() { x.s.data.root = old })
	r = copyRoot(r)
	x.s.data.root = &r
	x.changed(driver.NounKey, driver.Operator, driver.Operator, "")
	return nil
}

// LockRoot has nothing to do: there is one writer.
func (x *tx) LockRoot(context.Context) error { return x.writing(driver.Operator, driver.Operator) }

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
	x.changed(driver.NounKey, r.App, r.Tenant, r.ID)
	return nil
}

func (x *tx) ListKeys(_ context.Context, app, tenant string) ([]driver.KeyRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	return x.keysWhere(-1, func(r driver.KeyRow) bool { return r.App == app && r.Tenant == tenant }), nil
}

func compareKeys(a, b driver.KeyRow) int {
	return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.ID, b.ID))
}

// keysWhere returns the first limit keys that ok picks, in order; -1 is no limit.
func (x *tx) keysWhere(limit int, ok func(driver.KeyRow) bool) (out []driver.KeyRow) {
	for _, r := range x.s.data.keys {
		if ok(r) {
			out = append(out, copyKey(r))
		}
	}
	slices.SortFunc(out, compareKeys)
	if limit >= 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}

func (x *tx) DeleteKey(_ context.Context, app, tenant, id string) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	remove(x, x.s.data.keys, named{app, tenant, id})
	x.changed(driver.NounKey, app, tenant, id)
	return nil
}

func (x *tx) KeyUses(_ context.Context, app, tenant, id string) (n int64, err error) {
	if err := driver.Args(app, tenant); err != nil {
		return 0, err
	}
	for k, versions := range x.s.data.versions {
		for _, v := range versions {
			if k.app == app && k.tenant == tenant && v.KeyID == id {
				n++
			}
		}
	}
	for k, row := range x.s.data.proofs.keys {
		if k.app == app && k.tenant == tenant && row.KeyID == id {
			n++
		}
	}
	return n, nil
}

func (x *tx) ListKeysEverywhere(_ context.Context, after driver.KeyRow, limit int) ([]driver.KeyRow, error) {
	return x.keysWhere(limit, func(r driver.KeyRow) bool { return compareKeys(r, after) > 0 }), nil
}

func (x *tx) ListKeysEverywhereBut(_ context.Context, rootID string, limit int) ([]driver.KeyRow, error) {
	return x.keysWhere(limit, func(r driver.KeyRow) bool { return r.RootID != rootID && r.RootID != "" }), nil
}

func (x *tx) CountKeysEverywhere(_ context.Context, rootID string) (all, under int64, err error) {
	for _, r := range x.s.data.keys {
		if r.RootID == "" {
			continue
		}
		all++
		if r.RootID == rootID {
			under++
		}
	}
	return all, under, nil
}

func copySystem(r driver.SystemKeyRow) driver.SystemKeyRow {
	r.Wrapped, r.Public = bytes.Clone(r.Wrapped), bytes.Clone(r.Public)
	return r
}

func (x *tx) SystemKey(_ context.Context, purpose, id string) (driver.SystemKeyRow, error) {
	r, ok := x.s.data.system[[2]string{purpose, id}]
	if !ok {
		return driver.SystemKeyRow{}, driver.ErrNotFound
	}
	return copySystem(r), nil
}

func (x *tx) PrimarySystemKey(_ context.Context, purpose string) (driver.SystemKeyRow, error) {
	for _, r := range x.s.data.system {
		if r.Purpose == purpose && r.Primary {
			return copySystem(r), nil
		}
	}
	return driver.SystemKeyRow{}, driver.ErrNotFound
}

func (x *tx) AddSystemKey(ctx context.Context, r driver.SystemKeyRow) (bool, error) {
	if err := x.writing(driver.Operator, driver.Operator); err != nil {
		return false, err
	}
	if _, have := x.s.data.system[[2]string{r.Purpose, r.ID}]; have {
		return false, nil
	}
	if _, err := x.PrimarySystemKey(ctx, r.Purpose); r.Primary && err == nil {
		return false, nil
	}
	set(x, x.s.data.system, [2]string{r.Purpose, r.ID}, copySystem(r))
	return true, nil
}

func (x *tx) PutSystemKey(_ context.Context, r driver.SystemKeyRow) error {
	if err := x.writing(driver.Operator, driver.Operator); err != nil {
		return err
	}
	if old, have := x.s.data.system[[2]string{r.Purpose, r.ID}]; have {
		r.CreatedAt = old.CreatedAt
		set(x, x.s.data.system, [2]string{r.Purpose, r.ID}, copySystem(r))
	}
	return nil
}

func (x *tx) ListSystemKeys(context.Context) (out []driver.SystemKeyRow, err error) {
	for _, r := range x.s.data.system {
		out = append(out, copySystem(r))
	}
	slices.SortFunc(out, func(a, b driver.SystemKeyRow) int {
		return cmp.Or(cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

func (x *tx) Shred(_ context.Context, app, tenant string) (driver.ShredRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return driver.ShredRow{}, err
	}
	r, ok := x.s.data.shreds[named{app: app, tenant: tenant}]
	if !ok {
		return driver.ShredRow{}, driver.ErrNotFound
	}
	return r, nil
}

func (x *tx) PutShred(_ context.Context, r driver.ShredRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	set(x, x.s.data.shreds, named{app: r.App, tenant: r.Tenant}, r)
	x.changed(driver.NounKey, r.App, r.Tenant, "")
	return nil
}

func (x *tx) ListShredsEveryTenant(_ context.Context, app, after string, limit int) ([]driver.ShredRow, error) {
	out := x.shredsWhere(func(r driver.ShredRow) bool { return r.App == app && r.Tenant > after })
	return out[:min(limit, len(out))], nil
}

func (x *tx) ListShredsEverywhere(_ context.Context, state string) ([]driver.ShredRow, error) {
	return x.shredsWhere(func(r driver.ShredRow) bool { return r.State == state }), nil
}

func (x *tx) shredsWhere(ok func(driver.ShredRow) bool) []driver.ShredRow {
	out := slices.DeleteFunc(slices.Collect(maps.Values(x.s.data.shreds)), func(r driver.ShredRow) bool { return !ok(r) })
	slices.SortFunc(out, func(a, b driver.ShredRow) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Tenant, b.Tenant))
	})
	return out
}
