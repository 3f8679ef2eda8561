package docstoretest

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

func testCount(t *testing.T, h Harness) {
	s := h.Open(t)
	if n := count(t, s); n != 0 {
		t.Errorf("an empty store counts %d", n)
	}
	write(t, s, docstore.PolicyNone, Doc(t, "a"), Doc(t, "b"), Doc(t, "c"))
	if n := count(t, s); n != 3 {
		t.Errorf("got %d, want 3", n)
	}
}

func testWrite(t *testing.T, h Harness) {
	a, b := Doc(t, "a"), Doc(t, "b")
	t.Run("keeps order", func(t *testing.T) {
		s := h.Open(t)
		if n := write(t, s, docstore.PolicyNone, b, a); n != 2 {
			t.Errorf("wrote %d, want 2", n)
		}
		same(t, all(t, s), b, a)
	})
	t.Run("nothing", func(t *testing.T) {
		if n := write(t, h.Open(t), docstore.PolicyNone); n != 0 {
			t.Errorf("wrote %d, want 0", n)
		}
	})
	t.Run("fail", func(t *testing.T) {
		s := h.Open(t)
		write(t, s, docstore.PolicyNone, a)
		_, err := s.WriteDocuments(context.Background(), []*document.Document{b, a}, docstore.PolicyFail)
		f := fault.From(err)
		if f == nil || f.Kind != fault.Conflict || f.Code != "DuplicateDocumentError" || f.Message != "ID '"+a.ID+"' already exists." {
			t.Errorf("got %v", err)
		}
		same(t, all(t, s), a) // all or none
	})
	t.Run("skip", func(t *testing.T) {
		s := h.Open(t)
		write(t, s, docstore.PolicyNone, a)
		other := Doc(t, "other").WithID(a.ID)
		if n := write(t, s, docstore.PolicySkip, other, b); n != 1 {
			t.Errorf("wrote %d, want 1", n)
		}
		same(t, all(t, s), a, b)
	})
	t.Run("overwrite", func(t *testing.T) {
		s := h.Open(t)
		write(t, s, docstore.PolicyNone, a, b)
		other := Doc(t, "other").WithID(a.ID)
		if n := write(t, s, docstore.PolicyOverwrite, other); n != 1 {
			t.Errorf("wrote %d, want 1", n)
		}
		same(t, all(t, s), b, other)
	})
	t.Run("twice in one write", func(t *testing.T) {
		s := h.Open(t)
		if n := write(t, s, docstore.PolicyOverwrite, a, b, a); n != 3 {
			t.Errorf("wrote %d, want 3", n)
		}
		same(t, all(t, s), b, a)
	})
}

func testDelete(t *testing.T, h Harness) {
	s := h.Open(t)
	a, b := Doc(t, "a"), Doc(t, "b")
	write(t, s, docstore.PolicyNone, a, b)
	for _, ids := range [][]string{nil, {"no such id"}, {a.ID, a.ID}} {
		if err := s.DeleteDocuments(context.Background(), ids); err != nil {
			t.Fatal(err)
		}
	}
	same(t, all(t, s), b)
	write(t, s, docstore.PolicyFail, a)
	same(t, all(t, s), b, a)
}

func condition(field, op string, v value.Value) *value.Dict {
	return value.NewDict("field", value.Str(field), "operator", value.Str(op), "value", v)
}

func group(op string, conditions ...value.Value) *value.Dict {
	return value.NewDict("operator", value.Str(op), "conditions", value.NewList(conditions...))
}

