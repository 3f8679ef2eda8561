package host

import (
	"context"
	"log/slog"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/redact"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/secret"
)

// The layers behind a run's own contexts, as the audit names them.
const (
	LayerTenant = "tenant vault"
	LayerShared = "shared vault"
)

// resolver answers for the secrets of one run: the tenant's vault, then what the app shares, then the sources outside the
// vault, then the environment. What it gives is redacted from the run's own words.
type resolver struct {
	vault       Vault
	sources     []SecretSource
	environment pipeline.Resolver
	log         *slog.Logger   // cleaned of the run's words
	under       *audit.Pending // the run that asks; it names app and tenant
	redact      *redact.Set
}

// Resolve implements pipeline.Resolver.
func (r *resolver) Resolve(ctx context.Context, name string, req component.SecretRequest) (pipeline.Found, error) {
	tried := []string{LayerTenant, LayerShared}
	s, err := r.vault.Lookup(ctx, r.under, name)
	if err == nil {
		r.redact.Add(s.Value)
		layer := layerOf(&s.Meta)
		return pipeline.Found{Value: s.Value, Layer: layer, Tried: tried, MayChange: mayChange(layer)}, nil
	}
	if !fault.Is(err, fault.NotFound) && !unnameable(name) {
		return pipeline.Found{}, err
	}
	if len(r.sources) > 0 && !unnameable(name) {
		c := r.under.Caller()
		found, err := fromSources(ctx, r.sources, c.App, c.Tenant, name, r.log)
		tried = append(tried, found.Tried...)
		if found.Tried = tried; err != nil || !found.Value.IsZero() {
			r.redact.Add(found.Value)
			return found, err
		}
	}
	if r.environment == nil {
		return pipeline.Found{Tried: tried}, nil
	}
	found, err := r.environment.Resolve(ctx, name, req)
	found.Tried = append(tried, found.Tried...)
	if !found.Value.IsZero() {
		r.redact.Add(found.Value)
	}
	return found, err
}

// unnameable says that no secret can have the name, so that the vault has none.
func unnameable(name string) bool { return secret.CheckName(name) != nil }

func layerOf(m *secret.Meta) string {
	if m.Shared {
		return LayerShared
	}
	return LayerTenant
}

func mayChange(layer string) string {
	if layer == LayerTenant {
		return "an admin of the tenant"
	}
	return "the server's operator"
}
