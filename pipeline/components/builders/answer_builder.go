package builders

import (
	"context"
	"math"
	"strings"

	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/pipeline/value/pyre"
)

// The reference pattern that ranges are known for, and what it becomes when ranges are expanded.
const (
	referencePattern = `\[(\d+)\]`
	rangesPattern    = `\[(\d+(?:[,-]\d+)*)\]`
)

// AnswerBuilder makes answers out of a model's replies (haystack/components/builders/answer_builder.py).
type AnswerBuilder struct {
	pattern        *pyre.Regexp // nil: the whole reply
	reference      string       // "": documents are not referenced
	references     *pyre.Regexp // compiled reference, as expand says
	lastOnly       bool
	onlyReferenced bool
	expand         bool
}

var (
	repliesType = pytype.MustParse("list[str] | list[haystack.dataclasses.chat_message.ChatMessage]")
	answersType = pytype.MustParse("list[haystack.dataclasses.answer.GeneratedAnswer]")
)

// AnswerBuilderType describes [AnswerBuilder].
func AnswerBuilderType() *component.Type {
	return &component.Type{
		Name: "haystack.components.builders.answer_builder.AnswerBuilder",
		Doc:  "Makes answers out of a model's replies, with the documents they refer to.",
		Params: []component.Param{
			component.Optional("pattern", nil),
			component.Optional("reference_pattern", nil),
			component.Optional("last_message_only", value.Bool(false)),
			component.Optional("return_only_referenced_documents", value.Bool(true)),
			component.Optional("expand_reference_ranges", value.Bool(false)),
		},
		New: newAnswerBuilder,
	}
}

func newAnswerBuilder(b *component.Builder) (component.Component, *component.Spec, error) {
	a := &AnswerBuilder{lastOnly: b.Bool("last_message_only"), onlyReferenced: b.Bool("return_only_referenced_documents"),
		expand: b.Bool("expand_reference_ranges")}
	var err error
	if p := b.OptStr("pattern"); p != nil {
		if a.pattern, err = answerPattern(*p); err != nil {
			return nil, nil, part.Refuse(b, "pattern", err)
		}
		if *p == "" { // of the component itself, an empty pattern is one: it finds nothing in every reply
			a.pattern = pyre.MustCompile("", 0)
		}
	}
	if p := b.OptStr("reference_pattern"); p != nil {
		a.reference = *p
		if a.references, err = references(a.reference, a.expand); err != nil {
			return nil, nil, part.Refuse(b, "reference_pattern", err)
		}
	}
	return a, part.Spec([]component.Input{
		part.In("query", part.Str),
		part.In("replies", repliesType),
		part.Opt("meta", part.OptDicts),
		part.Opt("documents", part.OptDocs),
		part.Opt("pattern", part.OptStr),
		part.Opt("reference_pattern", part.OptStr),
		part.Opt("expand_reference_ranges", part.OptBool),
	}, part.Out("answers", answersType)), b.Err()
}

// answerPattern compiles a pattern that may hold one group; an empty one is none.
func answerPattern(pattern string) (*pyre.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	re, err := pyre.Compile(pattern, 0)
	if err != nil {
		return nil, err
	}
	if re.Groups() > 1 {
		return nil, part.ValueError("Pattern '%s' contains multiple capture groups. "+
			"Please specify a pattern with at most one capture group.", pattern)
	}
	return re, nil
}

func references(pattern string, expand bool) (*pyre.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	if expand && pattern == referencePattern {
		pattern = rangesPattern
	}
	return pyre.Compile(pattern, 0)
}

// request is what one run works with.
type request struct {
	query      value.Value
	replies    []value.Value
	metas      []value.Value // nil: none given
	documents  []*document.Document
	pattern    *pyre.Regexp
	references *pyre.Regexp
	expand     bool
}

// Run makes one answer per reply.
func (a *AnswerBuilder) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	r, err := a.request(in)
	if err != nil {
		return component.Out{}, err
	}
	all := value.NewList(r.replies...)
	replies, metas := r.replies, r.metas
	if a.lastOnly && len(replies) > 0 {
		replies = replies[len(replies)-1:]
		if metas != nil {
			metas = metas[len(metas)-1:]
		}
	}
	out := value.NewList()
	for i, reply := range replies {
		text, meta := content(reply)
		if metas != nil {
			given, err := part.DictOr("meta", metas[i])
			if err != nil {
				return component.Out{}, err
			}
			for k, v := range given.All() {
				meta.SetKey(k, v)
			}
		}
		meta.Set("all_messages", all)
		docs, err := a.referenced(ctx, env, r, text)
		if err != nil {
			return component.Out{}, err
		}
		data, err := extract(ctx, text, r.pattern)
		if err != nil {
			return component.Out{}, err
		}
		query, _ := r.query.(value.Str)
		out.Items = append(out.Items, &document.GeneratedAnswer{Data: data, Query: string(query), Documents: docs, Meta: meta})
	}
	return component.Outputs(out), nil
}

