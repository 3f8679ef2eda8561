package config

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Owner is whom an entry belongs to: a tenant, or with the tenant driver.Shared the whole app.
type Owner struct{ App, Tenant string }

// Write is what a new version of an entry has. A nil field stays as it was in the version before.
type Write struct {
	Value       any
	ValueType   string // empty: the value's own
	Description *string
	Metadata    map[string]string // not nil: in place of all there was
	Expected    *int64            // the version that must be current; 0: there must be none
	By          string            // the user
}

// Read returns exactly this owner's entry, or vault.ErrConfigNotFound.
func Read(ctx context.Context, tx driver.Tx, o Owner, key string) (*Entry, error) {
	head, v, err := tx.Config(ctx, o.App, o.Tenant, key)
	if errors.Is(err, driver.ErrNotFound) || err == nil && head.Current == 0 {
		return nil, notFound(key)
	}
	if err != nil {
		return nil, err
	}
	return toEntry(head, v)
}

// ReadFor returns the tenant's entry, else the app's, or vault.ErrConfigNotFound. An empty tenant means the app's.
func ReadFor(ctx context.Context, tx driver.Tx, app, tenant, key string) (*Entry, error) {
	if tenant != "" {
		if e, err := Read(ctx, tx, Owner{app, tenant}, key); !errors.Is(err, base.ErrConfigNotFound) {
			return e, err
		}
	}
	return Read(ctx, tx, Owner{app, driver.Shared}, key)
}

// Put writes a new version of an owner's entry, making the entry if there is none.
func Put(ctx context.Context, tx driver.Tx, o Owner, key string, w Write) (*Entry, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	head, prev, err := tx.Config(ctx, o.App, o.Tenant, key)
	if err != nil && !errors.Is(err, driver.ErrNotFound) {
		return nil, err
	}
	if err := w.expects(key, head.Current); err != nil {
		return nil, err
	}
	if head.Current == 0 { // new, or deleted: the number goes on, the rest begins anew
		head = driver.ConfigRow{App: o.App, Tenant: o.Tenant, Name: key, ID: id.New(id.Config).String(), Latest: head.Latest,
			Schema: head.Schema, CreatedAt: tx.Now()}
	}
	v, err := w.version(o, key, prev)
	if err != nil {
		return nil, err
	}
	if err := checkSchema(ctx, tx, o.App, key, v); err != nil {
		return nil, err
	}
	head.Latest++
	head.Current, head.UpdatedAt = head.Latest, tx.Now()
	v.Version, v.ID, v.CreatedAt = head.Latest, id.New(id.Version).String(), tx.Now()
	err = errors.Join(tx.AddConfigVersion(ctx, v), tx.PutConfig(ctx, head),
		tx.DeleteConfigVersions(ctx, o.App, o.Tenant, key, head.Latest-keepVersions))
	if err != nil {
		return nil, err
	}
	return toEntry(head, v)
}

func (w Write) expects(key string, current int64) error {
	if w.Expected == nil || *w.Expected == current {
		return nil
	}
	return fault.Wrap(fault.Conflict, base.ErrVersionConflict, "the config entry %s is at version %d, not %d", key, current, *w.Expected).
		WithCode("VersionConflict").WithHint("read it again and decide anew")
}

// version is the next version without its number.
func (w Write) version(o Owner, key string, prev driver.ConfigVersion) (v driver.ConfigVersion, err error) {
	if w.Value == nil {
		return v, fault.New(fault.Invalid, "the value is missing").At(fault.Where{Field: "value"}).WithHint("delete the entry instead")
	}
	e, err := typed.Encode(w.Value)
	if err != nil {
		return v, err
	}
	plain, err := typed.Decode(e)
	if err != nil {
		return v, err
	}
	if err := checkRefs(plain); err != nil {
		return v, err
	}
	v = driver.ConfigVersion{App: o.App, Tenant: o.Tenant, Name: key, Kind: e.Kind, Value: e.Text, Description: prev.Description,
		Metadata: prev.Metadata, CreatedBy: w.By}
	if v.ValueType, err = checkType(w.ValueType, plain); err != nil {
		return v, err
	}
	if w.Description != nil {
		v.Description = *w.Description
	}
	if len(v.Description) > maxDescription {
		return v, fault.New(fault.TooLarge, "a description has at most %d bytes", maxDescription).At(fault.Where{Field: "description"})
	}
	if w.Metadata != nil || v.Metadata == "" {
		v.Metadata, err = encodeMetadata(w.Metadata)
	}
	return v, err
}

