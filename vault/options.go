package vault

import (
	"log/slog"

	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/plugin"
	"github.com/haywardhq/hayward/vault/source"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Option changes a [Vault] that is being made. Options are applied in order; what a later one says counts.
type Option func(*Vault)

// WithAppID sets the app of calls that name none. It must agree with the app in scope, if there is one.
func WithAppID(appID string) Option { return func(v *Vault) { v.config.AppID = appID } }

// WithEncryptionKey sets the root key, 32 bytes. It is copied and sealed at once; another length is [ErrInvalidKey].
func WithEncryptionKey(key []byte) Option {
	return func(v *Vault) { v.root, v.rootErr = keyring.NewRoot(key, "the program") }
}

// WithEncryptionKeyEnv names the environment variable that holds the root key in base64 or hex, for when no key is given
// directly. Naming one means that a key is wanted: that it is missing or none is an error.
func WithEncryptionKeyEnv(variable string) Option {
	return func(v *Vault) { v.config.EncryptionKeyEnv = variable }
}

// WithLogger sets where failures go that no caller is told of; the default is slog.Default.
func WithLogger(l *slog.Logger) Option {
	return func(v *Vault) {
		if l != nil {
			v.log = l
		}
	}
}

// WithConfig sets every setting that cfg has; fields that are zero leave what was set before.
func WithConfig(cfg Config) Option {
	return func(v *Vault) {
		if cfg.AppID != "" {
			v.config.AppID = cfg.AppID
		}
		if len(cfg.EncryptionKey) > 0 {
			WithEncryptionKey(cfg.EncryptionKey)(v)
		}
		if cfg.EncryptionKeyEnv != "" {
			v.config.EncryptionKeyEnv = cfg.EncryptionKeyEnv
		}
		if cfg.FlagCacheTTL > 0 {
			v.config.FlagCacheTTL = cfg.FlagCacheTTL
		}
		if cfg.SourcePollInterval > 0 {
			v.config.SourcePollInterval = cfg.SourcePollInterval
		}
	}
}

// WithStore sets where everything is kept, whose tables must exist; the default is memory. nil is [ErrNoStore]. Closing it is its
// owner's business.
func WithStore(st driver.Store) Option {
	return func(v *Vault) {
		if v.given = st; st == nil {
			v.storeErr = ErrNoStore
		}
	}
}

// WithGate sets who authorises and records in every room; the default knows no roles (see audit.TenantOnly).
func WithGate(g audit.Gate) Option { return func(v *Vault) { v.gate = g } }

// WithMetrics has every room count. The default is nothing.
func WithMetrics(c *metrics.Collector) Option { return func(v *Vault) { v.metrics = c } }

// WithPlugins has every room ask the plugins of a registry; those that start and end are asked by [Vault.Start] and
// [Vault.Close]. The default is none.
func WithPlugins(r *plugin.Registry) Option { return func(v *Vault) { v.plugins = r } }

// WithSource adds a source to the chain of [Vault.Sources]; a lower priority is asked earlier. The vault closes it.
func WithSource(src source.Source, priority int) Option {
	return func(v *Vault) { v.extra = append(v.extra, extra{src, priority}) }
}
