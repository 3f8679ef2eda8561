package routers

import (
	"context"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// DocumentLengthRouter tells short documents from long ones (haystack/components/routers/document_length_router.py).
type DocumentLengthRouter struct{ threshold int }

// DocumentLengthRouterType describes [DocumentLengthRouter].
func DocumentLengthRouterType() *component.Type {
	return &component.Type{
		Name:   "haystack.components.routers.document_length_router.DocumentLengthRouter",
		Doc:    "Tells short documents from long ones.",
		Params: []component.Param{component.Optional("threshold", value.Int(10))},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			return &DocumentLengthRouter{b.Int("threshold")}, part.Spec([]component.Input{part.In("documents", part.Documents)},
				part.Out("short_documents", part.Documents), part.Out("long_documents", part.Documents)), b.Err()
		},
	}
}

// Run counts code points; a document without a text is short.
func (r *DocumentLengthRouter) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	docs, err := part.DocList("documents", in[0], "")
	if err != nil {
		return component.Out{}, err
	}
	var short, long []*document.Document
	for _, d := range docs {
		if d.Content == nil || utf8.RuneCountInString(*d.Content) <= r.threshold {
			short = append(short, d)
		} else {
			long = append(long, d)
		}
	}
	return component.Outputs(document.List(short), document.List(long)), nil
}
