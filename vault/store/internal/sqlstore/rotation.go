package sqlstore

import (
	"context"

	"github.com/haywardhq/hayward/vault/store/driver"
)

const rotationPolicyCols = "app, tenant, name, id, definition, interval_micros, enabled, last_at, next_at, created_at, updated_at, created_by"

func rotationPolicyDest(r *driver.RotationPolicyRow) []any {
	return []any{&r.App, &r.Tenant, &r.Name, &r.ID, &r.Definition, &r.Interval, flagged{&r.Enabled}, &r.LastAt, &r.NextAt,
		&r.CreatedAt, &r.UpdatedAt, &r.CreatedBy}
}

// flagged reads a column that is 0 or 1.
type flagged struct{ to *bool }

// Scan implements sql.Scanner.
func (f flagged) Scan(src any) error {
	n, _ := src.(int64)
	*f.to = n != 0
	return nil
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (x *tx) RotationPolicy(ctx context.Context, app, tenant, name string) (r driver.RotationPolicyRow, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, "SELECT "+rotationPolicyCols+" FROM vault_rotation_policy WHERE app = ? AND tenant = ? AND name = ?",
		[]any{app, tenant, name}, rotationPolicyDest(&r)...)
	return r, err
}

func (x *tx) PutRotationPolicy(ctx context.Context, r driver.RotationPolicyRow) error {
	if err := x.own(r.App, r.Tenant); err != nil {
		return err
	}
	return x.exec(ctx, "INSERT INTO vault_rotation_policy ("+rotationPolicyCols+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (app, tenant, name) DO UPDATE SET id = excluded.id, definition = excluded.definition,
		interval_micros = excluded.interval_micros, enabled = excluded.enabled, last_at = excluded.last_at,
		next_at = excluded.next_at, created_at = excluded.created_at, updated_at = excluded.updated_at, created_by = excluded.created_by`,
		r.App, r.Tenant, r.Name, r.ID, r.Definition, r.Interval, number(r.Enabled), r.LastAt, r.NextAt, r.CreatedAt, r.UpdatedAt, r.CreatedBy)
}

func (x *tx) DeleteRotationPolicy(ctx context.Context, app, tenant, name string) error {
	if err := x.own(app, tenant); err != nil {
		return err
	}
	return x.exec(ctx, "DELETE FROM vault_rotation_policy WHERE app = ? AND tenant = ? AND name = ?", app, tenant, name)
}

func (x *tx) ListRotationPolicies(ctx context.Context, app, tenant, after string, limit int) ([]driver.RotationPolicyRow, error) {
	return list(ctx, x, app, tenant, rotationPolicyDest, "SELECT "+rotationPolicyCols+` FROM vault_rotation_policy
		WHERE app = ? AND tenant = ? AND name > ? ORDER BY name LIMIT ?`, app, tenant, after, limit)
}

func (x *tx) ListRotationPoliciesEveryTenant(ctx context.Context, app, afterTenant, afterName string, limit int) (
	[]driver.RotationPolicyRow, error) {
	return listEveryTenant(ctx, x, app, rotationPolicyDest, "SELECT "+rotationPolicyCols+` FROM vault_rotation_policy
		WHERE app = ? AND (tenant, name) > (?, ?) ORDER BY tenant, name LIMIT ?`, app, afterTenant, afterName, limit)
}

const rotationCols = "app, tenant, name, state, due_at, run_id, definition, actor, old_version, new_version, attempt, started_at, " +
	"wake_at, failure, unserved, holder, lease_at, fence, updated_at"

func rotationDest(r *driver.RotationRow) []any {
	return []any{&r.App, &r.Tenant, &r.Name, &r.State, &r.DueAt, &r.RunID, &r.Definition, &r.Actor, &r.OldVersion, &r.NewVersion,
		&r.Attempt, &r.StartedAt, &r.WakeAt, &r.Failure, &r.Unserved, &r.Holder, &r.LeaseAt, &r.Fence, &r.UpdatedAt}
}

func (x *tx) Rotation(ctx context.Context, app, tenant, name string) (r driver.RotationRow, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, err
	}
	err = x.row(ctx, "SELECT "+rotationCols+" FROM vault_rotation WHERE app = ? AND tenant = ? AND name = ?",
		[]any{app, tenant, name}, rotationDest(&r)...)
	return r, err
}

func (x *tx) AddRotation(ctx context.Context, app, tenant, name string) error {
	if err := x.own(app, tenant); err != nil {
		return err
	}
	return x.exec(ctx, "INSERT INTO vault_rotation ("+rotationCols+`)
		VALUES (?, ?, ?, '', 0, '', '', '', 0, 0, 0, 0, 0, '', 0, '', 0, 0, ?) ON CONFLICT (app, tenant, name) DO NOTHING`,
		app, tenant, name, x.Now())
}

func (x *tx) ScheduleRotation(ctx context.Context, app, tenant, name string, dueAt int64) error {
	if err := x.own(app, tenant); err != nil {
		return err
	}
	return x.exec(ctx, "UPDATE vault_rotation SET due_at = ? WHERE app = ? AND tenant = ? AND name = ?", dueAt, app, tenant, name)
}

func (x *tx) ClaimRotation(ctx context.Context, app, tenant, name, holder string, until int64) (r driver.RotationRow, ok bool, err error) {
	if err := x.own(app, tenant); err != nil {
		return r, false, err
	}
	n, err := x.t.Exec(ctx, `UPDATE vault_rotation SET holder = ?, lease_at = ?, fence = fence + 1
		WHERE app = ? AND tenant = ? AND name = ? AND lease_at <= ?`, holder, until, app, tenant, name, x.Now())
	if err != nil || n == 0 {
		return r, false, err
	}
	r, err = x.Rotation(ctx, app, tenant, name)
	return r, err == nil, err
}

func (x *tx) ExtendRotation(ctx context.Context, app, tenant, name string, fence, until int64) error {
	if err := x.own(app, tenant); err != nil {
		return err
	}
	n, err := x.t.Exec(ctx, `UPDATE vault_rotation SET lease_at = ?
		WHERE app = ? AND tenant = ? AND name = ? AND fence = ? AND holder <> ''`,
		until, app, tenant, name, fence)
	return fenced(n, err, name)
}

// fenced is the refusal of a write that found another fencing token.
func fenced(changed int64, err error, name string) error {
	if err == nil && changed == 0 {
		return driver.StaleFence(name)
	}
	return err
}

func (x *tx) PutRotation(ctx context.Context, r driver.RotationRow) error {
	if err := x.own(r.App, r.Tenant); err != nil {
		return err
	}
	n, err := x.t.Exec(ctx, `UPDATE vault_rotation SET state = ?, due_at = ?, run_id = ?, definition = ?, actor = ?, old_version = ?,
		new_version = ?, attempt = ?, started_at = ?, wake_at = ?, failure = ?, unserved = ?, holder = ?, lease_at = ?, updated_at = ?
		WHERE app = ? AND tenant = ? AND name = ? AND fence = ? AND holder <> ''`,
		r.State, r.DueAt, r.RunID, r.Definition, r.Actor, r.OldVersion, r.NewVersion, r.Attempt, r.StartedAt, r.WakeAt, r.Failure, r.Unserved,
		r.Holder, r.LeaseAt, r.UpdatedAt, r.App, r.Tenant, r.Name, r.Fence)
	return fenced(n, err, r.Name)
}

func (x *tx) DueRotationsEverywhere(ctx context.Context, after driver.RotationDue, limit int) ([]driver.RotationRow, error) {
	return listEverywhere(ctx, x, rotationDest, "SELECT "+rotationCols+` FROM vault_rotation
		WHERE due_at > 0 AND due_at <= ? AND lease_at <= ? AND (due_at, app, tenant, name) > (?, ?, ?, ?)
		ORDER BY due_at, app, tenant, name LIMIT ?`, x.Now(), x.Now(), after.At, after.App, after.Tenant, after.Name, limit)
}

const rotationRecordCols = "app, tenant, name, seq, id, run_id, outcome, step, old_version, new_version, attempt, details, at, user_id"

func rotationRecordDest(r *driver.RotationRecordRow) []any {
	return []any{&r.App, &r.Tenant, &r.Name, &r.Seq, &r.ID, &r.RunID, &r.Outcome, &r.Step, &r.OldVersion, &r.NewVersion, &r.Attempt,
		&r.Details, &r.At, &r.By}
}

func (x *tx) AddRotationRecord(ctx context.Context, r driver.RotationRecordRow) error {
	if err := x.own(r.App, r.Tenant); err != nil {
		return err
	}
	return x.exec(ctx, "INSERT INTO vault_rotation_record ("+rotationRecordCols+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		r.App, r.Tenant, r.Name, r.Seq, r.ID, r.RunID, r.Outcome, r.Step, r.OldVersion, r.NewVersion, r.Attempt, r.Details, r.At, r.By)
}

func (x *tx) ListRotationRecords(ctx context.Context, app, tenant, name string, below int64, limit int) ([]driver.RotationRecordRow, error) {
	if below <= 0 {
		below = 1<<63 - 1
	}
	return list(ctx, x, app, tenant, rotationRecordDest, "SELECT "+rotationRecordCols+` FROM vault_rotation_record
		WHERE app = ? AND tenant = ? AND name = ? AND seq < ? ORDER BY seq DESC LIMIT ?`, app, tenant, name, below, limit)
}

func (x *tx) DeleteRotationRecords(ctx context.Context, app, tenant, name string, upTo int64) error {
	if err := x.own(app, tenant); err != nil {
		return err
	}
	return x.exec(ctx, "DELETE FROM vault_rotation_record WHERE app = ? AND tenant = ? AND name = ? AND seq <= ?", app, tenant, name, upTo)
}
