package component_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// A component of one's own: two structs and a function. The YAML type is whatever it is registered under.
func ExampleDefine() {
	type input struct {
		Text   string
		Repeat int     `default:"1"`
		Suffix *string // optional, None by default
	}
	type output struct {
		Text  string
		Words int
	}
	shout := component.Define(component.Definition[input, output]{
		Name:   "example.Shout",
		Doc:    "Writes a text in capitals.",
		Params: []component.Param{component.Optional("mark", value.Str("!"))},
		New: func(b *component.Builder) (func(context.Context, *component.Env, input) (output, error), error) {
			mark := b.Str("mark")
			return func(_ context.Context, _ *component.Env, in input) (output, error) {
				text := strings.Repeat(strings.ToUpper(in.Text)+mark, in.Repeat)
				if in.Suffix != nil {
					text += *in.Suffix
				}
				return output{Text: text, Words: len(strings.Fields(in.Text))}, nil
			}, nil
		},
	})

	registry := component.NewRegistry([]*component.Type{shout}, nil)
	plan, err := pipeline.Load([]byte(`
components:
  first: {type: example.Shout, init_parameters: {mark: "?"}}
  second: {type: example.Shout}
connections:
  - {sender: first.text, receiver: second.text}
`), "shout.yml", registry, pipeline.LoadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := plan.Run(context.Background(), value.NewDict(
		"first", value.NewDict("text", value.Str("hay for all")),
		"second", value.NewDict("repeat", value.Int(2), "suffix", value.Str(" (said twice)"))))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(value.Repr(result.Outputs))
	// Output: {'first': {'words': 3}, 'second': {'text': 'HAY FOR ALL?!HAY FOR ALL?! (said twice)', 'words': 3}}
}
