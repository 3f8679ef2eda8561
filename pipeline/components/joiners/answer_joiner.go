package joiners

import (
	"context"
	"math"
	"slices"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// AnswerJoiner chains lists of answers (haystack/components/joiners/answer_joiner.py).
type AnswerJoiner struct {
	topK *int
	sort bool
}

var answersType = pytype.MustParse("list[haystack.dataclasses.answer.GeneratedAnswer | haystack.dataclasses.answer.ExtractedAnswer]")

// AnswerJoinerType describes [AnswerJoiner].
func AnswerJoinerType() *component.Type {
	return &component.Type{
		Name: "haystack.components.joiners.answer_joiner.AnswerJoiner",
		Doc:  "Joins several lists of answers into one.",
		Params: []component.Param{
			component.Optional("join_mode", value.Str(concatenate)),
			component.Optional("top_k", nil),
			component.Optional("sort_by_score", value.Bool(false)),
		},
		New: newAnswerJoiner,
	}
}

func newAnswerJoiner(b *component.Builder) (component.Component, *component.Spec, error) {
	j := &AnswerJoiner{topK: b.OptInt("top_k"), sort: b.Bool("sort_by_score")}
	mode := b.Str("join_mode")
	switch {
	case b.Err() != nil:
	case j.topK != nil && *j.topK <= 0:
		return nil, nil, part.Refuse(b, "top_k", part.ValueError("top_k must be greater than 0."))
	case mode != concatenate:
		return nil, nil, part.Refuse(b, "join_mode",
			part.ValueError("Unknown join mode '%s'. Supported modes in AnswerJoiner are: ['concatenate']", mode))
	}
	return j, part.Spec([]component.Input{part.LazyIn("answers", answersType), part.Opt("top_k", part.OptInt)},
		part.Out("answers", answersType)), b.Err()
}

// Run chains what arrived; with sort_by_score, best first, answers without a score last.
func (j *AnswerJoiner) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	lists, ok := part.Items(in[0])
	if !ok {
		return component.Out{}, part.Wrong("answers", "lists of answers", in[0])
	}
	all := []value.Value{}
	for _, l := range lists {
		items, ok := part.Items(l)
		if !ok {
			return component.Out{}, part.Wrong("answers", "lists of answers", l)
		}
		all = append(all, items...)
	}
	if j.sort {
		slices.SortStableFunc(all, func(a, b value.Value) int {
			x, y := answerScore(a), answerScore(b)
			switch {
			case x > y:
				return -1
			case x < y:
				return 1
			}
			return 0
		})
	}
	limit := len(all)
	if j.topK != nil {
		limit = *j.topK
	}
	limit, err := part.IntOr("top_k", in[1], limit)
	if err != nil {
		return component.Out{}, err
	}
	if limit < 0 {
		return component.Out{}, part.ValueError("top_k must not be negative.")
	}
	return component.Outputs(value.NewList(all[:min(limit, len(all))]...)), nil
}

func answerScore(v value.Value) float64 {
	if o, ok := v.(value.Object); ok {
		score, _ := o.Attr("score")
		if f, err := part.FloatOr("score", score, math.Inf(-1)); err == nil {
			return f
		}
	}
	return math.Inf(-1)
}
