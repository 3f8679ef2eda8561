package flag

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Table is a [Store] over the rows of a vault store. The app argument and the app in scope may not disagree; with a tenant
// in scope, only that tenant's own values are seen and changed. It asks no gate and writes no record: that is what
// [Service] does. It is safe for concurrent use.
type Table struct{ st driver.Store }

// NewTable returns the flags kept in st.
func NewTable(st driver.Store) *Table { return &Table{st} }

// also is what must happen in the transaction of a write: the end of its audit entry.
type also func(ctx context.Context, tx driver.Tx) error

// flagTable lets a service find the table inside a store that embeds one.
func (t *Table) flagTable() *Table { return t }

// DefineFlag creates a flag or changes its definition; the rules and the tenants' values stay, and must fit. It fills in
// f's ID, Version and times.
func (t *Table) DefineFlag(ctx context.Context, f *Definition) error {
	if f == nil {
		return fault.New(fault.Invalid, "there is no definition")
	}
	c, err := who.Of(ctx, f.AppID, "")
	if err != nil {
		return err
	}
	return t.define(ctx, c.App, f, nil)
}

func (t *Table) define(ctx context.Context, app string, f *Definition, also also) error {
	d := *f
	var row driver.FlagRow
	err := t.update(ctx, also, func(tx driver.Tx) (err error) {
		var rules []*Rule
		var overrides []*TenantOverride
		row, err = tx.Flag(ctx, app, driver.Shared, f.Key)
		switch {
		case errors.Is(err, driver.ErrNotFound):
			row = driver.FlagRow{App: app, Tenant: driver.Shared, Name: f.Key, ID: id.New(id.Flag).String(), Rules: "[]", CreatedAt: tx.Now()}
		case err != nil:
			return err
		default:
			if rules, overrides, err = beside(ctx, tx, row); err != nil {
				return err
			}
		}
		if err := check(ctx, tx, app, &d, rules, overrides); err != nil {
			return err
		}
		row.Version++
		row.UpdatedAt = tx.Now()
		if row.Definition, err = encodeDefinition(&d); err != nil {
			return err
		}
		return tx.PutFlag(ctx, row)
	})
	if err != nil {
		return err
	}
	f.ID, f.Version, f.AppID, f.Entity = id.ID(row.ID), row.Version, app, entity(row.CreatedAt, row.UpdatedAt)
	return nil
}

// check compiles a flag as it would be, names its variants, and looks at what its prerequisites are.
func check(ctx context.Context, tx driver.Tx, app string, d *Definition, rules []*Rule, overrides []*TenantOverride) error {
	if err := checkNotes(d); err != nil {
		return err
	}
	if _, err := compile(app, d, rules, overrides); err != nil {
		return err
	}
	variants, err := d.variants()
	if err != nil {
		return err
	}
	if d.Variants = variants; len(variants) == 0 {
		d.Variants = nil
	}
	return checkPrereqs(ctx, tx, app, d)
}

// update runs a write and what must happen with it in one transaction.
func (t *Table) update(ctx context.Context, also also, fn func(driver.Tx) error) error {
	return t.st.Update(ctx, func(tx driver.Tx) error {
		if err := fn(tx); err != nil || also == nil {
			return err
		}
		return also(ctx, tx)
	})
}

// beside returns what is stored with a definition.
func beside(ctx context.Context, tx driver.Tx, row driver.FlagRow) ([]*Rule, []*TenantOverride, error) {
	rules, err := decodeRules(row)
	if err != nil {
		return nil, nil, err
	}
	overrides, err := allOverrides(ctx, tx, row.App, row.Name)
	return rules, overrides, err
}

func allOverrides(ctx context.Context, tx driver.Tx, app, key string) (out []*TenantOverride, err error) {
	const page = 1000
	for after := ""; ; {
		rows, err := tx.ListFlagOverridesEveryTenant(ctx, app, key, after, page)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			o, err := decodeOverride(r)
			if err != nil {
				return nil, err
			}
			out, after = append(out, o), r.Tenant
		}
		if len(rows) < page {
			return out, nil
		}
	}
}

// GetFlagDefinition returns a flag's definition.
func (t *Table) GetFlagDefinition(ctx context.Context, key, appID string) (d *Definition, err error) {
	err = t.read(ctx, appID, key, func(_ driver.Tx, row driver.FlagRow) error {
		d, err = decodeDefinition(row)
		return err
	})
	return d, err
}

// read finds a flag for one of the reading methods.
func (t *Table) read(ctx context.Context, appID, key string, fn func(driver.Tx, driver.FlagRow) error) error {
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return err
	}
	return t.st.View(ctx, func(tx driver.Tx) error {
		row, err := find(ctx, tx, c.App, key)
		if err != nil {
			return err
		}
		return fn(tx, row)
	})
}

