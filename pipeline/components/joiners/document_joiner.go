package joiners

import (
	"context"
	"math"
	"slices"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// DocumentJoiner makes one list of documents out of several (haystack/components/joiners/document_joiner.py).
type DocumentJoiner struct {
	mode    string
	weights []float64 // nil without weights; else they add up to one
	topK    *int
	sort    bool
}

// The join modes.
const (
	concatenate  = "concatenate"
	merge        = "merge"
	rankFusion   = "reciprocal_rank_fusion"
	scoreFusion  = "distribution_based_rank_fusion"
	rankConstant = 61
)

// DocumentJoinerType describes [DocumentJoiner].
func DocumentJoinerType() *component.Type {
	return &component.Type{
		Name: "haystack.components.joiners.document_joiner.DocumentJoiner",
		Doc:  "Joins several lists of documents into one, by score or by rank.",
		Params: []component.Param{
			component.Optional("join_mode", value.Str(concatenate)),
			component.Optional("weights", nil),
			component.Optional("top_k", nil),
			component.Optional("sort_by_score", value.Bool(true)),
		},
		New: newDocumentJoiner,
	}
}

func newDocumentJoiner(b *component.Builder) (component.Component, *component.Spec, error) {
	j := &DocumentJoiner{mode: b.Str("join_mode"), topK: b.OptInt("top_k"), sort: b.Bool("sort_by_score")}
	if b.Err() == nil && j.topK != nil && *j.topK <= 0 {
		return nil, nil, part.Refuse(b, "top_k", part.ValueError("top_k must be greater than 0."))
	}
	if b.Err() == nil && !slices.Contains([]string{concatenate, merge, rankFusion, scoreFusion}, j.mode) {
		return nil, nil, part.Refuse(b, "join_mode", part.ValueError("Unknown join mode '%s'. Supported modes in DocumentJoiner are: "+
			"['concatenate', 'merge', 'reciprocal_rank_fusion', 'distribution_based_rank_fusion']", j.mode))
	}
	var err error
	if j.weights, err = readWeights(b.List("weights")); err != nil {
		return nil, nil, part.Refuse(b, "weights", err)
	}
	return j, part.Spec([]component.Input{part.LazyIn("documents", part.Documents), part.Opt("top_k", part.OptInt)},
		part.Out("documents", part.Documents)), b.Err()
}

// readWeights scales weights so that they add up to one.
func readWeights(items []value.Value) ([]float64, error) {
	out := make([]float64, len(items))
	sum := 0.0
	for i, it := range items {
		w, err := part.FloatOr("weights", it, math.NaN())
		if err != nil || math.IsNaN(w) {
			return nil, part.TypeError("the `weights` must be numbers")
		}
		out[i] = w
	}
	for _, w := range out {
		if w < 0 {
			return nil, part.ValueError("The provided `weights` must not be negative.")
		}
		sum += w
	}
	if len(out) == 0 {
		return nil, nil
	}
	if sum == 0 {
		return nil, part.ValueError("The provided `weights` must not sum to zero.")
	}
	for i := range out {
		out[i] /= sum
	}
	return out, nil
}

// InitParameters returns the parameters with the weights as they are used.
func (j *DocumentJoiner) InitParameters() *value.Dict {
	weights, topK := value.None, value.None
	if j.weights != nil {
		weights = document.Floats(j.weights)
	}
	if j.topK != nil {
		topK = value.Int(*j.topK)
	}
	return value.NewDict("join_mode", value.Str(j.mode), "weights", weights, "top_k", topK, "sort_by_score", value.Bool(j.sort))
}

// Run joins what arrived, in the order of arrival.
func (j *DocumentJoiner) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	lists, err := docLists(in[0])
	if err != nil {
		return component.Out{}, err
	}
	if j.mode == merge || j.mode == rankFusion {
		if len(lists) > 0 && j.weights != nil && len(j.weights) != len(lists) {
			return component.Out{}, part.ValueError("zip() argument 2 is %s than argument 1", shorterOrLonger(len(j.weights), len(lists)))
		}
	}
	docs := j.join(lists)
	if j.sort {
		slices.SortStableFunc(docs, func(a, b *document.Document) int { return compareScores(b, a) })
	}
	switch {
	case !value.IsNone(in[1]):
		k, err := part.IntOr("top_k", in[1], 0)
		if err != nil {
			return component.Out{}, err
		}
		if k < 0 {
			return component.Out{}, part.ValueError("top_k must not be negative.")
		}
		docs = docs[:min(k, len(docs))]
	case j.topK != nil:
		docs = docs[:min(*j.topK, len(docs))]
	}
	return component.Outputs(document.List(docs)), nil
}

