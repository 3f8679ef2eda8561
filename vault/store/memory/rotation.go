package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// rotationTables are the rows of rotations.
type rotationTables struct {
	policies  map[named]driver.RotationPolicyRow
	rotations map[named]driver.RotationRow
	records   map[named][]driver.RotationRecordRow // ascending
}

func newRotationTables() rotationTables {
	return rotationTables{map[named]driver.RotationPolicyRow{}, map[named]driver.RotationRow{}, map[named][]driver.RotationRecordRow{}}
}

func (x *tx) RotationPolicy(_ context.Context, app, tenant, name string) (driver.RotationPolicyRow, error) {
	return get(app, tenant, x.s.data.rotation.policies, name)
}

func (x *tx) PutRotationPolicy(_ context.Context, r driver.RotationPolicyRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	set(x, x.s.data.rotation.policies, named{r.App, r.Tenant, r.Name}, r)
	return nil
}

func (x *tx) DeleteRotationPolicy(_ context.Context, app, tenant, name string) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	remove(x, x.s.data.rotation.policies, named{app, tenant, name})
	return nil
}

func (x *tx) ListRotationPolicies(_ context.Context, app, tenant, after string, limit int) ([]driver.RotationPolicyRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	return list(x.s.data.rotation.policies, limit, func(k named) string { return k.name }, func(k named, _ driver.RotationPolicyRow) bool {
		return k.app == app && k.tenant == tenant && k.name > after
	}), nil
}

func (x *tx) ListRotationPoliciesEveryTenant(_ context.Context, app, afterTenant, afterName string, limit int) (
	[]driver.RotationPolicyRow, error) {
	if err := driver.Args(app, driver.Shared); err != nil {
		return nil, err
	}
	var out []driver.RotationPolicyRow
	for k, r := range x.s.data.rotation.policies {
		if k.app == app && cmp.Or(cmp.Compare(k.tenant, afterTenant), cmp.Compare(k.name, afterName)) > 0 {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b driver.RotationPolicyRow) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Name, b.Name))
	})
	return out[:min(limit, len(out))], nil
}

func (x *tx) Rotation(_ context.Context, app, tenant, name string) (driver.RotationRow, error) {
	return get(app, tenant, x.s.data.rotation.rotations, name)
}

func (x *tx) AddRotation(_ context.Context, app, tenant, name string) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	k := named{app, tenant, name}
	if _, there := x.s.data.rotation.rotations[k]; !there {
		set(x, x.s.data.rotation.rotations, k, driver.RotationRow{App: app, Tenant: tenant, Name: name, UpdatedAt: x.now})
	}
	return nil
}

func (x *tx) ScheduleRotation(_ context.Context, app, tenant, name string, dueAt int64) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	k := named{app, tenant, name}
	if r, there := x.s.data.rotation.rotations[k]; there {
		r.DueAt = dueAt
		set(x, x.s.data.rotation.rotations, k, r)
	}
	return nil
}

func (x *tx) ClaimRotation(_ context.Context, app, tenant, name, holder string, until int64) (driver.RotationRow, bool, error) {
	if err := x.writing(app, tenant); err != nil {
		return driver.RotationRow{}, false, err
	}
	k := named{app, tenant, name}
	r, there := x.s.data.rotation.rotations[k]
	if !there || r.LeaseAt > x.now {
		return driver.RotationRow{}, false, nil
	}
	r.Holder, r.LeaseAt, r.Fence = holder, until, r.Fence+1
	set(x, x.s.data.rotation.rotations, k, r)
	return r, true, nil
}

// fenced returns a row if its fencing token is still the given one and its lease was not given back.
func (x *tx) fenced(k named, fence int64) (driver.RotationRow, error) {
	r, there := x.s.data.rotation.rotations[k]
	if !there || r.Fence != fence || r.Holder == "" {
		return r, driver.StaleFence(k.name)
	}
	return r, nil
}

func (x *tx) ExtendRotation(_ context.Context, app, tenant, name string, fence, until int64) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	k := named{app, tenant, name}
	r, err := x.fenced(k, fence)
	if err != nil {
		return err
	}
	r.LeaseAt = until
	set(x, x.s.data.rotation.rotations, k, r)
	return nil
}

func (x *tx) PutRotation(_ context.Context, r driver.RotationRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	k := named{r.App, r.Tenant, r.Name}
	if _, err := x.fenced(k, r.Fence); err != nil {
		return err
	}
	set(x, x.s.data.rotation.rotations, k, r)
	return nil
}

func (x *tx) DueRotationsEverywhere(_ context.Context, after driver.RotationDue, limit int) ([]driver.RotationRow, error) {
	var out []driver.RotationRow
	for _, r := range x.s.data.rotation.rotations {
		if r.DueAt > 0 && r.DueAt <= x.now && r.LeaseAt <= x.now && compareDue(r, after) > 0 {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b driver.RotationRow) int {
		return compareDue(a, driver.RotationDue{At: b.DueAt, App: b.App, Tenant: b.Tenant, Name: b.Name})
	})
	return out[:min(limit, len(out))], nil
}

func compareDue(r driver.RotationRow, d driver.RotationDue) int {
	return cmp.Or(cmp.Compare(r.DueAt, d.At), cmp.Compare(r.App, d.App), cmp.Compare(r.Tenant, d.Tenant), cmp.Compare(r.Name, d.Name))
}

func bySeq(r driver.RotationRecordRow, seq int64) int { return cmp.Compare(r.Seq, seq) }

func (x *tx) AddRotationRecord(_ context.Context, r driver.RotationRecordRow) error {
	if err := x.writing(r.App, r.Tenant); err != nil {
		return err
	}
	k := named{r.App, r.Tenant, r.Name}
	have := x.s.data.rotation.records[k]
	at, found := slices.BinarySearchFunc(have, r.Seq, bySeq)
	if found {
		return fault.New(fault.Conflict, "it exists already or refers to something that does not")
	}
	// A fresh slice: the old one is what undo puts back.
	set(x, x.s.data.rotation.records, k, slices.Insert(slices.Clone(have), at, r))
	return nil
}

func (x *tx) ListRotationRecords(_ context.Context, app, tenant, name string, below int64, limit int) ([]driver.RotationRecordRow, error) {
	if err := driver.Args(app, tenant); err != nil {
		return nil, err
	}
	have := x.s.data.rotation.records[named{app, tenant, name}]
	if below > 0 {
		at, _ := slices.BinarySearchFunc(have, below, bySeq)
		have = have[:at]
	}
	out := slices.Clone(have[max(0, len(have)-limit):])
	slices.Reverse(out)
	return out, nil
}

func (x *tx) DeleteRotationRecords(_ context.Context, app, tenant, name string, upTo int64) error {
	if err := x.writing(app, tenant); err != nil {
		return err
	}
	k := named{app, tenant, name}
	have := x.s.data.rotation.records[k]
	at, _ := slices.BinarySearchFunc(have, upTo+1, bySeq)
	set(x, x.s.data.rotation.records, k, slices.Clone(have[at:]))
	return nil
}
