package scope

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/haywardhq/hayward/fault"
)

// ContextKey is the type of the four exported context keys.
type ContextKey string

// The four values of a scope.
const (
	KeyAppID    ContextKey = "vault.app_id"    // the application that things belong to
	KeyTenantID ContextKey = "vault.tenant_id" // the tenant inside the app
	KeyUserID   ContextKey = "vault.user_id"   // the user who acts
	KeyIP       ContextKey = "vault.ip"        // the client's address
)

// Errors of [Strict].
var (
	ErrNoTenant = errors.New("no tenant in scope")
	ErrNoApp    = errors.New("no app in scope")
	ErrConflict = errors.New("the context holds two different scopes")
)

// Caller is who is calling. It is a plain value: copy it, compare it.
type Caller struct {
	App, Tenant, User, IP string
	RequestID             string // the request this belongs to; not one of the four exported keys
}

type callerKey struct{}

// scoped is a context that answers its own key and the four exported ones from one struct, so that setting a scope is
// one allocation and reading it none.
type scoped struct {
	context.Context
	caller Caller
	boxed  atomic.Pointer[[4]any] // the four values as interfaces, made at the first read of a raw key
}

func (s *scoped) Value(key any) any {
	switch key.(type) {
	case callerKey:
		return &s.caller
	case ContextKey:
		for i := range rawKeys {
			if rawKeys[i] == key {
				return s.box()[i]
			}
		}
	}
	return s.Context.Value(key)
}

// rawKeys are the exported keys as interfaces, in the order of boxed, so that asking for one allocates nothing.
var rawKeys = [4]any{KeyAppID, KeyTenantID, KeyUserID, KeyIP}

func (s *scoped) box() *[4]any {
	if b := s.boxed.Load(); b != nil {
		return b
	}
	var b [4]any
	for i := range rawKeys {
		if v := *s.caller.field(i); v != "" {
			b[i] = v
		}
	}
	s.boxed.Store(&b)
	return &b
}

// String keeps %v of a context from walking into its parents.
func (s *scoped) String() string { return "scope.Context" }

// field returns the value of rawKeys[i].
func (c *Caller) field(i int) *string {
	return [...]*string{&c.App, &c.Tenant, &c.User, &c.IP}[i]
}

// current returns the innermost caller, or nil.
func current(ctx context.Context) *Caller {
	if s, ok := ctx.(*scoped); ok {
		return &s.caller
	}
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}

// effective is the caller as the four keys answer now: raw values set by context.WithValue with an exported key win over
// what an outer scope holds, as they do for every reader of the raw key.
func effective(ctx context.Context) Caller {
	if s, ok := ctx.(*scoped); ok {
		return s.caller
	}
	var c Caller
	if have := current(ctx); have != nil {
		c = *have
	}
	for i, k := range rawKeys {
		if raw, ok := ctx.Value(k).(string); ok {
			*c.field(i) = raw
		}
	}
	return c
}

func with(ctx context.Context, set func(*Caller)) context.Context {
	c := effective(ctx)
	set(&c)
	return &scoped{Context: ctx, caller: c}
}

// WithAppID returns a context whose app is appID; the other values stay.
func WithAppID(ctx context.Context, appID string) context.Context {
	return with(ctx, func(c *Caller) { c.App = appID })
}

// WithTenantID returns a context whose tenant is tenantID; the other values stay.
func WithTenantID(ctx context.Context, tenantID string) context.Context {
	return with(ctx, func(c *Caller) { c.Tenant = tenantID })
}

// WithUserID returns a context whose user is userID; the other values stay.
func WithUserID(ctx context.Context, userID string) context.Context {
	return with(ctx, func(c *Caller) { c.User = userID })
}

// WithIP returns a context whose client address is ip; the other values stay.
func WithIP(ctx context.Context, ip string) context.Context {
	return with(ctx, func(c *Caller) { c.IP = ip })
}

// WithScope returns a context with all four values, replacing those it had.
func WithScope(ctx context.Context, appID, tenantID, userID, ip string) context.Context {
	var id string
	if have := current(ctx); have != nil {
		id = have.RequestID
	}
	return &scoped{Context: ctx, caller: Caller{App: appID, Tenant: tenantID, User: userID, IP: ip, RequestID: id}}
}

// WithCaller returns a context with exactly the given caller. Doors use it, once per request.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return &scoped{Context: ctx, caller: c}
}

// FromContext returns the four values; missing ones are empty.
func FromContext(ctx context.Context) (appID, tenantID, userID, ip string) {
	c := effective(ctx)
	return c.App, c.Tenant, c.User, c.IP
}

// RequestID returns the request id in scope, or "".
func RequestID(ctx context.Context) string {
	if c := current(ctx); c != nil {
		return c.RequestID
	}
	return ""
}

// Strict returns the caller for a service's first line. It fails with [ErrNoApp] or [ErrNoTenant] when one is missing,
// and with [ErrConflict] when a raw key was set by hand to something other than what the scope around it holds.
func Strict(ctx context.Context) (Caller, error) {
	c, err := Lenient(ctx)
	switch {
	case err != nil:
		return Caller{}, err
	case c.App == "":
		return Caller{}, refuse(ErrNoApp)
	case c.Tenant == "":
		return Caller{}, refuse(ErrNoTenant)
	}
	return c, nil
}

// Lenient is [Strict] for callers that may stand outside every tenant (the operator, a shared entry): missing values are
// empty, a conflict is still an error.
func Lenient(ctx context.Context) (Caller, error) {
	if s, ok := ctx.(*scoped); ok { // nobody can have set a raw key outside of it
		return s.caller, nil
	}
	c := effective(ctx)
	if have := current(ctx); have != nil && *have != c {
		return Caller{}, refuse(ErrConflict)
	}
	return c, nil
}

// Borrow is [Lenient] without a copy, for what every request does many times over. The caller is shared: whoever borrows it
// must not change it.
func Borrow(ctx context.Context) (*Caller, error) {
	if s, ok := ctx.(*scoped); ok {
		return &s.caller, nil
	}
	c, err := Lenient(ctx)
	return &c, err
}

func refuse(cause error) error {
	return fault.New(fault.Invalid, "%w", cause).WithCode("scope").
		WithHint("set the scope once, at the door, with scope.WithScope")
}
