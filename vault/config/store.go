package config

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Store keeps the entries of an app. The stores of this wing have these methods (see [Table]).
type Store interface {
	// GetConfig returns the app's entry, or vault.ErrConfigNotFound.
	GetConfig(ctx context.Context, key, appID string) (*Entry, error)
	// SetConfig writes a new version of the app's entry, making the entry if there is none.
	SetConfig(ctx context.Context, e *Entry) error
	// DeleteConfig removes the app's entry with all its versions.
	DeleteConfig(ctx context.Context, key, appID string) error
	// ListConfig returns the app's entries by key.
	ListConfig(ctx context.Context, appID string, opts ListOpts) ([]*Entry, error)
	// GetConfigVersion returns one version of the app's entry.
	GetConfigVersion(ctx context.Context, key, appID string, version int64) (*Entry, error)
	// ListConfigVersions returns the versions of the app's entry, oldest first.
	ListConfigVersions(ctx context.Context, key, appID string) ([]*EntryVersion, error)
}

// Table is a [Store] over the rows of a vault store: the app's entries, whatever tenant is in scope (see override for
// theirs). The app argument and the app in scope may not disagree. It asks no gate and writes no record: that is what
// [Service] does. It is safe for concurrent use.
type Table struct{ st driver.Store }

// NewTable returns the entries kept in st.
func NewTable(st driver.Store) *Table { return &Table{st} }

// configTable lets a service find the table inside a store that embeds one.
func (t *Table) configTable() *Table { return t }

func (t *Table) owner(ctx context.Context, appID string) (Owner, string, error) {
	c, err := who.Of(ctx, appID, "")
	return Owner{c.App, driver.Shared}, c.User, err
}

// GetConfig returns the app's entry.
func (t *Table) GetConfig(ctx context.Context, key, appID string) (*Entry, error) {
	return view(ctx, t, appID, func(tx driver.Tx, o Owner) (*Entry, error) { return Read(ctx, tx, o, key) })
}

func view[T any](ctx context.Context, t *Table, appID string, fn func(driver.Tx, Owner) (T, error)) (out T, err error) {
	o, _, err := t.owner(ctx, appID)
	if err != nil {
		return out, err
	}
	err = t.st.View(ctx, func(tx driver.Tx) error {
		out, err = fn(tx, o)
		return err
	})
	return out, err
}

// SetConfig writes a new version of the app's entry. It fills in e's ID, Version, ValueType and times.
func (t *Table) SetConfig(ctx context.Context, e *Entry) error {
	if e == nil {
		return fault.New(fault.Invalid, "there is no entry")
	}
	o, user, err := t.owner(ctx, e.AppID)
	if err != nil {
		return err
	}
	w := Write{Value: e.Value, ValueType: e.ValueType, Description: &e.Description, Metadata: e.Metadata, By: user}
	if w.Metadata == nil {
		w.Metadata = map[string]string{}
	}
	var done *Entry
	err = t.st.Update(ctx, func(tx driver.Tx) error {
		done, err = Put(ctx, tx, o, e.Key, w)
		return err
	})
	if err != nil {
		return err
	}
	e.Entity, e.ID, e.Version, e.ValueType, e.AppID, e.CreatedBy = done.Entity, done.ID, done.Version, done.ValueType, o.App, user
	return nil
}

// DeleteConfig removes the app's entry with all its versions; tenants' own entries stay.
func (t *Table) DeleteConfig(ctx context.Context, key, appID string) error {
	o, _, err := t.owner(ctx, appID)
	if err != nil {
		return err
	}
	return t.st.Update(ctx, func(tx driver.Tx) error { return Remove(ctx, tx, o, key, nil) })
}

// ListConfig returns the app's entries by key.
func (t *Table) ListConfig(ctx context.Context, appID string, opts ListOpts) ([]*Entry, error) {
	if appID == "" {
		appID = opts.AppID
	}
	return view(ctx, t, appID, func(tx driver.Tx, o Owner) ([]*Entry, error) { return List(ctx, tx, o, opts) })
}

// GetConfigVersion returns one version of the app's entry.
func (t *Table) GetConfigVersion(ctx context.Context, key, appID string, version int64) (*Entry, error) {
	return view(ctx, t, appID, func(tx driver.Tx, o Owner) (*Entry, error) { return ReadVersion(ctx, tx, o, key, version) })
}

// ListConfigVersions returns the versions of the app's entry, oldest first.
func (t *Table) ListConfigVersions(ctx context.Context, key, appID string) ([]*EntryVersion, error) {
	return view(ctx, t, appID, func(tx driver.Tx, o Owner) ([]*EntryVersion, error) { return Versions(ctx, tx, o, key) })
}
