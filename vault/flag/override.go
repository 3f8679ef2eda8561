package flag

import (
	"context"
	"errors"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// SetFlagTenantOverride sets the value a flag has for one tenant.
func (t *Table) SetFlagTenantOverride(ctx context.Context, key, appID, tenantID string, value any) error {
	c, err := t.owner(ctx, appID, tenantID)
	if err != nil {
		return err
	}
	if c.Tenant != "" && c.Tenant != tenantID {
		return fault.New(fault.Invalid, "this call is about the tenant %s, but the tenant in scope is another", audit.Display(tenantID)).
			WithCode("scope").WithHint("set the scope once, at the door, with scope.WithScope")
	}
	return t.setOverride(ctx, author{app: c.App, user: c.User}, tenantID, key, value)
}

// owner checks whom a call about one tenant's value is about.
func (t *Table) owner(ctx context.Context, appID, tenantID string) (scope.Caller, error) {
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return c, err
	}
	return c, driver.Owner(c.App, tenantID)
}

func theOverride(app, tenant, key string) thing {
	return thing{app, tenant, driver.FlagKindOverride, key}
}

func (t *Table) setOverride(ctx context.Context, w author, tenant, key string, value any) error {
	return t.update(ctx, w.also, func(tx driver.Tx) error {
		row, err := find(ctx, tx, w.app, key)
		if err != nil {
			return err
		}
		d, err := decodeDefinition(row)
		if err != nil {
			return err
		}
		if value, err = d.Type.cast(value, "value"); err != nil {
			return err
		}
		e, err := typed.Encode(value)
		if err != nil {
			return err
		}
		return putOverride(ctx, tx, w, tenant, key, e, "set")
	})
}

// putOverride writes a tenant's own value with the next version, and remembers it.
func putOverride(ctx context.Context, tx driver.Tx, w author, tenant, key string, e typed.Encoded, action string) error {
	o, err := tx.FlagOverride(ctx, w.app, tenant, key)
	if errors.Is(err, driver.ErrNotFound) {
		o, err = driver.FlagOverrideRow{App: w.app, Tenant: tenant, Name: key, ID: id.New(id.Override).String(), CreatedAt: tx.Now()}, nil
	}
	if err != nil {
		return err
	}
	if err := w.expects("tenant's own value of", key, o.Version); err != nil {
		return err
	}
	h := theOverride(w.app, tenant, key)
	if o.Version, err = h.next(ctx, tx); err != nil {
		return err
	}
	o.Kind, o.Value, o.UpdatedAt = e.Kind, e.Text, tx.Now()
	return errors.Join(tx.PutFlagOverride(ctx, o), h.remember(ctx, tx, o.Version, action, e.Kind+" "+e.Text, w.user))
}

// rollbackOverride writes what a tenant's own value was at a version as a new one.
func (t *Table) rollbackOverride(ctx context.Context, w author, tenant, key string, version int64) error {
	return t.update(ctx, w.also, func(tx driver.Tx) error {
		row, err := find(ctx, tx, w.app, key)
		if err != nil {
			return err
		}
		d, err := decodeDefinition(row)
		if err != nil {
			return err
		}
		v, err := theOverride(w.app, tenant, key).body(ctx, tx, version, noOverride(key))
		if err != nil {
			return err
		}
		kind, text, _ := strings.Cut(v.Body, " ")
		value, err := typed.Decode(typed.Encoded{Kind: kind, Text: text})
		if err != nil {
			return unreadable(key, err)
		}
		if value, err = d.Type.cast(value, "value"); err != nil {
			return err
		}
		e, err := typed.Encode(value)
		if err != nil {
			return err
		}
		return putOverride(ctx, tx, w, tenant, key, e, "rollback")
	})
}

// forgetOverrides writes down that every tenant's value of a flag goes with the flag.
func forgetOverrides(ctx context.Context, tx driver.Tx, w author, key string) error {
	all, err := allOverrides(ctx, tx, w.app, key)
	if err != nil {
		return err
	}
	for _, o := range all {
		if err := theOverride(w.app, o.TenantID, key).forget(ctx, tx, w.user); err != nil {
			return err
		}
	}
	return nil
}

// GetFlagTenantOverride returns the value a flag has for one tenant. For who is inside another tenant there is none.
func (t *Table) GetFlagTenantOverride(ctx context.Context, key, appID, tenantID string) (v any, err error) {
	c, err := t.owner(ctx, appID, tenantID)
	if err != nil {
		return nil, err
	}
	if c.Tenant != "" && c.Tenant != tenantID {
		return nil, noOverride(key)
	}
	err = t.st.View(ctx, func(tx driver.Tx) error {
		row, err := tx.FlagOverride(ctx, c.App, tenantID, key)
		if errors.Is(err, driver.ErrNotFound) {
			return noOverride(key)
		}
		if err != nil {
			return err
		}
		o, err := decodeOverride(row)
		if err == nil {
			v = o.Value
		}
		return err
	})
	return v, err
}

func noOverride(key string) error {
	return fault.Wrap(fault.NotFound, base.ErrOverrideNotFound, "the flag %s has no value of the tenant's own", audit.Display(key)).
		WithCode("OverrideNotFound")
}

// DeleteFlagTenantOverride removes the value a flag has for one tenant.
func (t *Table) DeleteFlagTenantOverride(ctx context.Context, key, appID, tenantID string) error {
	c, err := t.owner(ctx, appID, tenantID)
	if err != nil {
		return err
	}
	if c.Tenant != "" && c.Tenant != tenantID {
		return noOverride(key)
	}
	return t.deleteOverride(ctx, author{app: c.App, user: c.User}, tenantID, key)
}

func (t *Table) deleteOverride(ctx context.Context, w author, tenant, key string) error {
	return t.update(ctx, w.also, func(tx driver.Tx) error {
		o, err := tx.FlagOverride(ctx, w.app, tenant, key)
		if errors.Is(err, driver.ErrNotFound) {
			return noOverride(key)
		} else if err != nil {
			return err
		}
		if err := w.expects("tenant's own value of", key, o.Version); err != nil {
			return err
		}
		return errors.Join(tx.DeleteFlagOverride(ctx, w.app, tenant, key), theOverride(w.app, tenant, key).forget(ctx, tx, w.user))
	})
}

// ListFlagTenantOverrides returns the values a flag has for tenants, by tenant; for who is inside a tenant that one's alone.
func (t *Table) ListFlagTenantOverrides(ctx context.Context, key, appID string) (out []*TenantOverride, err error) {
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return nil, err
	}
	err = t.st.View(ctx, func(tx driver.Tx) error {
		if c.Tenant == "" {
			out, err = allOverrides(ctx, tx, c.App, key)
			return err
		}
		row, err := tx.FlagOverride(ctx, c.App, c.Tenant, key)
		if errors.Is(err, driver.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		o, err := decodeOverride(row)
		out = append(out, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