func shorterOrLonger(n, than int) string {
	if n < than {
		return "shorter"
	}
	return "longer"
}

func docLists(v value.Value) ([][]*document.Document, error) {
	items, ok := part.Items(v)
	if !ok {
		return nil, part.Wrong("documents", "lists of Documents", v)
	}
	out := make([][]*document.Document, len(items))
	for i, it := range items {
		var err error
		if out[i], err = part.DocList("documents", it, ""); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (j *DocumentJoiner) join(lists [][]*document.Document) []*document.Document {
	switch j.mode {
	case merge:
		return fuse(lists, j.weights, func(d *document.Document, _ int, w float64) float64 { return score(d) * w })
	case rankFusion:
		return ReciprocalRankFusion(lists, j.weights)
	case scoreFusion:
		scaled := make([][]*document.Document, len(lists))
		for i, docs := range lists {
			scaled[i] = rescale(docs)
		}
		return bestOfEach(scaled)
	}
	return bestOfEach(lists)
}

// ReciprocalRankFusion scores each document by the sum of its weighted reciprocal ranks; nil weights are equal ones. The
// operations are in Haystack's order (haystack/utils/misc.py), so that scores are equal to the last digit.
func ReciprocalRankFusion(lists [][]*document.Document, weights []float64) []*document.Document {
	n := float64(len(lists))
	docs := fuse(lists, weights, func(_ *document.Document, rank int, w float64) float64 {
		return float64(w*n) / float64(rankConstant+rank)
	})
	for i, d := range docs {
		docs[i] = d.WithScore(*d.Score / (n / rankConstant))
	}
	return docs
}

// fuse adds up, per id, what each list gives a document. The last document of an id wins, its first place counts.
func fuse(lists [][]*document.Document, weights []float64, points func(d *document.Document, rank int, w float64) float64) []*document.Document {
	at := map[string]int{}
	var docs []*document.Document
	var scores []float64
	for l, list := range lists {
		w := 1 / float64(len(lists))
		if weights != nil {
			w = weights[l]
		}
		for rank, d := range list {
			i, ok := at[d.ID]
			if !ok {
				i = len(docs)
				at[d.ID] = i
				docs, scores = append(docs, nil), append(scores, 0)
			}
			docs[i] = d
			scores[i] += float64(points(d, rank, w))
		}
	}
	for i, d := range docs {
		docs[i] = d.WithScore(scores[i])
	}
	return docs
}

// bestOfEach keeps, per id, the document with the best score, in the order in which ids first appear.
func bestOfEach(lists [][]*document.Document) []*document.Document {
	at := map[string]int{}
	var out []*document.Document
	for _, list := range lists {
		for _, d := range list {
			i, ok := at[d.ID]
			switch {
			case !ok:
				at[d.ID] = len(out)
				out = append(out, d)
			case compareScores(d, out[i]) > 0:
				out[i] = d
			}
		}
	}
	return out
}

// rescale maps scores to their place within three standard deviations of the mean; equal scores stay as they are.
func rescale(docs []*document.Document) []*document.Document {
	if len(docs) == 0 {
		return docs
	}
	n, sum, low, high := float64(len(docs)), 0.0, math.Inf(1), math.Inf(-1)
	for _, d := range docs {
		s := score(d)
		sum, low, high = sum+s, min(low, s), max(high, s)
	}
	mean, squares := sum/n, 0.0
	for _, d := range docs {
		diff := score(d) - mean
		squares += float64(diff * diff)
	}
	deviation := math.Sqrt(squares / n)
	least, most := mean-float64(3*deviation), mean+float64(3*deviation)
	out := make([]*document.Document, len(docs))
	for i, d := range docs {
		s := score(d)
		if low != high && most-least != 0 {
			s = (s - least) / (most - least)
		}
		out[i] = d.WithScore(s)
	}
	return out
}

func score(d *document.Document) float64 {
	if d.Score == nil {
		return 0
	}
	return *d.Score
}

// compareScores orders by score; None is below everything.
func compareScores(a, b *document.Document) int {
	x, y := math.Inf(-1), math.Inf(-1)
	if a.Score != nil {
		x = *a.Score
	}
	if b.Score != nil {
		y = *b.Score
	}
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
