package flag

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/who"
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
	return t.define(ctx, author{app: c.App, user: c.User}, f)
}

func (t *Table) define(ctx context.Context, w author, f *Definition) error {
	d, app := *f, w.app
	var row driver.FlagRow
	err := t.update(ctx, w.also, func(tx driver.Tx) (err error) {
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
		if err := w.expects("flag", f.Key, row.Version); err != nil {
			return err
		}
		if err := check(ctx, tx, app, &d, rules, overrides); err != nil {
			return err
		}
		if row.Definition, err = encodeDefinition(&d); err != nil {
			return err
		}
		row, err = put(ctx, tx, w, row, "define")
		return err
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
	if _, err := compile(app, d, rules, overrides, storedSegments(ctx, tx, app)); err != nil {
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
	limit, err := opts.limit()
	if err != nil {
		return nil, err
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
	return t.delete(ctx, author{app: c.App, user: c.User}, key)
}

func (t *Table) delete(ctx context.Context, w author, key string) error {
	return t.update(ctx, w.also, func(tx driver.Tx) error {
		row, err := find(ctx, tx, w.app, key)
		if err != nil {
			return err
		}
		if err := errors.Join(w.expects("flag", key, row.Version), checkUnneeded(ctx, tx, w.app, key)); err != nil {
			return err
		}
		if err := forgetOverrides(ctx, tx, w, key); err != nil {
			return err
		}
		return errors.Join(tx.DeleteFlagOverridesEveryTenant(ctx, w.app, key), tx.DeleteFlag(ctx, w.app, driver.Shared, key),
			theFlag(w.app, key).forget(ctx, tx, w.user))
	})
}

// SetFlagRules replaces a flag's rules. A rule without an ID gets one.
func (t *Table) SetFlagRules(ctx context.Context, key, appID string, rules []*Rule) error {
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return err
	}
	return t.setRules(ctx, author{app: c.App, user: c.User}, key, rules)
}

func (t *Table) setRules(ctx context.Context, w author, key string, rules []*Rule) error {
	return t.change(ctx, w, key, "set_rules", func(tx driver.Tx, d *Definition, row *driver.FlagRow) (err error) {
		if _, err := compile(w.app, d, rules, nil, storedSegments(ctx, tx, w.app)); err != nil {
			return err
		}
		row.Rules, err = encodeRules(rules, tx.Now())
		return err
	})
}

func (t *Table) setEnabled(ctx context.Context, w author, key string, enabled bool) error {
	return t.change(ctx, w, key, "set_enabled", func(_ driver.Tx, d *Definition, row *driver.FlagRow) (err error) {
		d.Enabled = enabled
		row.Definition, err = encodeDefinition(d)
		return err
	})
}

// change writes a new version of a flag that there is.
func (t *Table) change(ctx context.Context, w author, key, action string, fn func(driver.Tx, *Definition, *driver.FlagRow) error) error {
	return t.update(ctx, w.also, func(tx driver.Tx) error {
		row, err := find(ctx, tx, w.app, key)
		if err != nil {
			return err
		}
		if err := w.expects("flag", key, row.Version); err != nil {
			return err
		}
		d, err := decodeDefinition(row)
		if err != nil {
			return err
		}
		if err := fn(tx, d, &row); err != nil {
			return err
		}
		_, err = put(ctx, tx, w, row, action)
		return err
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
