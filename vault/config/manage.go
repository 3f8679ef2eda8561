package config

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// call is one managing call: whose entry it is about, and its open audit entry.
type call struct {
	Owner
	user string
	p    *audit.Pending
}

// enter is the first line of every method that manages. With a tenant in scope a call is about that tenant's own entries,
// without one about the app's, which are the operator's.
func (s *Service) enter(ctx context.Context, action, key, appID string, operator bool) (call, error) {
	c, err := who.Of(ctx, appID, s.app)
	if err != nil {
		return call{}, err
	}
	if s.table == nil || s.gate == nil {
		return call{}, fault.New(fault.Unsupported, "the config of this store cannot be managed from here").
			WithHint("use the methods of the store itself")
	}
	p, err := s.gate.Enter(ctx, audit.Request{Caller: c, Action: action, Resource: "config", Name: key, Operator: operator || c.Tenant == ""})
	if err != nil {
		return call{}, err
	}
	o := Owner{c.App, c.Tenant}
	if c.Tenant == "" {
		o.Tenant = driver.Shared
	}
	return call{o, c.User, p}, nil
}

// update runs a write and the end of its audit entry in one transaction.
func (s *Service) update(ctx context.Context, c call, key string, fn func(driver.Tx) ([]audit.Detail, error)) error {
	fn, written := s.observed(ctx, c, key, fn)
	err := s.table.st.Update(ctx, func(tx driver.Tx) error {
		details, err := fn(tx)
		if err != nil {
			return err
		}
		return c.p.EndTx(ctx, tx, audit.OK, details...)
	})
	if err != nil {
		return c.p.EndErr(ctx, err)
	}
	if s.resolver != nil {
		s.resolver.Invalidate(key, c.App)
	}
	written()
	return nil
}

func atVersion(n int64) []audit.Detail {
	return []audit.Detail{{Key: "version", Value: strconv.FormatInt(n, 10)}}
}

// read runs a reading call and ends its audit entry.
func read[T any](ctx context.Context, s *Service, c call, fn func(driver.Tx) (T, error)) (out T, err error) {
	err = s.table.st.View(ctx, func(tx driver.Tx) error {
		out, err = fn(tx)
		return err
	})
	if err := c.p.EndErr(ctx, err); err != nil {
		var none T
		return none, err
	}
	return out, nil
}

// SetOption changes one call of [Service.Set].
type SetOption func(*Write)

// WithDescription sets the description, in place of the one before.
func WithDescription(desc string) SetOption { return func(w *Write) { w.Description = &desc } }

// WithValueType says which type the value must have: string, bool, int, float, duration or json.
func WithValueType(vt string) SetOption { return func(w *Write) { w.ValueType = vt } }

// WithMetadata sets what is noted beside the value, in place of what was noted before.
func WithMetadata(m map[string]string) SetOption {
	return func(w *Write) {
		if w.Metadata = m; m == nil {
			w.Metadata = map[string]string{}
		}
	}
}

// WithExpectedVersion makes the write fail with vault.ErrVersionConflict unless this is the current version; 0 means that
// there must be no entry.
func WithExpectedVersion(n int64) SetOption { return func(w *Write) { w.Expected = &n } }

// Set writes a new version: of the tenant's own entry, or without a tenant in scope of the app's.
func (s *Service) Set(ctx context.Context, key string, value any, appID string, opts ...SetOption) error {
	_, err := s.SetEntry(ctx, key, value, appID, opts...)
	return err
}

