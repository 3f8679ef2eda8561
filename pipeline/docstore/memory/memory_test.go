package memory_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/docstore/docstoretest"
	"github.com/haywardhq/hayward/pipeline/docstore/memory"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

func ref(index string, params ...any) docstore.Ref {
	return docstore.Ref{Type: memory.TypeName, Params: value.NewDict(params...), Index: index, Component: "c"}
}

func open(t testing.TB, p docstore.Provider, r docstore.Ref) docstore.Store {
	t.Helper()
	s, err := p.Open(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSuite(t *testing.T) {
	docstoretest.Run(t, docstoretest.Harness{Open: func(t *testing.T) docstore.Store { return open(t, memory.NewProvider(), ref("x")) }})
}

// The scores are Python's, printed by haystack-ai 3.4.0.
func TestScoresAreHaystacks(t *testing.T) {
	for _, c := range []struct {
		algorithm string
		want      string
	}{
		{memory.L, "[0.8375528431766006 0.8375528431766006]"},
		{memory.Plus, "[1.3444264106162698 1.3444264106162698]"},
	} {
		t.Run(c.algorithm, func(t *testing.T) {
			s := open(t, memory.NewProvider(), ref("x", "bm25_algorithm", value.Str(c.algorithm))).(*memory.Store)
			none, err := document.New(document.Document{ID: "no content"})
			if err != nil {
				t.Fatal(err)
			}
			docs := []*document.Document{document.Text("hello world"), document.Text("foo bar baz"), document.Text("hello foo"), document.Text(""), none}
			if _, err := s.WriteDocuments(t.Context(), docs, docstore.PolicyNone); err != nil {
				t.Fatal(err)
			}
			got, err := s.BM25Retrieval(t.Context(), docstore.BM25Query{Query: "hello zzz", TopK: 10})
			if err != nil {
				t.Fatal(err)
			}
			scores := []float64{}
			for _, d := range got {
				scores = append(scores, *d.Score)
			}
			if fmt.Sprint(scores) != c.want {
				t.Errorf("got %v, want %s", scores, c.want)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	for _, c := range []struct{ regex, text, query, want string }{
		{"", "Hello 世界 ab한국", "界", "1"},
		{"", "Hello 世界 ab한국", "世界", "1"},
		{"", "Straße_1 x", "straße_1", "1"},
		{"", "ΟΔΥΣΣΕΥΣ", "οδυσσευς", "1"},
		{"", "e\u0301cole", "école", "1"}, // NFC
		{`(?u)\b\w\w+\b`, "a bc", "a", "0"},
		{`(?u)\b\w+\b`, "a bc", "a", "1"},
		{`[0-9]+`, "a 12 b", "12 a", "1"},
		{`x(\d)`, "x1 x2", "x2", "1"},
	} {
		t.Run(c.regex+" "+c.text, func(t *testing.T) {
			s := open(t, memory.NewProvider(), ref("x", "bm25_tokenization_regex", value.Str(orDefault(c.regex)))).(*memory.Store)
			if _, err := s.WriteDocuments(t.Context(), []*document.Document{document.Text(c.text)}, docstore.PolicyNone); err != nil {
				t.Fatal(err)
			}
			got, err := s.BM25Retrieval(t.Context(), docstore.BM25Query{Query: c.query, TopK: 10})
			if err != nil || fmt.Sprint(len(got)) != c.want {
				t.Errorf("%d found (%v), want %s", len(got), err, c.want)
			}
		})
	}
}

func orDefault(regex string) string {
	if regex == "" {
		return memory.DefaultRegex
	}
	return regex
}

// Documents meet by index inside one tenant, and never across tenants, apps, or pipelines without an index.
func TestPartitions(t *testing.T) {
	m := memory.NewManager(nil, memory.Options{})
	write := func(p docstore.Provider, r docstore.Ref, text string) {
		t.Helper()
		if _, err := open(t, p, r).WriteDocuments(t.Context(), []*document.Document{document.Text(text)}, docstore.PolicyFail); err != nil {
			t.Fatal(err)
		}
	}
	write(m.Provider("app", "acme", "p1"), ref("x"), "acme's")
	for name, c := range map[string]struct {
		p    docstore.Provider
		ref  docstore.Ref
		want int
	}{
		"another pipeline of the tenant": {m.Provider("app", "acme", "p2"), ref("x"), 1},
		"another tenant":                 {m.Provider("app", "globex", "p1"), ref("x"), 0},
		"another app":                    {m.Provider("app2", "acme", "p1"), ref("x"), 0},
		"no index":                       {m.Provider("app", "acme", "p1"), ref(""), 0},
		"not shared":                     {m.Provider("app", "acme", "p1"), ref("x", "shared", value.Bool(false)), 0},
	} {
		if n, err := open(t, c.p, c.ref).CountDocuments(t.Context()); err != nil || n != c.want {
			t.Errorf("%s sees %d (%v), want %d", name, n, err, c.want)
		}
	}
	for name, p := range map[string]docstore.Provider{"app": m.Provider("", "t", "p"), "tenant": m.Provider("a", "", "p")} {
		if _, err := p.Open(t.Context(), ref("x")); err == nil {
			t.Errorf("a store opens without %s", name)
		}
	}
	if _, err := m.Provider("a", "t", "").Open(t.Context(), ref("")); err == nil {
		t.Error("a store without an index opens without a pipeline")
	}
}

func TestParametersAreChecked(t *testing.T) {
	for name, params := range map[string][]any{
		"algorithm":  {"bm25_algorithm", value.Str("BM11")},
		"similarity": {"embedding_similarity_function", value.Str("euclid")},
		"regex":      {"bm25_tokenization_regex", value.Str("(")},
		"parameters": {"bm25_parameters", value.NewDict("k1", value.Str("x"))},
		"flag":       {"shared", value.Str("yes")},
	} {
		if err := memory.Type().Check(value.NewDict(params...)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Overwriting and deleting without end must not let an index grow, and readers keep what they have.
func TestCompaction(t *testing.T) {
	s := open(t, memory.NewProvider(), ref("x")).(*memory.Store)
	for i := range 60 {
		docs := make([]*document.Document, 100)
		for k := range docs {
			docs[k] = document.Text(fmt.Sprintf("common word %d", i)).WithID(fmt.Sprint(k))
		}
		if _, err := s.WriteDocuments(t.Context(), docs, docstore.PolicyOverwrite); err != nil {
			t.Fatal(err)
		}
		got, err := s.BM25Retrieval(t.Context(), docstore.BM25Query{Query: "common", TopK: 1000})
		if err != nil || len(got) != 100 || *got[0].Content != fmt.Sprintf("common word %d", i) {
			t.Fatalf("round %d: %d found, %v", i, len(got), err)
		}
	}
}

func BenchmarkBM25(b *testing.B) {
	s := open(b, memory.NewProvider(), ref("x")).(*memory.Store)
	docs := make([]*document.Document, 10_000)
	for i := range docs {
		text := ""
		for k := range 100 {
			text += fmt.Sprintf("w%d ", (i*31+k*k*17)%5000)
		}
		docs[i] = document.Text(text + fmt.Sprint(i))
	}
	if _, err := s.WriteDocuments(b.Context(), docs, docstore.PolicyNone); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if got, err := s.BM25Retrieval(b.Context(), docstore.BM25Query{Query: "w17 w31 w400 w4999", TopK: 10}); err != nil || len(got) == 0 {
			b.Fatal(len(got), err)
		}
	}
}
