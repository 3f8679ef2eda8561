package host

import "github.com/haywardhq/hayward/auth/policy"

// vaultWords are the vault's own words for what it is about to record, by the policy's word for who may. An action that is not
// here asks for itself: "pipeline.run" for "pipeline:run".
var vaultWords = map[policy.Action][]string{
	policy.PipelineRun: {"session.forget"}, // what one's own runs remembered

	policy.SecretList:     {"secret.list_deleted"},
	policy.SecretReadMeta: {"secret.get_meta", "secret.list_versions", "secret.history", "secret.explain"},
	policy.SecretReveal:   {"secret.get", "secret.get_version"},
	policy.SecretSet:      {"secret.rollback", "secret.undelete", "secret.set_max_versions"}, // what is undeleted is served again
	policy.SecretDelete:   {"secret.delete_versions", "secret.destroy", "secret.destroy_versions"},
	policy.SharedList:     {"secret.list_shared", "secret.list_shared_deleted", "secret.history_shared"},
	policy.SharedWrite: {"secret.get_shared", "secret.set_shared", "secret.rollback_shared", "secret.undelete_shared", "secret.set_shared_max_versions",
		"secret.delete_shared", "secret.delete_shared_versions", "secret.destroy_shared", "secret.destroy_shared_versions"}, // what the operator shares is his own

	policy.FlagRead:     {"flag.explain", "flag.list_overrides", "flag.override_history"},
	policy.FlagOverride: {"flag.set_override", "flag.delete_override", "flag.rollback_override"},
	policy.FlagManage: {"flag.define", "flag.set_enabled", "flag.set_rules", "flag.delete", "flag.get", "flag.list", "flag.history", "flag.get_version", "flag.rollback",
		"flag.define_segment", "flag.get_segment", "flag.list_segments", "flag.delete_segment", "flag.segment_history", "flag.rollback_segment"},
	policy.ConfigRead:   {"config.get", "config.get_version", "config.list_versions", "config.list", "config.explain", "override.get", "override.list"},
	policy.ConfigSet:    {"config.set", "config.rollback", "config.delete"},
	policy.ConfigSchema: {"config.set_schema"},

	policy.RotationRead:   {"rotation.get_policy", "rotation.list_policies", "rotation.history", "rotation.status"},
	policy.RotationRun:    {"rotation.rotate_now"},
	policy.RotationManage: {"rotation.set_policy", "rotation.delete_policy", "rotation.abandon"},

	policy.KeyRead:       {"key.list"},
	policy.KeyRotateRoot: {"key.rotate_root"},
	policy.KeyShred:      {"key.shred", "key.receipts"},

	policy.AuditRead:    {"audit.list", "audit.export", "audit.prove", "audit.checkpoint", "audit.break_glass.list"},
	policy.AuditReadAll: {"audit.verify"},
	policy.BreakGlass:   {"audit.break_glass.open", "audit.break_glass.close"},
}

// vaultActions is vaultWords the other way round; it is written once, before main, and only read afterwards.
var vaultActions = func() map[string]policy.Action {
	m := map[string]policy.Action{}
	for action, list := range vaultWords {
		for _, w := range list {
			m[w] = action
		}
	}
	return m
}()
