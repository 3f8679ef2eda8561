package rotation

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/fault"
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
