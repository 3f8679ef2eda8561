// Package ofrep is the door for OpenFeature clients of any language: the OpenFeature Remote Evaluation Protocol, version
// 0.1.0 (https://github.com/open-feature/protocol), over the flags of the tenant whose token the request carries.
//
// The tenant comes from the token and from nowhere else. The context's targetingKey is a user as that tenant names its users,
// its other members are attributes; app_id, tenant_id, user_id and ip among them are ignored, since those are the token's to
// say. Without a targetingKey flags are evaluated for the caller itself. A flag of another app is not found.
//
// Evaluating is not recorded in the audit: it is what every request of a program does, and a flag's value is no secret.
// Changing flags is, behind the native door (server/api). Errors have the protocol's own bodies; what the router refuses
// (401, 403, 429 with Retry-After) has them, too.
package ofrep