func testFilter(t *testing.T, h Harness) {
	s := h.Open(t)
	one := Doc(t, "one", "n", value.Int(1), "name", value.Str("x"), "date", value.Str("2024-01-01"))
	two := Doc(t, "two", "n", value.Float(2.5), "name", value.Str("y"), "date", value.Str("2025-01-01T00:00:00"))
	none := Doc(t, "none")
	write(t, s, docstore.PolicyNone, one, two, none)
	for _, c := range []struct {
		name   string
		filter *value.Dict
		want   []*document.Document
	}{
		{"no filter", nil, []*document.Document{one, two, none}},
		{"empty filter", &value.Dict{}, []*document.Document{one, two, none}},
		{"equal", condition("meta.n", "==", value.Int(1)), []*document.Document{one}},
		{"equal across kinds", condition("meta.n", "==", value.Float(1)), []*document.Document{one}},
		{"equal None", condition("meta.n", "==", value.None), []*document.Document{none}},
		{"not equal", condition("meta.name", "!=", value.Str("x")), []*document.Document{two, none}},
		{"greater", condition("meta.n", ">", value.Int(1)), []*document.Document{two}},
		{"less or equal", condition("meta.n", "<=", value.Float(2.5)), []*document.Document{one, two}},
		{"greater than None", condition("meta.n", ">", value.None), nil},
		{"dates", condition("meta.date", ">=", value.Str("2024-06-01")), []*document.Document{two}},
		{"in", condition("meta.name", "in", value.NewList(value.Str("y"), value.Str("z"))), []*document.Document{two}},
		{"not in", condition("meta.name", "not in", value.NewList(value.Str("y"))), []*document.Document{one, none}},
		{"a field of the document", condition("content", "==", value.Str("two")), []*document.Document{two}},
		{"a bare name is meta's", condition("name", "==", value.Str("x")), []*document.Document{one}},
		{"and", group("AND", condition("meta.n", ">", value.Int(0)), condition("meta.name", "==", value.Str("y"))), []*document.Document{two}},
		{"or", group("OR", condition("meta.n", "==", value.Int(1)), condition("meta.name", "==", value.Str("y"))), []*document.Document{one, two}},
		{"not", group("NOT", condition("meta.name", "==", value.Str("y"))), []*document.Document{one, none}},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, filtered(t, s, c.filter), c.want...) })
	}
	for name, bad := range map[string]*value.Dict{
		"unknown operator":     condition("meta.n", "=", value.Int(1)),
		"list with ordering":   condition("meta.n", ">", value.NewList(value.Int(1))),
		"string with ordering": condition("meta.n", ">", value.Str("one")),
		"in without a list":    condition("meta.n", "in", value.Int(1)),
		"no conditions":        value.NewDict("operator", value.Str("AND")),
		"unknown logic":        group("XOR", condition("meta.n", "==", value.Int(1))),
	} {
		t.Run("bad: "+name, func(t *testing.T) {
			_, err := s.FilterDocuments(context.Background(), bad)
			if f := fault.From(err); f == nil || f.Kind != fault.Invalid || f.Code != "FilterError" {
				t.Errorf("got %v, want a FilterError", err)
			}
		})
	}
}

