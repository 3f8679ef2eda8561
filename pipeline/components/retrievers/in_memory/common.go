package in_memory //nolint:revive // the folder is the path of the YAML type

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/docstore/filter"
	"github.com/haywardhq/hayward/pipeline/docstore/memory"
	"github.com/haywardhq/hayward/pipeline/value"
)

// settings are what both retrievers are made with.
type settings struct {
	store   docstore.Ref
	filters *value.Dict
	topK    int
	scale   bool
	policy  filter.Policy
}

func readSettings(b *component.Builder) (settings, error) {
	s := settings{store: b.Store("document_store"), filters: b.Dict("filters"), topK: b.Int("top_k"), scale: b.Bool("scale_score")}
	policy := b.Str("filter_policy")
	if b.Err() != nil {
		return s, b.Err()
	}
	if s.store.Type != memory.TypeName {
		return s, part.Refuse(b, "document_store", part.TypeError("document_store must be an instance of InMemoryDocumentStore"))
	}
	if s.topK <= 0 {
		return s, part.Refuse(b, "top_k", part.ValueError("top_k must be greater than 0, but got %d", s.topK))
	}
	var err error
	if s.policy, err = filter.ParsePolicy(policy); err != nil {
		return s, part.Refuse(b, "filter_policy", err)
	}
	return s, nil
}

// request is one run's share of the settings.
type request struct {
	filters *value.Dict
	topK    int
	scale   bool
}

func (s *settings) request(env *component.Env, filters, topK, scale value.Value) (request, error) {
	given, err := part.DictOr("filters", filters)
	if err != nil {
		return request{}, err
	}
	k, err := part.IntOr("top_k", topK, s.topK)
	if err != nil {
		return request{}, err
	}
	if k < 0 {
		return request{}, part.ValueError("top_k must be greater than or equal to 0, but got %d", k)
	}
	merged, ignored := s.policy.Apply(s.filters, given)
	if ignored != "" {
		part.Log(env).Warn(ignored, "component", env.Component())
	}
	return request{filters: merged, topK: k, scale: part.BoolOr(scale, s.scale)}, nil
}

// open opens the store, which must have the power P.
func open[P any](ctx context.Context, env *component.Env, ref docstore.Ref) (P, error) {
	var none P
	store, err := part.OpenStore(ctx, env, ref)
	if err != nil {
		return none, err
	}
	p, ok := store.(P)
	if !ok {
		return none, fault.New(fault.Unsupported, "the document store of component '%s' cannot rank documents in this way", env.Component())
	}
	return p, nil
}
