package rankers

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/docstore/filter"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// MetaFieldRanker orders documents by a field of their meta, merged with the order they come in
// (haystack/components/rankers/meta_field.py).
type MetaFieldRanker struct {
	field string
	metaSettings
}

// metaSettings are what a run may change.
type metaSettings struct {
	topK      *int
	weight    float64
	mode      string // reciprocal_rank_fusion or linear_score
	order     string // ascending or descending
	missing   string // drop, top or bottom
	valueType string // float, int, date or ""
}

var (
	modeType    = pytype.MustParse("typing.Optional[typing.Literal['reciprocal_rank_fusion', 'linear_score']]")
	orderType   = pytype.MustParse("typing.Optional[typing.Literal['ascending', 'descending']]")
	missingType = pytype.MustParse("typing.Optional[typing.Literal['drop', 'top', 'bottom']]")
	valuesType  = pytype.MustParse("typing.Optional[typing.Literal['float', 'int', 'date']]")
)

// MetaFieldRankerType describes [MetaFieldRanker].
func MetaFieldRankerType() *component.Type {
	return &component.Type{
		Name: "haystack.components.rankers.meta_field.MetaFieldRanker",
		Doc:  "Orders documents by a field of their meta.",
		Params: []component.Param{
			component.Required("meta_field"),
			component.Optional("weight", value.Float(1)),
			component.Optional("top_k", nil),
			component.Optional("ranking_mode", value.Str("reciprocal_rank_fusion")),
			component.Optional("sort_order", value.Str("descending")),
			component.Optional("missing_meta", value.Str("bottom")),
			component.Optional("meta_value_type", nil),
		},
		New: newMetaField,
	}
}

func newMetaField(b *component.Builder) (component.Component, *component.Spec, error) {
	r := &MetaFieldRanker{field: b.Str("meta_field"), metaSettings: metaSettings{topK: b.OptInt("top_k"), weight: b.Float("weight"),
		mode: b.Str("ranking_mode"), order: b.Str("sort_order"), missing: b.Str("missing_meta")}}
	if t := b.OptStr("meta_value_type"); t != nil {
		r.valueType = *t
	}
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	if param, err := r.check(); err != nil {
		return nil, nil, part.Refuse(b, param, err)
	}
	return r, part.Spec([]component.Input{
		part.In("documents", part.Documents),
		part.Opt("top_k", part.OptInt),
		part.Opt("weight", part.OptFloat),
		part.Opt("ranking_mode", modeType),
		part.Opt("sort_order", orderType),
		part.Opt("missing_meta", missingType),
		part.Opt("meta_value_type", valuesType),
	}, part.Out("documents", part.Documents)), nil
}

func (s *metaSettings) check() (param string, err error) {
	change := func(param, choices, got string) error {
		return part.ValueError("The value of parameter <%[1]s> must be %[2]s, but is currently set to '%[3]s'.\n"+
			"Change the <%[1]s> value to %[2]s when initializing the MetaFieldRanker.", param, choices, got)
	}
	switch {
	case s.topK != nil && *s.topK <= 0:
		return "top_k", badTopK(*s.topK)
	case s.weight < 0 || s.weight > 1:
		return "weight", part.ValueError("Parameter <weight> must be in range [0,1] but is currently set to '%s'.\n"+
			"'0' disables sorting by a meta field, '0.5' assigns equal weight to the previous relevance scores and the meta field, and "+
			"'1' ranks by the meta field only.\nChange the <weight> parameter to a value in range 0 to 1 when initializing the "+
			"MetaFieldRanker.", value.FloatRepr(s.weight))
	case s.mode != "reciprocal_rank_fusion" && s.mode != "linear_score":
		return "ranking_mode", part.ValueError("The value of parameter <ranking_mode> must be 'reciprocal_rank_fusion' or 'linear_score', "+
			"but is currently set to '%s'.\nChange the <ranking_mode> value to 'reciprocal_rank_fusion' or 'linear_score' when "+
			"initializing the MetaFieldRanker.", s.mode)
	case s.order != "ascending" && s.order != "descending":
		return "sort_order", change("sort_order", "'ascending' or 'descending'", s.order)
	case !slices.Contains([]string{"drop", "top", "bottom"}, s.missing):
		return "missing_meta", change("missing_meta", "'drop', 'top', or 'bottom'", s.missing)
	case !slices.Contains([]string{"float", "int", "date", ""}, s.valueType):
		return "meta_value_type", part.ValueError("The value of parameter <meta_value_type> must be 'float', 'int', 'date' or None but is "+
			"currently set to '%s'.\nChange the <meta_value_type> value to 'float', 'int', 'date' or None when initializing the "+
			"MetaFieldRanker.", s.valueType)
	}
	return "", nil
}

// settings returns those of one run.
func (r *MetaFieldRanker) settings(in component.In) (*metaSettings, error) {
	s := r.metaSettings
	if !value.IsNone(in[1]) {
		k, err := part.IntOr("top_k", in[1], 0)
		if err != nil {
			return nil, err
		}
		s.topK = &k
	}
	var err error
	if s.weight, err = part.FloatOr("weight", in[2], s.weight); err != nil {
		return nil, err
	}
	for i, p := range []*string{&s.mode, &s.order, &s.missing, &s.valueType} {
		if value.Truthy(in[3+i]) {
			if *p, err = part.Text("ranking_mode, sort_order, missing_meta or meta_value_type", in[3+i]); err != nil {
				return nil, err
			}
		}
	}
	_, err = s.check()
	return &s, err
}

