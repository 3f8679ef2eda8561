package preprocessors

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// DocumentSplitter cuts documents into windows of words, lines, passages, pages or periods
// (haystack/components/preprocessors/document_splitter.py).
type DocumentSplitter struct {
	by        string
	delimiter string
	length    int
	overlap   int
	threshold int
	skipEmpty bool
}

// delimiters end a unit and belong to it.
var delimiters = map[string]string{"page": "\f", "passage": "\n\n", "period": ".", "word": " ", "line": "\n"}

var splitModes = []string{"function", "page", "passage", "period", "word", "line", "sentence", "token"}

// DocumentSplitterType describes [DocumentSplitter].
func DocumentSplitterType() *component.Type {
	return &component.Type{
		Name: "haystack.components.preprocessors.document_splitter.DocumentSplitter",
		Doc:  "Cuts documents into overlapping windows of words, lines, passages, pages or periods.",
		Params: []component.Param{
			component.Optional("split_by", value.Str("word")),
			component.Optional("split_length", value.Int(200)),
			component.Optional("split_overlap", value.Int(0)),
			component.Optional("split_threshold", value.Int(0)),
			component.Optional("splitting_function", nil),
			component.Optional("respect_sentence_boundary", value.Bool(false)),
			component.Optional("language", value.Str("en")),
			component.Optional("use_split_rules", value.Bool(true)),
			component.Optional("extend_abbreviations", value.Bool(true)),
			component.Optional("skip_empty_documents", value.Bool(true)),
			component.Optional("tokenizer_encoding", value.Str("o200k_base")),
		},
		New: newDocumentSplitter,
	}
}

func newDocumentSplitter(b *component.Builder) (component.Component, *component.Spec, error) {
	s := &DocumentSplitter{by: b.Str("split_by"), length: b.Int("split_length"), overlap: b.Int("split_overlap"),
		threshold: b.Int("split_threshold"), skipEmpty: b.Bool("skip_empty_documents")}
	s.delimiter = delimiters[s.by]
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	if param, err := s.check(b); err != nil {
		return nil, nil, part.Refuse(b, param, err)
	}
	return s, part.Spec([]component.Input{part.In("documents", part.Documents)}, part.Out("documents", part.Documents)), b.Err()
}

func (s *DocumentSplitter) check(b *component.Builder) (param string, err error) {
	switch {
	case !slices.Contains(splitModes, s.by):
		return "split_by", part.ValueError("split_by must be one of %s.", strings.Join(splitModes, ", "))
	case s.by == "function" && b.IsNone("splitting_function"):
		return "splitting_function", part.ValueError("When 'split_by' is set to 'function', a valid 'splitting_function' must be provided.")
	case s.length <= 0:
		return "split_length", part.ValueError("split_length must be greater than 0.")
	case s.overlap < 0:
		return "split_overlap", part.ValueError("split_overlap must be greater than or equal to 0.")
	case s.overlap >= s.length:
		return "split_overlap", part.ValueError("split_overlap must be less than split_length.")
	case !b.IsNone("splitting_function"):
		return "splitting_function", fault.New(fault.Unsupported, "a 'splitting_function' names Python code, which cannot run here").
			WithHint("split by word, line, passage, page or period")
	case s.delimiter == "":
		return "split_by", fault.New(fault.Unsupported, "splitting by %s is not supported yet", s.by).
			WithHint("split by word, line, passage, page or period")
	case s.by == "word" && b.Bool("respect_sentence_boundary"):
		return "respect_sentence_boundary", fault.New(fault.Unsupported, "'respect_sentence_boundary' is not supported yet").
			WithHint("leave it out, or split by period")
	}
	return "", nil
}

// Run splits each document. A document without a text is an error; an empty text gives nothing unless
// skip_empty_documents is false.
func (s *DocumentSplitter) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	docs, err := part.DocList("documents", in[0], "DocumentSplitter expects a List of Documents as input.")
	if err != nil {
		return component.Out{}, err
	}
	out := []*document.Document{}
	for _, d := range docs {
		if d.Content == nil {
			return component.Out{}, part.ValueError(
				"DocumentSplitter only works with text documents but content for document ID %s is None.", d.ID)
		}
		if *d.Content == "" && s.skipEmpty {
			part.Log(env).Warn("a document with an empty content is skipped", "component", env.Component(), "id", d.ID)
			continue
		}
		if ctx.Err() != nil {
			return component.Out{}, fault.Wrap(fault.Canceled, context.Cause(ctx), "the splitting was stopped")
		}
		chunks, err := s.documents(d, s.windows(units(*d.Content, s.delimiter)))
		if err != nil {
			return component.Out{}, err
		}
		out = append(out, chunks...)
	}
	return component.Outputs(document.List(out)), nil
}

