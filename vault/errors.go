package vault

import "github.com/haywardhq/hayward/vault/internal/base"

// Errors to match with errors.Is. Each carries its fault kind, so that a door needs no table of them.
var (
	ErrSecretNotFound   = base.ErrSecretNotFound
	ErrSecretExpired    = base.ErrSecretExpired
	ErrVersionConflict  = base.ErrVersionConflict
	ErrDecryptionFailed = base.ErrDecryptionFailed
	ErrTampered         = base.ErrTampered
	ErrInvalidKey       = base.ErrInvalidKey
	ErrWrongRootKey     = base.ErrWrongRootKey
	ErrNoRootKey        = base.ErrNoRootKey
	ErrUnauthorized     = base.ErrUnauthorized
	ErrAuditUnavailable = base.ErrAuditUnavailable
	ErrAuditBroken      = base.ErrAuditBroken
	ErrFlagNotFound     = base.ErrFlagNotFound
	ErrConfigNotFound   = base.ErrConfigNotFound
	ErrOverrideNotFound = base.ErrOverrideNotFound
	ErrRotationNotFound = base.ErrRotationNotFound
	ErrTypeMismatch     = base.ErrTypeMismatch
	ErrNoTenant         = base.ErrNoTenant
	ErrNoApp            = base.ErrNoApp
)

// Entity holds the two times that every stored noun has, in UTC.
type Entity = base.Entity

// NewEntity returns an Entity created now.
func NewEntity() Entity { return base.NewEntity() }
