package converters

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// TextFileToDocument makes a document out of each text file (haystack/components/converters/txt.py).
type TextFileToDocument struct {
	encoding string
	fullPath bool
}

// TextFileToDocumentType describes [TextFileToDocument].
func TextFileToDocumentType() *component.Type {
	return &component.Type{
		Name: "haystack.components.converters.txt.TextFileToDocument",
		Doc:  "Makes a document out of each text file.",
		Params: []component.Param{
			component.Optional("encoding", value.Str("utf-8-sig")),
			component.Optional("store_full_path", value.Bool(false)),
		},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			c := &TextFileToDocument{encoding: b.Str("encoding"), fullPath: b.Bool("store_full_path")}
			return c, part.Spec(inputs(), part.Out("documents", part.Documents)), b.Err()
		},
	}
}

// Run decodes each source; the encoding in a stream's meta wins over the component's.
func (c *TextFileToDocument) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	return convert(ctx, env, in[0], in[1], func(s source) ([]*document.Document, error) {
		text, err := s.text(c.encoding)
		if err != nil {
			return nil, err
		}
		doc, err := textDocument(text, s.merged(c.fullPath))
		return []*document.Document{doc}, err
	})
}

// text decodes the stream; meta.encoding wins over def.
func (s source) text(def string) (string, error) {
	if v, ok := s.stream.Meta.Get("encoding"); ok {
		name, err := part.Text("encoding", v)
		if err != nil {
			return "", err
		}
		def = name
	}
	return decode(s.stream.Data, def)
}
