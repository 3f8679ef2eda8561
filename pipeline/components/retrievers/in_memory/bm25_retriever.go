package in_memory //nolint:revive // the folder is the path of the YAML type

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// InMemoryBM25Retriever ranks the documents of an in-memory store by keywords
// (haystack/components/retrievers/in_memory/bm25_retriever.py).
type InMemoryBM25Retriever struct{ settings }

// InMemoryBM25RetrieverType describes [InMemoryBM25Retriever].
func InMemoryBM25RetrieverType() *component.Type {
	return &component.Type{
		Name: "haystack.components.retrievers.in_memory.bm25_retriever.InMemoryBM25Retriever",
		Doc:  "Ranks the documents of an in-memory store by keywords (BM25).",
		Params: []component.Param{
			component.Required("document_store"),
			component.Optional("filters", nil),
			component.Optional("top_k", value.Int(10)),
			component.Optional("scale_score", value.Bool(false)),
			component.Optional("filter_policy", value.Str("replace")),
		},
		New: newBM25,
	}
}

func newBM25(b *component.Builder) (component.Component, *component.Spec, error) {
	s, err := readSettings(b)
	if err != nil {
		return nil, nil, err
	}
	return &InMemoryBM25Retriever{s}, part.Spec([]component.Input{
		part.In("query", part.Str),
		part.Opt("filters", part.OptDict),
		part.Opt("top_k", part.OptInt),
		part.Opt("scale_score", part.OptBool),
	}, part.Out("documents", part.Documents)), nil
}

// Run ranks the store's documents by the query.
func (r *InMemoryBM25Retriever) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	query, err := part.Text("query", in[0])
	if err != nil {
		return component.Out{}, err
	}
	req, err := r.request(env, in[1], in[2], in[3])
	if err != nil {
		return component.Out{}, err
	}
	store, err := open[docstore.BM25Retriever](ctx, env, r.store)
	if err != nil {
		return component.Out{}, err
	}
	docs, err := store.BM25Retrieval(ctx, docstore.BM25Query{Query: query, Filters: req.filters, TopK: req.topK, ScaleScore: req.scale})
	if err != nil {
		return component.Out{}, err
	}
	return component.Outputs(document.List(docs)), nil
}
