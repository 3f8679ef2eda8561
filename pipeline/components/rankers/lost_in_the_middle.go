package rankers

import (
	"context"
	"slices"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// LostInTheMiddleRanker puts the best documents at both ends (haystack/components/rankers/lost_in_the_middle.py).
type LostInTheMiddleRanker struct {
	words int // 0: no threshold
	topK  int // 0: all
}

// LostInTheMiddleRankerType describes [LostInTheMiddleRanker].
func LostInTheMiddleRankerType() *component.Type {
	return &component.Type{
		Name:   "haystack.components.rankers.lost_in_the_middle.LostInTheMiddleRanker",
		Doc:    "Puts the best documents at both ends, where models look most.",
		Params: []component.Param{component.Optional("word_count_threshold", nil), component.Optional("top_k", nil)},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			words, topK := b.OptInt("word_count_threshold"), b.OptInt("top_k")
			r := &LostInTheMiddleRanker{}
			if b.Err() != nil {
				return nil, nil, b.Err()
			}
			if words != nil {
				r.words = *words
				if *words <= 0 {
					return nil, nil, part.Refuse(b, "word_count_threshold", badThreshold(*words))
				}
			}
			if topK != nil {
				r.topK = *topK
				if *topK <= 0 {
					return nil, nil, part.Refuse(b, "top_k", badTopK(*topK))
				}
			}
			return r, part.Spec([]component.Input{part.In("documents", part.Documents), part.Opt("top_k", part.OptInt),
				part.Opt("word_count_threshold", part.OptInt)}, part.Out("documents", part.Documents)), nil
		},
	}
}

func badThreshold(n int) error {
	return part.ValueError("Invalid value for word_count_threshold: %d. word_count_threshold must be > 0.", n)
}

func badTopK(n int) error { return part.ValueError("top_k must be > 0, but got %d", n) }

// Run orders the documents; those beyond top_k or the word count are left out.
func (r *LostInTheMiddleRanker) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	docs, err := part.DocList("documents", in[0], "")
	if err != nil {
		return component.Out{}, err
	}
	words, err := positive("word_count_threshold", in[2], r.words, badThreshold)
	if err != nil {
		return component.Out{}, err
	}
	topK, err := positive("top_k", in[1], r.topK, badTopK)
	if err != nil {
		return component.Out{}, err
	}
	if slices.ContainsFunc(docs, func(d *document.Document) bool { return d.Content == nil }) {
		return component.Out{}, part.ValueError("Some provided documents are not textual; LostInTheMiddleRanker can process only text.")
	}
	docs = deduplicate(docs)
	if topK > 0 {
		docs = docs[:min(topK, len(docs))]
	}
	return component.Outputs(document.List(bothEnds(docs, words))), nil
}

func positive(name string, v value.Value, def int, bad func(int) error) (int, error) {
	n, err := part.IntOr(name, v, def)
	if err == nil && !value.IsNone(v) && n <= 0 {
		err = bad(n)
	}
	return n, err
}

func bothEnds(docs []*document.Document, words int) []*document.Document {
	if len(docs) <= 1 {
		return docs
	}
	count := 0
	enough := func(d *document.Document) bool {
		if words == 0 || *d.Content == "" {
			return false
		}
		count += len(value.PySplit(*d.Content))
		return count >= words
	}
	out := []*document.Document{docs[0]}
	if enough(docs[0]) {
		return out
	}
	for _, d := range docs[1:] {
		out = slices.Insert(out, (len(out)+1)/2, d)
		if enough(d) {
			break
		}
	}
	return out
}

// deduplicate keeps, per id, the document with the best score, in the order in which ids first appear.
func deduplicate(docs []*document.Document) []*document.Document {
	at := map[string]int{}
	var out []*document.Document
	for _, d := range docs {
		i, ok := at[d.ID]
		switch {
		case !ok:
			at[d.ID] = len(out)
			out = append(out, d)
		case d.Score != nil && (out[i].Score == nil || *d.Score > *out[i].Score):
			out[i] = d
		}
	}
	return out
}
