package routers

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/docstore/filter"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// MetadataRouter sends documents to the outputs whose filters they match (haystack/components/routers/metadata_router.py).
type MetadataRouter struct{ rules []*filter.Filter }

var documentsOrStreams = pytype.MustParse(
	"list[haystack.dataclasses.document.Document] | list[haystack.dataclasses.byte_stream.ByteStream]")

// MetadataRouterType describes [MetadataRouter].
func MetadataRouterType() *component.Type {
	return &component.Type{
		Name: "haystack.components.routers.metadata_router.MetadataRouter",
		Doc:  "Sends documents to the outputs whose filters they match.",
		Params: []component.Param{
			component.Required("rules"),
			component.Optional("output_type", value.Str("list[haystack.dataclasses.document.Document]")),
			component.Optional("strict_datetime_comparison", value.Bool(false)),
		},
		New: newMetadataRouter,
	}
}

func newMetadataRouter(b *component.Builder) (component.Component, *component.Spec, error) {
	r := &MetadataRouter{}
	rules, typeName, strict := b.Dict("rules"), b.Str("output_type"), b.Bool("strict_datetime_comparison")
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	out, err := pytype.Parse(typeName)
	if err != nil {
		return nil, nil, part.Refuse(b, "output_type", err)
	}
	spec := part.Spec([]component.Input{part.In("documents", documentsOrStreams)}, part.Out("unmatched", out))
	for name, rule := range rules.Strings() {
		if name == "unmatched" {
			return nil, nil, part.Refuse(b, "rules",
				part.ValueError("The rule name 'unmatched' is reserved for documents that do not match any rule."))
		}
		d, ok := rule.(*value.Dict)
		if ok {
			_, ok = d.Get("operator")
		}
		if !ok {
			return nil, nil, part.Refuse(b, "rules", part.ValueError(
				"Invalid filter syntax. See https://docs.haystack.deepset.ai/docs/metadata-filtering for details."))
		}
		r.rules = append(r.rules, filter.Compile(d, strict))
		spec.Outputs = append(spec.Outputs, part.Out(name, out))
	}
	return r, spec, nil
}

// Run gives each output its list, an empty one too; a document may be in several.
func (r *MetadataRouter) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	items, ok := part.Items(in[0])
	if !ok {
		return component.Out{}, part.Wrong("documents", "a list of Documents or ByteStreams", in[0])
	}
	lists := make([]*value.List, len(r.rules)+1)
	for i := range lists {
		lists[i] = value.NewList()
	}
	for _, it := range items {
		o, ok := it.(value.Object)
		if !ok {
			return component.Out{}, part.Wrong("documents", "a list of Documents or ByteStreams", it)
		}
		matched := false
		for i, rule := range r.rules {
			ok, err := rule.Matches(o)
			if err != nil {
				return component.Out{}, err
			}
			if ok {
				lists[i+1].Items = append(lists[i+1].Items, it)
				matched = true
			}
		}
		if !matched {
			lists[0].Items = append(lists[0].Items, it)
		}
	}
	out := make([]value.Value, len(lists))
	for i, l := range lists {
		out[i] = l
	}
	return component.Outputs(out...), nil
}
