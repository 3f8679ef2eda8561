package converters

import (
	"context"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/maintext"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// HTMLToDocument makes a document of the main text of each web page (haystack/components/converters/html.py). Which text
// that is, is decided here and not by the Python library trafilatura: words are nearly the same, line breaks may differ.
type HTMLToDocument struct {
	options  maintext.Options
	encoding *string
	fullPath bool
}

// HTMLToDocumentType describes [HTMLToDocument].
func HTMLToDocumentType() *component.Type {
	return &component.Type{
		Name:    "haystack.components.converters.html.HTMLToDocument",
		Doc:     "Makes a document of the main text of each web page.",
		Dropped: map[string]string{"extractor_type": "leave it out: there is one extractor"},
		Params: []component.Param{
			component.Optional("extraction_kwargs", nil),
			component.Optional("store_full_path", value.Bool(false)),
			component.Optional("encoding", nil),
		},
		New: newHTML,
	}
}

func newHTML(b *component.Builder) (component.Component, *component.Spec, error) {
	c := &HTMLToDocument{encoding: b.OptStr("encoding"), fullPath: b.Bool("store_full_path")}
	var err error
	if c.options, err = readExtraction(c.options, b.Dict("extraction_kwargs")); err != nil {
		return nil, nil, part.Refuse(b, "extraction_kwargs", err)
	}
	in := append(inputs(), part.Opt("extraction_kwargs", part.OptDict))
	return c, part.Spec(in, part.Out("documents", part.Documents)), b.Err()
}

// hints are arguments of trafilatura's extract that shift its balance, choose what is not text anyway, or speed it up:
// they change nothing here.
var hints = []string{"fast", "no_fallback", "favor_precision", "favor_recall", "include_comments", "url", "deduplicate", "include_images"}

// readExtraction reads extraction_kwargs; those that would make another text are refused.
func readExtraction(o maintext.Options, kwargs *value.Dict) (maintext.Options, error) {
	for name, v := range kwargs.Strings() {
		switch {
		case name == "include_tables":
			o.NoTables = !value.Truthy(v)
		case slices.Contains(hints, name), name == "output_format" && v == value.Str("txt"), !value.Truthy(v):
		default:
			return o, fault.New(fault.Unsupported, "the extraction argument '%s' is not supported", name).
				WithHint("supported are include_tables and %s", strings.Join(hints, ", "))
		}
	}
	return o, nil
}

// Run converts each page; one without text is skipped. The encoding is the page's own unless the component names one.
func (c *HTMLToDocument) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	kwargs, err := part.DictOr("extraction_kwargs", in[2])
	if err != nil {
		return component.Out{}, err
	}
	options, err := readExtraction(c.options, kwargs)
	if err != nil {
		return component.Out{}, err
	}
	return convert(ctx, env, in[0], in[1], func(s source) ([]*document.Document, error) {
		text, err := c.extract(s.stream.Data, options)
		if err != nil {
			return nil, err
		}
		if text == "" {
			return nil, fault.New(fault.Failed, "no text could be extracted")
		}
		doc, err := textDocument(text, s.merged(c.fullPath))
		return []*document.Document{doc}, err
	})
}

func (c *HTMLToDocument) extract(page []byte, o maintext.Options) (string, error) {
	if c.encoding == nil {
		return maintext.Extract(page, o)
	}
	text, err := decode(page, *c.encoding)
	if err != nil {
		return "", err
	}
	return maintext.ExtractText(text, o)
}
