package docstoretest

import (
	"context"
	"testing"

	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Harness makes stores of one kind.
type Harness struct {
	// Open returns an empty store.
	Open func(t *testing.T) docstore.Store
	// Reopen closes what Open returned and opens the same documents again, as a new process would. Nil for a store that
	// keeps nothing.
	Reopen func(t *testing.T, s docstore.Store) docstore.Store
	// NoBM25 and NoEmbedding say why a store cannot rank in that way; "" says that it can.
	NoBM25, NoEmbedding string
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	groups := []struct {
		name    string
		missing string
		run     func(*testing.T, Harness)
	}{
		{"Count", "", testCount},
		{"Write", "", testWrite},
		{"Delete", "", testDelete},
		{"Filter", "", testFilter},
		{"BM25", h.NoBM25, testBM25},
		{"Embedding", h.NoEmbedding, testEmbedding},
		{"Concurrency", "", testConcurrency},
		{"KeepAcrossRestart", map[bool]string{true: "this store keeps nothing"}[h.Reopen == nil], testKeep},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			if g.missing != "" {
				t.Skip("part missing: " + g.missing)
			}
			g.run(t, h)
		})
	}
}

// Doc makes a document of a text and alternating meta keys and values.
func Doc(t testing.TB, content string, meta ...any) *document.Document {
	t.Helper()
	d, err := document.New(document.Document{Content: &content, Meta: value.NewDict(meta...)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t testing.TB, s docstore.Store, policy docstore.Policy, docs ...*document.Document) int {
	t.Helper()
	n, err := s.WriteDocuments(context.Background(), docs, policy)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func count(t testing.TB, s docstore.Store) int {
	t.Helper()
	n, err := s.CountDocuments(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func all(t testing.TB, s docstore.Store) []*document.Document {
	t.Helper()
	return filtered(t, s, nil)
}

func filtered(t testing.TB, s docstore.Store, filters *value.Dict) []*document.Document {
	t.Helper()
	docs, err := s.FilterDocuments(context.Background(), filters)
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// same fails the test unless the documents are equal, in order.
func same(t testing.TB, got []*document.Document, want ...*document.Document) {
	t.Helper()
	if !value.Equal(document.List(got), document.List(want)) {
		t.Errorf("got  %s\nwant %s", value.Repr(document.List(got)), value.Repr(document.List(want)))
	}
}
