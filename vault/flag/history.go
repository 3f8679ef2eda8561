package flag

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Revision is one version of a flag, of a segment or of a tenant's own value: what made it, and who.
type Revision struct {
	ID        id.ID     `json:"id"`
	Version   int64     `json:"version"`
	Action    string    `json:"action"`            // define, set_enabled, set_rules, set, rollback or delete
	Current   bool      `json:"current"`           // it is what evaluation sees
	Deleted   bool      `json:"deleted,omitempty"` // it is a deletion, and has nothing to go back to
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by,omitempty"` // the user in scope; empty for a program
}

// keepVersions is how many versions are kept of each thing; older ones are dropped by a write.
const keepVersions = 100

// WriteOption changes one call that writes.
type WriteOption func(*author)

// WithExpectedVersion makes the write fail with vault.ErrVersionConflict unless this is the current version; 0 means that
// there must be none.
func WithExpectedVersion(n int64) WriteOption { return func(w *author) { w.expected = &n } }

// author is who writes to an app's flags, on what condition, and what must happen in the same transaction.
type author struct {
	app, user string
	expected  *int64
	also      also
}

func (w author) with(opts []WriteOption) author {
	for _, o := range opts {
		o(&w)
	}
	return w
}

// expects compares the current version with the one the author has seen.
func (w author) expects(what, key string, current int64) error {
	if w.expected == nil || *w.expected == current {
		return nil
	}
	return fault.Wrap(fault.Conflict, base.ErrVersionConflict, "the %s %s is at version %d, not %d", what, audit.Display(key), current, *w.expected).
		WithCode("VersionConflict").WithHint("read it again and decide anew")
}

// thing is what has versions.
type thing struct{ app, tenant, kind, key string }

// next is the number of the version to come: numbers go on after a deletion.
func (h thing) next(ctx context.Context, tx driver.Tx) (int64, error) {
	v, err := tx.LatestFlagVersion(ctx, h.app, h.tenant, h.kind, h.key)
	if errors.Is(err, driver.ErrNotFound) {
		return 1, nil
	}
	return v.Version + 1, err
}

// remember writes a version down and drops those that are too old.
func (h thing) remember(ctx context.Context, tx driver.Tx, n int64, action, body, user string) error {
	v := driver.FlagVersion{App: h.app, Tenant: h.tenant, Kind: h.kind, Name: h.key, Version: n, ID: id.New(id.Version).String(), Action: action,
		Body: body, CreatedAt: tx.Now(), CreatedBy: user}
	if err := tx.AddFlagVersion(ctx, v); err != nil {
		return err
	}
	return tx.DeleteFlagVersions(ctx, h.app, h.tenant, h.kind, h.key, n-keepVersions)
}

// forget writes down that a thing is no more.
func (h thing) forget(ctx context.Context, tx driver.Tx, user string) error {
	n, err := h.next(ctx, tx)
	if err != nil {
		return err
	}
	return h.remember(ctx, tx, n, "delete", "", user)
}

// body returns what a version was. missing is the error for a thing that never was.
func (h thing) body(ctx context.Context, tx driver.Tx, n int64, missing error) (driver.FlagVersion, error) {
	v, err := tx.FlagVersion(ctx, h.app, h.tenant, h.kind, h.key, n)
	switch {
	case errors.Is(err, driver.ErrNotFound):
		if _, err := tx.LatestFlagVersion(ctx, h.app, h.tenant, h.kind, h.key); errors.Is(err, driver.ErrNotFound) {
			return v, missing
		} else if err != nil {
			return v, err
		}
		return v, fault.Wrap(fault.NotFound, fault.From(missing).Cause, "%s has no version %d", audit.Display(h.key), n).
			WithCode(fault.From(missing).Code).WithHint("the last %d versions are kept", keepVersions)
	case err != nil:
		return v, err
	case v.Body == "":
		return v, fault.New(fault.Invalid, "version %d of %s is its deletion", n, audit.Display(h.key)).At(fault.Where{Field: "version"}).
			WithHint("name the version before it")
	}
	return v, nil
}

