package flag

import (
	"context"

	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// SetTenantOverride sets the value a flag has for one tenant: the caller's own, which an empty tenantID means, or for an
// operator any.
func (s *Service) SetTenantOverride(ctx context.Context, key, tenantID string, value any, opts ...WriteOption) error {
	c, tenant, p, err := s.enterTenant(ctx, "flag.set_override", key, tenantID)
	if err != nil {
		return err
	}
	return done(ctx, p, s.table.setOverride(ctx, by(c, p, opts), tenant, key, value))
}

// DeleteTenantOverride removes the value a flag has for one tenant, as [Service.SetTenantOverride] sets it.
func (s *Service) DeleteTenantOverride(ctx context.Context, key, tenantID string, opts ...WriteOption) error {
	c, tenant, p, err := s.enterTenant(ctx, "flag.delete_override", key, tenantID)
	if err != nil {
		return err
	}
	return done(ctx, p, s.table.deleteOverride(ctx, by(c, p, opts), tenant, key))
}

// TenantOverrides returns the values a flag has for tenants: for an operator all of them, inside a tenant its own.
func (s *Service) TenantOverrides(ctx context.Context, key string) ([]*TenantOverride, error) {
	c, err := who.Of(ctx, "", s.app)
	if err != nil {
		return nil, err
	}
	c, p, err := s.enter(ctx, "flag.list_overrides", key, c.Tenant == "")
	if err != nil {
		return nil, err
	}
	out, err := s.table.ListFlagTenantOverrides(ctx, key, c.App)
	if err := p.EndErr(ctx, err); err != nil {
		return nil, err
	}
	return out, nil
}

// RollbackTenantOverride makes a tenant's own value what it was at a version, as [Service.SetTenantOverride] sets it. One that
// was deleted comes back.
func (s *Service) RollbackTenantOverride(ctx context.Context, key, tenantID string, to int64, opts ...WriteOption) error {
	c, tenant, p, err := s.enterTenant(ctx, "flag.rollback_override", key, tenantID, atVersion(to))
	if err != nil {
		return err
	}
	return done(ctx, p, s.table.rollbackOverride(ctx, by(c, p, opts), tenant, key, to))
}

// TenantOverrideHistory returns the versions of the value a flag has for one tenant, oldest first; also those of a value that
// was deleted. Whose they may be is as for [Service.SetTenantOverride].
func (s *Service) TenantOverrideHistory(ctx context.Context, key, tenantID string) ([]*Revision, error) {
	c, tenant, p, err := s.enterTenant(ctx, "flag.override_history", key, tenantID)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, p, func(tx driver.Tx) ([]*Revision, error) {
		return theOverride(c.App, tenant, key).revisions(ctx, tx, noOverride(key))
	})
}

// enterTenant is [Service.enter] for a call about one tenant's value: inside a tenant its own, for an operator any.
func (s *Service) enterTenant(ctx context.Context, action, key, tenantID string, details ...audit.Detail) (scope.Caller, string, *audit.Pending, error) {
	c, err := who.Of(ctx, "", s.app)
	if err != nil {
		return c, "", nil, err
	}
	if tenantID == "" {
		tenantID = c.Tenant
	}
	if err := driver.Owner(c.App, tenantID); err != nil {
		return c, "", nil, err
	}
	c, p, err := s.enter(ctx, action, key, tenantID != c.Tenant, append(details, audit.Detail{Key: "tenant", Value: tenantID})...)
	return c, tenantID, p, err
}
