// Package hooksign signs the body of an HTTP request as Standard Webhooks says
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). The rotator
// vault/rotation/webhook and the audit's webhook sink sign through it.
// It sends nothing, and is on the published list of importers of sealed/reveal because it computes an HMAC under a sealed key.
package hooksign
