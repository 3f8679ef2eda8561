package audit

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Request is what a service asks its gate on its first line.
type Request struct {
	Caller   scope.Caller
	Action   string // "secret.get"
	Resource string // "secret"
	Name     string // the thing's name; may be empty
	Operator bool   // only an operator may: it is about shared entries or about other tenants
	Details  []Detail
}

// Gate authorises and begins the audit entry in one call. It returns an error, after recording the denial, if the caller
// may not; and also if the entry cannot be written. A host implements it with its roles, usually by [NewGate].
type Gate interface {
	Enter(ctx context.Context, r Request) (*Pending, error)
}

// NewGate returns a gate that asks allow and writes to l. allow returns nil or a fault of the kind Denied; nil means
// [TenantOnly], which knows no roles.
func NewGate(l *Logger, allow func(ctx context.Context, r Request) error) Gate {
	if allow == nil {
		allow = TenantOnly
	}
	return gate{l, allow}
}

// TenantOnly is the rule for a program without roles: whoever is inside a tenant may do everything to that tenant's own
// things, and what only an operator may needs a caller without a tenant.
func TenantOnly(_ context.Context, r Request) error {
	if r.Operator && r.Caller.Tenant != "" {
		return fault.New(fault.Denied, "only an operator may do this").WithHint("an operator acts outside every tenant")
	}
	return nil
}

type gate struct {
	l     *Logger
	allow func(context.Context, Request) error
}

func (g gate) Enter(ctx context.Context, r Request) (*Pending, error) {
	if g.l == nil {
		return nil, fault.New(fault.Internal, "the gate has no audit logger")
	}
	ev := Event{Action: r.Action, Resource: r.Resource, Name: r.Name, Operator: r.Operator, Details: r.Details}
	if err := checkOwner(r); err != nil {
		return nil, err
	}
	if err := g.allow(ctx, r); err != nil {
		// A denial belongs to the chain of whoever was denied.
		ev.Operator = r.Operator && r.Caller.Tenant == ""
		if unaudited := g.l.Record(ctx, r.Caller, ev, OutcomeOf(err), failureDetails(err)...); unaudited != nil {
			return nil, unaudited
		}
		return nil, err
	}
	return g.l.Begin(ctx, r.Caller, ev)
}

func checkOwner(r Request) error {
	if r.Operator && r.Caller.Tenant == "" {
		return driver.App(r.Caller.App)
	}
	return driver.Owner(r.Caller.App, r.Caller.Tenant)
}
