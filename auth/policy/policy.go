package policy

import "slices"

// Action names one thing that can be done. Only the constants below exist; any other value is denied.
type Action string

// Actions on oneself: everyone who is somebody.
const (
	SelfRead   Action = "self:read"   // GET /users/me
	SelfUpdate Action = "self:update" // change the own password
)

// Actions inside a tenant.
const (
	PipelineRead           Action = "pipeline:read"             // list, status, schema
	PipelineRun            Action = "pipeline:run"              // run through the declared inputs
	PipelineRunAny         Action = "pipeline:run-any"          // run through any socket, take any component's output
	PipelineRunWithSecrets Action = "pipeline:run-with-secrets" // bring own secrets for one run
	PipelineDeploy         Action = "pipeline:deploy"
	PipelineUndeploy       Action = "pipeline:undeploy"
	SecretList             Action = "secret:list"      // names
	SecretReadMeta         Action = "secret:read-meta" // versions, destinations, which layer would answer; never the value
	SecretSet              Action = "secret:set"       // also changes destinations
	SecretDelete           Action = "secret:delete"
	SecretReveal           Action = "secret:reveal"   // the value itself, audited
	RotationRead           Action = "rotation:read"   // policies, history, status
	RotationRun            Action = "rotation:run"    // now
	RotationManage         Action = "rotation:manage" // policies: they set secrets, as secret:set does
	AuditRead              Action = "audit:read"      // the own tenant's audit
)

// Actions on flags and config. Both have two owners: the app's are the operator's, a tenant's own values are the tenant's,
// and who acts says which is meant (docs/decisions/0011). None of them is a secret.
const (
	FlagRead     Action = "flag:read"     // evaluate and explain
	FlagOverride Action = "flag:override" // the value a flag has for one tenant
	FlagManage   Action = "flag:manage"   // definitions and rules, which name tenants
	ConfigRead   Action = "config:read"
	ConfigSet    Action = "config:set"
	ConfigSchema Action = "config:schema" // what every value of a key must fit
)

// Actions on the people and tenants of an app.
const (
	UserRead     Action = "user:read"
	UserManage   Action = "user:manage" // an admin: the own tenant's members; the operator: every user
	TenantManage Action = "tenant:manage"
	AppManage    Action = "app:manage"
)

// Actions on the service, for the operator alone.
const (
	SharedList     Action = "shared:list"
	SharedWrite    Action = "shared:write" // shared app entries, with destinations
	EgressManage   Action = "egress:manage"
	LimitManage    Action = "limit:manage"
	KeyRead        Action = "key:read"   // which keys there are; an admin: the own tenant's
	KeyRotate      Action = "key:rotate" // likewise
	KeyRotateRoot  Action = "key:rotate-root"
	KeyShred       Action = "key:shred" // destroy a tenant's keys, for ever
	KeyExport      Action = "key:export"
	BackupWrite    Action = "backup:write"
	AuditReadAll   Action = "audit:read-all" // across tenants
	SystemRead     Action = "system:read"    // status
	MetricsRead    Action = "metrics:read"   // what the server counted
	TokenRevokeAny Action = "token:revoke-any"
	BreakGlass     Action = "operator:break-glass" // enter a tenant, with a reason, in both audit chains
)

const (
	everyone = Viewer | Runner | Editor | Admin | Operator
	readers  = Viewer | Runner | Editor | Admin
	runners  = Runner | Editor | Admin
	authors  = Editor | Admin
)

type rule struct {
	action Action
	roles  Roles // any of them is enough
}

// rules is the table. Its order is the order of the generated matrix.
func rules() []rule {
	return []rule{
		{SelfRead, everyone},
		{SelfUpdate, everyone},
		{PipelineRead, readers},
		{PipelineRun, runners},
		{PipelineRunAny, authors},
		{PipelineRunWithSecrets, authors},
		{PipelineDeploy, authors},
		{PipelineUndeploy, authors},
		{SecretList, authors},
		{SecretReadMeta, authors},
		{SecretSet, Admin}, // setting includes naming the hosts that receive a value, so it is not an editor's
		{SecretDelete, Admin},
		{SecretReveal, Admin},
		{RotationRead, authors},
		{RotationRun, Admin},
		{RotationManage, Admin},
		{AuditRead, Admin},
		{FlagRead, everyone},
		{FlagOverride, authors | Operator}, // who deploys the pipelines that look at a flag decides what they do anyway
		{FlagManage, Operator},
		{ConfigRead, everyone},
		{ConfigSet, authors | Operator},
		{ConfigSchema, Operator},
		{UserRead, Admin | Operator},
		{UserManage, Admin | Operator},
		{TenantManage, Operator},
		{AppManage, Operator},
		{SharedList, Operator},
		{SharedWrite, Operator},
		{EgressManage, Operator},
		{LimitManage, Operator},
		{KeyRead, Admin | Operator},
		{KeyRotate, Admin | Operator},
		{KeyRotateRoot, Operator},
		{KeyShred, Operator},
		{KeyExport, Operator},
		{BackupWrite, Operator},
		{AuditReadAll, Operator},
		{SystemRead, Operator},
		{MetricsRead, Operator | Monitor},
		{TokenRevokeAny, Operator},
		{BreakGlass, Operator},
	}
}

// lookup is the table by action; it is written once, before main, and only read afterwards.
var lookup = func() map[Action]Roles {
	m := make(map[Action]Roles)
	for _, r := range rules() {
		m[r.action] = r.roles
	}
	return m
}()

// Actions lists every declared action, in the table's order.
func Actions() []Action {
	out := make([]Action, 0, len(lookup))
	for _, r := range rules() {
		out = append(out, r.action)
	}
	return out
}

// Declared reports whether a is in the table. A route that names another action is a defect of the program.
func Declared(a Action) bool { return slices.Contains(Actions(), a) }

// Decision is the answer to whether something may be done.
type Decision struct {
	Allowed bool
	Reason  string // a fixed sentence, for the audit; it names no caller and no thing
}

// The reasons. They are fixed so that deciding allocates nothing.
const (
	reasonAllowed    = "a role of the caller allows it"
	reasonNoRole     = "the caller holds no role here"
	reasonRole       = "none of the caller's roles allows it"
	reasonUndeclared = "the action is not declared"
	reasonMixed      = "the operator acts outside tenants and holds no other role"
	reasonMachine    = "a machine's key holds no other role"
)

// Allowed decides whether a caller with the given roles may do the action. It denies what it does not know: an action
// outside the table, an empty set, a role bit nobody defined, and an operator who also holds a tenant's role.
func Allowed(roles Roles, action Action) Decision {
	need, ok := lookup[action]
	switch {
	case !ok:
		return Decision{Reason: reasonUndeclared}
	case roles == 0:
		return Decision{Reason: reasonNoRole}
	case roles&Operator != 0 && roles != Operator:
		return Decision{Reason: reasonMixed}
	case roles&Monitor != 0 && roles != Monitor:
		return Decision{Reason: reasonMachine}
	case roles&need == 0:
		return Decision{Reason: reasonRole}
	}
	return Decision{Allowed: true, Reason: reasonAllowed}
}