// Remove deletes an owner's entry with all its versions. The key can be set again and goes on with the next number.
func Remove(ctx context.Context, tx driver.Tx, o Owner, key string, expected *int64) error {
	head, _, err := tx.Config(ctx, o.App, o.Tenant, key)
	if errors.Is(err, driver.ErrNotFound) || err == nil && head.Current == 0 {
		return notFound(key)
	}
	if err != nil {
		return err
	}
	if err := (Write{Expected: expected}).expects(key, head.Current); err != nil {
		return err
	}
	head.Current, head.UpdatedAt = 0, tx.Now()
	return errors.Join(tx.DeleteConfigVersions(ctx, o.App, o.Tenant, key, head.Latest), tx.PutConfig(ctx, head))
}

// ReadVersion returns one version of exactly this owner's entry, or vault.ErrConfigNotFound.
func ReadVersion(ctx context.Context, tx driver.Tx, o Owner, key string, version int64) (*Entry, error) {
	head, _, err := tx.Config(ctx, o.App, o.Tenant, key)
	if errors.Is(err, driver.ErrNotFound) || err == nil && head.Current == 0 {
		return nil, notFound(key)
	}
	if err != nil {
		return nil, err
	}
	v, err := tx.ConfigVersion(ctx, o.App, o.Tenant, key, version)
	if errors.Is(err, driver.ErrNotFound) {
		return nil, fault.Wrap(fault.NotFound, base.ErrConfigNotFound, "the config entry %s has no version %d", key, version).
			WithCode("ConfigNotFound").WithHint("the last %d versions are kept", keepVersions)
	}
	if err != nil {
		return nil, err
	}
	return toEntry(head, v)
}

// Versions returns the versions of exactly this owner's entry, oldest first.
func Versions(ctx context.Context, tx driver.Tx, o Owner, key string) ([]*EntryVersion, error) {
	head, _, err := tx.Config(ctx, o.App, o.Tenant, key)
	if errors.Is(err, driver.ErrNotFound) || err == nil && head.Current == 0 {
		return nil, notFound(key)
	}
	if err != nil {
		return nil, err
	}
	rows, err := tx.ListConfigVersions(ctx, o.App, o.Tenant, key, 0, keepVersions)
	if err != nil {
		return nil, err
	}
	out := make([]*EntryVersion, 0, len(rows))
	for _, v := range rows {
		value, err := decodeValue(v)
		if err != nil {
			return nil, err
		}
		out = append(out, &EntryVersion{ID: id.ID(v.ID), ConfigKey: key, AppID: o.App, Version: v.Version, Current: v.Version == head.Current,
			Value: value, CreatedBy: v.CreatedBy, CreatedAt: micros(v.CreatedAt)})
	}
	return out, nil
}

// List returns an owner's entries by key.
func List(ctx context.Context, tx driver.Tx, o Owner, opts ListOpts) ([]*Entry, error) {
	limit, err := opts.limit()
	if err != nil {
		return nil, err
	}
	heads, err := tx.ListConfigs(ctx, o.App, o.Tenant, opts.After, limit+opts.Offset)
	if err != nil {
		return nil, err
	}
	heads = heads[min(opts.Offset, len(heads)):]
	out := make([]*Entry, 0, len(heads))
	for _, head := range heads {
		e, err := Read(ctx, tx, o, head.Name)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// ListEveryTenant returns every tenant's own entry of one key, by tenant.
func ListEveryTenant(ctx context.Context, tx driver.Tx, app, key string) (out []*Entry, err error) {
	for after := ""; ; {
		heads, err := tx.ListConfigsEveryTenant(ctx, app, key, after, maxPage)
		if err != nil {
			return nil, err
		}
		for _, head := range heads {
			e, err := Read(ctx, tx, Owner{app, head.Tenant}, key)
			if err != nil {
				return nil, err
			}
			out, after = append(out, e), head.Tenant
		}
		if len(heads) < maxPage {
			return out, nil
		}
	}
}