// SetEntry is [Service.Set] that returns what was written.
func (s *Service) SetEntry(ctx context.Context, key string, value any, appID string, opts ...SetOption) (e *Entry, err error) {
	c, err := s.enter(ctx, "config.set", key, appID, false)
	if err != nil {
		return nil, err
	}
	w := Write{Value: value, By: c.user}
	for _, o := range opts {
		o(&w)
	}
	err = s.update(ctx, c, key, func(tx driver.Tx) ([]audit.Detail, error) {
		if e, err = Put(ctx, tx, c.Owner, key, w); err != nil {
			return nil, err
		}
		return atVersion(e.Version), nil
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Rollback writes the value of an earlier version as a new one, as [Service.Set] would.
func (s *Service) Rollback(ctx context.Context, key, appID string, version int64, opts ...SetOption) (e *Entry, err error) {
	c, err := s.enter(ctx, "config.rollback", key, appID, false)
	if err != nil {
		return nil, err
	}
	err = s.update(ctx, c, key, func(tx driver.Tx) ([]audit.Detail, error) {
		old, err := ReadVersion(ctx, tx, c.Owner, key, version)
		if err != nil {
			return nil, err
		}
		w := Write{Value: old.Value, ValueType: old.ValueType, Description: &old.Description, Metadata: old.Metadata, By: c.user}
		if w.Metadata == nil {
			w.Metadata = map[string]string{}
		}
		for _, o := range opts {
			o(&w)
		}
		if e, err = Put(ctx, tx, c.Owner, key, w); err != nil {
			return nil, err
		}
		return append(atVersion(e.Version), audit.Detail{Key: "from", Value: strconv.FormatInt(version, 10)}), nil
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Delete removes the tenant's own entry, or without a tenant in scope the app's, with all its versions. The key can be set
// again and goes on with the next version number. Of the options only [WithExpectedVersion] means something.
func (s *Service) Delete(ctx context.Context, key, appID string, opts ...SetOption) error {
	c, err := s.enter(ctx, "config.delete", key, appID, false)
	if err != nil {
		return err
	}
	var w Write
	for _, o := range opts {
		o(&w)
	}
	return s.update(ctx, c, key, func(tx driver.Tx) ([]audit.Detail, error) {
		return nil, Remove(ctx, tx, c.Owner, key, w.Expected)
	})
}

// SetSchema sets the JSON Schema that every value of a key must fit, overrides included, for an operator; an empty one
// takes it away. What is stored must fit.
func (s *Service) SetSchema(ctx context.Context, key string, schema json.RawMessage, appID string) error {
	c, err := s.enter(ctx, "config.set_schema", key, appID, true)
	if err != nil {
		return err
	}
	return s.update(ctx, c, key, func(tx driver.Tx) ([]audit.Detail, error) {
		return nil, PutSchema(ctx, tx, c.App, key, schema)
	})
}

// Get returns the tenant's own entry, else the app's.
func (s *Service) Get(ctx context.Context, key, appID string) (*Entry, error) {
	c, err := s.enter(ctx, "config.get", key, appID, false)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, c, func(tx driver.Tx) (*Entry, error) { return ReadFor(ctx, tx, c.App, c.Tenant, key) })
}

// GetVersion returns one version of the tenant's own entry, or without a tenant in scope of the app's.
func (s *Service) GetVersion(ctx context.Context, key, appID string, version int64) (*Entry, error) {
	c, err := s.enter(ctx, "config.get_version", key, appID, false)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, c, func(tx driver.Tx) (*Entry, error) { return ReadVersion(ctx, tx, c.Owner, key, version) })
}

// ListVersions returns the versions of the tenant's own entry, or without a tenant in scope of the app's, oldest first.
func (s *Service) ListVersions(ctx context.Context, key, appID string) ([]*EntryVersion, error) {
	c, err := s.enter(ctx, "config.list_versions", key, appID, false)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, c, func(tx driver.Tx) ([]*EntryVersion, error) { return Versions(ctx, tx, c.Owner, key) })
}

// List returns what the keys of the app resolve to, by key: the tenant's own entries and the app's others.
func (s *Service) List(ctx context.Context, appID string, opts ListOpts) ([]*Entry, error) {
	if appID == "" {
		appID = opts.AppID
	}
	c, err := s.enter(ctx, "config.list", "", appID, false)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, c, func(tx driver.Tx) ([]*Entry, error) { return listFor(ctx, tx, c.Owner, opts) })
}

// listFor merges the owner's entries with the app's. Each side is read as far as the page can reach.
func listFor(ctx context.Context, tx driver.Tx, o Owner, opts ListOpts) ([]*Entry, error) {
	limit, err := opts.limit()
	if err != nil {
		return nil, err
	}
	if o.Tenant == driver.Shared {
		return List(ctx, tx, o, opts)
	}
	upTo := limit + opts.Offset
	own, err := tx.ListConfigs(ctx, o.App, o.Tenant, opts.After, upTo)
	if err != nil {
		return nil, err
	}
	app, err := tx.ListConfigs(ctx, o.App, driver.Shared, opts.After, upTo)
	if err != nil {
		return nil, err
	}
	merged := merge(own, app)
	merged = merged[min(opts.Offset, len(merged)):min(upTo, len(merged))]
	out := make([]*Entry, 0, len(merged))
	for _, h := range merged {
		e, err := Read(ctx, tx, Owner{o.App, h.Tenant}, h.Name)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// merge joins two lists that are in order; of equal names the first list's stays.
func merge(own, app []driver.ConfigRow) []driver.ConfigRow {
	out := make([]driver.ConfigRow, 0, len(own)+len(app))
	for len(own) > 0 || len(app) > 0 {
		switch {
		case len(app) == 0 || len(own) > 0 && own[0].Name < app[0].Name:
			out, own = append(out, own[0]), own[1:]
		case len(own) == 0 || app[0].Name < own[0].Name:
			out, app = append(out, app[0]), app[1:]
		default:
			out, own, app = append(out, own[0]), own[1:], app[1:]
		}
	}
	return out
}
