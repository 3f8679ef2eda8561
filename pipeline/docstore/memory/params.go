package memory

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/value"
)

// TypeName is the YAML type of the store.
const TypeName = "haystack.document_stores.in_memory.document_store.InMemoryDocumentStore"

// DefaultRegex is the default of bm25_tokenization_regex: words as before, but one token per Chinese, Japanese or
// Korean character.
const DefaultRegex = `[^\W` + cjkClass + `]+|[` + cjkClass + `]`

const cjkClass = `\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\u3130-\u318f\uac00-\ud7af\u3041-\u3096\u30a1-\u30fa\u30fc` +
	`\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\uffa0-\uffdc`

// The BM25 formulas.
const (
	Okapi = "BM25Okapi"
	L     = "BM25L"
	Plus  = "BM25Plus"
)

// Type describes the store for the registry of components.
func Type() *component.StoreType {
	return &component.StoreType{
		Name: TypeName,
		Params: []component.Param{
			component.Optional("bm25_tokenization_regex", value.Str(DefaultRegex)),
			component.Optional("bm25_algorithm", value.Str(L)),
			component.Optional("bm25_parameters", nil),
			component.Optional("embedding_similarity_function", value.Str("dot_product")),
			component.Optional("index", nil),
			component.Optional("shared", value.Bool(true)),
			component.Optional("return_embedding", value.Bool(true)),
			component.Optional("strict_datetime_comparison", value.Bool(false)),
		},
		Index: "index",
		Check: func(params *value.Dict) error { _, err := parseParams(params); return err },
	}
}

// params are the init parameters of one store, read once.
type params struct {
	tokenizer       tokenizer
	algorithm       string
	k1, b           float64
	delta, epsilon  float64
	cosine          bool
	shared          bool
	returnEmbedding bool
	strict          bool
}

func parseParams(d *value.Dict) (*params, error) {
	r := reader{d: d}
	p := &params{
		algorithm:       r.word("bm25_algorithm", L, Okapi, L, Plus),
		cosine:          r.word("embedding_similarity_function", "dot_product", "dot_product", "cosine") == "cosine",
		shared:          r.flag("shared", true),
		returnEmbedding: r.flag("return_embedding", true),
		strict:          r.flag("strict_datetime_comparison", false),
	}
	p.readBM25(&r)
	regex := r.text("bm25_tokenization_regex", DefaultRegex)
	if r.err != nil {
		return nil, r.err
	}
	var err error
	p.tokenizer, err = newTokenizer(regex)
	return p, err
}

// readBM25 reads bm25_parameters; k1, b, delta and epsilon have a default per formula.
func (p *params) readBM25(r *reader) {
	p.delta = 0.5
	if p.algorithm == Plus {
		p.delta = 1
	}
	v, _ := r.d.Get("bm25_parameters")
	given, ok := v.(*value.Dict)
	if !ok && !value.IsNone(v) {
		r.fail("'bm25_parameters' of InMemoryDocumentStore must be a mapping, but is %s", value.TypeName(v))
	}
	sub := reader{d: given}
	p.k1, p.b = sub.number("k1", 1.5), sub.number("b", 0.75)
	p.delta, p.epsilon = sub.number("delta", p.delta), sub.number("epsilon", 0.25)
	if r.err == nil {
		r.err = sub.err
	}
}

// reader reads parameters and remembers the first problem.
type reader struct {
	d   *value.Dict
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fault.New(fault.Invalid, format, args...).WithCode("ValueError")
	}
}

func (r *reader) text(name, def string) string {
	switch v, _ := r.d.Get(name); v := v.(type) {
	case value.Str:
		return string(v)
	default:
		if !value.IsNone(v) {
			r.fail("'%s' of InMemoryDocumentStore must be a string, but is %s", name, value.TypeName(v))
		}
		return def
	}
}

func (r *reader) word(name, def string, words ...string) string {
	s := r.text(name, def)
	for _, w := range words {
		if s == w {
			return s
		}
	}
	if name == "bm25_algorithm" {
		r.fail("BM25 algorithm '%s' is not supported.", s)
	}
	r.fail("'%s' of InMemoryDocumentStore must be one of %v, but is '%s'", name, words, s)
	return def
}

func (r *reader) flag(name string, def bool) bool {
	switch v, _ := r.d.Get(name); v := v.(type) {
	case value.Bool:
		return bool(v)
	default:
		if !value.IsNone(v) {
			r.fail("'%s' of InMemoryDocumentStore must be true or false, but is %s", name, value.TypeName(v))
		}
		return def
	}
}

func (r *reader) number(name string, def float64) float64 {
	switch v, ok := r.d.Get(name); v := v.(type) {
	case value.Float:
		return float64(v)
	case value.Int:
		return float64(v)
	default:
		if ok {
			r.fail("'%s' in bm25_parameters must be a number, but is %s", name, value.TypeName(v))
		}
		return def
	}
}

// private reports whether a reference names documents that only its own component sees.
func private(ref docstore.Ref) bool {
	shared, _ := ref.Params.Get("shared")
	return ref.Index == "" || shared == value.Bool(false)
}
