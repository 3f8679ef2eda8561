package vault_test

import (
	"context"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/plugin"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/source"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// The documented names with their signatures: each line compiles or the API has changed. Where ours has options more, a call
// as documented is what compiles.
type ctx = context.Context

// root
var (
	_ func(...vault.Option) *vault.Vault          = vault.NewVault
	_ func(...vault.Option) (*vault.Vault, error) = vault.New
	_ func(string) vault.Option                   = vault.WithAppID
	_ func([]byte) vault.Option                   = vault.WithEncryptionKey
	_ func(string) vault.Option                   = vault.WithEncryptionKeyEnv
	_ func(*slog.Logger) vault.Option             = vault.WithLogger
	_ func(vault.Config) vault.Option             = vault.WithConfig
	_ func(driver.Store) vault.Option             = vault.WithStore
	_ func() vault.Config                         = vault.DefaultConfig
	_ func() vault.Entity                         = vault.NewEntity
	_ func(*vault.Vault, ctx) error               = (*vault.Vault).Health
	_ func(*vault.Vault) *secret.Service          = (*vault.Vault).Secrets
	_ func(*vault.Vault) *flag.Service            = (*vault.Vault).Flags
	_ func(*vault.Vault) *flag.Engine             = (*vault.Vault).FlagEngine
	_ func(*vault.Vault) *config.Service          = (*vault.Vault).Config
	_ func(*vault.Vault) *override.Resolver       = (*vault.Vault).Overrides
	_ func(*vault.Vault) *rotation.Manager        = (*vault.Vault).Rotation
	_ func(*vault.Vault) *audit.Logger            = (*vault.Vault).Audit
	_ func(*vault.Vault) string                   = (*vault.Vault).AppID
	_ func(*vault.Vault) bool                     = (*vault.Vault).EncryptionEnabled
	_                                             = vault.Config{AppID: "", EncryptionKey: nil, EncryptionKeyEnv: "", FlagCacheTTL: time.Second, SourcePollInterval: time.Second}
)

// scope and crypto
var (
	_ func(ctx, string) ctx                           = scope.WithAppID
	_ func(ctx, string, string, string, string) ctx   = scope.WithScope
	_ func(ctx) (string, string, string, string)      = scope.FromContext
	_ func([]byte) (*crypto.Encryptor, error)         = crypto.NewEncryptor
	_ func(*crypto.Encryptor, []byte) ([]byte, error) = (*crypto.Encryptor).Encrypt
	_ func(*crypto.Encryptor, []byte) ([]byte, error) = (*crypto.Encryptor).Decrypt
	_ crypto.EncryptionKeyProvider                    = (*crypto.EnvKeyProvider)(nil)
	_                                                 = crypto.ErrInvalidKeySize
	_ scope.ContextKey                                = scope.KeyIP
	_                                                 = []id.Prefix{id.Secret, id.Flag, id.Config, id.Override, id.Rotation, id.Version, id.Audit}
)

// secrets, flags, config, overrides, rotation, audit
var (
	_ func(func(ctx, string, string)) secret.Option                                                 = secret.WithOnAccess
	_ func(func(ctx, string, string, string)) secret.Option                                         = secret.WithOnMutate
	_ func(*secret.Service, ctx, string, string) (*secret.Secret, error)                            = (*secret.Service).Get
	_ func(*secret.Service, ctx, string, string) (*secret.Meta, error)                              = (*secret.Service).GetMeta
	_ func(*secret.Service, ctx, string, []byte, string, ...secret.SetOption) (*secret.Meta, error) = (*secret.Service).Set
	_ func(flag.Store, ...flag.EngineOption) *flag.Engine                                           = flag.NewEngine
	_ func(*flag.Engine, ctx, string, string) (any, error)                                          = (*flag.Engine).Evaluate
	_ func(*flag.Service, ctx, string, bool) bool                                                   = (*flag.Service).Bool
	_ func(*flag.Service, ctx, string, string) string                                               = (*flag.Service).String
	_ func(*flag.Service, ctx, string, int) int                                                     = (*flag.Service).Int
	_ func(*flag.Service, ctx, string, float64) float64                                             = (*flag.Service).Float
	_ func(*flag.Service, ctx, string, any) error                                                   = (*flag.Service).JSON
	_ func(config.Store, ...config.ServiceOption) *config.Service                                   = config.NewService
	_ func(config.ValueResolver) config.ServiceOption                                               = config.WithResolver
	_ func(*config.Service, ctx, string, time.Duration) time.Duration                               = (*config.Service).Duration
	_ func(config.Store, override.Store, ...override.ResolverOption) *override.Resolver             = override.NewResolver
	_ func(*override.Resolver, ctx, string, string) (any, error)                                    = (*override.Resolver).Resolve
	_ func(*override.Resolver, string, string)                                                      = (*override.Resolver).Invalidate
	_ func(*override.Resolver)                                                                      = (*override.Resolver).InvalidateAll
	_ func(rotation.Store, *secret.Service, ...rotation.Option) *rotation.Manager                   = rotation.NewManager
	_ func(*rotation.Manager, ctx, string, string) error                                            = (*rotation.Manager).RotateNow
	_ func(driver.Store, ...audit.Option) *audit.Logger                                             = audit.NewLogger
	_ func(*audit.Logger, ctx, string, string, string) error                                        = (*audit.Logger).LogAccess
	_ func(*audit.Logger, ctx, string, string, string, error) error                                 = (*audit.Logger).LogFailure
	_ interface {
		flag.Store
		config.Store
		override.Store
		rotation.Store
		Migrate(ctx) error
		Ping(ctx) error
		Close() error
	} = (*memory.Store)(nil)
)

// sources, plugins, metrics
var (
	_ source.Source    = source.NewMemory()
	_ source.Source    = source.NewEnv("MYAPP")
	_ source.Source    = source.NewChain(source.NewMemory(), source.NewEnv("MYAPP"))
	_ source.Source    = (*source.Database)(nil)
	_ source.WatchFunc = func(ctx, string, *source.Value) {}
	_                  = source.Value{Key: "", Raw: sealed.Value{}, Source: "", Version: 0, ExpiresAt: nil, Metadata: nil}
	_                  = source.ErrKeyNotFound
	_                  = []any{(*plugin.Plugin)(nil), (*plugin.OnInit)(nil), (*plugin.OnShutdown)(nil), (*plugin.SourceProvider)(nil), (*plugin.EncryptionProvider)(nil),
		(*plugin.FlagEvaluator)(nil), (*plugin.OnSecretAccess)(nil), (*plugin.OnConfigChange)(nil), (*plugin.RotationStrategy)(nil)}
	_ func(...plugin.RegistryOption) *plugin.Registry = plugin.NewRegistry
	_ func(*slog.Logger) plugin.RegistryOption        = plugin.WithLogger
	_ func(metrics.MetricFactory) *metrics.Collector  = metrics.NewCollector
	_ func() *metrics.Collector                       = metrics.NewNoopCollector
	_ metrics.MetricFactory                           = metrics.NoopFactory{}
)

// TestTheDocumentedErrorsAreThere: all 23, each with a kind of its own and a text.
func TestTheDocumentedErrorsAreThere(t *testing.T) {
	all := []error{vault.ErrNoStore, vault.ErrKeyNotFound, vault.ErrSecretNotFound, vault.ErrFlagNotFound, vault.ErrConfigNotFound, vault.ErrOverrideNotFound,
		vault.ErrRotationNotFound, vault.ErrAuditNotFound, vault.ErrRunNotFound, vault.ErrDLQNotFound, vault.ErrCronNotFound, vault.ErrEventNotFound,
		vault.ErrWorkflowNotFound, vault.ErrDecryptionFailed, vault.ErrEncryptionFailed, vault.ErrInvalidKey, vault.ErrFlagDisabled, vault.ErrFlagExists,
		vault.ErrInvalidFlagKey, vault.ErrRotationFailed, vault.ErrUnauthorized, vault.ErrSecretExists, vault.ErrConfigExists}
	if len(all) != 23 {
		t.Fatal(len(all))
	}
	for i, err := range all {
		if err == nil || err.Error() == "" {
			t.Errorf("%d: %v", i, err)
		}
	}
	if vault.ErrKeyNotFound != source.ErrKeyNotFound {
		t.Error("two errors for a key that is not there")
	}
	if d := vault.DefaultConfig(); d.FlagCacheTTL != 30*time.Second || d.SourcePollInterval != 30*time.Second || !reflect.DeepEqual(d.EncryptionKey, []byte(nil)) {
		t.Errorf("%+v", d)
	}
}
