package secret

import (
	"context"

	"github.com/haywardhq/hayward/vault/metrics"
)

// Plugins is asked about every call once it is authorised and recorded, before anything is read or written; an error ends the
// call. *plugin.Registry is one.
type Plugins interface {
	SecretAccess(ctx context.Context, key, action string) error
}

// WithPlugins sets who else is asked. The default is nobody.
func WithPlugins(p Plugins) Option { return func(s *Service) { s.plugins = p } }

// WithMetrics has values handed out, versions written and deletions counted. The default is nothing.
func WithMetrics(c *metrics.Collector) Option { return func(s *Service) { s.metrics = c } }

// observe puts the counters before the functions that are called anyway, so that a service without them pays nothing.
func (s *Service) observe() {
	c, access, mutate := s.metrics, s.onAccess, s.onMutate
	if c == nil {
		return
	}
	s.onAccess = func(ctx context.Context, key, appID string) {
		c.SecretAccessed.Inc()
		access(ctx, key, appID)
	}
	s.onMutate = func(ctx context.Context, action, key, appID string) {
		switch action {
		case "set", "promote", "rollback":
			c.SecretSet.Inc()
		case "delete", "destroy":
			c.SecretDeleted.Inc()
		}
		mutate(ctx, action, key, appID)
	}
}
