package config

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/report"
	"github.com/haywardhq/hayward/vault/internal/slots"
	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// ValueResolver finds the value of a key for the caller in a context's scope. *override.Resolver is one.
type ValueResolver interface {
	Resolve(ctx context.Context, key, appID string) (any, error)
	Invalidate(key, appID string)
}

// Secrets opens the secrets that values refer to. *secret.Service is one.
type Secrets interface {
	Get(ctx context.Context, key, appID string) (*secret.Secret, error)
}

// Service reads config values with types, and changes, watches and rolls them back. It is safe for concurrent use.
//
// The accessors with a default give it when there is no entry; they give it and log when the entry has another type or
// cannot be read. [Service.Value] says what is wrong instead. Managing asks the gate and writes the record.
type Service struct {
	store    Store
	table    *Table // nil: the store is somebody else's, and knows the app's entries alone
	resolver ValueResolver
	secrets  Secrets
	gate     audit.Gate
	app      string
	log      *report.Log
	plugins  Plugins              // nil: nobody
	metrics  *metrics.Collector   // nil: nothing is counted
	cache    *slots.Cache[*found] // nil: the store does not tell of changes
	watchers watchers

	closing sync.Once
	stop    func()
}

// ServiceOption changes a service.
type ServiceOption func(*Service)

// WithAppID sets the app of calls that name none. It must agree with the app in scope, if there is one.
func WithAppID(appID string) ServiceOption { return func(s *Service) { s.app = appID } }

// WithResolver sets who finds values, in place of the service itself. Without it a tenant's own entry goes before the app's.
func WithResolver(r ValueResolver) ServiceOption { return func(s *Service) { s.resolver = r } }

// WithSecrets sets who opens the secrets that values refer to.
func WithSecrets(src Secrets) ServiceOption { return func(s *Service) { s.secrets = src } }

// WithGate sets who authorises and records. Without it the entries go into the same store, an operator is who has no
// tenant in scope, and a tenant may change its own entries (see audit.TenantOnly).
func WithGate(g audit.Gate) ServiceOption { return func(s *Service) { s.gate = g } }

// WithLogger sets where it is logged that a default was used because of an error, and that a watcher panicked; the default
// is slog.Default.
func WithLogger(l *slog.Logger) ServiceOption { return func(s *Service) { s.log = report.New(l) } }

// NewService returns a service over a store. Call [Service.Close] when it is not needed any more and the store lives on.
func NewService(store Store, opts ...ServiceOption) *Service {
	s := &Service{store: store, log: report.New(nil), stop: func() {}}
	s.watchers.open()
	for _, o := range opts {
		o(s)
	}
	if t, ok := store.(interface{ configTable() *Table }); ok {
		s.table = t.configTable()
	}
	if st, ok := store.(driver.Store); ok && s.gate == nil {
		s.gate = audit.NewGate(audit.NewLogger(st), nil)
	}
	if w, ok := store.(driver.Watcher); ok {
		s.cache = slots.New[*found]()
		s.stop = w.Watch(s.changed)
	}
	return s
}

// Close ends every watcher. No callback starts after it returns; one that is under way may still be running, and may itself
// be who calls Close. Reading goes on to work, without a cache.
func (s *Service) Close() {
	s.closing.Do(func() {
		s.watchers.close()
		s.stop()
		if s.cache != nil {
			s.cache.Clear()
		}
	})
}

// changed runs before a write returns: what is kept of the key goes, watchers are woken.
func (s *Service) changed(c driver.Change) {
	switch c.Noun {
	case driver.NounConfig:
		s.cache.Changed(c.App, c.Name)
		s.watchers.wake(c)
	case driver.NounSecret:
		s.watchers.wakeForSecret(c)
	case driver.NounEverything:
		s.cache.Clear()
		s.watchers.wakeAll()
	}
}

// found is what a key resolved to for one tenant. It is immutable and shared; Value.Any copies.
type found struct {
	value Value
	err   error // there is none
}

// maxKept is the largest value that is kept in the cache, so that the cache has a bound in bytes, too.
const maxKept = 32 << 10

// Value returns what a key resolves to for the caller in the context's scope: the tenant's own entry, else the app's, else
// vault.ErrConfigNotFound.
func (s *Service) Value(ctx context.Context, key string) (Value, error) {
	if s.metrics != nil {
		s.metrics.ConfigRead.Inc()
	}
	c, err := who.Of(ctx, "", s.app)
	if err != nil {
		return Value{}, err
	}
	switch {
	case s.resolver != nil:
		v, err := s.resolver.Resolve(ctx, key, c.App)
		return Value{key: key, v: v}, err
	case s.table == nil:
		return s.plain(ctx, c, key)
	}
	return s.resolve(ctx, c, key)
}

// plain asks a store that knows the app's entries alone.
func (s *Service) plain(ctx context.Context, c scope.Caller, key string) (Value, error) {
	e, err := s.store.GetConfig(ctx, key, c.App)
	if err != nil {
		return Value{}, who.Unread(err, "config entry", key)
	}
	return Value{key, e.Value, e.Version, LayerApp}, nil
}

