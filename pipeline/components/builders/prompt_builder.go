package builders

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/value"
)

// PromptBuilder renders a Jinja template (haystack/components/builders/prompt_builder.py).
type PromptBuilder struct {
	env      *jinja.Env
	template *jinja.Template
	vars     variables
}

// PromptBuilderType describes [PromptBuilder].
func PromptBuilderType() *component.Type {
	return &component.Type{
		Name:  "haystack.components.builders.prompt_builder.PromptBuilder",
		Doc:   "Renders a Jinja template to a prompt.",
		Older: map[string]value.Value{"required_variables": value.None},
		Params: []component.Param{
			component.Required("template"),
			component.Optional("required_variables", value.Str("*")),
			component.Optional("variables", nil),
		},
		New: newPromptBuilder,
	}
}

func newPromptBuilder(b *component.Builder) (component.Component, *component.Spec, error) {
	p := &PromptBuilder{env: templates(), vars: variables{class: "PromptBuilder", names: b.Strs("variables")}}
	source := b.Str("template")
	p.vars.readRequired(b)
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	var err error
	if p.template, err = p.env.Compile(source, ""); err != nil {
		return nil, nil, part.Refuse(b, "template", err)
	}
	if len(p.vars.names) == 0 {
		p.vars.names = p.template.Variables()
	}
	p.vars.names = unique(p.vars.names)
	return p, part.Spec(p.vars.inputs(part.Opt("template", part.OptStr)), part.Out("prompt", part.Str)), nil
}

// Run renders the template, or the one that came with the run.
func (p *PromptBuilder) Run(ctx context.Context, _ *component.Env, in component.In) (component.Out, error) {
	n := len(p.vars.names)
	given, err := p.vars.collect(in, in[n+1])
	if err == nil {
		err = p.vars.check(given)
	}
	if err != nil {
		return component.Out{}, err
	}
	template := p.template
	if source, err := part.TextOr("template", in[n], nil); err != nil {
		return component.Out{}, err
	} else if source != nil {
		if template, err = p.env.Compile(*source, ""); err != nil {
			return component.Out{}, err
		}
	}
	text, err := template.Render(ctx, given)
	if err != nil {
		return component.Out{}, err
	}
	return component.Outputs(value.Str(text)), nil
}
