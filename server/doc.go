// Package server listens: timeouts, TLS, graceful shutdown, and the rule that nothing is served in plain text off
// loopback unless the operator says so in so many words. What is served comes from the rooms below: router (the mount
// list), api, hayhooks, oauth, openapi. It knows services, never a store or a component.
package server
