package vault

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/plugin"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/source"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// Vault joins the rooms of the wing over one store, one keyring, one gate and one audit log, so that a scope set once is seen
// by all of them. It is safe for concurrent use.
type Vault struct {
	config   Config
	root     keyring.Root
	rootErr  error
	given    driver.Store
	storeErr error
	log      *slog.Logger
	gate     audit.Gate
	metrics  *metrics.Collector
	plugins  *plugin.Registry
	extra    []extra

	err       error
	st        joinedStore
	encrypted bool
	logger    *audit.Logger
	audits    *audit.Service
	secrets   *secret.Service
	engine    *flag.Engine
	flags     *flag.Service
	configs   *config.Service
	overrides *override.Resolver
	rotations *rotation.Manager
	sources   *source.Chain

	mu      sync.Mutex
	started bool
	closed  bool
}

type extra struct {
	src      source.Source
	priority int
}

// New returns a vault. Without a store everything is kept in memory. Without a key flags, config, overrides and audit work,
// and every call about secrets is [ErrNoRootKey]: nothing is ever kept in plain text. It asks the store nothing yet.
func New(opts ...Option) (*Vault, error) {
	v := NewVault(opts...)
	if v.err != nil {
		return nil, v.err
	}
	return v, nil
}

// NewVault is [New] with the documented signature: what is wrong is returned by [Vault.Health], [Vault.Start] and every call of
// every room.
func NewVault(opts ...Option) *Vault {
	v := &Vault{config: DefaultConfig(), log: slog.Default()}
	for _, o := range opts {
		if o != nil {
			o(v)
		}
	}
	ring, err := v.ring()
	if v.err = errors.Join(v.storeErr, err); v.err != nil {
		v.given = failing{v.err}
	}
	if v.given == nil {
		v.given = memory.New()
	}
	v.st = join(v.given)
	v.furnish(ring)
	return v
}

// ring makes the keyring from the key that was given, else the variable that was named, else a plugin. No key is no error.
func (v *Vault) ring() (*keyring.Ring, error) {
	root, err := v.root, v.rootErr
	ctx := context.Background()
	if err == nil && root.IsZero() && v.config.EncryptionKeyEnv != "" {
		root, err = keyring.EnvRoot(v.config.EncryptionKeyEnv).Root(ctx, false)
	}
	if err == nil && root.IsZero() && v.plugins != nil {
		if providers := v.plugins.EncryptionProviders(); len(providers) > 0 {
			key, kerr := providers[0].EncryptionKeyProvider().GetKey(ctx)
			if kerr != nil {
				return nil, fault.Wrap(fault.Unavailable, kerr, "a plugin that has the root key could not give it")
			}
			root, err = keyring.NewRoot(key, "a plugin")
			clear(key)
		}
	}
	if err != nil || root.IsZero() {
		return nil, err
	}
	v.root, v.encrypted = root, true
	return keyring.New(root, keyring.WithMetrics(v.metrics))
}

// furnish makes the rooms.
func (v *Vault) furnish(ring *keyring.Ring) {
	app := v.config.AppID
	v.logger = audit.NewLogger(v.st, v.auditOptions(ring)...)
	if v.gate == nil {
		v.gate = audit.NewGate(v.logger, nil)
	}
	v.audits = audit.NewService(v.st, v.gate)
	secrets := []secret.Option{secret.WithAppID(app), secret.WithGate(v.gate), secret.WithMetrics(v.metrics)}
	engine := []flag.EngineOption{flag.WithCacheTTL(v.config.FlagCacheTTL), flag.WithMetrics(v.metrics)}
	configs := []config.ServiceOption{config.WithAppID(app), config.WithGate(v.gate), config.WithLogger(v.log), config.WithMetrics(v.metrics)}
	if v.plugins != nil { // a nil pointer in an interface is not nil
		secrets = append(secrets, secret.WithPlugins(v.plugins))
		engine = append(engine, flag.WithEvaluators(v.plugins.Evaluator))
		configs = append(configs, config.WithPlugins(v.plugins))
	}
	v.secrets = secret.NewService(v.st, ring, secrets...)
	v.engine = flag.NewEngine(v.st, engine...)
	v.flags = flag.NewService(v.engine, flag.WithAppID(app), flag.WithGate(v.gate), flag.WithLogger(v.log))
	v.configs = config.NewService(v.st, append(configs, config.WithSecrets(v.secrets))...)
	v.overrides = override.NewResolver(v.st, v.st, override.WithLogger(v.log), override.WithMetrics(v.metrics))
	v.rotations = rotation.NewManager(v.st, v.secrets, rotation.WithAppID(app), rotation.WithGate(v.gate), rotation.WithAudit(v.logger),
		rotation.WithLogger(v.log), rotation.WithMetrics(v.metrics))
	v.sources = source.NewChain()
	for _, e := range v.extra {
		v.addSource(e.src, e.priority)
	}
	if app != "" {
		v.addSource(source.NewDatabase(v.st, app, source.WithPollInterval(v.config.SourcePollInterval), source.WithLogger(v.log)), math.MaxInt)
	}
}

