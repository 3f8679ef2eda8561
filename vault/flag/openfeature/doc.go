// Package openfeature is the OpenFeature provider over vault/flag, for programs whose code speaks to flags through
// github.com/open-feature/go-sdk (specification 0.9, https://openfeature.dev/specification).
//
// Whose flags are evaluated is the scope of the Go context, as everywhere in this wing: set it once, at the door, with
// scope.WithScope. The evaluation context says for whom inside the caller's tenant: its targeting key is the user, its
// attributes are what conditions look at. No attribute can name an app or a tenant; those of the names app_id, tenant_id,
// user_id and ip are ignored. Without a targeting key the user is the scope's.
//
// Reasons, variants and error codes are those of flag.Detail. TARGETING_KEY_MISSING does not occur, because no flag needs a
// user: a rule that looks at one does not match. The reason CACHED does not occur, because nothing is served by age.
//
// The client of the SDK costs more than ten times what an evaluation costs; where that matters, flag.Service has the same
// answers. Over the network, the same flags are behind OFREP (server/ofrep).
package openfeature
