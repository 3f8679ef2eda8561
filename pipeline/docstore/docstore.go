package docstore

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Policy says what to do with a document whose id is already stored (haystack.document_stores.types.DuplicatePolicy).
type Policy string

// The policies.
const (
	PolicyNone      Policy = "none" // the store's own default; Fail for the in-memory store
	PolicySkip      Policy = "skip"
	PolicyOverwrite Policy = "overwrite"
	PolicyFail      Policy = "fail"
)

// Store is a document store. Implementations are safe for concurrent use.
type Store interface {
	// CountDocuments returns how many documents are stored.
	CountDocuments(ctx context.Context) (int, error)
	// FilterDocuments returns the documents that match; nil filters match all. Bad filters are Invalid (FilterError).
	FilterDocuments(ctx context.Context, filters *value.Dict) ([]*document.Document, error)
	// WriteDocuments stores all of docs or none, and returns how many were written. A duplicate under PolicyFail is a
	// Conflict with code DuplicateDocumentError.
	WriteDocuments(ctx context.Context, docs []*document.Document, policy Policy) (int, error)
	// DeleteDocuments removes the documents with these ids; unknown ids are ignored.
	DeleteDocuments(ctx context.Context, ids []string) error
}

// BM25Query is a keyword query. TopK 0 returns nothing.
type BM25Query struct {
	Query      string
	Filters    *value.Dict
	TopK       int
	ScaleScore bool
}

// BM25Retriever is a Store that ranks by BM25.
type BM25Retriever interface {
	BM25Retrieval(ctx context.Context, q BM25Query) ([]*document.Document, error)
}

// EmbeddingQuery is a vector query.
type EmbeddingQuery struct {
	Embedding       []float64
	Filters         *value.Dict
	TopK            int
	ScaleScore      bool
	ReturnEmbedding bool
}

// EmbeddingRetriever is a Store that ranks by vector similarity.
type EmbeddingRetriever interface {
	EmbeddingRetrieval(ctx context.Context, q EmbeddingQuery) ([]*document.Document, error)
}

// Ref names a store as a pipeline does: a type and its init parameters with all defaults filled in. It is made when the
// pipeline is compiled; the store behind it is opened per run, for the tenant of that run.
type Ref struct {
	Type      string      // for example haystack.document_stores.in_memory.document_store.InMemoryDocumentStore
	Params    *value.Dict // every init parameter
	Index     string      // the name that stores share; "" when the pipeline gives none
	Component string      // the component that names it; tells index-less stores of one pipeline apart
}

// Provider opens the store that a reference means here: in this process, for this tenant.
type Provider interface {
	Open(ctx context.Context, ref Ref) (Store, error)
}