func (a *AnswerBuilder) request(in component.In) (*request, error) {
	r := &request{query: in[0], pattern: a.pattern, references: a.references, expand: part.BoolOr(in[6], a.expand)}
	var ok bool
	var err error
	if r.replies, ok = part.Items(in[1]); !ok {
		return nil, part.Wrong("replies", "a list of strings or ChatMessages", in[1])
	}
	if value.Truthy(in[2]) {
		if r.metas, ok = part.Items(in[2]); !ok {
			return nil, part.Wrong("meta", "a list of mappings", in[2])
		}
		if len(r.metas) != len(r.replies) {
			return nil, part.ValueError("Number of replies (%d), and metadata (%d) must match.", len(r.replies), len(r.metas))
		}
	}
	if value.Truthy(in[3]) {
		if r.documents, err = part.DocList("documents", in[3], ""); err != nil {
			return nil, err
		}
	}
	return r, a.patterns(r, in[4], in[5])
}

// patterns takes the run's patterns in place of the component's.
func (a *AnswerBuilder) patterns(r *request, pattern, reference value.Value) error {
	none := ""
	p, err := part.TextOr("pattern", pattern, &none)
	if err != nil {
		return err
	}
	if *p != "" {
		if r.pattern, err = answerPattern(*p); err != nil {
			return err
		}
	}
	ref, err := part.TextOr("reference_pattern", reference, &none)
	if err != nil {
		return err
	}
	if *ref == "" {
		ref = &a.reference
	}
	if *ref != a.reference || r.expand != a.expand {
		r.references, err = references(*ref, r.expand)
	}
	return err
}

// content returns a reply's text and a copy of its meta.
func content(reply value.Value) (string, *value.Dict) {
	if m, ok := reply.(*chat.Message); ok {
		text, _ := m.Text()
		return text, m.Meta.Clone()
	}
	return value.ToStr(reply), &value.Dict{}
}

func extract(ctx context.Context, reply string, pattern *pyre.Regexp) (string, error) {
	if pattern == nil {
		return reply, nil
	}
	m, err := pattern.Search(ctx, reply)
	if m == nil || err != nil {
		return "", err
	}
	if pattern.Groups() == 1 {
		if s, ok := m.Group(1); ok {
			return s, nil
		}
	}
	s, _ := m.Group(0)
	return s, nil
}

// referenced returns the documents of an answer, marked with their 1-based source_index.
func (a *AnswerBuilder) referenced(ctx context.Context, env *component.Env, r *request, text string) ([]*document.Document, error) {
	out := []*document.Document{}
	if len(r.documents) == 0 {
		return out, nil
	}
	var named map[int]bool
	if r.references != nil {
		var err error
		if named, err = indexes(ctx, text, r.references, r.expand, len(r.documents)); err != nil {
			return nil, err
		}
	}
	for i := range named {
		if i < 0 || i >= len(r.documents) {
			part.Log(env).Warn("a reply refers to a document that is not there", "component", env.Component(), "index", i+1)
		}
	}
	for i, d := range r.documents {
		if r.references != nil && a.onlyReferenced && !named[i] {
			continue
		}
		meta := d.Meta.Clone()
		meta.Set("source_index", value.Int(i+1))
		if r.references != nil {
			meta.Set("referenced", value.Bool(named[i]))
		}
		out = append(out, d.WithMeta(meta))
	}
	return out, nil
}

// indexes reads the 0-based document numbers that a reply names: one per match, or with ranges "1,3-5".
func indexes(ctx context.Context, text string, re *pyre.Regexp, expand bool, count int) (map[int]bool, error) {
	found, err := re.FindAll(ctx, text)
	if err != nil {
		return nil, err
	}
	out := map[int]bool{}
	for _, it := range found.Items {
		s, ok := it.(value.Str)
		if !ok {
			return nil, part.TypeError("int() argument must be a string, a bytes-like object or a real number, not '%s'", value.TypeName(it))
		}
		pieces := []string{string(s)}
		if expand {
			pieces = strings.Split(string(s), ",")
		}
		for _, p := range pieces {
			if err := addRange(out, value.PyStrip(p), expand, count); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func addRange(out map[int]bool, piece string, expand bool, count int) error {
	if piece == "" && expand {
		return nil
	}
	from, to := piece, piece
	if expand {
		if a, b, ok := strings.Cut(piece, "-"); ok {
			from, to = a, b
		}
	}
	start, err := number(from)
	if err != nil {
		return err
	}
	end, err := number(to)
	if err != nil {
		return err
	}
	if from == to { // a single number is noted even when no document has it
		out[start-1] = true
		return nil
	}
	for n := max(start, 0); n <= min(end, count); n++ {
		out[n-1] = true
	}
	return nil
}

// number is Python's int(text), held within what indexes a list.
func number(text string) (int, error) {
	v, err := value.ParseInt(text)
	if err != nil {
		return 0, err
	}
	if n, ok := v.(value.Int); ok && n > -math.MaxInt32 && n < math.MaxInt32 {
		return int(n), nil
	}
	return math.MaxInt32, nil
}
