package host

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/scope"
)

// Settings manages config and overrides on behalf of a caller. The service underneath follows the scope: inside a tenant
// everything is about the tenant's own entries, for an operator about the app's. The operator does not see what tenants
// override.
type Settings struct {
	*config.Service
	Gate      audit.Gate
	Entries   config.Store
	Overrides override.Store
}

// ConfigExplanation says where a key's value comes from.
type ConfigExplanation struct {
	Key    string        `json:"key"`
	Layers []ConfigLayer `json:"layers"` // in the order they are asked
	Answer string        `json:"answer"` // the layer that answers; "" for none
}

// ConfigLayer is one place that was looked at.
type ConfigLayer struct {
	Layer   string `json:"layer"`
	Found   bool   `json:"found"`
	Version int64  `json:"version,omitempty"`
	Value   any    `json:"value,omitempty"`
	Why     string `json:"why"`
}

// ExplainConfig says which layers have a key, and which of them answers the caller.
func (s *Settings) ExplainConfig(ctx context.Context, key string) (*ConfigExplanation, error) {
	c, err := scope.Lenient(ctx)
	if err != nil {
		return nil, err
	}
	entry, err := s.Gate.Enter(ctx, audit.Request{Caller: c, Action: "config.explain", Resource: "config", Name: key, Operator: c.Tenant == ""})
	if err != nil {
		return nil, err
	}
	out, err := s.explain(ctx, c, key)
	if err := finish(ctx, entry, err); err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Settings) explain(ctx context.Context, c scope.Caller, key string) (*ConfigExplanation, error) {
	if err := config.CheckKey(key); err != nil {
		return nil, err
	}
	out := &ConfigExplanation{Key: key}
	if c.Tenant != "" {
		o, err := s.Overrides.GetOverride(ctx, key, c.App, c.Tenant)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		l := ConfigLayer{Layer: config.LayerTenant, Why: "the tenant has no entry of its own"}
		if err == nil {
			l = ConfigLayer{config.LayerTenant, true, o.Version, o.Value, "the tenant's own entry goes before the app's"}
		}
		out.add(l)
	}
	e, err := s.Entries.GetConfig(ctx, key, c.App)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	l := ConfigLayer{Layer: config.LayerApp, Why: "the app has no entry"}
	if err == nil {
		l = ConfigLayer{config.LayerApp, true, e.Version, e.Value, "the app's entry is for every tenant without one of its own"}
	}
	out.add(l)
	return out, nil
}

func (e *ConfigExplanation) add(l ConfigLayer) {
	if l.Found && e.Answer == "" {
		e.Answer = l.Layer
	}
	e.Layers = append(e.Layers, l)
}

// enter is the first line of what is about a tenant's overrides alone.
func (s *Settings) enter(ctx context.Context, action, key string) (scope.Caller, *audit.Pending, error) {
	c, err := scope.Strict(ctx)
	if err != nil {
		return c, nil, err
	}
	entry, err := s.Gate.Enter(ctx, audit.Request{Caller: c, Action: action, Resource: "override", Name: key})
	return c, entry, err
}

// Override returns the tenant's own entry of a key.
func (s *Settings) Override(ctx context.Context, key string) (*override.Override, error) {
	c, entry, err := s.enter(ctx, "override.get", key)
	if err != nil {
		return nil, err
	}
	out, err := s.Overrides.GetOverride(ctx, key, c.App, c.Tenant)
	if err := finish(ctx, entry, err); err != nil {
		return nil, err
	}
	return out, nil
}

// ListOverrides returns the tenant's own entries by key.
func (s *Settings) ListOverrides(ctx context.Context) ([]*override.Override, error) {
	c, entry, err := s.enter(ctx, "override.list", "")
	if err != nil {
		return nil, err
	}
	out, err := s.Overrides.ListOverridesByTenant(ctx, c.App, c.Tenant)
	if err := finish(ctx, entry, err); err != nil {
		return nil, err
	}
	return out, nil
}

// SetOverride writes the tenant's own entry of a key; an operator, who has no tenant, is refused.
func (s *Settings) SetOverride(ctx context.Context, key string, v any, opts ...config.SetOption) (*config.Entry, error) {
	if _, err := scope.Strict(ctx); err != nil {
		return nil, err
	}
	return s.SetEntry(ctx, key, v, "", opts...)
}

// DeleteOverride removes the tenant's own entry of a key: the app's answers from then on.
func (s *Settings) DeleteOverride(ctx context.Context, key string) error {
	if _, err := scope.Strict(ctx); err != nil {
		return err
	}
	return s.Delete(ctx, key, "")
}
