package retrievers

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// SentenceWindowRetriever fetches the neighbours of retrieved chunks
// (haystack/components/retrievers/sentence_window_retriever.py).
type SentenceWindowRetriever struct {
	store   docstore.Ref
	size    int
	sources []string    // meta fields that together name the document a chunk comes from
	named   value.Value // source_id_meta_field as it was given, for messages
	split   string      // the meta field that numbers the chunks
	strict  bool
}

// SentenceWindowRetrieverType describes [SentenceWindowRetriever].
func SentenceWindowRetrieverType() *component.Type {
	return &component.Type{
		Name: "haystack.components.retrievers.sentence_window_retriever.SentenceWindowRetriever",
		Doc:  "Fetches the neighbours of retrieved chunks from the document store.",
		Params: []component.Param{
			component.Required("document_store"),
			component.Optional("window_size", value.Int(3)),
			component.Optional("source_id_meta_field", value.Str("source_id")),
			component.Optional("split_id_meta_field", value.Str("split_id")),
			component.Optional("raise_on_missing_meta_fields", value.Bool(true)),
		},
		New: newSentenceWindow,
	}
}

func newSentenceWindow(b *component.Builder) (component.Component, *component.Spec, error) {
	r := &SentenceWindowRetriever{store: b.Store("document_store"), size: b.Int("window_size"), split: b.Str("split_id_meta_field"),
		strict: b.Bool("raise_on_missing_meta_fields"), named: b.Get("source_id_meta_field")}
	if r.named.Kind() == value.KindList {
		r.sources = b.Strs("source_id_meta_field")
	} else {
		r.sources = []string{b.Str("source_id_meta_field")}
	}
	if b.Err() == nil {
		if err := checkWindow(r.size); err != nil {
			return nil, nil, part.Refuse(b, "window_size", err)
		}
	}
	return r, part.Spec([]component.Input{part.In("retrieved_documents", part.Documents), part.Opt("window_size", part.OptInt)},
		part.Out("context_windows", part.Strs), part.Out("context_documents", part.Documents)), b.Err()
}

func checkWindow(n int) error {
	if n < 1 {
		return part.ValueError("The window_size parameter must be greater than 0.")
	}
	return nil
}

// window is where a retrieved chunk stands; nil for one that does not say.
type window struct {
	sources []value.Value
	split   value.Value
}

// Run returns, for each chunk, the text of its window, and all chunks of all windows.
func (r *SentenceWindowRetriever) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	docs, err := part.DocList("retrieved_documents", in[0], "")
	if err != nil {
		return component.Out{}, err
	}
	size, err := part.IntOr("window_size", in[1], r.size)
	if err == nil {
		err = checkWindow(size)
	}
	if err == nil {
		err = r.checkMeta(docs)
	}
	if err != nil {
		return component.Out{}, err
	}
	windows := r.windows(env, docs)
	fetched, err := r.fetch(ctx, env, windows, size)
	if err != nil {
		return component.Out{}, err
	}
	texts, out := make([]string, 0, len(docs)), []*document.Document{}
	for i, d := range docs {
		if windows[i] == nil {
			texts, out = append(texts, d.ContentOr("")), append(out, d)
			continue
		}
		near, err := r.inWindow(fetched, windows[i], size)
		if err != nil {
			return component.Out{}, err
		}
		text, err := mergeTexts(near)
		if err != nil {
			return component.Out{}, err
		}
		texts, out = append(texts, text), append(out, near...)
	}
	return component.Outputs(part.StrValues(texts), document.List(out)), nil
}

func (r *SentenceWindowRetriever) checkMeta(docs []*document.Document) error {
	if !r.strict {
		return nil
	}
	missing := func(field string) bool {
		return slices.ContainsFunc(docs, func(d *document.Document) bool { _, ok := d.Meta.Get(field); return !ok })
	}
	if missing(r.split) {
		return part.ValueError("The retrieved documents must have '%s' in their metadata.", r.split)
	}
	if slices.ContainsFunc(r.sources, missing) {
		return part.ValueError("The retrieved documents must have '%s' in their metadata.", value.ToStr(r.named))
	}
	return nil
}

func (r *SentenceWindowRetriever) windows(env *component.Env, docs []*document.Document) []*window {
	out := make([]*window, len(docs))
	for i, d := range docs {
		w := &window{}
		complete := true
		for _, field := range append(slices.Clone(r.sources), r.split) {
			v, _ := d.Meta.Get(field)
			complete = complete && !value.IsNone(v)
			w.sources = append(w.sources, v)
		}
		if !complete {
			part.Log(env).Warn("a document does not say where it comes from; its context is not fetched", "component", env.Component(), "id", d.ID)
			continue
		}
		w.split, w.sources = w.sources[len(r.sources)], w.sources[:len(r.sources)]
		out[i] = w
	}
	return out
}