// Run orders the documents.
func (r *MetaFieldRanker) Run(_ context.Context, env *component.Env, in component.In) (component.Out, error) {
	docs, err := part.DocList("documents", in[0], "")
	if err != nil {
		return component.Out{}, err
	}
	if len(docs) == 0 {
		return component.Outputs(value.NewList()), nil
	}
	s, err := r.settings(in)
	if err != nil {
		return component.Out{}, err
	}
	out := r.rank(env, s, deduplicate(docs))
	if s.topK != nil {
		out = out[:min(*s.topK, len(out))]
	}
	return component.Outputs(document.List(out)), nil
}

func (r *MetaFieldRanker) rank(env *component.Env, s *metaSettings, docs []*document.Document) []*document.Document {
	if s.weight == 0 {
		return docs
	}
	var with, without []*document.Document
	for _, d := range docs {
		if v, _ := d.Meta.Get(r.field); value.IsNone(v) {
			without = append(without, d)
		} else {
			with = append(with, d)
		}
	}
	if len(without) > 0 {
		part.Log(env).Warn("some documents do not have the meta field they are ranked by", "component", env.Component(), "field", r.field,
			"documents", len(without), "missing_meta", s.missing)
	}
	if len(with) == 0 {
		if s.missing == "drop" {
			return nil
		}
		return docs
	}
	sorted, err := s.sort(with, r.values(env, s, with))
	if err != nil {
		part.Log(env).Warn("documents cannot be ranked by a meta field and keep their order", "component", env.Component(), "field", r.field, "error", err)
		return s.place(with, without)
	}
	if s.missing == "drop" {
		docs = with
	}
	return s.merge(docs, s.place(sorted, without))
}

// place puts the documents without the field where missing_meta says.
func (s *metaSettings) place(with, without []*document.Document) []*document.Document {
	switch s.missing {
	case "top":
		return slices.Concat(without, with)
	case "bottom":
		return slices.Concat(with, without)
	}
	return with
}

// values returns what documents are ranked by, parsed where that was asked for and works for all of them.
func (r *MetaFieldRanker) values(env *component.Env, s *metaSettings, docs []*document.Document) []value.Value {
	plain, parsed := make([]value.Value, len(docs)), make([]value.Value, len(docs))
	failed := s.valueType == ""
	for i, d := range docs {
		plain[i], _ = d.Meta.Get(r.field)
		text, ok := plain[i].(value.Str)
		if ok && !failed {
			parsed[i], ok = parseAs(s.valueType, string(text))
		}
		failed = failed || !ok
	}
	if failed {
		if s.valueType != "" {
			part.Log(env).Warn("not all meta values could be parsed; they are compared as they are", "component", env.Component(), "type", s.valueType)
		}
		return plain
	}
	return parsed
}

func parseAs(typ, text string) (value.Value, bool) {
	switch typ {
	case "int":
		v, err := value.ParseInt(text)
		return v, err == nil
	case "float":
		text = value.PyStrip(text)
		f, err := strconv.ParseFloat(text, 64)
		return value.Float(f), err == nil && !strings.ContainsAny(text, "xX_")
	}
	return filter.ParseDate(text)
}

// sort is Python's sorted, stable also when it is reversed.
func (s *metaSettings) sort(docs []*document.Document, values []value.Value) ([]*document.Document, error) {
	order := make([]int, len(docs))
	for i := range order {
		order[i] = i
	}
	var failed error
	less := func(a, b int) bool {
		ok, err := value.Less(values[a], values[b])
		if err != nil {
			failed = err
		}
		return ok
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if s.order == "descending" {
			a, b = b, a
		}
		switch {
		case less(a, b):
			return -1
		case less(b, a):
			return 1
		}
		return 0
	})
	out := make([]*document.Document, len(docs))
	for i, at := range order {
		out[i] = docs[at]
	}
	return out, failed
}

// merge scores each document by its two places and sorts by the score. Operations are in Haystack's order.
func (s *metaSettings) merge(docs, sorted []*document.Document) []*document.Document {
	scores := map[string]float64{}
	n := float64(len(sorted))
	for i, d := range docs {
		before, after := 1/float64(61+i), 1/float64(61+i)
		if s.mode == "linear_score" {
			before, after = 0, (n-float64(i))/n
			if d.Score != nil && *d.Score >= 0 && *d.Score <= 1 {
				before = *d.Score
			}
		}
		scores[d.ID] += float64(before * (1 - s.weight))
		scores[sorted[i].ID] += float64(after * s.weight)
	}
	out := make([]*document.Document, len(docs))
	for i, d := range docs {
		out[i] = d.WithScore(scores[d.ID])
	}
	key := func(d *document.Document) float64 {
		if *d.Score == 0 {
			return -1
		}
		return *d.Score
	}
	slices.SortStableFunc(out, func(a, b *document.Document) int {
		switch x, y := key(a), key(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return out
}
