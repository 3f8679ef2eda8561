// Package host is where the three wings meet: it knows the vault, the pipeline engine and the auth wing, and wires the
// ports that each of them declares. It knows no door: no HTTP, no command line.
//
// A service method here begins with one line that authorises and records ([Host.enter]); identity is read from the
// context on that line and nowhere below it. What follows takes app and tenant as arguments.
//
//	catalogue/  deployed pipelines and their compiled plans
//	inputs/     what a request carries, made into what a pipeline takes
//	redact/     a run's secrets, removed from whatever the run says
//	resolver.go who answers for a secret: the tenant's vault, what the app shares, the environment if allowed
//	run.go      one run: inputs, secrets, stores, limits, two audit entries, redaction
package host
