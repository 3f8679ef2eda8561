package host

import (
	"context"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
)

// Recorder writes the auth wing's events into the audit: a member's into his tenant's chain, everything else into the
// operator's.
type Recorder struct{ Log *audit.Logger }

// Record implements auth.Recorder.
func (r Recorder) Record(ctx context.Context, e auth.Event) error {
	c := scope.Caller{App: e.App, Tenant: e.Tenant, User: e.User, IP: e.IP, RequestID: e.RequestID}
	ev := audit.Event{Action: e.Action, Resource: "auth", Name: e.Target, Operator: e.Tenant == ""}
	outcome := audit.OK
	if e.Outcome != auth.OutcomeOK {
		outcome = audit.Denied
	}
	var details []audit.Detail
	if e.Reason != "" {
		details = append(details, audit.Detail{Key: "reason", Value: e.Reason})
	}
	if e.UserAgent != "" {
		details = append(details, audit.Detail{Key: "user_agent", Value: e.UserAgent})
	}
	return r.Log.Record(ctx, c, ev, outcome, details...)
}

// RoleBook answers for roles from the auth wing's snapshot: no lock, no allocation.
type RoleBook struct{ Store *identity.Store }

// Roles implements [Roles]. Who stands for a machine's key holds the key's role, outside every tenant.
func (b RoleBook) Roles(app, tenant, user string) policy.Roles {
	if tenant == "" {
		if r := auth.MachineRoles(user); r != 0 {
			return r
		}
	}
	a, ok := b.Store.Account(app, user)
	if !ok || a.Disabled {
		return 0
	}
	return a.Roles(tenant)
}
