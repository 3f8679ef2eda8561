package converters

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// OutputAdapter makes another value of what it gets, by a Jinja template (haystack/components/converters/output_adapter.py).
type OutputAdapter struct {
	source   string
	template *jinja.Template
	vars     []string
	typ      *pytype.Type
	native   bool // the template gives a value instead of text (unsafe: true)
}

// OutputAdapterType describes [OutputAdapter].
func OutputAdapterType() *component.Type {
	return &component.Type{
		Name: "haystack.components.converters.output_adapter.OutputAdapter",
		Doc:  "Makes another value of what it gets, by a Jinja template.",
		Params: []component.Param{
			component.Required("template"),
			component.Required("output_type"),
			component.Optional("custom_filters", nil),
			component.Optional("unsafe", value.Bool(false)),
		},
		New: newOutputAdapter,
	}
}

func newOutputAdapter(b *component.Builder) (component.Component, *component.Spec, error) {
	a := &OutputAdapter{source: b.Str("template"), native: b.Bool("unsafe")}
	typ := b.Str("output_type")
	if err := part.NoFilters(b, "OutputAdapter"); err != nil {
		return nil, nil, err
	}
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	var err error
	if a.typ, err = pytype.Parse(typ); err != nil {
		return nil, nil, part.Refuse(b, "output_type", err)
	}
	opt := jinja.Options{Undefined: jinja.Strict}
	if a.native {
		opt.Undefined = jinja.Default
	}
	if a.template, err = jinja.New(opt).Compile(a.source, ""); err != nil {
		f := fault.From(err)
		return nil, nil, part.Refuse(b, "template", part.ValueError("Invalid Jinja template '%s': %s", a.source, f.Message))
	}
	a.vars = a.template.Variables()
	spec := part.Spec(nil, part.Out("output", a.typ))
	for _, name := range a.vars {
		spec.Inputs = append(spec.Inputs, part.In(name, part.Any))
	}
	return a, spec, nil
}

// Run renders the template; what cannot be rendered is an OutputAdaptationException.
func (a *OutputAdapter) Run(ctx context.Context, _ *component.Env, in component.In) (component.Out, error) {
	vars := &value.Dict{}
	for i, name := range a.vars {
		if in[i] != nil {
			vars.Set(name, in[i])
		}
	}
	if vars.Len() == 0 {
		return component.Out{}, part.ValueError("No input data provided for output adaptation")
	}
	out, err := a.render(ctx, vars)
	if err != nil {
		f := fault.From(err)
		if f.Kind == fault.TooLarge || f.Kind == fault.Canceled || f.Kind == fault.Timeout {
			return component.Out{}, err
		}
		return component.Out{}, fault.New(fault.Failed, "Error adapting %s with %s: %s", a.source, value.Repr(vars), f.Message).
			WithCode("OutputAdaptationException")
	}
	return component.Outputs(out), nil
}

func (a *OutputAdapter) render(ctx context.Context, vars *value.Dict) (value.Value, error) {
	if a.native {
		return a.template.RenderNative(ctx, vars)
	}
	text, err := a.template.Render(ctx, vars)
	if err != nil {
		return nil, err
	}
	return part.Literal(text, a.typ), nil
}
