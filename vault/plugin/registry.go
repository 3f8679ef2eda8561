package plugin

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/source"
)

// Registry holds plugins by what they can do. Asking it takes no lock. It is safe for concurrent use.
type Registry struct {
	log *slog.Logger

	mu  sync.Mutex // registering
	all atomic.Pointer[plugins]
}

// plugins are replaced as a whole.
type plugins struct {
	list       []Plugin
	inits      []OnInit
	shutdowns  []OnShutdown
	sources    []SourceProvider
	encryption []EncryptionProvider
	secrets    []OnSecretAccess
	configs    []OnConfigChange
	evaluators map[string]FlagEvaluator
	strategies map[string]RotationStrategy
}

// RegistryOption changes a registry.
type RegistryOption func(*Registry)

// WithLogger sets where registrations and failures of plugins are logged; the default is nowhere.
func WithLogger(l *slog.Logger) RegistryOption {
	return func(r *Registry) {
		if l != nil {
			r.log = l
		}
	}
}

// NewRegistry returns an empty registry.
func NewRegistry(opts ...RegistryOption) *Registry {
	r := &Registry{log: slog.New(slog.DiscardHandler)}
	r.all.Store(&plugins{})
	for _, o := range opts {
		o(r)
	}
	return r
}

// Register adds a plugin under everything it can do. nil is ignored. A later evaluator or strategy of the same name takes the
// earlier one's place.
func (r *Registry) Register(p Plugin) {
	if p == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.all.Load().clone()
	next.list = append(next.list, p)
	next.inits = add(next.inits, p)
	next.shutdowns = add(next.shutdowns, p)
	next.sources = add(next.sources, p)
	next.encryption = add(next.encryption, p)
	next.secrets = add(next.secrets, p)
	next.configs = add(next.configs, p)
	if e, can := p.(FlagEvaluator); can {
		next.evaluators[e.EvaluatorName()] = e
	}
	if s, can := p.(RotationStrategy); can {
		next.strategies[s.RotationName()] = s
	}
	r.all.Store(next)
	r.log.Info("a plugin was registered", "name", p.Name())
}

func add[T any](to []T, p Plugin) []T {
	if c, can := p.(T); can {
		return append(to, c)
	}
	return to
}

func (p *plugins) clone() *plugins {
	c := &plugins{slices.Clone(p.list), slices.Clone(p.inits), slices.Clone(p.shutdowns), slices.Clone(p.sources), slices.Clone(p.encryption),
		slices.Clone(p.secrets), slices.Clone(p.configs), maps.Clone(p.evaluators), maps.Clone(p.strategies)}
	if c.evaluators == nil {
		c.evaluators, c.strategies = map[string]FlagEvaluator{}, map[string]RotationStrategy{}
	}
	return c
}

// Plugins returns all plugins in the order of registration.
func (r *Registry) Plugins() []Plugin { return slices.Clone(r.all.Load().list) }

// InitHooks returns the plugins that are asked at the start.
func (r *Registry) InitHooks() []OnInit { return slices.Clone(r.all.Load().inits) }

// ShutdownHooks returns the plugins that are asked at the end, in the order of registration.
func (r *Registry) ShutdownHooks() []OnShutdown { return slices.Clone(r.all.Load().shutdowns) }

// SourceProviders returns the plugins that have a source.
func (r *Registry) SourceProviders() []SourceProvider { return slices.Clone(r.all.Load().sources) }

// EncryptionProviders returns the plugins that have a root key.
func (r *Registry) EncryptionProviders() []EncryptionProvider {
	return slices.Clone(r.all.Load().encryption)
}

// FlagEvaluatorByName returns the evaluator of a name, or nil.
func (r *Registry) FlagEvaluatorByName(name string) FlagEvaluator {
	return r.all.Load().evaluators[name]
}

// SecretAccessHooks returns the plugins that are asked about secrets.
func (r *Registry) SecretAccessHooks() []OnSecretAccess { return slices.Clone(r.all.Load().secrets) }

// ConfigChangeHooks returns the plugins that are told of config changes.
func (r *Registry) ConfigChangeHooks() []OnConfigChange { return slices.Clone(r.all.Load().configs) }

// RotationStrategyByName returns the strategy of a name, or nil.
func (r *Registry) RotationStrategyByName(name string) RotationStrategy {
	return r.all.Load().strategies[name]
}

// RotationStrategies returns every strategy by name.
func (r *Registry) RotationStrategies() map[string]RotationStrategy {
	return maps.Clone(r.all.Load().strategies)
}

// guard turns a panic of a plugin into an error. The text of the panic may quote a value and is left out.
func guard(what string, fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.New(fault.Internal, "a plugin panicked while it was asked about %s", what)
		}
	}()
	return fn()
}

// SecretAccess asks every plugin about an access; the first error ends it. It is what secret.WithPlugins wants.
func (r *Registry) SecretAccess(ctx context.Context, key, action string) error {
	for _, h := range r.all.Load().secrets {
		err := guard("a secret", func() error { return h.OnSecretAccess(ctx, key, action) })
		var f *fault.Error
		switch {
		case err == nil:
		case errors.As(err, &f):
			return err
		default:
			return fault.Wrap(fault.Denied, err, "a plugin refuses this access").WithCode("PluginRefused")
		}
	}
	return nil
}

// ConfigChange tells every plugin of a change; what they return is joined. It is what config.WithPlugins wants.
func (r *Registry) ConfigChange(ctx context.Context, key string, oldValue, newValue any) error {
	var errs []error
	for _, h := range r.all.Load().configs {
		errs = append(errs, guard("config", func() error { return h.OnConfigChange(ctx, key, oldValue, newValue) }))
	}
	return errors.Join(errs...)
}

// Evaluator returns the flag engine's form of the evaluator of a name, or nil. It is what flag.WithEvaluators wants.
func (r *Registry) Evaluator(name string) flag.Evaluator {
	e := r.FlagEvaluatorByName(name)
	if e == nil {
		return nil
	}
	return func(ctx context.Context, t flag.Target, params map[string]any) (bool, error) {
		rule := &flag.Rule{FlagKey: t.FlagKey, AppID: t.App, Type: flag.RuleCustom, Config: flag.RuleConfig{Evaluator: name, Params: params}}
		return e.Evaluate(ctx, rule, t.Tenant, t.User)
	}
}

// AddSources adds every plugin's source to a chain.
func (r *Registry) AddSources(c *source.Chain) {
	for _, p := range r.all.Load().sources {
		c.AddSource(p.Source(), p.Priority())
	}
}

// Init asks every plugin in the order of registration. If one fails, those before it are shut down again.
func (r *Registry) Init(ctx context.Context) error {
	var begun []OnShutdown
	for _, p := range r.all.Load().list {
		if h, can := p.(OnInit); can {
			if err := guard("its start", func() error { return h.OnInit(ctx) }); err != nil {
				return errors.Join(fault.Wrap(fault.Unavailable, err, "the plugin %q did not start", p.Name()), shutdown(ctx, begun))
			}
		}
		if h, can := p.(OnShutdown); can {
			begun = append(begun, h)
		}
	}
	return nil
}

// Shutdown asks every plugin in the reverse order of registration, whatever the others return.
func (r *Registry) Shutdown(ctx context.Context) error { return shutdown(ctx, r.all.Load().shutdowns) }

func shutdown(ctx context.Context, hooks []OnShutdown) error {
	var errs []error
	for _, h := range slices.Backward(hooks) {
		errs = append(errs, guard("its end", func() error { return h.OnShutdown(ctx) }))
	}
	return errors.Join(errs...)
}