func find(ctx context.Context, tx driver.Tx, app, key string) (driver.FlagRow, error) {
	row, err := tx.Flag(ctx, app, driver.Shared, key)
	if errors.Is(err, driver.ErrNotFound) {
		return row, notFound(key)
	}
	return row, err
}

// ListFlagDefinitions returns an app's flags by key.
func (t *Table) ListFlagDefinitions(ctx context.Context, appID string, opts ListOpts) (out []*Definition, err error) {
	if appID == "" {
		appID = opts.AppID
	}
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return nil, err
	}
	if opts.Limit < 0 || opts.Offset < 0 {
		return nil, fault.New(fault.Invalid, "a list has no negative limit or offset").At(fault.Where{Field: "limit"})
	}
	limit := opts.Limit
	if limit == 0 || limit > maxPage {
		limit = maxPage
	}
	err = t.st.View(ctx, func(tx driver.Tx) error {
		rows, err := tx.ListFlags(ctx, c.App, driver.Shared, opts.After, limit+opts.Offset)
		if err != nil {
			return err
		}
		for _, r := range rows[min(opts.Offset, len(rows)):] {
			d, err := decodeDefinition(r)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}

const maxPage = 1000

// DeleteFlagDefinition removes a flag, its rules and every tenant's own value. A flag that another one needs stays
// (Conflict).
func (t *Table) DeleteFlagDefinition(ctx context.Context, key, appID string) error {
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return err
	}
	return t.delete(ctx, c.App, key, nil)
}

func (t *Table) delete(ctx context.Context, app, key string, also also) error {
	return t.update(ctx, also, func(tx driver.Tx) error {
		if _, err := find(ctx, tx, app, key); err != nil {
			return err
		}
		if err := checkUnneeded(ctx, tx, app, key); err != nil {
			return err
		}
		return errors.Join(tx.DeleteFlagOverridesEveryTenant(ctx, app, key), tx.DeleteFlag(ctx, app, driver.Shared, key))
	})
}

// SetFlagRules replaces a flag's rules. A rule without an ID gets one.
func (t *Table) SetFlagRules(ctx context.Context, key, appID string, rules []*Rule) error {
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return err
	}
	return t.setRules(ctx, c.App, key, rules, nil)
}

func (t *Table) setRules(ctx context.Context, app, key string, rules []*Rule, also also) error {
	return t.update(ctx, also, func(tx driver.Tx) error {
		row, err := find(ctx, tx, app, key)
		if err != nil {
			return err
		}
		d, err := decodeDefinition(row)
		if err != nil {
			return err
		}
		if _, err := compile(app, d, rules, nil); err != nil {
			return err
		}
		row.Version++
		row.UpdatedAt = tx.Now()
		if row.Rules, err = encodeRules(rules, tx.Now()); err != nil {
			return err
		}
		return tx.PutFlag(ctx, row)
	})
}

// GetFlagRules returns a flag's rules by priority, equal ones in the order given.
func (t *Table) GetFlagRules(ctx context.Context, key, appID string) (rules []*Rule, err error) {
	err = t.read(ctx, appID, key, func(_ driver.Tx, row driver.FlagRow) error {
		rules, err = decodeRules(row)
		return err
	})
	return rules, err
}

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
	return t.setOverride(ctx, c.App, tenantID, key, value, nil)
}

// owner checks whom a call about one tenant's value is about.
func (t *Table) owner(ctx context.Context, appID, tenantID string) (scope.Caller, error) {
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return c, err
	}
	return c, driver.Owner(c.App, tenantID)
}

func (t *Table) setOverride(ctx context.Context, app, tenant, key string, value any, also also) error {
	return t.update(ctx, also, func(tx driver.Tx) error {
		row, err := find(ctx, tx, app, key)
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
		o, err := tx.FlagOverride(ctx, app, tenant, key)
		if errors.Is(err, driver.ErrNotFound) {
			o, err = driver.FlagOverrideRow{App: app, Tenant: tenant, Name: key, ID: id.New(id.Override).String(), CreatedAt: tx.Now()}, nil
		}
		if err != nil {
			return err
		}
		o.Kind, o.Value, o.UpdatedAt = e.Kind, e.Text, tx.Now()
		return tx.PutFlagOverride(ctx, o)
	})
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
	return t.deleteOverride(ctx, c.App, tenantID, key, nil)
}

func (t *Table) deleteOverride(ctx context.Context, app, tenant, key string, also also) error {
	return t.update(ctx, also, func(tx driver.Tx) error {
		if _, err := tx.FlagOverride(ctx, app, tenant, key); errors.Is(err, driver.ErrNotFound) {
			return noOverride(key)
		} else if err != nil {
			return err
		}
		return tx.DeleteFlagOverride(ctx, app, tenant, key)
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
