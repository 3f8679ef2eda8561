package rotation

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// putPolicy writes a policy and moves the time at which its secret is due.
func putPolicy(ctx context.Context, tx driver.Tx, o owner, user string, p *Policy) (*Policy, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	row, err := lock(ctx, tx, o, p.SecretKey)
	if err != nil {
		return nil, err
	}
	have, err := tx.RotationPolicy(ctx, o.app, o.tenant, p.SecretKey)
	fresh := errors.Is(err, driver.ErrNotFound)
	if err != nil && !fresh {
		return nil, err
	}
	now := tx.Now()
	next := driver.RotationPolicyRow{App: o.app, Tenant: o.tenant, Name: p.SecretKey, ID: have.ID, Interval: p.Interval.Microseconds(),
		Enabled: p.Enabled, LastAt: have.LastAt, CreatedAt: have.CreatedAt, UpdatedAt: now, CreatedBy: have.CreatedBy}
	if fresh {
		next.ID, next.CreatedAt, next.CreatedBy = id.New(id.Rotation).String(), now, user
	}
	if p.LastRotatedAt != nil {
		next.LastAt = p.LastRotatedAt.UnixMicro()
	}
	switch {
	case p.NextRotationAt != nil:
		next.NextAt = max(1, p.NextRotationAt.UnixMicro())
	case !fresh && have.Interval == next.Interval:
		next.NextAt = have.NextAt
	case next.LastAt != 0:
		next.NextAt = next.LastAt + next.Interval
	default:
		next.NextAt = next.CreatedAt + next.Interval
	}
	if next.Definition, err = p.definition().encode(); err != nil {
		return nil, err
	}
	if err := tx.PutRotationPolicy(ctx, next); err != nil {
		return nil, err
	}
	if err := tx.ScheduleRotation(ctx, o.app, o.tenant, p.SecretKey, dueAt(&next, row)); err != nil {
		return nil, err
	}
	return fromPolicyRow(next)
}

// lock makes the row of a rotation if there is none, and returns it. No other transaction changes it until this one ends.
func lock(ctx context.Context, tx driver.Tx, o owner, key string) (driver.RotationRow, error) {
	if err := tx.AddRotation(ctx, o.app, o.tenant, key); err != nil {
		return driver.RotationRow{}, err
	}
	// A write of this row is what makes others wait; what it writes here is seen by nobody before the transaction's end.
	if err := tx.ScheduleRotation(ctx, o.app, o.tenant, key, 0); err != nil {
		return driver.RotationRow{}, err
	}
	return tx.Rotation(ctx, o.app, o.tenant, key)
}

// dueAt is when somebody must look at a rotation: to begin one that the policy asks for, or to go on with one under way. 0
// is never. A policy that is not enabled stops both.
func dueAt(p *driver.RotationPolicyRow, row driver.RotationRow) int64 {
	switch {
	case p != nil && !p.Enabled:
		return 0
	case row.State != idle:
		return max(1, row.WakeAt)
	case p == nil:
		return 0
	}
	d, err := decodeDefinition(p.Name, p.Definition)
	if err != nil {
		return max(1, p.NextAt)
	}
	s, err := newSchedule(d.Windows, d.TimeZone)
	if err != nil {
		return max(1, p.NextAt) // whoever begins it reports this
	}
	return max(1, s.next(micros(max(p.NextAt, row.WakeAt))).UnixMicro())
}

// policyRow returns the policy's row, or nil if there is none.
func policyRow(ctx context.Context, tx driver.Tx, o owner, key string) (*driver.RotationPolicyRow, error) {
	row, err := tx.RotationPolicy(ctx, o.app, o.tenant, key)
	if errors.Is(err, driver.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &row, nil
}
