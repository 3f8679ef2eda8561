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

// The vault's own words where they differ from the policy's.
var vaultActions = map[string]policy.Action{
	"secret.get":             policy.SecretReveal,
	"secret.get_version":     policy.SecretReveal,
	"secret.get_meta":        policy.SecretReadMeta,
	"secret.list_versions":   policy.SecretReadMeta,
	"secret.explain":         policy.SecretReadMeta,
	"secret.list_shared":     policy.SharedList,
	"secret.get_shared":      policy.SharedWrite, // what the operator shares is the operator's own
	"secret.set_shared":      policy.SharedWrite,
	"secret.delete_shared":   policy.SharedWrite,
	"flag.explain":           policy.FlagRead,
	"flag.list_overrides":    policy.FlagRead,
	"flag.set_override":      policy.FlagOverride,
	"flag.delete_override":   policy.FlagOverride,
	"flag.define":            policy.FlagManage,
	"flag.set_enabled":       policy.FlagManage,
	"flag.set_rules":         policy.FlagManage,
	"flag.delete":            policy.FlagManage,
	"flag.get":               policy.FlagManage,
	"flag.list":              policy.FlagManage,
	"flag.history":           policy.FlagManage,
	"flag.get_version":       policy.FlagManage,
	"flag.rollback":          policy.FlagManage,
	"flag.define_segment":    policy.FlagManage,
	"flag.get_segment":       policy.FlagManage,
	"flag.list_segments":     policy.FlagManage,
	"flag.delete_segment":    policy.FlagManage,
	"flag.segment_history":   policy.FlagManage,
	"flag.rollback_segment":  policy.FlagManage,
	"flag.override_history":  policy.FlagRead,
	"flag.rollback_override": policy.FlagOverride,
	"config.get":             policy.ConfigRead,
	"config.get_version":     policy.ConfigRead,
	"config.list_versions":   policy.ConfigRead,
	"config.list":            policy.ConfigRead,
	"config.explain":         policy.ConfigRead,
	"config.set":             policy.ConfigSet,
	"config.rollback":        policy.ConfigSet,
	"config.delete":          policy.ConfigSet,
	"config.set_schema":      policy.ConfigSchema,
	"override.get":           policy.ConfigRead,
	"override.list":          policy.ConfigRead,
	"audit.list":             policy.AuditRead,
	"audit.export":           policy.AuditRead,
	"audit.verify":           policy.AuditReadAll,
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
