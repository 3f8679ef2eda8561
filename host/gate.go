package host

import (
	"context"
	"strings"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
)

// Roles looks up what a user may do in a tenant, or outside every tenant when tenant is "". It is asked for every
// action, so that a change of roles holds at once.
type Roles interface {
	Roles(app, tenant, user string) policy.Roles
}

// NewGate returns the gate of every service: the policy decides, the audit records, in one call. An audit action
// "pipeline.run" asks the policy for "pipeline:run"; an action the policy does not declare is denied.
func NewGate(l *audit.Logger, roles Roles) audit.Gate {
	return audit.NewGate(l, func(_ context.Context, r audit.Request) error {
		return decide(roles, r.Caller, actionOf(r), r.Operator)
	})
}

// actionOf is the policy's word for what the audit is about to record.
func actionOf(r audit.Request) policy.Action {
	if a, ok := vaultActions[r.Action]; ok {
		if a == policy.AuditRead && r.Operator { // other tenants' entries, or the operator's own
			return policy.AuditReadAll
		}
		return a
	}
	return policy.Action(strings.Replace(r.Action, ".", ":", 1))
}

func decide(roles Roles, c scope.Caller, action policy.Action, operator bool) error {
	if operator && c.Tenant != "" {
		return fault.New(fault.Denied, "only an operator may do this").WithHint("an operator acts outside every tenant")
	}
	d := policy.Allowed(roles.Roles(c.App, c.Tenant, c.User), action)
	if d.Allowed {
		return nil
	}
	return fault.New(fault.Denied, "you may not do this: %s", d.Reason).WithCode(string(action)).
		WithHint("%s is needed", action)
}