func (v *Vault) addSource(src source.Source, priority int) {
	if src != nil {
		v.sources.AddSource(source.Measured(src, v.metrics), priority)
	}
}

func (v *Vault) auditOptions(ring *keyring.Ring) []audit.Option {
	opts := []audit.Option{audit.WithLogger(v.log), audit.WithMetrics(v.metrics)}
	if ring != nil {
		opts = append(opts, audit.WithMAC(ring.MAC(audit.KeyPurpose)))
	}
	return opts
}

// AppID returns the app of calls that name none.
func (v *Vault) AppID() string { return v.config.AppID }

// EncryptionEnabled reports whether there is a root key. Without one there are no secrets.
func (v *Vault) EncryptionEnabled() bool { return v.encrypted }

// Store returns where everything is kept.
func (v *Vault) Store() driver.Store { return v.st }

// Secrets returns the service for secrets.
func (v *Vault) Secrets() *secret.Service { return v.secrets }

// Flags returns the service for flags.
func (v *Vault) Flags() *flag.Service { return v.flags }

// FlagEngine returns the engine under [Vault.Flags].
func (v *Vault) FlagEngine() *flag.Engine { return v.engine }

// Config returns the service for config.
func (v *Vault) Config() *config.Service { return v.configs }

// Overrides returns the resolver of tenants' own config values.
func (v *Vault) Overrides() *override.Resolver { return v.overrides }

// Rotation returns the rotation manager; [Vault.Start] starts it.
func (v *Vault) Rotation() *rotation.Manager { return v.rotations }

// Audit returns the audit log to write to.
func (v *Vault) Audit() *audit.Logger { return v.logger }

// AuditLog returns the service that reads the audit log.
func (v *Vault) AuditLog() *audit.Service { return v.audits }

// Sources returns the chain of sources: those of [WithSource] and, once started, of plugins, and behind all of them the app's
// config entries.
func (v *Vault) Sources() *source.Chain { return v.sources }

// Health returns what is wrong with the vault, or with its store if that can tell.
func (v *Vault) Health(ctx context.Context) error {
	if v.err != nil {
		return v.err
	}
	if st, can := v.given.(interface{ Ping(context.Context) error }); can {
		return st.Ping(ctx)
	}
	return nil
}

// Start makes sure that the root key fits the store's data, asks the plugins to start, takes in what they have, and lets
// rotations run by themselves until [Vault.Close]. Starting twice is no error.
func (v *Vault) Start(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.err != nil:
		return v.err
	case v.closed:
		return fault.New(fault.Unavailable, "the vault is closed")
	case v.started:
		return nil
	}
	if v.encrypted {
		if _, err := keyring.Open(ctx, v.st, v.root); err != nil {
			return err
		}
	}
	if v.plugins != nil {
		if err := v.plugins.Init(ctx); err != nil {
			return err
		}
		v.adopt()
	}
	v.started = true
	return v.rotations.Start(context.WithoutCancel(ctx))
}

// adopt takes in the sources and strategies of plugins, which they may have only once they have started.
func (v *Vault) adopt() {
	for _, p := range v.plugins.SourceProviders() {
		v.addSource(p.Source(), p.Priority())
	}
	for kind, s := range v.plugins.RotationStrategies() {
		v.rotations.RegisterStrategy(kind, s.Rotate)
	}
}

// Close stops rotations, ends every watch, closes the sources and asks the plugins to end. The store stays open. Closing twice
// is no error.
func (v *Vault) Close(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return nil
	}
	v.closed = true
	var errs []error
	if v.started {
		errs = append(errs, v.rotations.Stop(ctx))
	}
	v.configs.Close()
	v.overrides.Close()
	v.engine.Close()
	errs = append(errs, v.sources.Close())
	if v.started && v.plugins != nil {
		errs = append(errs, v.plugins.Shutdown(ctx))
	}
	return errors.Join(errs...)
}
