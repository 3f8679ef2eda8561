package base

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
)

// Errors to match with errors.Is. Each carries its fault kind, so that a door needs no table of them.
var (
	ErrSecretNotFound   error = fault.New(fault.NotFound, "no such secret").WithCode("SecretNotFound")
	ErrSecretExpired    error = fault.New(fault.Conflict, "the secret has expired").WithCode("SecretExpired")
	ErrVersionConflict  error = fault.New(fault.Conflict, "it has changed meanwhile").WithCode("VersionConflict")
	ErrDecryptionFailed error = fault.New(fault.Internal, "a stored value cannot be opened").WithCode("DecryptionFailed")
	ErrTampered         error = fault.New(fault.Internal, "a stored record is not what was written").WithCode("Tampered")
	ErrInvalidKey       error = fault.New(fault.Invalid, "not a key of 32 bytes").WithCode("InvalidKey")
	ErrWrongRootKey     error = fault.New(fault.Unavailable, "the root key does not fit this data").WithCode("WrongRootKey")
	ErrNoRootKey        error = fault.New(fault.Unavailable, "there is no root key").WithCode("NoRootKey")
	ErrUnauthorized     error = fault.New(fault.Denied, "not allowed").WithCode("Unauthorized")
	ErrAuditUnavailable error = fault.New(fault.Unavailable, "the audit entry could not be written").WithCode("AuditUnavailable")
	ErrAuditBroken      error = fault.New(fault.Unavailable, "the audit chain is not whole").WithCode("AuditBroken")
	ErrFlagNotFound     error = fault.New(fault.NotFound, "no such flag").WithCode("FlagNotFound")
	ErrConfigNotFound   error = fault.New(fault.NotFound, "no such config entry").WithCode("ConfigNotFound")
	ErrOverrideNotFound error = fault.New(fault.NotFound, "no such override").WithCode("OverrideNotFound")
	ErrRotationNotFound error = fault.New(fault.NotFound, "no such rotation").WithCode("RotationNotFound")
	ErrTypeMismatch     error = fault.New(fault.Invalid, "the value is of another type").WithCode("TypeMismatch")
	ErrNoTenant               = scope.ErrNoTenant // no tenant in scope
	ErrNoApp                  = scope.ErrNoApp    // no app in scope
)
