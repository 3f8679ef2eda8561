// Package vault is the root of the vault wing: what a tenant owns.
//
// The wing is a library of its own. It imports the ground (fault, sealed, vault/scope, db) and itself, never a pipeline,
// a login or a door. One noun is one room: secret (values under envelope encryption), flag (values decided by rules),
// config and override (typed values of the app and of a tenant), audit (who did what, in a chain that shows tampering),
// keyring (root key, tenant key, value), store (where rows are kept). This package holds what they share: [Entity] and the
// errors that callers match with errors.Is.
//
// It also joins them: [New] returns a [Vault] over one store, one keyring and one audit log, for programs that want the whole
// wing and not single rooms. source is where values may come from elsewhere, plugin what a program adds, metrics what is
// counted.
//
//	v, err := vault.New(vault.WithAppID("myapp"), vault.WithStore(st), vault.WithEncryptionKeyEnv("MYAPP_ROOT_KEY"))
//	...
//	ctx = scope.WithScope(ctx, "myapp", "acme", "ann", "10.0.0.1")
//	sec, err := v.Secrets().Get(ctx, "OPENAI_API_KEY", "")
//	on := v.Flags().Bool(ctx, "new-dashboard", false)
//	limit := v.Config().Int(ctx, "rate-limit", 100)
//
// Who is calling comes from vault/scope. Each service turns it into arguments on its first line, asks its gate, and writes
// the audit entry in the same call; below the services nothing reads identity from a context.
package vault
