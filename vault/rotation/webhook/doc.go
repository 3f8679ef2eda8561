// Package webhook rotates a secret by telling a server of its owner's what to do, step by step.
//
// Each step is one POST to the policy's URL, signed as Standard Webhooks says
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
//
//	webhook-id: rot_0123.set                       the run's idempotency token and the step: the same when it is repeated
//	webhook-timestamp: 1767225600                  seconds since 1970, of this attempt
//	webhook-signature: v1,K5oZf...                 base64 of HMAC-SHA256 over "id.timestamp.body" with the signing key
//	idempotency-key: "rot_0123.set"
//	content-type: application/json
//
//	{"type": "rotation.set", "timestamp": "2026-01-01T00:00:00Z",
//	 "data": {"app": "default", "tenant": "acme", "secret": "PAYMENT_KEY", "token": "rot_0123", "attempt": 0,
//	          "version": 8, "current_version": 7, "value": "sk_..."}}
//
// The types are rotation.create (only if the policy says that the receiver makes the values: it answers {"value": "..."},
// the same one for the same token), rotation.set (accept the value, and go on accepting the current one), rotation.test
// (fail unless the value of this token works) and rotation.retire (previous_version is no longer to be accepted). Only
// rotation.set holds a value; one that is not UTF-8 is base64, and encoding says so. Any 2xx means done. Everything else is
// tried again later, with the same token; redirects are not followed.
//
// The value goes only where its owner said: the origin of the URL must be among the secret's destinations. Setting a policy
// does not make it one.
package webhook
