package router

import (
	"errors"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
)

// FieldError is one entry of FastAPI's 422 body.
type FieldError struct {
	Type  string         `json:"type"`
	Loc   []any          `json:"loc"`
	Msg   string         `json:"msg"`
	Input any            `json:"input"`
	Ctx   map[string]any `json:"ctx,omitempty"`
}

// FieldErrors is a FastAPI 422. Input is left null where it could hold a secret.
type FieldErrors []FieldError

// Error returns the first entry's sentence.
func (e FieldErrors) Error() string {
	if len(e) == 0 {
		return "invalid input"
	}
	return e[0].Msg
}

// Fields wraps field errors as an Invalid fault.
func Fields(list ...FieldError) error {
	return fault.Wrap(fault.Invalid, FieldErrors(list), "%s", FieldErrors(list).Error())
}

func fieldErrors(err error) (FieldErrors, bool) {
	var fe FieldErrors
	ok := errors.As(err, &fe)
	return fe, ok
}

// statusError overrides the status that a kind would get, where a protocol demands it.
type statusError struct {
	error
	code int
}

func (e statusError) Unwrap() error { return e.error }

// WithStatus makes err answer with the given status in every dialect.
func WithStatus(code int, err error) error { return statusError{err, code} }

func statusOf(err error) (int, bool) {
	var s statusError
	if errors.As(err, &s) {
		return s.code, true
	}
	return 0, false
}

// outsideTenants puts the refusal of a caller without a tenant into words for him: the scope's own are for whoever calls the
// services as a library. Only an operator can get this far without a tenant.
func outsideTenants(err error) error {
	if !errors.Is(err, scope.ErrNoTenant) {
		return err
	}
	return fault.Wrap(fault.Invalid, err, "no tenant in scope: an operator belongs to none, and this is a tenant's").WithCode("scope").
		WithHint("log in as a user of the tenant")
}

// laterError says when to try again.
type laterError struct {
	error
	seconds int
}

func (e laterError) Unwrap() error          { return e.error }
func (e laterError) RetryAfterSeconds() int { return e.seconds }

// RetryLater makes err answer with Retry-After.
func RetryLater(err error, after time.Duration) error {
	return laterError{err, int((after + time.Second - 1) / time.Second)}
}

func retryAfter(err error) (int, bool) {
	var r RetryAfter
	if errors.As(err, &r) {
		return max(1, r.RetryAfterSeconds()), true
	}
	return 0, false
}
