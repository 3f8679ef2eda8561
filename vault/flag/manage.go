package flag

import (
	"context"
	"strconv"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// enter is the first line of every method that manages: it turns the scope into arguments, and has the gate decide and
// record.
func (s *Service) enter(ctx context.Context, action, key string, operator bool, details ...audit.Detail) (scope.Caller, *audit.Pending, error) {
	c, err := who.Of(ctx, "", s.app)
	if err != nil {
		return c, nil, err
	}
	if s.table == nil || s.gate == nil {
		return c, nil, fault.New(fault.Unsupported, "the flags of this store cannot be managed from here").
			WithHint("use the methods of the store itself")
	}
	p, err := s.gate.Enter(ctx, audit.Request{Caller: c, Action: action, Resource: "flag", Name: key, Operator: operator, Details: details})
	return c, p, err
}

// ended writes the end of an audit entry into the transaction of a write.
func ended(p *audit.Pending, details ...audit.Detail) also {
	return func(ctx context.Context, tx driver.Tx) error { return p.EndTx(ctx, tx, audit.OK, details...) }
}

// done ends an entry whose write failed; after a write that went well it was ended already.
func done(ctx context.Context, p *audit.Pending, err error) error {
	if err != nil {
		return p.EndErr(ctx, err)
	}
	return nil
}

// Define creates a flag or changes its definition, for an operator. f.AppID may be empty.
func (s *Service) Define(ctx context.Context, f *Definition) error {
	if f == nil {
		return fault.New(fault.Invalid, "there is no definition")
	}
	c, p, err := s.enter(ctx, "flag.define", f.Key, true, audit.Detail{Key: "enabled", Value: strconv.FormatBool(f.Enabled)})
	if err != nil {
		return err
	}
	if f.AppID != "" && f.AppID != c.App {
		return p.EndErr(ctx, fault.New(fault.Invalid, "the definition names another app than the call").WithCode("scope"))
	}
	return done(ctx, p, s.table.define(ctx, c.App, f, ended(p)))
}

// SetEnabled switches a flag on or off, for an operator. The next evaluation sees it.
func (s *Service) SetEnabled(ctx context.Context, key string, enabled bool) error {
	c, p, err := s.enter(ctx, "flag.set_enabled", key, true, audit.Detail{Key: "enabled", Value: strconv.FormatBool(enabled)})
	if err != nil {
		return err
	}
	return done(ctx, p, s.table.setEnabled(ctx, c.App, key, enabled, ended(p)))
}

func (t *Table) setEnabled(ctx context.Context, app, key string, enabled bool, also also) error {
	return t.update(ctx, also, func(tx driver.Tx) error {
		row, err := find(ctx, tx, app, key)
		if err != nil {
			return err
		}
		d, err := decodeDefinition(row)
		if err != nil {
			return err
		}
		d.Enabled = enabled
		row.Version++
		row.UpdatedAt = tx.Now()
		if row.Definition, err = encodeDefinition(d); err != nil {
			return err
		}
		return tx.PutFlag(ctx, row)
	})
}

// SetRules replaces a flag's rules, for an operator.
func (s *Service) SetRules(ctx context.Context, key string, rules []*Rule) error {
	c, p, err := s.enter(ctx, "flag.set_rules", key, true, audit.Detail{Key: "rules", Value: strconv.Itoa(len(rules))})
	if err != nil {
		return err
	}
	return done(ctx, p, s.table.setRules(ctx, c.App, key, rules, ended(p)))
}

// Delete removes a flag, its rules and every tenant's own value, for an operator.
func (s *Service) Delete(ctx context.Context, key string) error {
	c, p, err := s.enter(ctx, "flag.delete", key, true)
	if err != nil {
		return err
	}
	return done(ctx, p, s.table.delete(ctx, c.App, key, ended(p)))
}

// Get returns a flag's definition and rules, for an operator: they name other tenants.
func (s *Service) Get(ctx context.Context, key string) (*Definition, []*Rule, error) {
	c, p, err := s.enter(ctx, "flag.get", key, true)
	if err != nil {
		return nil, nil, err
	}
	asApp := scope.WithCaller(ctx, scope.Caller{App: c.App})
	d, err := s.table.GetFlagDefinition(asApp, key, c.App)
	var rules []*Rule
	if err == nil {
		rules, err = s.table.GetFlagRules(asApp, key, c.App)
	}
	if err := p.EndErr(ctx, err); err != nil {
		return nil, nil, err
	}
	return d, rules, nil
}

// List returns the app's flags by key, for an operator.
func (s *Service) List(ctx context.Context, opts ListOpts) ([]*Definition, error) {
	c, p, err := s.enter(ctx, "flag.list", "", true)
	if err != nil {
		return nil, err
	}
	out, err := s.table.ListFlagDefinitions(scope.WithCaller(ctx, scope.Caller{App: c.App}), c.App, opts)
	if err := p.EndErr(ctx, err); err != nil {
		return nil, err
	}
	return out, nil
}

// SetTenantOverride sets the value a flag has for one tenant: the caller's own, which an empty tenantID means, or for an
// operator any.
func (s *Service) SetTenantOverride(ctx context.Context, key, tenantID string, value any) error {
	app, tenant, p, err := s.enterTenant(ctx, "flag.set_override", key, tenantID)
	if err != nil {
		return err
	}
	return done(ctx, p, s.table.setOverride(ctx, app, tenant, key, value, ended(p)))
}

// DeleteTenantOverride removes the value a flag has for one tenant, as [Service.SetTenantOverride] sets it.
func (s *Service) DeleteTenantOverride(ctx context.Context, key, tenantID string) error {
	app, tenant, p, err := s.enterTenant(ctx, "flag.delete_override", key, tenantID)
	if err != nil {
		return err
	}
	return done(ctx, p, s.table.deleteOverride(ctx, app, tenant, key, ended(p)))
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

func (s *Service) enterTenant(ctx context.Context, action, key, tenantID string) (app, tenant string, p *audit.Pending, err error) {
	c, err := who.Of(ctx, "", s.app)
	if err != nil {
		return "", "", nil, err
	}
	if tenantID == "" {
		tenantID = c.Tenant
	}
	if err := driver.Owner(c.App, tenantID); err != nil {
		return "", "", nil, err
	}
	c, p, err = s.enter(ctx, action, key, tenantID != c.Tenant, audit.Detail{Key: "tenant", Value: tenantID})
	return c.App, tenantID, p, err
}