// fetch asks the store once for the chunks of all windows.
func (r *SentenceWindowRetriever) fetch(ctx context.Context, env *component.Env, windows []*window, size int) ([]*document.Document, error) {
	conditions := value.NewList()
	for _, w := range windows {
		if w == nil {
			continue
		}
		c, err := r.condition(w, size)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(conditions.Items, func(have value.Value) bool { return value.Equal(have, c) }) {
			conditions.Items = append(conditions.Items, c)
		}
	}
	if len(conditions.Items) == 0 {
		return nil, nil
	}
	store, err := part.OpenStore(ctx, env, r.store)
	if err != nil {
		return nil, err
	}
	return store.FilterDocuments(ctx, value.NewDict("operator", value.Str("OR"), "conditions", conditions))
}

func compare(field, op string, v value.Value) value.Value {
	return value.NewDict("field", value.Str("meta."+field), "operator", value.Str(op), "value", v)
}

func (r *SentenceWindowRetriever) condition(w *window, size int) (value.Value, error) {
	low, high, err := bounds(w.split, size)
	if err != nil {
		return nil, err
	}
	list := value.NewList(compare(r.split, ">=", low), compare(r.split, "<=", high))
	for i, field := range r.sources {
		list.Items = append(list.Items, compare(field, "==", w.sources[i]))
	}
	return value.NewDict("operator", value.Str("AND"), "conditions", list), nil
}

func bounds(split value.Value, size int) (low, high value.Value, err error) {
	switch n := split.(type) {
	case value.Int:
		return n - value.Int(size), n + value.Int(size), nil
	case value.Float:
		return n - value.Float(size), n + value.Float(size), nil
	}
	return nil, nil, part.TypeError("unsupported operand type(s) for -: '%s' and 'int'", value.TypeName(split))
}

// inWindow returns the fetched chunks of one window, by their number.
func (r *SentenceWindowRetriever) inWindow(fetched []*document.Document, w *window, size int) ([]*document.Document, error) {
	low, high, err := bounds(w.split, size)
	if err != nil {
		return nil, err
	}
	var out []*document.Document
	for _, d := range fetched {
		n, _ := d.Meta.Get(r.split)
		if value.IsNone(n) {
			continue
		}
		above, err := value.Compare("<=", low, n)
		if err != nil {
			return nil, err
		}
		below, err := value.Compare("<=", n, high)
		if err != nil {
			return nil, err
		}
		if above && below && r.sameSource(d, w) {
			out = append(out, d)
		}
	}
	return sortBy(out, r.split)
}

func (r *SentenceWindowRetriever) sameSource(d *document.Document, w *window) bool {
	for i, field := range r.sources {
		v, _ := d.Meta.Get(field)
		if v == nil {
			v = value.None
		}
		if !value.Equal(v, w.sources[i]) {
			return false
		}
	}
	return true
}

// sortBy sorts documents by a meta field that they all have.
func sortBy(docs []*document.Document, field string) ([]*document.Document, error) {
	out := slices.Clone(docs)
	var failed error
	slices.SortStableFunc(out, func(a, b *document.Document) int {
		x, _ := a.Meta.Get(field)
		y, _ := b.Meta.Get(field)
		less, err := value.Less(x, y)
		if err != nil {
			failed = err
		}
		if less {
			return -1
		}
		if more, _ := value.Less(y, x); more {
			return 1
		}
		return 0
	})
	return out, failed
}

// mergeTexts joins chunks of one text; where they say where they start, what they share is written once.
func mergeTexts(docs []*document.Document) (string, error) {
	var b strings.Builder
	for _, d := range docs {
		if _, ok := d.Meta.Get("split_idx_start"); !ok {
			for _, d := range docs {
				b.WriteString(d.ContentOr(""))
			}
			return b.String(), nil
		}
	}
	sorted, err := sortBy(docs, "split_idx_start")
	if err != nil {
		return "", err
	}
	end := 0
	for _, d := range sorted {
		if d.Content == nil {
			continue
		}
		v, _ := d.Meta.Get("split_idx_start")
		from, err := part.IntOr("split_idx_start", v, 0)
		if err != nil {
			return "", err
		}
		length := utf8.RuneCountInString(*d.Content)
		b.WriteString(value.PySlice(*d.Content, max(from, end)-from, length))
		end = from + length
	}
	return b.String(), nil
}
