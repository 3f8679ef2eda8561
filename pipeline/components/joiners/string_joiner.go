package joiners

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/value"
)

// StringJoiner makes a list of the strings it gets (haystack/components/joiners/string_joiner.py).
type StringJoiner struct{}

// StringJoinerType describes [StringJoiner].
func StringJoinerType() *component.Type {
	return &component.Type{
		Name: "haystack.components.joiners.string_joiner.StringJoiner",
		Doc:  "Makes a list of the strings it gets.",
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			return StringJoiner{}, part.Spec([]component.Input{part.LazyIn("strings", part.Str)}, part.Out("strings", part.Strs)), b.Err()
		},
	}
}

// Run returns the strings in the order of arrival.
func (StringJoiner) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	items, ok := part.Items(in[0])
	if text, isText := in[0].(value.Str); isText { // Python's list() of a str
		for _, r := range string(text) {
			items = append(items, value.Str(string(r)))
		}
		ok = true
	}
	if !ok {
		return component.Out{}, part.Wrong("strings", "strings", in[0])
	}
	return component.Outputs(value.NewList(items...)), nil
}
