package in_memory //nolint:revive // the folder is the path of the YAML type

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// InMemoryEmbeddingRetriever ranks the documents of an in-memory store by the similarity of embeddings
// (haystack/components/retrievers/in_memory/embedding_retriever.py).
type InMemoryEmbeddingRetriever struct {
	settings
	returnEmbedding bool
}

// InMemoryEmbeddingRetrieverType describes [InMemoryEmbeddingRetriever].
func InMemoryEmbeddingRetrieverType() *component.Type {
	return &component.Type{
		Name: "haystack.components.retrievers.in_memory.embedding_retriever.InMemoryEmbeddingRetriever",
		Doc:  "Ranks the documents of an in-memory store by the similarity of embeddings.",
		Params: []component.Param{
			component.Required("document_store"),
			component.Optional("filters", nil),
			component.Optional("top_k", value.Int(10)),
			component.Optional("scale_score", value.Bool(false)),
			component.Optional("return_embedding", value.Bool(false)),
			component.Optional("filter_policy", value.Str("replace")),
		},
		New: newEmbedding,
	}
}

func newEmbedding(b *component.Builder) (component.Component, *component.Spec, error) {
	s, err := readSettings(b)
	if err != nil {
		return nil, nil, err
	}
	r := &InMemoryEmbeddingRetriever{s, b.Bool("return_embedding")}
	return r, part.Spec([]component.Input{
		part.In("query_embedding", part.Floats),
		part.Opt("filters", part.OptDict),
		part.Opt("top_k", part.OptInt),
		part.Opt("scale_score", part.OptBool),
		part.Opt("return_embedding", part.OptBool),
	}, part.Out("documents", part.Documents)), b.Err()
}

// Run ranks the store's documents by the query's embedding.
func (r *InMemoryEmbeddingRetriever) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	req, err := r.request(env, in[1], in[2], in[3])
	if err != nil {
		return component.Out{}, err
	}
	query, err := floats(in[0])
	if err != nil {
		return component.Out{}, err
	}
	store, err := open[docstore.EmbeddingRetriever](ctx, env, r.store)
	if err != nil {
		return component.Out{}, err
	}
	docs, err := store.EmbeddingRetrieval(ctx, docstore.EmbeddingQuery{Embedding: query, Filters: req.filters, TopK: req.topK,
		ScaleScore: req.scale, ReturnEmbedding: part.BoolOr(in[4], r.returnEmbedding)})
	if err != nil {
		return component.Out{}, err
	}
	return component.Outputs(document.List(docs)), nil
}

// floats reads a vector. Its first item must be a float and not an int, as in Haystack.
func floats(v value.Value) ([]float64, error) {
	items, _ := part.Items(v)
	if len(items) == 0 || items[0].Kind() != value.KindFloat {
		return nil, part.ValueError("query_embedding should be a non-empty list of floats.")
	}
	out := make([]float64, len(items))
	for i, it := range items {
		f, err := part.FloatOr("query_embedding", it, 0)
		if err != nil || value.IsNone(it) {
			return nil, part.ValueError("query_embedding should be a non-empty list of floats.")
		}
		out[i] = f
	}
	return out, nil
}
