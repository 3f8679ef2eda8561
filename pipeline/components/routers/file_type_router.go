package routers

import (
	"context"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/mimetype"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/components/internal/source"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/pipeline/value/pyre"
)

// FileTypeRouter sends sources to the outputs of their MIME types (haystack/components/routers/file_type_router.py). The
// type of a file is told from its name, that of a ByteStream is its mime_type.
type FileTypeRouter struct {
	types    []string
	patterns []*pyre.Regexp
	guess    *mimetype.Table
	strict   bool
}

// The outputs besides the MIME types.
const (
	unclassified = iota
	failed
	firstType
)

// FileTypeRouterType describes [FileTypeRouter].
func FileTypeRouterType() *component.Type {
	return &component.Type{
		Name: "haystack.components.routers.file_type_router.FileTypeRouter",
		Doc:  "Sends files and ByteStreams to the outputs of their MIME types.",
		Params: []component.Param{
			component.Required("mime_types"),
			component.Optional("additional_mimetypes", nil),
			component.Optional("raise_on_failure", value.Bool(false)),
		},
		New: newFileTypeRouter,
	}
}

func newFileTypeRouter(b *component.Builder) (component.Component, *component.Spec, error) {
	r := &FileTypeRouter{types: b.Strs("mime_types"), strict: b.Bool("raise_on_failure")}
	more := map[string]string{}
	for typ, ext := range b.Dict("additional_mimetypes").Strings() {
		s, ok := ext.(value.Str)
		if !ok || !strings.HasPrefix(string(s), ".") {
			b.Fail("additional_mimetypes", "component '%s': init parameter 'additional_mimetypes' must map MIME types to extensions such as '.msg'", b.Name)
		}
		more[string(s)] = typ
	}
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	r.guess = mimetype.With(more)
	if err := r.compile(); err != nil {
		return nil, nil, part.Refuse(b, "mime_types", err)
	}
	spec := part.Spec([]component.Input{part.In("sources", part.Sources), part.Opt("meta", part.SourcesMeta)},
		part.Out("unclassified", part.Sources), part.Out("failed", part.Sources))
	for _, t := range r.types {
		spec.Outputs = append(spec.Outputs, part.Out(t, part.Sources))
	}
	return r, spec, nil
}

func (r *FileTypeRouter) compile() error {
	if len(r.types) == 0 {
		return part.ValueError("The list of mime types cannot be empty.")
	}
	var taken []string
	for _, name := range []string{"failed", "unclassified"} {
		if slices.Contains(r.types, name) {
			taken = append(taken, "'"+name+"'")
		}
	}
	if taken != nil {
		return part.ValueError("MIME type(s) %s are reserved output names in FileTypeRouter ('unclassified' for unmatched sources, "+
			"'failed' for unreadable files). Rename the MIME type to something else.", strings.Join(taken, ", "))
	}
	var unique []string
	for _, t := range r.types {
		if slices.Contains(unique, t) {
			continue
		}
		re, err := pyre.Compile(t, 0)
		if err != nil {
			return part.ValueError("Invalid MIME type or regex pattern '%s'.", t)
		}
		unique, r.patterns = append(unique, t), append(r.patterns, re)
	}
	r.types = unique
	return nil
}

// Run sorts the sources; an output that gets none produces nothing. Sources that cannot be read go to failed.
func (r *FileTypeRouter) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	items, ok := part.Items(in[0])
	if !ok {
		return component.Out{}, part.Wrong("sources", "a list of paths and ByteStreams", in[0])
	}
	metas, err := source.Meta(in[1], len(items))
	if err != nil {
		return component.Out{}, err
	}
	out := make([]value.Value, firstType+len(r.types))
	for i, it := range items {
		routed, to, err := r.route(ctx, env, it, metas[i])
		if err != nil {
			return component.Out{}, err
		}
		if out[to] == nil {
			out[to] = value.NewList()
		}
		list := out[to].(*value.List)
		list.Items = append(list.Items, routed)
	}
	return component.Outputs(out...), nil
}

// route returns what to pass on, and to which output. With meta, a source becomes a ByteStream that holds it.
func (r *FileTypeRouter) route(ctx context.Context, env *component.Env, src value.Value, meta *value.Dict) (value.Value, int, error) {
	var mime string
	switch s := src.(type) {
	case value.Str:
		if err := r.exists(ctx, env, string(s)); err != nil {
			return r.fail(env, src, err)
		}
		mime = r.guess.Guess(string(s))
	case *document.ByteStream:
		if s.MIMEType != nil {
			mime = *s.MIMEType
		}
	default:
		return nil, 0, part.TypeError("Unsupported data source type: %s", value.TypeName(src))
	}
	if meta.Len() > 0 {
		stream, err := source.Open(ctx, env, src)
		if err != nil {
			return r.fail(env, src, err)
		}
		merged := stream.Meta.Clone()
		for k, v := range meta.All() {
			merged.SetKey(k, v)
		}
		src = stream.WithMeta(merged)
	}
	if mime == "" {
		return src, unclassified, nil
	}
	for i, re := range r.patterns {
		if mime == r.types[i] {
			return src, firstType + i, nil
		}
		m, err := re.FullMatch(ctx, mime)
		if err != nil {
			return nil, 0, err
		}
		if m != nil {
			return src, firstType + i, nil
		}
	}
	return src, unclassified, nil
}

func (r *FileTypeRouter) exists(ctx context.Context, env *component.Env, path string) error {
	f, err := part.OpenFile(ctx, env, path)
	if err != nil {
		if source.Refused(err) {
			return err
		}
		return fault.New(fault.NotFound, "File not found: %s", path).WithCode("FileNotFoundError")
	}
	return f.Close()
}

func (r *FileTypeRouter) fail(env *component.Env, src value.Value, err error) (value.Value, int, error) {
	if r.strict || source.Refused(err) {
		return nil, 0, err
	}
	part.Log(env).Warn("a source could not be read", "component", env.Component(), "error", err)
	return src, failed, nil
}