// unit is a slice of the text up to and with its delimiter.
type unit struct {
	text  string
	start int // in code points
	pages int // form feeds before it
}

// units cuts the text after each delimiter; what follows the last one is a unit too, even if it is empty.
func units(text, delimiter string) []unit {
	out := make([]unit, 0, strings.Count(text, delimiter)+1)
	at, pages := 0, 0
	for {
		n := strings.Index(text, delimiter)
		piece := text
		if n >= 0 {
			piece = text[:n+len(delimiter)]
		}
		out = append(out, unit{piece, at, pages})
		if n < 0 {
			return out
		}
		at += utf8.RuneCountInString(piece)
		pages += strings.Count(piece, "\f")
		text = text[len(piece):]
	}
}

// window is a chunk of text in the making.
type window struct {
	text  string
	start int // in code points
	page  int
}

// windows joins units: each window has length of them, and starts length-overlap after the one before.
func (s *DocumentSplitter) windows(list []unit) []window {
	var out []window
	step := s.length - s.overlap
	covered := 0 // units that some window has already
	for first := 0; first == 0 || first+s.overlap < len(list); first += step {
		last := min(first+s.length, len(list))
		current := list[first:last]
		if s.overlap > 0 && len(out) > 0 && join(list[min(max(covered, first), last):last]) == "" {
			continue // nothing new in it
		}
		covered = max(covered, last)
		text := join(current)
		switch {
		case len(current) < s.threshold && len(out) > 0:
			out[len(out)-1].text += join(current[min(s.overlap, len(current)):])
		case !s.skipEmpty || text != "":
			out = append(out, window{text, current[0].start, current[0].pages + 1})
		}
	}
	return out
}

// join concatenates neighbouring units. They are slices of one text, but are joined without relying on it.
func join(list []unit) string {
	if len(list) == 1 {
		return list[0].text
	}
	var b strings.Builder
	for _, u := range list {
		b.WriteString(u.text)
	}
	return b.String()
}

// documents makes documents of windows. Ids are computed before _split_overlap is added to meta, as in Haystack.
func (s *DocumentSplitter) documents(source *document.Document, list []window) ([]*document.Document, error) {
	out := make([]*document.Document, len(list))
	overlaps := make([]*value.List, len(list))
	for i, w := range list {
		meta := source.Meta.Clone()
		meta.Set("source_id", value.Str(source.ID))
		meta.Set("page_number", value.Int(w.page+leadingPageBreaks(w.text)))
		meta.Set("split_id", value.Int(i))
		meta.Set("split_idx_start", value.Int(w.start))
		d, err := document.New(document.Document{Content: &list[i].text, Meta: meta})
		if err != nil {
			return nil, err
		}
		out[i], overlaps[i] = d, value.NewList()
		if s.overlap > 0 {
			meta.Set("_split_overlap", overlaps[i]) // d is not shared yet
		}
		if s.overlap > 0 && i > 0 {
			noteOverlap(out[i-1], d, overlaps[i-1], overlaps[i], w.start-list[i-1].start)
		}
	}
	return out, nil
}

// leadingPageBreaks counts the form feeds a chunk opens with: its page is that of its first other character.
func leadingPageBreaks(text string) int {
	rest := strings.TrimLeft(text, "\f")
	if rest == "" {
		return 0
	}
	return len(text) - len(rest)
}

// noteOverlap writes into both documents which code points they share; shift is how far the second starts after the first.
func noteOverlap(previous, current *document.Document, before, now *value.List, shift int) {
	length := utf8.RuneCountInString(*previous.Content)
	if shift >= length {
		return
	}
	shared := value.PySlice(*previous.Content, shift, length)
	if !strings.HasPrefix(*current.Content, shared) {
		return
	}
	now.Items = append(now.Items, overlap(previous.ID, shift, length))
	before.Items = append(before.Items, overlap(current.ID, 0, length-shift))
}

func overlap(id string, from, to int) *value.Dict {
	return value.NewDict("doc_id", value.Str(id), "range", value.Tuple{value.Int(from), value.Int(to)})
}
