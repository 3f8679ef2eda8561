package joiners

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/pytype"
)

// BranchJoiner passes on the first value that arrives on any of its branches (haystack/components/joiners/branch.py).
type BranchJoiner struct{}

// BranchJoinerType describes [BranchJoiner].
func BranchJoinerType() *component.Type {
	return &component.Type{
		Name:    "haystack.components.joiners.branch.BranchJoiner",
		Aliases: []string{"haystack.components.others.multiplexer.Multiplexer"}, // its name before 2.3
		Doc:     "Passes on the first value that arrives on any of its branches.",
		Params:  []component.Param{component.Required("type_")},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			t, err := readType(b, "type_")
			if err != nil {
				return nil, nil, err
			}
			return BranchJoiner{}, part.Spec([]component.Input{{Name: "value", Type: t, Variadic: component.Greedy}},
				part.Out("value", t)), nil
		},
	}
}

// readType reads an init parameter that is a type as a string.
func readType(b *component.Builder, name string) (*pytype.Type, error) {
	s := b.Str(name)
	if b.Err() != nil {
		return nil, b.Err()
	}
	t, err := pytype.Parse(s)
	if err != nil {
		return nil, part.Refuse(b, name, err)
	}
	return t, nil
}

// Run passes on the one value it got.
func (BranchJoiner) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	items, ok := part.Items(in[0])
	if !ok || len(items) != 1 {
		return component.Out{}, part.ValueError("BranchJoiner expects only one input, but %d were received.", len(items))
	}
	return component.Outputs(items[0]), nil
}
