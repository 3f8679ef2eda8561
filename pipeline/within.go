package pipeline

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/sealed"
)

// Within makes a run a part of the run that env belongs to, for components that hold a pipeline: it shares its secrets,
// network, stores, files, account and budget, flags, memory, listener, logger and clock. Names in the account and in the
// record of secrets become "outer.inner".
func Within(env *component.Env) Option {
	return func(c *config) {
		outer, secrets, doors := env.Component(), env.Secrets(), env.Doors()
		c.context.RequestID, c.nested = doors.RequestID, true
		c.http, c.stores, c.files, c.log, c.now = doors.HTTP, doors.Stores, doors.Files, doors.Log, doors.Now
		if secrets != nil {
			c.secrets = nestedSecrets{outer: outer, SecretResolver: secrets}
		}
		if doors.Ports != nil {
			ports := *doors.Ports
			if ports.Meter != nil {
				ports.Meter = nestedMeter{outer: outer, Meter: ports.Meter}
			}
			c.ports = &ports
		}
		if env.Streams() {
			c.stream = func(ev StreamEvent) error { return env.Stream(ev.Chunk) }
		}
	}
}

type nestedSecrets struct {
	outer string
	component.SecretResolver
}

// ResolveSecret implements [component.SecretResolver].
func (n nestedSecrets) ResolveSecret(ctx context.Context, req component.SecretRequest) (sealed.Value, error) {
	req.Component = n.outer + "." + req.Component
	return n.SecretResolver.ResolveSecret(ctx, req)
}

type nestedMeter struct {
	outer string
	component.Meter
}

// Reserve implements [component.Meter].
func (n nestedMeter) Reserve(ctx context.Context, name string, call component.Call) (component.Reservation, error) {
	return n.Meter.Reserve(ctx, n.outer+"."+name, call)
}
