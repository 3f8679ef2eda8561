package auth

import (
	"time"

	"github.com/haywardhq/hayward/auth/limit"
	"github.com/haywardhq/hayward/auth/token"
	"github.com/haywardhq/hayward/fault"
)

// The answers of this wing that doors put into their dialect. Compare with errors.Is.
var (
	// ErrCredentials is the one answer to a wrong password, an unknown user and a disabled user.
	ErrCredentials = fault.New(fault.Unauthenticated, "Incorrect username or password").WithCode("invalid_grant")
	// ErrNoToken is the answer when a request shows no token at all.
	ErrNoToken = fault.New(fault.Unauthenticated, "Not authenticated").WithCode("missing_token")
	// ErrToken is the one answer to a token that is not good any more or never was.
	ErrToken = token.ErrInvalid
)

// FieldError is one field of a login form that is wrong, in the terms of the form's reader.
type FieldError struct {
	Field   string // "username", "password", "grant_type"
	Type    string // "missing", "string_pattern_mismatch", "string_too_long"
	Message string
	Input   string // what was given, for grant_type only
	Pattern string // what it should match, for string_pattern_mismatch
	Max     int    // for string_too_long
}

// FieldErrors are all wrong fields of a login form. It is the cause of an Invalid fault.
type FieldErrors struct{ Fields []FieldError }

// Error lists the fields.
func (e *FieldErrors) Error() string {
	out := ""
	for i, f := range e.Fields {
		if i > 0 {
			out += "; "
		}
		out += f.Field + ": " + f.Message
	}
	return out
}

// RetryAfter returns how long err asks to wait, and whether it asks at all: a throttled login is Limited, a full queue
// of logins is Unavailable.
func RetryAfter(err error) (time.Duration, bool) { return limit.RetryAfter(err) }

func badScope(format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...).WithCode("invalid_scope").At(fault.Where{Field: "scope"}).
		WithHint("ask for scope=tenant:<slug> with a tenant you are a member of, or leave it out for your home tenant")
}