// revisions returns the versions that are kept, oldest first.
func (h thing) revisions(ctx context.Context, tx driver.Tx, missing error) ([]*Revision, error) {
	rows, err := tx.ListFlagVersions(ctx, h.app, h.tenant, h.kind, h.key, 0, keepVersions)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, missing
	}
	out := make([]*Revision, len(rows))
	for i, v := range rows {
		out[i] = &Revision{ID: id.ID(v.ID), Version: v.Version, Action: v.Action, Current: i == len(rows)-1 && v.Body != "", Deleted: v.Body == "",
			CreatedAt: time.UnixMicro(v.CreatedAt).UTC(), CreatedBy: v.CreatedBy}
	}
	return out, nil
}

// flagBody is what is written down of a flag's version.
type flagBody struct {
	Definition json.RawMessage `json:"definition"`
	Rules      json.RawMessage `json:"rules"`
}

func theFlag(app, key string) thing { return thing{app, driver.Shared, driver.FlagKindFlag, key} }

// put writes a flag's row with the next version, and remembers it.
func put(ctx context.Context, tx driver.Tx, w author, row driver.FlagRow, action string) (driver.FlagRow, error) {
	h := theFlag(row.App, row.Name)
	n, err := h.next(ctx, tx)
	if err != nil {
		return row, err
	}
	row.Version, row.UpdatedAt = n, tx.Now()
	body, err := json.Marshal(flagBody{json.RawMessage(row.Definition), json.RawMessage(row.Rules)})
	if err != nil {
		return row, unreadable(row.Name, err)
	}
	return row, errors.Join(tx.PutFlag(ctx, row), h.remember(ctx, tx, n, action, string(body), w.user))
}

// restored returns a flag's row as it was at a version.
func restored(ctx context.Context, tx driver.Tx, app, key string, version int64) (driver.FlagRow, error) {
	v, err := theFlag(app, key).body(ctx, tx, version, notFound(key))
	if err != nil {
		return driver.FlagRow{}, err
	}
	var b flagBody
	if err := strict(v.Body, &b); err != nil {
		return driver.FlagRow{}, unreadable(key, err)
	}
	return driver.FlagRow{App: app, Tenant: driver.Shared, Name: key, ID: v.ID, Version: v.Version, Definition: string(b.Definition),
		Rules: string(b.Rules), CreatedAt: v.CreatedAt, UpdatedAt: v.CreatedAt}, nil
}

// rollback writes what a flag was at a version as a new one: definition, rules, and whether it was on. A flag that was
// deleted comes back, without the values of tenants.
func (t *Table) rollback(ctx context.Context, w author, key string, version int64) (d *Definition, err error) {
	err = t.update(ctx, w.also, func(tx driver.Tx) error {
		row, err := tx.Flag(ctx, w.app, driver.Shared, key)
		if err != nil && !errors.Is(err, driver.ErrNotFound) {
			return err
		}
		if err := w.expects("flag", key, row.Version); err != nil {
			return err
		}
		old, err := restored(ctx, tx, w.app, key, version)
		if err != nil {
			return err
		}
		old.ID, old.CreatedAt = row.ID, row.CreatedAt
		if row.ID == "" {
			old.ID, old.CreatedAt = id.New(id.Flag).String(), tx.Now()
		}
		if d, err = decodeDefinition(old); err != nil {
			return err
		}
		rules, overrides, err := beside(ctx, tx, old)
		if err != nil {
			return err
		}
		if err := check(ctx, tx, w.app, d, rules, overrides); err != nil {
			return err
		}
		if old, err = put(ctx, tx, w, old, "rollback"); err != nil {
			return err
		}
		d.Version, d.Entity = old.Version, entity(old.CreatedAt, old.UpdatedAt)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}
