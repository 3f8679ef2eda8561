// Package flag decides which value a feature flag has for the caller in a context's scope.
//
// A flag belongs to an app. Its definition names one of five types and a default; rules, tried by priority, and a tenant's
// own value take precedence over the default. The order is: a flag that is off has its default; then its prerequisites;
// then the tenant's own value; then the rules, low priority first, equal ones in the order given; then the default.
//
// Everything is checked when it is written: values against the type, percentages, patterns, cycles of prerequisites. What
// evaluation reads is compiled once and immutable. A write through the store drops it before the write returns, so that a
// flag switched off is off at the next evaluation; nothing is served by age. A caller never shares a mutable value with
// another. What cannot be evaluated is the reason ERROR with a code, and logged; the typed accessors of [Service] then
// give the caller's default.
//
// Conditions look at attributes of the caller, or at a [Segment]: a named list of conditions that many flags share. Each
// write of a flag, a segment or a tenant's own value is a version that can be gone back to; a write may name the version it
// has seen. [Engine.OnChange] tells of what changed, in this process or another.
//
// A rollout puts a tenant into bucket SHA-256(tenant ":" flag) mod 100, as the API this wing keeps does;
// [SaltedRollout] and [Split] use a salted, length-prefixed hash in steps of 0.001 %, by tenant or by user.
//
// Evaluating asks no gate and writes no record: it is what every request does. Changing flags does both, see [Service].
// What is stored lies in vault/store; config next door is for values that are not decided by rules; openfeature below is for
// programs that speak to flags through the OpenFeature SDK.
package flag
