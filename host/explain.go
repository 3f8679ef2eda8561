package host

import (
	"context"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/secret"
)

// Explanation says which layer would answer for a secret in a pipeline, and why. It never holds a value.
type Explanation struct {
	Name     string        `json:"name"`
	Pipeline string        `json:"pipeline"`
	Version  int64         `json:"version"`
	Uses     []SecretAsked `json:"uses"`   // who asks for the name in this pipeline
	Layers   []LayerAnswer `json:"layers"` // in the order they are asked
	Answer   string        `json:"answer"` // the layer that answers; "" for none
	Secret   *secret.Meta  `json:"secret,omitempty"`
}

// SecretAsked is a component that names the secret.
type SecretAsked struct {
	Component string   `json:"component"`
	Type      string   `json:"type"`
	Param     string   `json:"param"`
	Names     []string `json:"names"` // every name it accepts, in order
	Strict    bool     `json:"strict"`
}

// LayerAnswer is what one layer would say.
type LayerAnswer struct {
	Layer string `json:"layer"`
	Found bool   `json:"found"`
	Why   string `json:"why"`
}

// ExplainSecret says which layer would answer for name when the pipeline runs for this tenant.
func (h *Host) ExplainSecret(ctx context.Context, name, pipelineName string) (*Explanation, error) {
	c, entry, err := h.enter(ctx, "secret.explain", name, audit.Detail{Key: "pipeline", Value: pipelineName})
	if err != nil {
		return nil, err
	}
	if pipelineName == "" {
		return nil, finish(ctx, entry, fault.New(fault.Invalid, "the pipeline that would ask is missing").At(fault.Where{Field: "pipeline"}))
	}
	e, err := h.deployed(ctx, c, pipelineName)
	if err != nil {
		return nil, finish(ctx, entry, err)
	}
	out, err := h.explain(ctx, entry, e, name)
	if err := finish(ctx, entry, err); err != nil {
		return nil, err
	}
	return out, nil
}

func (h *Host) explain(ctx context.Context, entry *audit.Pending, e *Deployed, name string) (*Explanation, error) {
	out := &Explanation{Name: name, Pipeline: e.Name, Version: e.Version, Uses: asked(e.Plan, name)}
	if len(out.Uses) == 0 {
		return nil, fault.New(fault.Invalid, "the pipeline '%s' names no secret %s", e.Name, name).
			WithHint("it names: %s", strings.Join(names(e.Plan), ", ")).At(fault.Where{Field: "name"})
	}
	out.Layers = []LayerAnswer{{Layer: pipeline.LayerRun, Why: "only if the caller brings it with the run (needs pipeline:run-with-secrets)"}}
	meta, err := h.c.Vault.LookupMeta(ctx, entry, name)
	switch {
	case err == nil:
		out.Secret, out.Answer = meta, layerOf(meta)
	case !fault.Is(err, fault.NotFound):
		return nil, err
	}
	out.Layers = append(out.Layers, vaultAnswers(out.Answer, meta)...)
	c := entry.Caller()
	answers, by, ended := h.sourceAnswers(ctx, c.App, c.Tenant, name, out.Answer)
	out.Layers, out.Answer = append(out.Layers, answers...), by
	env := h.environmentAnswer(ctx, name)
	if env.Found && out.Answer == "" && !ended {
		out.Answer = env.Layer
	}
	out.Layers = append(out.Layers, env)
	return out, nil
}

func vaultAnswers(answer string, meta *secret.Meta) []LayerAnswer {
	tenant := LayerAnswer{Layer: LayerTenant, Why: "the tenant has no entry of this name"}
	shared := LayerAnswer{Layer: LayerShared, Why: "the operator shares no entry of this name"}
	switch answer {
	case LayerTenant:
		tenant = LayerAnswer{Layer: LayerTenant, Found: true, Why: goesTo(meta.Destinations)}
		shared.Why = "not asked: the tenant's own entry answers"
	case LayerShared:
		shared = LayerAnswer{Layer: LayerShared, Found: true, Why: goesTo(meta.Destinations)}
	}
	return []LayerAnswer{tenant, shared}
}

func goesTo(dests []sealed.Destination) string {
	if len(dests) == 0 {
		return "it may go to the documented host of the component that asks"
	}
	list := make([]string, len(dests))
	for i, d := range dests {
		list[i] = d.String()
	}
	return "it may go to " + strings.Join(list, ", ")
}

func (h *Host) environmentAnswer(ctx context.Context, name string) LayerAnswer {
	out := LayerAnswer{Layer: pipeline.LayerEnvironment, Why: "the operator does not give this variable to pipelines, or it is not set"}
	if h.c.Environment == nil {
		out.Why = "the operator gives no variables to pipelines"
		return out
	}
	found, err := h.c.Environment.Resolve(ctx, name, component.SecretRequest{Secret: component.Secret{EnvVars: []string{name}}})
	switch {
	case err != nil:
		out.Why = fault.From(err).Message
	case !found.Value.IsZero():
		dests, _ := found.Value.Destinations()
		out.Found, out.Why = true, goesTo(dests)
	}
	return out
}

func asked(p *pipeline.Plan, name string) []SecretAsked {
	var out []SecretAsked
	for _, s := range p.Secrets() {
		if slices.Contains(s.Secret.EnvVars, name) {
			out = append(out, SecretAsked{Component: s.Component, Type: s.Type, Param: s.Param, Names: s.Secret.EnvVars, Strict: s.Secret.Strict})
		}
	}
	return out
}

func names(p *pipeline.Plan) []string {
	var out []string
	for _, s := range p.Secrets() {
		for _, n := range s.Secret.EnvVars {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}
