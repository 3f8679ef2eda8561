package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/cmd/hayward/internal/local"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/value"
)

const writes = `components:
  writer:
    type: haystack.components.writers.document_writer.DocumentWriter
    init_parameters:
      policy: OVERWRITE
      document_store: {type: haystack.document_stores.in_memory.document_store.InMemoryDocumentStore, init_parameters: {INDEX}}
connections: []
inputs:
  documents: writer.documents
`

const finds = `components:
  retriever:
    type: haystack.components.retrievers.in_memory.bm25_retriever.InMemoryBM25Retriever
    init_parameters:
      document_store: {type: haystack.document_stores.in_memory.document_store.InMemoryDocumentStore, init_parameters: {INDEX}}
connections: []
inputs:
  question: retriever.query
`

func load(t *testing.T, name, source, index string) *local.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".yml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(source, "INDEX", index)), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := local.Load(path, components.Registry())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func dict(t *testing.T, text string) *value.Dict {
	t.Helper()
	d, err := local.ReadInputs(text, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func js(t *testing.T, v value.Value) string {
	t.Helper()
	if d, ok := v.(*value.Dict); ok && d == nil {
		return "nil"
	}
	text, err := value.ToJSON(v, value.JSONOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAssign(t *testing.T) {
	a, b := load(t, "a", writes, "index: x"), load(t, "b", finds, "index: x")
	files := []*local.File{a, b}
	for _, tc := range []struct {
		name  string
		given []string
		want  []string
	}{
		{"nothing", nil, []string{"nil", "nil"}},
		{"pairs", []string{`{"documents": []}`, `{"question": "q"}`}, []string{`{"documents": []}`, `{"question": "q"}`}},
		{"split by declared inputs", []string{`{"question": "q", "documents": []}`}, []string{`{"documents": []}`, `{"question": "q"}`}},
		{"split by components", []string{`{"writer": {"documents": []}, "retriever": {"query": "q"}}`},
			[]string{`{"writer": {"documents": []}}`, `{"retriever": {"query": "q"}}`}},
		{"split by open sockets", []string{`{"query": "q", "top_k": 2, "policy": null}`}, []string{`{"policy": null}`, `{"query": "q", "top_k": 2}`}},
		{"empty", []string{`{}`}, []string{`{}`, `{}`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var given []*value.Dict
			for _, g := range tc.given {
				given = append(given, dict(t, g))
			}
			got, err := local.Assign(files, given)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if js(t, got[i]) != tc.want[i] {
					t.Errorf("file %d: %s, want %s", i, js(t, got[i]), tc.want[i])
				}
			}
		})
	}
	both, err := local.Assign([]*local.File{b, b, a}, []*value.Dict{dict(t, `{"question": "q"}`)})
	if err != nil || js(t, both[0]) != `{"question": "q"}` || js(t, both[1]) != `{"question": "q"}` || js(t, both[2]) != `{}` {
		t.Errorf("every file that knows a name takes it: %v %v", both, err)
	}
	for _, bad := range []string{`{"questoin": 1}`, `{"question": "q", "nothing like it": 1}`} {
		_, err := local.Assign(files, []*value.Dict{dict(t, bad)})
		if !fault.Is(err, fault.Invalid) || fault.From(err).Where.Field == "" || fault.From(err).Hint == "" {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := local.Assign([]*local.File{a, b, a}, make([]*value.Dict, 2)); !fault.Is(err, fault.Invalid) {
		t.Errorf("2 for 3: %v", err)
	}
}

func TestStoresAreSharedByIndexAlone(t *testing.T) {
	docs := `{"documents": [{"content": "goats climb trees"}]}`
	for _, tc := range []struct {
		name, index string
		found       int
	}{{"one index", "index: x", 1}, {"stores of their own", "", 0}} {
		t.Run(tc.name, func(t *testing.T) {
			s := local.NewSession(local.Options{Lookup: os.LookupEnv})
			if _, err := s.Run(t.Context(), load(t, "a", writes, tc.index), dict(t, docs), nil); err != nil {
				t.Fatal(err)
			}
			r, err := s.Run(t.Context(), load(t, "b", finds, tc.index), dict(t, `{"question": "goats"}`), nil)
			if err != nil {
				t.Fatal(err)
			}
			out, _ := r.Outputs.Get("retriever")
			list, _ := out.(*value.Dict).Get("documents")
			if n := len(list.(*value.List).Items); n != tc.found {
				t.Errorf("found %d, want %d", n, tc.found)
			}
		})
	}
}

func TestInputsMayMixDeclaredNamesWithHaystacksForms(t *testing.T) {
	f := load(t, "b", finds, "index: x")
	for _, in := range []string{`{"question": "q", "retriever": {"top_k": 1}}`, `{"question": "q", "top_k": 1}`, `{"retriever": {"query": "q", "top_k": 1}}`, `{"query": "q", "top_k": 1}`} {
		s := local.NewSession(local.Options{Lookup: os.LookupEnv})
		if r, err := s.Run(t.Context(), f, dict(t, in), nil); err != nil || len(r.Warnings) > 0 {
			t.Errorf("%s: %v", in, err)
		}
	}
	s := local.NewSession(local.Options{Lookup: os.LookupEnv})
	if _, err := s.Run(t.Context(), f, nil, nil); !fault.Is(err, fault.Invalid) || fault.From(err).Where.Field != "question" {
		t.Errorf("nothing given: %v", err)
	}
}

func TestReadInputs(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "in.json")
	if err := os.WriteFile(file, []byte(`{"a": 1.0}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{`{"a": 1}`: `{"a": 1}`, "@" + file: `{"a": 1.0}`, "@-": `{"b": 2}`} {
		d, err := local.ReadInputs(arg, strings.NewReader(`{"b": 2}`))
		if err != nil || js(t, d) != want {
			t.Errorf("%s: %v %v", arg, d, err)
		}
	}
	for _, arg := range []string{`[]`, `"x"`, `{`, ``, "@" + dir, "@" + file + ".not"} {
		if _, err := local.ReadInputs(arg, strings.NewReader("")); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", arg, err)
		}
	}
}

func TestLoadRefusesWhatIsNoFile(t *testing.T) {
	big := filepath.Join(t.TempDir(), "big.yml")
	if err := os.WriteFile(big, make([]byte, local.MaxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, kind := range map[string]fault.Kind{big: fault.TooLarge, t.TempDir(): fault.Invalid, big + ".not": fault.Invalid} {
		if _, err := local.Load(path, components.Registry()); !fault.Is(err, kind) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func FuzzReadInputs(f *testing.F) {
	for _, s := range []string{`{"a": [1, 2.0, null]}`, `[`, `@`, `@-`, "{\"\\ud800\": 1}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		if strings.HasPrefix(arg, "@") && arg != "@-" {
			return // would read files of this machine
		}
		d, err := local.ReadInputs(arg, strings.NewReader(arg))
		if (d == nil) == (err == nil) {
			t.Fatal(d, err)
		}
	})
}