func (s *Service) resolve(ctx context.Context, c scope.Caller, key string) (Value, error) {
	k := slots.Key{App: c.App, Tenant: c.Tenant, Name: key}
	if s.cache != nil && s.watchers.alive() {
		if f, ok := s.cache.Get(k); ok {
			return f.value, f.err
		}
	}
	if err := who.Owner(c); err != nil {
		return Value{}, err
	}
	var begun uint64
	if s.cache != nil {
		begun = s.cache.Begin(k)
	}
	f, size, err := s.read(ctx, c, key)
	if err != nil {
		return Value{}, who.Unread(err, "config entry", key)
	}
	if s.cache != nil && size <= maxKept {
		s.cache.Put(k, begun, f)
	}
	return f.value, f.err
}

// read returns an error only for a store that could not answer.
func (s *Service) read(ctx context.Context, c scope.Caller, key string) (*found, int, error) {
	var e *Entry
	err := s.table.st.View(ctx, func(tx driver.Tx) (err error) {
		e, err = ReadFor(ctx, tx, c.App, c.Tenant, key)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return &found{err: err}, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	enc, err := typed.Encode(e.Value)
	return &found{value: Value{key, e.Value, e.Version, e.layer()}}, len(enc.Text), err
}

func (e *Entry) layer() string {
	if e.TenantID != "" {
		return LayerTenant
	}
	return LayerApp
}

// get is an accessor with a default.
func get[T any](ctx context.Context, s *Service, key string, def T, read func(Value) (T, error)) T {
	v, err := s.Value(ctx, key)
	if err == nil {
		var out T
		if out, err = read(v); err == nil {
			return out
		}
	}
	if !fault.Is(err, fault.NotFound) {
		c, _ := who.Of(ctx, "", s.app)
		s.log.Error(ctx, "a config value could not be read; the caller's default is used", c.App, key, err)
	}
	return def
}

// String returns text, or the default.
func (s *Service) String(ctx context.Context, key, defaultVal string) string {
	return get(ctx, s, key, defaultVal, Value.Text)
}

// Bool returns a bool, or the default.
func (s *Service) Bool(ctx context.Context, key string, defaultVal bool) bool {
	return get(ctx, s, key, defaultVal, Value.Bool)
}

// Int returns an integer, or the default. What an int does not hold exactly is an error, not another number.
func (s *Service) Int(ctx context.Context, key string, defaultVal int) int {
	return get(ctx, s, key, defaultVal, Value.Int)
}

// Int64 returns an integer, or the default.
func (s *Service) Int64(ctx context.Context, key string, defaultVal int64) int64 {
	return get(ctx, s, key, defaultVal, Value.Int64)
}

// Float returns a number that a float64 holds exactly, or the default.
func (s *Service) Float(ctx context.Context, key string, defaultVal float64) float64 {
	return get(ctx, s, key, defaultVal, Value.Float64)
}

// Duration returns a duration, or text that is one, or the default. A number is an error: nobody knows of what.
func (s *Service) Duration(ctx context.Context, key string, defaultVal time.Duration) time.Duration {
	return get(ctx, s, key, defaultVal, Value.Duration)
}

// JSON decodes a value into target, which is a pointer.
func (s *Service) JSON(ctx context.Context, key string, target any) error {
	v, err := s.Value(ctx, key)
	if err != nil {
		return err
	}
	return v.JSON(target)
}

// Secret opens the secret that the value of a key is a reference to, in the scope of the caller: the tenant's, else a
// shared one. It is audited like any other reading of that secret.
func (s *Service) Secret(ctx context.Context, key string) (sealed.Value, error) {
	v, err := s.Value(ctx, key)
	if err != nil {
		return sealed.Value{}, err
	}
	ref, err := as(v, func(x any) (SecretRef, error) {
		ref, ok := x.(SecretRef)
		if !ok {
			return ref, fault.New(fault.Invalid, "the value is %s, not a reference to a secret", typed.Name(x))
		}
		return ref, nil
	})
	if err != nil {
		return sealed.Value{}, err
	}
	return s.OpenSecret(ctx, ref)
}

// Open returns the value of a key with every reference to a secret in it opened: a sealed.Value stands where the reference
// did, at any depth. All are opened in the scope of the caller, and each is audited like any other reading of that secret. One
// that cannot be opened is the error of the whole. At most 64 references are opened.
func (s *Service) Open(ctx context.Context, key string) (any, error) {
	v, err := s.Value(ctx, key)
	if err != nil {
		return nil, err
	}
	left := maxRefs
	return s.open(ctx, v.Any(), &left)
}

// maxRefs is how many references one [Service.Open] follows.
const maxRefs = 64

func (s *Service) open(ctx context.Context, v any, left *int) (_ any, err error) {
	switch x := v.(type) {
	case SecretRef:
		if *left--; *left < 0 {
			return nil, fault.New(fault.TooLarge, "the value refers to more than %d secrets", maxRefs)
		}
		return s.OpenSecret(ctx, x)
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			if x[k], err = s.open(ctx, x[k], left); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range x {
			if x[i], err = s.open(ctx, x[i], left); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// OpenSecret opens a reference found inside a JSON value, as [Service.Secret] does.
func (s *Service) OpenSecret(ctx context.Context, ref SecretRef) (sealed.Value, error) {
	if s.secrets == nil {
		return sealed.Value{}, fault.New(fault.Unsupported, "nobody opens secrets for this config service").
			WithHint("give it the secret service with config.WithSecrets")
	}
	c, err := who.Of(ctx, "", s.app)
	if err != nil {
		return sealed.Value{}, err
	}
	sec, err := s.secrets.Get(ctx, ref.Name, c.App)
	if err != nil {
		return sealed.Value{}, err
	}
	return sec.Value, nil
}
