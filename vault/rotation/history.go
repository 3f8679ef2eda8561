package rotation

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// RecordRotation adds a record for a secret of the tenant in scope. It fills in r's ID, Seq and, if missing, its outcome,
// actor and time.
func (t *Table) RecordRotation(ctx context.Context, r *Record) error {
	if r == nil {
		return fault.New(fault.Invalid, "there is no record")
	}
	o, user, err := ownerOf(ctx, r.AppID, r.TenantID)
	if err != nil {
		return err
	}
	row := driver.RotationRecordRow{App: o.app, Tenant: o.tenant, Name: r.SecretKey, RunID: r.RunID, Outcome: string(r.Outcome), Step: r.Step,
		OldVersion: r.OldVersion, NewVersion: r.NewVersion, Attempt: int64(r.Attempt), Details: encodeFailure(r.Failure), By: r.RotatedBy}
	if row.Outcome == "" {
		row.Outcome = string(Rotated)
	}
	if row.By == "" {
		row.By = user
	}
	if !r.RotatedAt.IsZero() {
		row.At = r.RotatedAt.UnixMicro()
	}
	err = t.st.Update(ctx, func(tx driver.Tx) error {
		have, err := lock(ctx, tx, o, r.SecretKey)
		if err != nil {
			return err
		}
		if row, err = addRecord(ctx, tx, row); err != nil {
			return err
		}
		p, err := policyRow(ctx, tx, o, r.SecretKey)
		if err != nil {
			return err
		}
		return tx.ScheduleRotation(ctx, o.app, o.tenant, r.SecretKey, dueAt(p, have))
	})
	if err != nil {
		return err
	}
	*r = *fromRecordRow(row)
	return nil
}

// addRecord writes a record under the next number and drops the oldest. The caller holds the rotation's row, so that no
// number is given twice.
func addRecord(ctx context.Context, tx driver.Tx, row driver.RotationRecordRow) (driver.RotationRecordRow, error) {
	last, err := tx.ListRotationRecords(ctx, row.App, row.Tenant, row.Name, 0, 1)
	if err != nil {
		return row, err
	}
	row.ID, row.Seq = id.New(id.Rotation).String(), 1
	if len(last) > 0 {
		row.Seq = last[0].Seq + 1
	}
	if row.At == 0 {
		row.At = tx.Now()
	}
	if err := tx.AddRotationRecord(ctx, row); err != nil {
		return row, err
	}
	if old := row.Seq - maxHistory; old > 0 {
		return row, tx.DeleteRotationRecords(ctx, row.App, row.Tenant, row.Name, old)
	}
	return row, nil
}

// ListRotationRecords returns the records of a secret of the tenant in scope, newest first.
func (t *Table) ListRotationRecords(ctx context.Context, key, appID string, opts ListOpts) (out []*Record, err error) {
	o, _, err := ownerOf(ctx, appID, "")
	if err != nil {
		return nil, err
	}
	err = t.st.View(ctx, func(tx driver.Tx) error {
		out, err = records(ctx, tx, o, key, opts)
		return err
	})
	return out, err
}

func records(ctx context.Context, tx driver.Tx, o owner, key string, opts ListOpts) ([]*Record, error) {
	limit, err := opts.limit()
	if err != nil {
		return nil, err
	}
	rows, err := tx.ListRotationRecords(ctx, o.app, o.tenant, key, opts.Below, limit+opts.Offset)
	if err != nil {
		return nil, err
	}
	rows = rows[min(opts.Offset, len(rows)):]
	out := make([]*Record, 0, len(rows))
	for _, r := range rows {
		out = append(out, fromRecordRow(r))
	}
	return out, nil
}
