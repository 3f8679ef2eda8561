package override

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/slots"
	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Resolver finds the value of a config key for the caller in a context's scope. It is safe for concurrent use.
type Resolver struct {
	configs   config.Store
	overrides Store
	cache     *slots.Cache[kept] // nil: nothing is kept
	ttl       time.Duration      // 0: until it changes
	log       *slog.Logger
	now       func() time.Time
	stop      func()
	metrics   *metrics.Collector // nil: nothing is counted
}

// kept is a resolved value. It is shared; what is handed out is cloned if it can be changed.
type kept struct {
	value   any
	mutable bool
	err     error // there is none
	at      time.Time
}

// ResolverOption changes a resolver.
type ResolverOption func(*Resolver)

// WithLogger sets where it is logged that a store could not be read; the default logs nothing, since Resolve returns it.
func WithLogger(l *slog.Logger) ResolverOption { return func(r *Resolver) { r.log = l } }

// WithCacheTTL sets how long a value may be served without reading it again when a store does not tell of changes (see
// driver.Watcher); without it such stores are read each time. The stores of this wing tell: for them it means nothing,
// and no change is ever missed.
func WithCacheTTL(ttl time.Duration) ResolverOption { return func(r *Resolver) { r.ttl = ttl } }

// WithClock sets the clock that ages are measured by; the default is time.Now.
func WithClock(now func() time.Time) ResolverOption { return func(r *Resolver) { r.now = now } }

// WithMetrics has resolutions counted. The default is nothing.
func WithMetrics(c *metrics.Collector) ResolverOption { return func(r *Resolver) { r.metrics = c } }

// NewResolver returns a resolver over the app's entries and the tenants' overrides, which may be one store.
func NewResolver(configStore config.Store, overrideStore Store, opts ...ResolverOption) *Resolver {
	r := &Resolver{configs: configStore, overrides: overrideStore, now: time.Now, log: slog.New(slog.DiscardHandler), stop: func() {}}
	for _, o := range opts {
		o(r)
	}
	first, ok := configStore.(driver.Watcher)
	second, ok2 := overrideStore.(driver.Watcher)
	switch {
	case ok && ok2:
		r.ttl, r.cache = 0, slots.New[kept]()
		stop, stop2 := first.Watch(r.changed), second.Watch(r.changed)
		r.stop = func() { stop(); stop2() }
	case r.ttl > 0:
		r.cache = slots.New[kept]()
	}
	return r
}

// Close ends listening to the stores. It must not be used afterwards.
func (r *Resolver) Close() { r.stop() }

func (r *Resolver) changed(c driver.Change) {
	switch c.Noun {
	case driver.NounConfig:
		r.cache.Changed(c.App, c.Name)
	case driver.NounEverything:
		r.cache.Clear()
	}
}

// Invalidate drops what is kept of a key, for every tenant of the app.
func (r *Resolver) Invalidate(key, appID string) {
	if r.cache != nil {
		r.cache.Changed(appID, key)
	}
}

// InvalidateAll drops everything that is kept.
func (r *Resolver) InvalidateAll() {
	if r.cache != nil {
		r.cache.Clear()
	}
}

// Resolve returns the tenant's override, else the app's entry, else vault.ErrConfigNotFound. An empty appID means the app in
// scope. JSON is the caller's own tree.
func (r *Resolver) Resolve(ctx context.Context, key, appID string) (any, error) {
	if r.metrics != nil {
		r.metrics.OverrideRead.Inc()
	}
	var c scope.Caller
	if err := who.Into(&c, ctx, appID, ""); err != nil {
		return nil, err
	}
	k := slots.Key{App: c.App, Tenant: c.Tenant, Name: key}
	if r.cache != nil {
		if v, ok := r.cache.Get(k); ok && (r.ttl == 0 || r.now().Sub(v.at) < r.ttl) {
			return v.any()
		}
	}
	return r.find(ctx, c, k)
}

// Value is [Resolver.Resolve] for reading with types, as config's accessors do.
func (r *Resolver) Value(ctx context.Context, key, appID string) (config.Value, error) {
	v, err := r.Resolve(ctx, key, appID)
	return config.ValueOf(key, v), err
}

func (k *kept) any() (any, error) {
	if k.mutable {
		return typed.Clone(k.value), k.err
	}
	return k.value, k.err
}

func (r *Resolver) find(ctx context.Context, c scope.Caller, k slots.Key) (any, error) {
	if err := who.Owner(c); err != nil {
		return nil, err
	}
	var begun uint64
	if r.cache != nil {
		begun = r.cache.Begin(k)
	}
	v, err := r.read(ctx, k)
	if err != nil {
		r.log.WarnContext(ctx, "a config value could not be resolved", "app", k.App, "key", k.Name, "error", err)
		return nil, who.Unread(err, "config entry", k.Name)
	}
	if r.cache != nil && v.small() {
		r.cache.Put(k, begun, v)
	}
	return v.any()
}

// maxKept is the largest value that is kept, so that the cache has a bound in bytes, too.
const maxKept = 32 << 10

func (k *kept) small() bool {
	e, err := typed.Encode(k.value)
	return err == nil && len(e.Text) <= maxKept
}

// read returns an error only for a store that could not answer.
func (r *Resolver) read(ctx context.Context, k slots.Key) (kept, error) {
	if k.Tenant != "" {
		o, err := r.overrides.GetOverride(ctx, k.Name, k.App, k.Tenant)
		if err == nil {
			return r.keep(o.Value), nil
		}
		if !errors.Is(err, base.ErrOverrideNotFound) {
			return kept{}, err
		}
	}
	e, err := r.configs.GetConfig(ctx, k.Name, k.App)
	if fault.Is(err, fault.NotFound) {
		return kept{err: err, at: r.now()}, nil
	}
	if err != nil {
		return kept{}, err
	}
	return r.keep(e.Value), nil
}

func (r *Resolver) keep(v any) kept { return kept{value: v, mutable: typed.Mutable(v), at: r.now()} }