func testBM25(t *testing.T, h Harness) {
	s := h.Open(t)
	r, ok := s.(docstore.BM25Retriever)
	if !ok {
		t.Fatal("the store does not rank by BM25, and its harness does not say so")
	}
	write(t, s, docstore.PolicyNone, Doc(t, "hello world"), Doc(t, "foo bar baz"), Doc(t, "hello foo", "k", value.Int(1)), Doc(t, ""))
	search := func(q docstore.BM25Query) []string {
		t.Helper()
		docs, err := r.BM25Retrieval(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, d := range docs {
			if d.Score == nil {
				t.Errorf("%q has no score", *d.Content)
			}
			out = append(out, *d.Content)
		}
		return out
	}
	for _, c := range []struct {
		name string
		q    docstore.BM25Query
		want []string
	}{
		{"matches only, equals in order", docstore.BM25Query{Query: "hello zzz", TopK: 10}, []string{"hello world", "hello foo"}},
		{"best first", docstore.BM25Query{Query: "HELLO foo", TopK: 10}, []string{"hello foo", "hello world", "foo bar baz"}},
		{"top_k", docstore.BM25Query{Query: "hello foo", TopK: 1}, []string{"hello foo"}},
		{"top_k 0", docstore.BM25Query{Query: "hello", TopK: 0}, nil},
		{"filters", docstore.BM25Query{Query: "hello", TopK: 10, Filters: condition("meta.k", "==", value.Int(1))}, []string{"hello foo"}},
		{"nothing found", docstore.BM25Query{Query: "zzz", TopK: 10}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := search(c.q); fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if _, err := r.BM25Retrieval(context.Background(), docstore.BM25Query{TopK: 1}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an empty query: %v", err)
	}
}

func testEmbedding(t *testing.T, h Harness) {
	s := h.Open(t)
	r, ok := s.(docstore.EmbeddingRetriever)
	if !ok {
		t.Fatal("the store does not rank by embeddings, and its harness does not say so")
	}
	near, far := Doc(t, "near").WithEmbedding([]float64{1, 1}), Doc(t, "far").WithEmbedding([]float64{1, -1})
	write(t, s, docstore.PolicyNone, far, near, Doc(t, "without"))
	docs, err := r.EmbeddingRetrieval(context.Background(), docstore.EmbeddingQuery{Embedding: []float64{1, 1}, TopK: 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(docs) != 2 || docs[0].ID != near.ID || docs[0].Embedding != nil || math.Abs(*docs[0].Score-2) > 1e-12 {
		t.Errorf("got %s", value.Repr(document.List(docs)))
	}
	for name, q := range map[string][]float64{"empty": nil, "of another size": {1}} {
		if _, err := r.EmbeddingRetrieval(context.Background(), docstore.EmbeddingQuery{Embedding: q, TopK: 1}); !fault.Is(err, fault.Invalid) {
			t.Errorf("an embedding that is %s: %v", name, err)
		}
	}
}

// testConcurrency has writers and readers at work at once: a reader sees whole writes, in order, and nothing is lost.
func testConcurrency(t *testing.T, h Harness) {
	s := h.Open(t)
	const writers, each, batch = 4, 10, 3
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				docs := make([]*document.Document, batch)
				for k := range docs {
					docs[k] = document.Text(fmt.Sprintf("writer %d round %d part %d", w, i, k))
				}
				if _, err := s.WriteDocuments(context.Background(), docs, docstore.PolicyFail); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for range 50 {
				docs, err := s.FilterDocuments(context.Background(), nil)
				if err != nil || len(docs)%batch != 0 {
					t.Errorf("a reader sees %d documents (%v)", len(docs), err)
				}
			}
		})
	}
	wg.Wait()
	if n := count(t, s); n != writers*each*batch {
		t.Errorf("%d documents, want %d", n, writers*each*batch)
	}
}

// testKeep holds that documents, their order and their scores are the same after a restart.
func testKeep(t *testing.T, h Harness) {
	s := h.Open(t)
	mime := "image/png"
	odd, err := document.New(document.Document{
		Blob:   &document.ByteStream{Data: []byte{0, 255, 10}, Meta: value.NewDict("k", value.Bool(true)), MIMEType: &mime},
		Meta:   value.NewDict("tuple", value.Tuple{value.Int(1), value.Float(2)}, "none", value.None, "nested", value.NewDict("$x", value.NewList())),
		Sparse: &document.SparseEmbedding{Indices: []int{1, 5}, Values: []float64{0.1, -2}}, Embedding: []float64{0.1, 1e-300}})
	if err != nil {
		t.Fatal(err)
	}
	scored := Doc(t, "hello again").WithScore(0.1)
	write(t, s, docstore.PolicyNone, Doc(t, "hello world"), odd, Doc(t, "gone"), scored, Doc(t, "a b c d e f g"))
	if err := s.DeleteDocuments(context.Background(), []string{Doc(t, "gone").ID}); err != nil {
		t.Fatal(err)
	}
	write(t, s, docstore.PolicyOverwrite, Doc(t, "hello world"))
	before, scores := all(t, s), ranking(t, s)
	again := h.Reopen(t, s)
	same(t, all(t, again), before...)
	if got := ranking(t, again); got != scores {
		t.Errorf("scores after the restart %s, before %s", got, scores)
	}
	write(t, again, docstore.PolicyFail, Doc(t, "later"))
	if last := all(t, again); len(last) == 0 || last[len(last)-1].ContentOr("") != "later" {
		t.Error("a document written after the restart is not the last one")
	}
}

func ranking(t *testing.T, s docstore.Store) string {
	r, ok := s.(docstore.BM25Retriever)
	if !ok {
		return ""
	}
	docs, err := r.BM25Retrieval(context.Background(), docstore.BM25Query{Query: "hello a g", TopK: 10})
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, d := range docs {
		out += fmt.Sprintf("%s=%x ", d.ID[:8], *d.Score)
	}
	return out
}
