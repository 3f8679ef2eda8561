package memory

import (
	"math"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/docstore/filter"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// dotScale is the divisor of scaled dot products.
const dotScale = 100

// embedding ranks the documents that have an embedding by their similarity to the query's.
func (s *Store) embedding(ix *Index, q docstore.EmbeddingQuery) ([]*document.Document, error) {
	if len(q.Embedding) == 0 {
		return nil, fault.New(fault.Invalid, "query_embedding should be a non-empty list of floats.").WithCode("ValueError")
	}
	docs, err := s.matching(ix, q.Filters)
	if err != nil {
		return nil, err
	}
	docs = slices.DeleteFunc(docs, func(d *document.Document) bool { return d.Embedding == nil })
	if len(docs) == 0 {
		return docs, nil
	}
	scores, err := s.params.similarities(q.Embedding, docs)
	if err != nil {
		return nil, err
	}
	order := make([]uint32, len(docs))
	for i := range order {
		order[i] = uint32(i)
	}
	ranked := best(scores, order, q.TopK)
	out := make([]*document.Document, len(ranked))
	for i, at := range ranked {
		score := scores[at]
		if q.ScaleScore {
			score = s.params.scale(score)
		}
		doc := *docs[at]
		doc.Score = &score
		if !q.ReturnEmbedding {
			doc.Embedding = nil
		}
		out[i] = &doc
	}
	return out, nil
}

func (p *params) scale(score float64) float64 {
	if p.cosine {
		return (score + 1) / 2
	}
	return expit(score / dotScale)
}

func (p *params) similarities(query []float64, docs []*document.Document) ([]float64, error) {
	size := len(docs[0].Embedding)
	for _, d := range docs {
		if len(d.Embedding) != size {
			return nil, sizeFault("The embedding size of all Documents should be the same. " +
				"Please make sure that the Documents have been embedded with the same model.")
		}
	}
	if size != len(query) {
		return nil, sizeFault("The embedding size of the query should be the same as the embedding size of the Documents. " +
			"Please make sure that the query has been embedded with the same model as the Documents.")
	}
	out := make([]float64, len(docs))
	if p.cosine {
		query = unit(query)
	}
	for i, d := range docs {
		e := d.Embedding
		if p.cosine {
			e = unit(e)
		}
		out[i] = dot(query, e)
	}
	return out, nil
}

func sizeFault(text string) error {
	return fault.New(fault.Invalid, "%s", text).WithCode("DocumentStoreError")
}

// unit divides by the norm, as Haystack does before it multiplies; a zero vector stays.
func unit(v []float64) []float64 {
	norm := math.Sqrt(dot(v, v))
	if norm == 0 {
		return v
	}
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = x / norm
	}
	return out
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x * b[i])
	}
	return sum
}

// matching returns the documents that match, in order, as they are stored.
func (s *Store) matching(ix *Index, filters *value.Dict) ([]*document.Document, error) {
	if filters.Len() > 0 {
		_, op := filters.Get("operator")
		_, conditions := filters.Get("conditions")
		if !op && !conditions {
			return nil, invalidFilters()
		}
	}
	f := filter.Compile(filters, s.params.strict)
	snap := ix.snapshot()
	out := make([]*document.Document, 0, 16)
	var failed error
	snap.all(func(sl *slot) bool {
		ok, err := f.Matches(sl.doc)
		if failed = err; ok {
			out = append(out, sl.doc)
		}
		return err == nil
	})
	if failed != nil {
		return nil, failed
	}
	return out, nil
}
