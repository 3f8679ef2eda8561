package override

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// ContextKey is the type of the scope's keys: there is one such type, declared in vault/scope.
type ContextKey = scope.ContextKey

// ContextKeyTenantID is the key under which the tenant is found in a context.
const ContextKeyTenantID = scope.KeyTenantID

// Override is one tenant's own value of a config key.
type Override struct {
	base.Entity
	ID       id.ID             `json:"id"`
	Key      string            `json:"key"`
	Value    any               `json:"value"`
	AppID    string            `json:"app_id"`
	TenantID string            `json:"tenant_id"`
	Version  int64             `json:"version"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

// ListOpts selects a page of a list.
type ListOpts struct {
	Limit  int
	Offset int
}

// Store keeps overrides. The stores of this wing have these methods (see [Table]).
type Store interface {
	// GetOverride returns a tenant's override, or vault.ErrOverrideNotFound.
	GetOverride(ctx context.Context, key, appID, tenantID string) (*Override, error)
	// SetOverride writes a new version of a tenant's override, making it if there is none.
	SetOverride(ctx context.Context, o *Override) error
	// DeleteOverride removes a tenant's override.
	DeleteOverride(ctx context.Context, key, appID, tenantID string) error
	// ListOverridesByTenant returns a tenant's overrides by key.
	ListOverridesByTenant(ctx context.Context, appID, tenantID string) ([]*Override, error)
	// ListOverridesByKey returns the overrides of a key by tenant.
	ListOverridesByKey(ctx context.Context, key, appID string) ([]*Override, error)
}

// Table is a [Store] over the rows of a vault store. The app argument and the app in scope may not disagree; with a tenant
// in scope only that tenant's overrides are seen and changed. It asks no gate and writes no record: config.Service does
// both. It is safe for concurrent use.
type Table struct{ st driver.Store }

// NewTable returns the overrides kept in st.
func NewTable(st driver.Store) *Table { return &Table{st} }

func notFound(key string) error {
	return fault.Wrap(fault.NotFound, base.ErrOverrideNotFound, "there is no override of %s", audit.Display(key)).WithCode("OverrideNotFound")
}

// missing turns config's words for an entry that is not there into this package's.
func missing(key string, err error) error {
	if errors.Is(err, base.ErrConfigNotFound) {
		return notFound(key)
	}
	return err
}

// owner is whom a call is about. mine is false if that is not for the caller in scope to see.
func owner(ctx context.Context, appID, tenantID string) (o config.Owner, user string, mine bool, err error) {
	c, err := who.Of(ctx, appID, "")
	if err == nil {
		err = driver.Owner(c.App, tenantID)
	}
	return config.Owner{App: c.App, Tenant: tenantID}, c.User, c.Tenant == "" || c.Tenant == tenantID, err
}

// GetOverride returns a tenant's override. For who is inside another tenant there is none.
func (t *Table) GetOverride(ctx context.Context, key, appID, tenantID string) (*Override, error) {
	o, _, mine, err := owner(ctx, appID, tenantID)
	if err != nil {
		return nil, err
	}
	if !mine {
		return nil, notFound(key)
	}
	var e *config.Entry
	err = t.st.View(ctx, func(tx driver.Tx) error {
		e, err = config.Read(ctx, tx, o, key)
		return err
	})
	if err != nil {
		return nil, missing(key, err)
	}
	return toOverride(e), nil
}

func toOverride(e *config.Entry) *Override {
	return &Override{Entity: e.Entity, ID: e.ID, Key: e.Key, Value: e.Value, AppID: e.AppID, TenantID: e.TenantID, Version: e.Version,
		Metadata: e.Metadata}
}

// SetOverride writes a new version of a tenant's override. It fills in o's ID, Version and times.
func (t *Table) SetOverride(ctx context.Context, o *Override) error {
	if o == nil {
		return fault.New(fault.Invalid, "there is no override")
	}
	own, user, mine, err := owner(ctx, o.AppID, o.TenantID)
	if err != nil {
		return err
	}
	if !mine {
		return fault.New(fault.Invalid, "this call is about the tenant %s, but the tenant in scope is another", audit.Display(o.TenantID)).
			WithCode("scope").WithHint("set the scope once, at the door, with scope.WithScope")
	}
	w := config.Write{Value: o.Value, Metadata: o.Metadata, By: user}
	if w.Metadata == nil {
		w.Metadata = map[string]string{}
	}
	var e *config.Entry
	err = t.st.Update(ctx, func(tx driver.Tx) error {
		e, err = config.Put(ctx, tx, own, o.Key, w)
		return err
	})
	if err != nil {
		return err
	}
	o.Entity, o.ID, o.AppID, o.Version = e.Entity, e.ID, own.App, e.Version
	return nil
}

// DeleteOverride removes a tenant's override with all its versions.
func (t *Table) DeleteOverride(ctx context.Context, key, appID, tenantID string) error {
	o, _, mine, err := owner(ctx, appID, tenantID)
	if err != nil {
		return err
	}
	if !mine {
		return notFound(key)
	}
	err = t.st.Update(ctx, func(tx driver.Tx) error { return config.Remove(ctx, tx, o, key, nil) })
	return missing(key, err)
}

// ListOverridesByTenant returns a tenant's overrides by key. For who is inside another tenant there are none.
func (t *Table) ListOverridesByTenant(ctx context.Context, appID, tenantID string) (out []*Override, err error) {
	o, _, mine, err := owner(ctx, appID, tenantID)
	if err != nil || !mine {
		return nil, err
	}
	err = t.st.View(ctx, func(tx driver.Tx) error {
		for after := ""; ; {
			page, err := config.List(ctx, tx, o, config.ListOpts{After: after, Limit: pageSize})
			if err != nil {
				return err
			}
			for _, e := range page {
				out, after = append(out, toOverride(e)), e.Key
			}
			if len(page) < pageSize {
				return nil
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

const pageSize = 1000

// ListOverridesByKey returns the overrides of a key by tenant; for who is inside a tenant that one's alone.
func (t *Table) ListOverridesByKey(ctx context.Context, key, appID string) (out []*Override, err error) {
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return nil, err
	}
	if c.Tenant != "" {
		o, err := t.GetOverride(ctx, key, c.App, c.Tenant)
		if fault.Is(err, fault.NotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return []*Override{o}, nil
	}
	err = t.st.View(ctx, func(tx driver.Tx) error {
		all, err := config.ListEveryTenant(ctx, tx, c.App, key)
		for _, e := range all {
			out = append(out, toOverride(e))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
