package audithook

// The documented actions.
const (
	ActionSecretAccessed  = "secret.accessed"
	ActionSecretSet       = "secret.set"
	ActionSecretDeleted   = "secret.deleted"
	ActionSecretRotated   = "secret.rotated"
	ActionFlagEvaluated   = "flag.evaluated"
	ActionFlagCreated     = "flag.created"
	ActionFlagUpdated     = "flag.updated"
	ActionFlagDeleted     = "flag.deleted"
	ActionFlagToggled     = "flag.toggled"
	ActionConfigSet       = "config.set"
	ActionConfigDeleted   = "config.deleted"
	ActionOverrideSet     = "override.set"
	ActionOverrideDeleted = "override.deleted"
)

// The resources, and the category of each.
const (
	ResourceSecret   = "secret"
	ResourceFlag     = "flag"
	ResourceConfig   = "config"
	ResourceOverride = "override"

	CategorySecret   = "vault.secret"
	CategoryFlag     = "vault.flag"
	CategoryConfig   = "vault.config"
	CategoryOverride = "vault.override"
)

// Severities and outcomes.
const (
	SeverityInfo     = "info"     // it went well
	SeverityWarning  = "warning"  // it was refused or failed
	SeverityCritical = "critical" // an operator broke the glass

	OutcomeSuccess = "success"
	OutcomeFailure = "failure"
)

// AllActions returns the documented actions.
func AllActions() []string {
	return []string{ActionSecretAccessed, ActionSecretSet, ActionSecretDeleted, ActionSecretRotated, ActionFlagEvaluated, ActionFlagCreated,
		ActionFlagUpdated, ActionFlagDeleted, ActionFlagToggled, ActionConfigSet, ActionConfigDeleted, ActionOverrideSet, ActionOverrideDeleted}
}

// documented gives the services' actions their documented names. An action that is not here keeps its own; what only looks at
// definitions, lists and histories has none of the documented names.
var documented = map[string]string{
	"secret.get": ActionSecretAccessed, "secret.get_version": ActionSecretAccessed, "secret.get_shared": ActionSecretAccessed,
	"secret.set_shared": ActionSecretSet, "secret.rollback": ActionSecretSet, "secret.rollback_shared": ActionSecretSet,
	"secret.delete": ActionSecretDeleted, "secret.delete_shared": ActionSecretDeleted, "secret.delete_versions": ActionSecretDeleted,
	"secret.delete_shared_versions": ActionSecretDeleted, "secret.destroy": ActionSecretDeleted, "secret.destroy_shared": ActionSecretDeleted,
	"secret.destroy_versions": ActionSecretDeleted, "secret.destroy_shared_versions": ActionSecretDeleted,
	"rotation.run": ActionSecretRotated, "rotation.rotate_now": ActionSecretRotated,
	"flag.evaluate": ActionFlagEvaluated, "flag.explain": ActionFlagEvaluated,
	"flag.define": ActionFlagUpdated, "flag.set_rules": ActionFlagUpdated, "flag.set_override": ActionFlagUpdated,
	"flag.delete_override": ActionFlagUpdated, "flag.rollback": ActionFlagUpdated, "flag.rollback_override": ActionFlagUpdated,
	"flag.delete": ActionFlagDeleted, "flag.set_enabled": ActionFlagToggled,
	"config.rollback": ActionConfigSet, "config.delete": ActionConfigDeleted,
	"override.delete": ActionOverrideDeleted,
}
