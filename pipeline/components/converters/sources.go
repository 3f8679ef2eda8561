// Package converters holds the components of haystack.components.converters: they make documents out of files and byte
// streams. A source that cannot be read or converted is skipped with a warning, as in Haystack; one that the host does
// not allow at all (a local path on a server) is an error.
package converters

import (
	"context"
	"io"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// maxFile bounds how much of a local file is read, in bytes.
const maxFile = 256 << 20

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
	metas, err := normalizeMeta(meta, len(items))
	if err != nil {
		return component.Out{}, err
	}
	out := []*document.Document{}
	for i, it := range items {
		if err := ctx.Err(); err != nil {
			return component.Out{}, fault.Wrap(fault.Canceled, context.Cause(ctx), "the conversion was stopped")
		}
		stream, err := Open(ctx, env, it)
		if refused(err) {
			return component.Out{}, err
		}
		if err != nil {
			part.Log(env).Warn("a source could not be read and is skipped", "component", env.Component, "source", i, "error", err)
			continue
		}
		docs, err := fn(source{stream, metas[i]})
		if err != nil {
			part.Log(env).Warn("a source could not be converted and is skipped", "component", env.Component, "source", i, "error", err)
			continue
		}
		out = append(out, docs...)
	}
	return component.Outputs(document.List(out)), nil
}

// refused tells a source that may not be read from one that cannot be.
func refused(err error) bool { return fault.Is(err, fault.Unsupported) || fault.Is(err, fault.Denied) }

// Open returns the stream behind a source: a ByteStream as it is, a path as the file it names, with the path as
// meta.file_path.
func Open(ctx context.Context, env *component.Env, src value.Value) (*document.ByteStream, error) {
	switch src := src.(type) {
	case *document.ByteStream:
		return src, nil
	case value.Str:
		f, err := part.OpenFile(ctx, env, string(src))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
		if err != nil {
			return nil, err
		}
		if len(data) > maxFile {
			return nil, fault.New(fault.TooLarge, "a file has more than %d bytes", maxFile)
		}
		return document.Bytes(data, "", value.NewDict("file_path", src)), nil
	}
	return nil, part.ValueError("Unsupported source type <class '%s'>", value.TypeName(src))
}

// normalizeMeta gives each source its meta: none, one for all, or one of a list.
func normalizeMeta(meta value.Value, n int) ([]*value.Dict, error) {
	out := make([]*value.Dict, n)
	switch m := meta.(type) {
	case *value.Dict:
		for i := range out {
			out[i] = m
		}
		return out, nil
	case *value.List:
		if len(m.Items) != n {
			return nil, part.ValueError("The length of the metadata list must match the number of sources.")
		}
		for i, it := range m.Items {
			d, ok := it.(*value.Dict)
			if !ok {
				return nil, part.Wrong("meta", "a list of mappings", it)
			}
			out[i] = d
		}
		return out, nil
	}
	if !value.IsNone(meta) {
		return nil, part.ValueError("meta must be either None, a dictionary or a list of dictionaries.")
	}
	for i := range out {
		out[i] = &value.Dict{}
	}
	return out, nil
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
