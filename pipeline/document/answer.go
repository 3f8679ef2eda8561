package document

import (
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/value"
)

// GeneratedAnswer is haystack.dataclasses.answer.GeneratedAnswer.
type GeneratedAnswer struct {
	Data      string
	Query     string
	Documents []*Document
	Meta      *value.Dict // nil is {}
}

// ExtractedAnswer is haystack.dataclasses.answer.ExtractedAnswer.
type ExtractedAnswer struct {
	Query          string
	Score          float64
	Data           *string   // nil is None
	Document       *Document // nil is None
	Context        *string   // nil is None
	DocumentOffset *Span     // nil is None
	ContextOffset  *Span     // nil is None
	Meta           *value.Dict
}

// Span is ExtractedAnswer.Span: code points from Start up to End.
type Span struct{ Start, End int }

// Kind returns value.KindObject.
func (*GeneratedAnswer) Kind() value.Kind { return value.KindObject }

// Kind returns value.KindObject.
func (*ExtractedAnswer) Kind() value.Kind { return value.KindObject }

// Kind returns value.KindObject.
func (*Span) Kind() value.Kind { return value.KindObject }

// Class returns the Python path of GeneratedAnswer.
func (*GeneratedAnswer) Class() string { return "haystack.dataclasses.answer.GeneratedAnswer" }

// Class returns the Python path of ExtractedAnswer.
func (*ExtractedAnswer) Class() string { return "haystack.dataclasses.answer.ExtractedAnswer" }

// Class returns the Python path of Span.
func (*Span) Class() string { return "haystack.dataclasses.answer.ExtractedAnswer.Span" }

func orEmpty(d *value.Dict) *value.Dict {
	if d == nil {
		return &value.Dict{}
	}
	return d
}

func (a *GeneratedAnswer) pairs() []any {
	return []any{"data", value.Str(a.Data), "query", value.Str(a.Query), "documents", List(a.Documents), "meta", orEmpty(a.Meta)}
}

// Attr returns data, query, documents or meta.
func (a *GeneratedAnswer) Attr(name string) (value.Value, bool) { return pick(name, a.pairs()) }

// Repr returns the dataclass repr.
func (a *GeneratedAnswer) Repr() string { return reprFields("GeneratedAnswer", a.pairs()) }

// ToDict returns {data, query, documents, meta}; messages in meta's all_messages become dicts.
func (a *GeneratedAnswer) ToDict() *value.Dict {
	docs := &value.List{Items: make([]value.Value, len(a.Documents))}
	for i, d := range a.Documents {
		docs.Items[i] = d.PlainDict()
	}
	meta := orEmpty(a.Meta)
	if messages, ok := meta.Get("all_messages"); ok {
		if plain := messageDicts(messages); plain != nil {
			meta = meta.Clone()
			meta.Set("all_messages", plain)
		}
	}
	return value.NewDict("data", value.Str(a.Data), "query", value.Str(a.Query), "documents", docs, "meta", meta)
}

// messageDicts returns nil unless v is a list that begins with a message.
func messageDicts(v value.Value) value.Value {
	l, ok := v.(*value.List)
	if !ok || len(l.Items) == 0 {
		return nil
	}
	if _, ok := l.Items[0].(*chat.Message); !ok {
		return nil
	}
	return value.AsDicts(l)
}

// GeneratedFromDict reads {data, query, documents, meta}, also inside the {type, init_parameters} of Haystack 2.
func GeneratedFromDict(d *value.Dict) (*GeneratedAnswer, error) {
	d, err := unwrap("GeneratedAnswer", d)
	if err != nil {
		return nil, err
	}
	f := value.ReadFields("GeneratedAnswer", d, "data", "query", "documents", "meta")
	a := &GeneratedAnswer{Data: f.Str("data"), Query: f.Str("query"), Meta: f.Dict("meta")}
	for _, it := range f.List("documents") {
		doc, err := FromValue(it)
		f.Note(err)
		a.Documents = append(a.Documents, doc)
	}
	messages, err := readMessages(a.Meta)
	f.Note(err)
	if f.Err() != nil {
		return nil, f.Err()
	}
	if messages != nil {
		a.Meta = a.Meta.Clone()
		a.Meta.Set("all_messages", messages)
	}
	return a, nil
}

// readMessages reads all_messages when it is a list of dicts; nil otherwise.
func readMessages(meta *value.Dict) (value.Value, error) {
	v, _ := meta.Get("all_messages")
	l, ok := v.(*value.List)
	if !ok || len(l.Items) == 0 || l.Items[0].Kind() != value.KindDict {
		return nil, nil
	}
	out := &value.List{}
	for _, it := range l.Items {
		m, err := chat.FromValue(it)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, m)
	}
	return out, nil
}

