package host

import (
	"context"
	"io"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/scope"
)

// Metrics shows what the server counted. Its instruments have no labels: no tenant and no name is in them.
type Metrics struct {
	Gate     audit.Gate
	Roles    Roles
	Registry *metrics.Registry
}

// Write writes every instrument in Prometheus' text format, for an operator or a monitor's key (policy.MetricsRead). Only a refusal is recorded:
// a reader comes every few seconds, and what it reads is about nobody.
func (m *Metrics) Write(ctx context.Context, w io.Writer) error {
	c, err := scope.Lenient(ctx)
	if err != nil {
		return err
	}
	if decide(m.Roles, c, policy.MetricsRead, true) != nil {
		entry, err := m.Gate.Enter(ctx, audit.Request{Caller: c, Action: "metrics.read", Resource: "metrics", Operator: true})
		if err != nil {
			return err
		}
		if err := finish(ctx, entry, nil); err != nil { // the caller's roles changed in between
			return err
		}
	}
	_, err = m.Registry.WriteTo(w)
	return err
}
