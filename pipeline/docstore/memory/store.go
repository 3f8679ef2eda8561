package memory

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Store is an index seen with the parameters of one store of a pipeline file. It holds no documents itself, and may be
// kept or thrown away. It is safe for concurrent use.
type Store struct {
	manager *Manager
	key     Key
	params  *params
}

var (
	_ docstore.Store              = (*Store)(nil)
	_ docstore.BM25Retriever      = (*Store)(nil)
	_ docstore.EmbeddingRetriever = (*Store)(nil)
)

// CountDocuments returns how many documents the index holds.
func (s *Store) CountDocuments(ctx context.Context) (n int, err error) {
	err = s.manager.use(ctx, s.key, func(ix *Index) error {
		ix.mu.RLock()
		defer ix.mu.RUnlock()
		n = len(ix.byID)
		return nil
	})
	return n, err
}

// FilterDocuments returns the documents that match, in the order they were written.
func (s *Store) FilterDocuments(ctx context.Context, filters *value.Dict) (docs []*document.Document, err error) {
	err = s.manager.use(ctx, s.key, func(ix *Index) error {
		docs, err = s.matching(ix, filters)
		return err
	})
	if err != nil || s.params.returnEmbedding {
		return docs, err
	}
	for i, d := range docs {
		bare := *d
		bare.Embedding = nil
		docs[i] = &bare
	}
	return docs, nil
}

// WriteDocuments stores all of docs or none; PolicyNone means PolicyFail. An overwritten document moves to the end, as
// in Haystack.
func (s *Store) WriteDocuments(ctx context.Context, docs []*document.Document, policy docstore.Policy) (n int, err error) {
	err = s.manager.use(ctx, s.key, func(ix *Index) error {
		if ix.bytes.Load() > s.manager.opts.MaxIndexBytes {
			return fault.New(fault.TooLarge, "the document store is full: its documents take more than %d bytes",
				s.manager.opts.MaxIndexBytes).WithHint("delete documents, or ask the operator for a larger limit")
		}
		n, err = ix.write(ctx, docs, policy, s.params.tokenizer)
		return err
	})
	return n, err
}

// DeleteDocuments removes the documents with these ids; unknown ids are ignored.
func (s *Store) DeleteDocuments(ctx context.Context, ids []string) error {
	return s.manager.use(ctx, s.key, func(ix *Index) error { return ix.delete(ctx, ids) })
}

// BM25Retrieval ranks documents that have a text. Errors are Invalid: an empty query, bad filters.
func (s *Store) BM25Retrieval(ctx context.Context, q docstore.BM25Query) (docs []*document.Document, err error) {
	err = s.manager.use(ctx, s.key, func(ix *Index) error {
		docs, err = s.bm25(ix, q)
		return err
	})
	return docs, err
}

// EmbeddingRetrieval ranks documents that have an embedding. Errors are Invalid: an empty embedding, bad filters,
// embeddings of different sizes.
func (s *Store) EmbeddingRetrieval(ctx context.Context, q docstore.EmbeddingQuery) (docs []*document.Document, err error) {
	err = s.manager.use(ctx, s.key, func(ix *Index) error {
		docs, err = s.embedding(ix, q)
		return err
	})
	return docs, err
}
