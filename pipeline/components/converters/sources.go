package converters

import (
	"context"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	inputsource "github.com/haywardhq/hayward/pipeline/components/internal/source"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// source is one item of a sources input, with the meta given for it.
type source struct {
	stream *document.ByteStream
	meta   *value.Dict
}

// inputs are the sockets that converters of sources have.
func inputs(more ...component.Input) []component.Input {
	in := append([]component.Input{part.In("sources", part.Sources)}, more...)
	return append(in, part.Opt("meta", part.SourcesMeta))
}

// convert calls fn for each source that can be read. What fn returns is collected; its error skips the source with a
// warning. Errors of convert itself end the run.
func convert(ctx context.Context, env *component.Env, sources, meta value.Value, fn func(source) ([]*document.Document, error)) (component.Out, error) {
	items, ok := part.Items(sources)
	if !ok {
		return component.Out{}, part.Wrong("sources", "a list of paths and ByteStreams", sources)
	}
	metas, err := inputsource.Meta(meta, len(items))
	if err != nil {
		return component.Out{}, err
	}
	out := []*document.Document{}
	for i, it := range items {
		if err := ctx.Err(); err != nil {
			return component.Out{}, fault.Wrap(fault.Canceled, context.Cause(ctx), "the conversion was stopped")
		}
		stream, err := inputsource.Open(ctx, env, it)
		if inputsource.Refused(err) {
			return component.Out{}, err
		}
		if err != nil {
			part.Log(env).Warn("a source could not be read and is skipped", "component", env.Component(), "source", i, "error", err)
			continue
		}
		docs, err := fn(source{stream, metas[i]})
		if err != nil {
			part.Log(env).Warn("a source could not be converted and is skipped", "component", env.Component(), "source", i, "error", err)
			continue
		}
		out = append(out, docs...)
	}
	return component.Outputs(document.List(out)), nil
}

// merged is the meta of a document: the stream's, over it the source's. Unless full is set, file_path is the file's
// name alone.
func (s source) merged(full bool) *value.Dict {
	out := s.stream.Meta.Clone()
	for k, v := range s.meta.All() {
		out.SetKey(k, v)
	}
	if full {
		return out
	}
	if path, _ := s.stream.Meta.Get("file_path"); path != nil {
		if p, ok := path.(value.Str); ok && p != "" {
			out.Set("file_path", p[strings.LastIndexByte(string(p), '/')+1:])
		}
	}
	return out
}

// textDocument makes a document of a text.
func textDocument(text string, meta *value.Dict) (*document.Document, error) {
	return document.New(document.Document{Content: &text, Meta: meta})
}