// unwrap takes the fields out of the envelope of Haystack 2.
func unwrap(what string, d *value.Dict) (*value.Dict, error) {
	if _, ok := d.Get("init_parameters"); !ok {
		return d, nil
	}
	f := value.ReadFields(what, d, "type", "init_parameters")
	inner := f.Dict("init_parameters")
	return inner, f.Err()
}

func (a *ExtractedAnswer) pairs() []any {
	return []any{"query", value.Str(a.Query), "score", value.Float(a.Score), "data", value.OptValue(a.Data),
		"document", object(a.Document), "context", value.OptValue(a.Context), "document_offset", object(a.DocumentOffset),
		"context_offset", object(a.ContextOffset), "meta", orEmpty(a.Meta)}
}

// Attr returns a field.
func (a *ExtractedAnswer) Attr(name string) (value.Value, bool) { return pick(name, a.pairs()) }

// Repr returns the dataclass repr.
func (a *ExtractedAnswer) Repr() string { return reprFields("ExtractedAnswer", a.pairs()) }

// ToDict returns every field; the document keeps its meta apart.
func (a *ExtractedAnswer) ToDict() *value.Dict {
	var doc value.Value = value.None
	if a.Document != nil {
		doc = a.Document.PlainDict()
	}
	return value.NewDict("data", value.OptValue(a.Data), "query", value.Str(a.Query), "document", doc,
		"context", value.OptValue(a.Context), "score", value.Float(a.Score), "document_offset", spanDict(a.DocumentOffset),
		"context_offset", spanDict(a.ContextOffset), "meta", orEmpty(a.Meta))
}

// ExtractedFromDict reads an answer, also inside the {type, init_parameters} of Haystack 2.
func ExtractedFromDict(d *value.Dict) (*ExtractedAnswer, error) {
	d, err := unwrap("ExtractedAnswer", d)
	if err != nil {
		return nil, err
	}
	f := value.ReadFields("ExtractedAnswer", d, "data", "query", "document", "context", "score", "document_offset",
		"context_offset", "meta")
	a := &ExtractedAnswer{Query: f.Str("query"), Score: f.Float("score"), Data: f.OptStr("data"), Context: f.OptStr("context"),
		DocumentOffset: readSpan(f, "document_offset"), ContextOffset: readSpan(f, "context_offset"), Meta: f.Dict("meta")}
	if doc := f.Get("document"); doc != nil {
		a.Document, err = FromValue(doc)
		f.Note(err)
	}
	if f.Err() != nil {
		return nil, f.Err()
	}
	return a, nil
}

func readSpan(f *value.Fields, name string) *Span {
	switch v := f.Get(name).(type) {
	case nil:
		return nil
	case *Span:
		return v
	case *value.Dict:
		s := value.ReadFields("Span", v, "start", "end")
		out := &Span{Start: s.Int("start"), End: s.Int("end")}
		f.Note(s.Err())
		return out
	default:
		f.Fail("TypeError", "field '%s' of ExtractedAnswer must be a mapping, but is %s", name, value.TypeName(v))
		return nil
	}
}

func (s *Span) pairs() []any { return []any{"start", value.Int(s.Start), "end", value.Int(s.End)} }

// Attr returns start or end.
func (s *Span) Attr(name string) (value.Value, bool) { return pick(name, s.pairs()) }

// ToDict returns {start, end}.
func (s *Span) ToDict() *value.Dict { return value.NewDict(s.pairs()...) }

// Repr returns the dataclass repr.
func (s *Span) Repr() string { return reprFields("ExtractedAnswer.Span", s.pairs()) }

func spanDict(s *Span) value.Value {
	if s == nil {
		return value.None
	}
	return s.ToDict()
}

// object returns a data class, or None for a nil pointer.
func object[T any, P interface {
	*T
	value.Object
}](p P) value.Value {
	if p == nil {
		return value.None
	}
	return p
}

func pick(name string, pairs []any) (value.Value, bool) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == name {
			return pairs[i+1].(value.Value), true
		}
	}
	return nil, false
}

// reprFields prints a dataclass; pairs are names and values.
func reprFields(class string, pairs []any) string {
	out := append([]byte(class), '(')
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = append(append(out, pairs[i].(string)...), '=')
		out = value.AppendRepr(out, pairs[i+1].(value.Value))
	}
	return string(append(out, ')'))
}
