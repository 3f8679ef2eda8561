// Package vault is the root of the vault wing: what a tenant owns.
//
// The wing is a library of its own. It imports the ground (fault, sealed, vault/scope, db) and itself, never a pipeline,
// a login or a door. One noun is one room: secret (values under envelope encryption), flag (values decided by rules),
// config and override (typed values of the app and of a tenant), audit (who did what, in a chain that shows tampering),
// keyring (root key, tenant key, value), store (where rows are kept). This package holds what they share: [Entity] and the
// errors that callers match with errors.Is.
//
// Who is calling comes from vault/scope. Each service turns it into arguments on its first line, asks its gate, and writes
// the audit entry in the same call; below the services nothing reads identity from a context.
package vault
