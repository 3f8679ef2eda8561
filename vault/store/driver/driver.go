package driver

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
)

// Tenants that no caller can have: a tenant in scope never begins with a slash (see [Owner]).
const (
	Shared   = "/shared"   // owns the entries an operator shares with every tenant of an app
	Operator = "/operator" // owns what happens outside every tenant: the operator's audit chain, the server's own keys
)

// MaxOwner is the longest app or tenant name, in bytes.
const MaxOwner = 255

// ErrNotFound is what a driver returns when there is no such row for this app and tenant.
var ErrNotFound = errors.New("no such row")

// Store is a place where the vault's rows are kept. It is safe for concurrent use.
type Store interface {
	// View runs fn in a read transaction: everything it reads is of one moment.
	View(ctx context.Context, fn func(Tx) error) error
	// Update runs fn in a write transaction. A returned nil means that its effects are durable, as far as this store can
	// make them so; after an error or a panic nothing of it is kept. fn must not call View or Update.
	Update(ctx context.Context, fn func(Tx) error) error
}

// Relaxer is a [Store] that can commit without waiting for the disk. The audit uses it for rows whose durable copy is its head
// file. What returns from Update makes everything before it durable.
type Relaxer interface {
	// UpdateRelaxed is Update, but when the machine stops all at once (for a store that [Relaxer.Forgets], also its server)
	// the last of these writes may be gone, the newest first and none by halves.
	UpdateRelaxed(ctx context.Context, fn func(Tx) error) error
	// StartRelaxed is UpdateRelaxed beside its caller. then is called once, with what that would return, in another goroutine or,
	// if the write cannot be started, at once.
	StartRelaxed(ctx context.Context, fn func(Tx) error, then func(error))
	// Now returns the present moment in microseconds since 1970, by the clock that [Tx.Now] reads.
	Now() int64
	// Forgets reports whether relaxed writes can be lost while this process goes on.
	Forgets() bool
	// BeforeClose has fn called when the store is about to close and can still be written to.
	BeforeClose(fn func())
}

// Tx is a transaction, valid in one goroutine until the function it was given to returns. Each noun has its own methods.
type Tx interface {
	// Now returns the moment of this transaction in microseconds since 1970.
	Now() int64
	// AfterCommit has fn run once the transaction is durable and before Update returns; if fn fails, so does Update. Of
	// several functions with one non-nil key in a group of writes only the first runs, after all those without a key.
	AfterCommit(key any, fn func() error)

	Secrets
	Keys
	Audit
	Flags
	Configs
	Rotations
}

// Owner checks an app and a tenant for a service's first line: neither is ever guessed, and neither can name what no
// tenant owns ([Shared], [Operator]).
func Owner(app, tenant string) error {
	if err := App(app); err != nil {
		return err
	}
	if tenant == "" {
		return fault.New(fault.Invalid,
			"%w", scope.ErrNoTenant).WithCode("scope").WithHint("set the scope once, at the door, with scope.WithScope")
	}
	return name("tenant", tenant)
}

// App checks an app alone.
func App(app string) error {
	if app == "" {
		return fault.New(fault.Invalid,
			"%w", scope.ErrNoApp).WithCode("scope").WithHint("set the scope once, at the door, with scope.WithScope")
	}
	return name("app", app)
}

func name(what, s string) error {
	switch {
	case len(s) > MaxOwner:
		return fault.New(fault.Invalid, "the %s id is longer than %d bytes", what, MaxOwner)
	case strings.HasPrefix(s, "/"):
		return fault.New(fault.Invalid,
			"the %s id begins with a slash", what).WithHint("ids that begin with a slash are the server's own")
	case !utf8.ValidString(s), strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fault.New(fault.Invalid, "the %s id holds characters that cannot be printed", what)
	}
	return nil
}

// Args is the check an implementation makes of each method's app and tenant: neither may be missing.
func Args(app, tenant string) error {
	if app == "" {
		return fault.New(fault.Invalid, "%w", scope.ErrNoApp).WithCode("scope")
	}
	if tenant == "" {
		return fault.New(fault.Invalid, "%w", scope.ErrNoTenant).WithCode("scope")
	}
	return nil
}
