package retrievers

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// FilterRetriever returns the documents of a store that match filters (haystack/components/retrievers/filter_retriever.py).
type FilterRetriever struct {
	store   docstore.Ref
	filters *value.Dict // nil when there are none
}

// FilterRetrieverType describes [FilterRetriever].
func FilterRetrieverType() *component.Type {
	return &component.Type{
		Name:   "haystack.components.retrievers.filter_retriever.FilterRetriever",
		Doc:    "Returns the documents of a store that match filters, unranked.",
		Params: []component.Param{component.Required("document_store"), component.Optional("filters", nil)},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			r := &FilterRetriever{store: b.Store("document_store")}
			if !b.IsNone("filters") {
				r.filters = b.Dict("filters")
			}
			return r, part.Spec([]component.Input{part.Opt("filters", part.OptDict)}, part.Out("documents", part.Documents)), b.Err()
		},
	}
}

// Run returns what matches; filters of the run replace the retriever's own, also when they are empty.
func (r *FilterRetriever) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	filters, err := part.DictOr("filters", in[0])
	if err != nil {
		return component.Out{}, err
	}
	if filters == nil {
		filters = r.filters
	}
	store, err := part.OpenStore(ctx, env, r.store)
	if err != nil {
		return component.Out{}, err
	}
	docs, err := store.FilterDocuments(ctx, filters)
	if err != nil {
		return component.Out{}, err
	}
	return component.Outputs(document.List(docs)), nil
}
