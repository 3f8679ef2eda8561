package joiners

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/value"
)

// ListJoiner chains the lists it gets (haystack/components/joiners/list_joiner.py).
type ListJoiner struct{}

// ListJoinerType describes [ListJoiner].
func ListJoinerType() *component.Type {
	return &component.Type{
		Name:   "haystack.components.joiners.list_joiner.ListJoiner",
		Doc:    "Chains the lists it gets into one.",
		Params: []component.Param{component.Optional("list_type_", nil)},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			out := part.AnyList
			if !b.IsNone("list_type_") {
				var err error
				if out, err = readType(b, "list_type_"); err != nil {
					return nil, nil, err
				}
			}
			return ListJoiner{}, part.Spec([]component.Input{part.LazyIn("values", part.AnyList)}, part.Out("values", out)), nil
		},
	}
}

// Run chains what arrived, in the order of arrival.
func (ListJoiner) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	lists, ok := part.Items(in[0])
	if !ok {
		return component.Out{}, part.Wrong("values", "lists", in[0])
	}
	out := value.NewList()
	for _, l := range lists {
		items, ok := part.Items(l)
		if !ok {
			return component.Out{}, part.TypeError("'%s' object is not iterable", value.TypeName(l))
		}
		out.Items = append(out.Items, items...)
	}
	return component.Outputs(out), nil
}
