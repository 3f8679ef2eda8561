package rotation

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Store keeps policies and records. The stores of this wing have these methods (see [Table]). What is not there is an error
// that errors.Is vault.ErrRotationNotFound.
type Store interface {
	// SaveRotationPolicy creates or changes a policy.
	SaveRotationPolicy(ctx context.Context, p *Policy) error
	// GetRotationPolicy returns the policy of a secret.
	GetRotationPolicy(ctx context.Context, key, appID string) (*Policy, error)
	// ListRotationPolicies returns the policies of a tenant by key; without a tenant in scope those of all, by tenant and key.
	ListRotationPolicies(ctx context.Context, appID string) ([]*Policy, error)
	// DeleteRotationPolicy removes a policy. What was begun is ended.
	DeleteRotationPolicy(ctx context.Context, key, appID string) error
	// RecordRotation adds a record of a rotation that somebody else did.
	RecordRotation(ctx context.Context, r *Record) error
	// ListRotationRecords returns the records of a secret, newest first.
	ListRotationRecords(ctx context.Context, key, appID string, opts ListOpts) ([]*Record, error)
}

// Table is a [Store] over the rows of a vault store, for the tenant in scope. The app argument and the app in scope may not
// disagree. It asks no gate and writes no record: that is what [Service] does. It is safe for concurrent use.
type Table struct{ st driver.Store }

// NewTable returns the rotations kept in st.
func NewTable(st driver.Store) *Table { return &Table{st} }

// rotationTable lets a manager find the table inside a store that embeds one.
func (t *Table) rotationTable() *Table { return t }

// owner is whose secret something is about. Both parts are always there.
type owner struct{ app, tenant string }

// ownerOf is the first line of the methods that read identity from the context.
func ownerOf(ctx context.Context, appID, tenantID string) (owner, string, error) {
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return owner{}, "", err
	}
	if tenantID != "" && c.Tenant != "" && tenantID != c.Tenant {
		return owner{}, "", fault.New(fault.Invalid, "this call is about another tenant than the one in scope").WithCode("scope").
			WithHint("set the scope once, at the door, with scope.WithScope")
	}
	if c.Tenant == "" {
		c.Tenant = tenantID
	}
	return owner{c.App, c.Tenant}, c.User, driver.Owner(c.App, c.Tenant)
}

func noPolicy(key string) error {
	return fault.Wrap(fault.NotFound, base.ErrRotationNotFound, "there is no rotation policy for the secret %s", key).WithCode("RotationNotFound")
}

// SaveRotationPolicy creates or changes the policy of a tenant's secret: of p.TenantID, else of the tenant in scope. It
// fills in what p leaves out. The secret need not exist yet.
func (t *Table) SaveRotationPolicy(ctx context.Context, p *Policy) error {
	if p == nil {
		return fault.New(fault.Invalid, "there is no policy")
	}
	o, user, err := ownerOf(ctx, p.AppID, p.TenantID)
	if err != nil {
		return err
	}
	var saved *Policy
	err = t.st.Update(ctx, func(tx driver.Tx) error {
		saved, err = putPolicy(ctx, tx, o, user, p)
		return err
	})
	if err != nil {
		return err
	}
	*p = *saved
	return nil
}

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

// GetRotationPolicy returns the policy of a secret of the tenant in scope.
func (t *Table) GetRotationPolicy(ctx context.Context, key, appID string) (*Policy, error) {
	o, _, err := ownerOf(ctx, appID, "")
	if err != nil {
		return nil, err
	}
	var p *Policy
	err = t.st.View(ctx, func(tx driver.Tx) error {
		p, err = readPolicy(ctx, tx, o, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

func readPolicy(ctx context.Context, tx driver.Tx, o owner, key string) (*Policy, error) {
	row, err := tx.RotationPolicy(ctx, o.app, o.tenant, key)
	if errors.Is(err, driver.ErrNotFound) {
		return nil, noPolicy(key)
	}
	if err != nil {
		return nil, err
	}
	return fromPolicyRow(row)
}

// policyPage is how many policies are read in one statement.
const policyPage = 500

// ListRotationPolicies returns the policies of the tenant in scope by key; without one, those of every tenant of the app.
func (t *Table) ListRotationPolicies(ctx context.Context, appID string) (out []*Policy, err error) {
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return nil, err
	}
	if err := who.Owner(c); err != nil {
		return nil, err
	}
	err = t.st.View(ctx, func(tx driver.Tx) error {
		out = nil
		for lastTenant, lastName := "", ""; ; {
			var rows []driver.RotationPolicyRow
			if c.Tenant != "" {
				rows, err = tx.ListRotationPolicies(ctx, c.App, c.Tenant, lastName, policyPage)
			} else {
				rows, err = tx.ListRotationPoliciesEveryTenant(ctx, c.App, lastTenant, lastName, policyPage)
			}
			if err != nil {
				return err
			}
			for _, r := range rows {
				p, err := fromPolicyRow(r)
				if err != nil {
					return err
				}
				out, lastTenant, lastName = append(out, p), r.Tenant, r.Name
			}
			if len(rows) < policyPage {
				return nil
			}
		}
	})
	return out, err
}

// DeleteRotationPolicy removes the policy of a secret of the tenant in scope. A run under way is ended all the same: half
// of one would leave a value that nobody serves.
func (t *Table) DeleteRotationPolicy(ctx context.Context, key, appID string) error {
	o, _, err := ownerOf(ctx, appID, "")
	if err != nil {
		return err
	}
	return t.st.Update(ctx, func(tx driver.Tx) error { return deletePolicy(ctx, tx, o, key) })
}

func deletePolicy(ctx context.Context, tx driver.Tx, o owner, key string) error {
	if _, err := readPolicy(ctx, tx, o, key); err != nil {
		return err
	}
	row, err := lock(ctx, tx, o, key)
	if err != nil {
		return err
	}
	if err := tx.DeleteRotationPolicy(ctx, o.app, o.tenant, key); err != nil {
		return err
	}
	return tx.ScheduleRotation(ctx, o.app, o.tenant, key, dueAt(nil, row))
}

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
