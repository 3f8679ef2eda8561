// Package token makes and checks access tokens: ES256 JSON Web Tokens of the profile RFC 9068 ("at+jwt"), which say who
// somebody is and for which tenant, never what the bearer may do. Roles are looked up at each request, so that a change
// holds at once.
//
// Signing keys live here, encrypted at rest by a [KeyWrapper] the host brings, and go through four states:
//
//	next (published, not yet used) -> active (signs) -> retired (only verifies) -> removed
//
// A key is published for a while before it signs, so that nobody with a cached key set refuses a token, and kept after
// it stops, so that no token outlives its key. Each login opens a grant; revoking the grant, or one token by its jti,
// ends it at once. Revocation goes by these ids, never by the token's text: an ES256 signature can be rewritten into
// another valid one.
//
// Users and roles are identity's; whether a user is still welcome is asked by the package above. OAuth's other grants,
// refresh tokens and API keys are not here.
package token
