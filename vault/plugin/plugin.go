package plugin

import (
	"context"

	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/source"
)

// Plugin is what every plugin is.
type Plugin interface {
	// Name is for people, and unique.
	Name() string
}

// OnInit is asked when the vault starts, in the order of registration; an error keeps it from starting.
type OnInit interface {
	OnInit(ctx context.Context) error
}

// OnShutdown is asked when the vault closes, in the reverse order; every one is, whatever the others return.
type OnShutdown interface {
	OnShutdown(ctx context.Context) error
}

// SourceProvider has a source for the vault's chain; a lower priority is asked earlier.
type SourceProvider interface {
	Source() source.Source
	Priority() int
}

// EncryptionProvider has the root key for a vault that was given none.
type EncryptionProvider interface {
	EncryptionKeyProvider() crypto.EncryptionKeyProvider
}

// FlagEvaluator decides the custom rules that name it. The rule has the flag's key, its type and its configuration, with
// parameters of its own for this call.
type FlagEvaluator interface {
	EvaluatorName() string
	Evaluate(ctx context.Context, rule *flag.Rule, tenantID, userID string) (bool, error)
}

// OnSecretAccess is asked after a call of the secret service was authorised and recorded, and before anything is read or
// written; action is the audit's ("secret.get"). The context is the caller's, with its scope. An error ends the call: what is
// not a fault becomes one of the kind Denied. It may be called often, and from many goroutines.
type OnSecretAccess interface {
	OnSecretAccess(ctx context.Context, key, action string) error
}

// OnConfigChange is told of a config entry that the config service has set, rolled back or deleted, once that is on disk: the
// tenant's own, or without a tenant in scope the app's. A nil value means that there was none, or is none any more. An error
// is logged.
type OnConfigChange interface {
	OnConfigChange(ctx context.Context, key string, oldValue, newValue any) error
}

// RotationStrategy makes the next value of a secret, for policies whose kind is its name. It must change nothing outside: see
// rotation.Rotator.
type RotationStrategy interface {
	RotationName() string
	Rotate(ctx context.Context, key string, current []byte) ([]byte, error)
}
