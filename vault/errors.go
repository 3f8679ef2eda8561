package vault

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/source"
)

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
	ErrKeyNotFound      = source.ErrKeyNotFound // no source has the key
)

// What exists already is a write that expected no version (WithExpectedVersion(0)): one error for the three documented names.
var (
	ErrSecretExists = base.ErrVersionConflict
	ErrConfigExists = base.ErrVersionConflict
	ErrFlagExists   = base.ErrVersionConflict
)

// ErrNoStore is returned by [New] for a store that is nil.
var ErrNoStore error = fault.New(fault.Invalid, "there is no store").WithCode("NoStore")

// Errors of the documented API that nothing here returns, so that code which names them compiles. What they would mean is said
// by a fault kind, or cannot happen.
var (
	ErrEncryptionFailed error = fault.New(fault.Internal, "a value could not be encrypted").WithCode("EncryptionFailed")
	ErrRotationFailed   error = fault.New(fault.Failed, "the rotation failed").WithCode("RotationFailed")
	ErrFlagDisabled     error = fault.New(fault.Conflict, "the flag is off").WithCode("FlagDisabled")
	ErrInvalidFlagKey   error = fault.New(fault.Invalid, "not the key of a flag").WithCode("InvalidFlagKey")
	ErrAuditNotFound    error = fault.New(fault.NotFound, "no such audit entry").WithCode("AuditNotFound")
	ErrRunNotFound      error = fault.New(fault.NotFound, "no such run").WithCode("RunNotFound")
	ErrDLQNotFound      error = fault.New(fault.NotFound, "no such dead letter").WithCode("DLQNotFound")
	ErrCronNotFound     error = fault.New(fault.NotFound, "no such cron entry").WithCode("CronNotFound")
	ErrEventNotFound    error = fault.New(fault.NotFound, "no such event").WithCode("EventNotFound")
	ErrWorkflowNotFound error = fault.New(fault.NotFound, "no such workflow").WithCode("WorkflowNotFound")
)

// Entity holds the two times that every stored noun has, in UTC.
type Entity = base.Entity

// NewEntity returns an Entity created now.
func NewEntity() Entity { return base.NewEntity() }
