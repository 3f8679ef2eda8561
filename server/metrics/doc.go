// Package metrics is the door for Prometheus and what reads its text format: GET /metrics, for operators.
//
// What is counted is the vault's business (vault/metrics) and who may read it the host's; next door, server/api has /healthz
// and /readyz for load balancers, which anybody may ask.
package metrics
