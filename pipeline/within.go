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
		c.context.RequestID, c.nested = env.RequestID, true
		c.http, c.stores, c.files, c.log, c.now = env.HTTP, env.Stores, env.Files, env.Log, env.Now
		if env.Secrets != nil {
			c.secrets = nestedSecrets{outer: env.Component, SecretResolver: env.Secrets}
		}
		if env.Ports != nil {
			ports := *env.Ports
			if ports.Meter != nil {
				ports.Meter = nestedMeter{outer: env.Component, Meter: ports.Meter}
			}
			c.ports = &ports
		}
		if emit := env.Stream; emit != nil {
			c.stream = func(ev StreamEvent) error { return emit(ev.Chunk) }
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
