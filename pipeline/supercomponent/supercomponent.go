package supercomponent

import (
	"context"

	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// TypeName is the YAML type of [SuperComponent], and what a component made of one is dumped as.
const TypeName = "haystack.core.super_component.super_component.SuperComponent"

// SuperComponent runs a pipeline as one component, under other names for its sockets
// (haystack/core/super_component/super_component.py). The inner run is part of the outer one: it has its secrets, stores,
// budget and listener.
type SuperComponent struct {
	plan    *pipeline.Plan
	inputs  []target // by input
	outputs []output // by output
	include pipeline.Option
	params  *value.Dict
}

// target is the inner sockets that one input goes to.
type target struct {
	name    string
	sockets []pipeline.Socket
}

type output struct {
	name   string
	socket pipeline.Socket
}

// delegate is the default of inputs that nobody has to give: the inner socket then takes its own. Haystack has an object of
// its own for it as well.
var delegate = &value.Dict{}

// Type describes [SuperComponent].
func Type() *component.Type {
	return &component.Type{
		Name: TypeName,
		Doc:  "Runs a pipeline as one component, under other names for its inputs and outputs.",
		Params: []component.Param{
			component.Required("pipeline"),
			component.Optional("input_mapping", nil),
			component.Optional("output_mapping", nil),
			component.Optional("is_pipeline_async", nil), // of older files; means nothing
		},
		New: build,
	}
}

func build(b *component.Builder) (component.Component, *component.Spec, error) {
	dict := b.Dict("pipeline")
	if b.IsNone("pipeline") {
		b.Fail("pipeline", "Pipeline must be provided to SuperComponent.")
	}
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	plan, err := pipeline.FromDict(dict, b.Registry, pipeline.LoadOptions{})
	if err != nil {
		return nil, nil, err
	}
	b.Adopt("pipeline", plan.Secrets(), plan.Stores())
	return New(plan, b.Get("input_mapping"), b.Get("output_mapping"))
}

// New wraps a plan. The mappings are {input: [component.socket, ...]} and {component.socket: output}. None for the inputs
// gives every open socket under its own name, those of one name together; None for the outputs gives what no inner
// component takes. Errors are Invalid: InvalidMappingTypeError, InvalidMappingValueError.
func New(plan *pipeline.Plan, inputs, outputs value.Value) (*SuperComponent, *component.Spec, error) {
	if inputs == nil {
		inputs = value.None
	}
	if outputs == nil {
		outputs = value.None
	}
	s := &SuperComponent{plan: plan, params: value.NewDict("pipeline", plan.ToDict(), "input_mapping", inputs, "output_mapping", outputs)}
	ins, err := s.mapInputs(inputs)
	if err != nil {
		return nil, nil, err
	}
	outs, err := s.mapOutputs(outputs)
	if err != nil {
		return nil, nil, err
	}
	var names []string
	for _, o := range s.outputs {
		names = append(names, o.socket.Component)
	}
	s.include = pipeline.IncludeOutputsFrom(names...)
	return s, &component.Spec{Inputs: ins, Outputs: outs}, nil
}

// InitParameters implements [component.Dumper].
func (s *SuperComponent) InitParameters() *value.Dict { return s.params }

// Run runs the pipeline. Its own errors pass through; outputs that it did not produce are left out.
func (s *SuperComponent) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	given := &value.Dict{}
	for i, t := range s.inputs {
		if left(in[i]) {
			continue
		}
		for _, to := range t.sockets {
			sockets, _ := given.Get(to.Component)
			d, ok := sockets.(*value.Dict)
			if !ok {
				d = &value.Dict{}
				given.Set(to.Component, d)
			}
			d.Set(to.Socket, in[i])
		}
	}
	res, err := s.plan.Run(ctx, given, pipeline.Within(env), s.include)
	for _, w := range res.Warnings {
		env.Log().WarnContext(ctx, w, "component", env.Component())
	}
	if err != nil {
		return component.Out{}, err
	}
	out := component.Out{Values: make([]value.Value, len(s.outputs))}
	for i, o := range s.outputs {
		sockets, _ := res.Outputs.Get(o.socket.Component)
		if d, ok := sockets.(*value.Dict); ok {
			if v, ok := d.Get(o.socket.Socket); ok {
				out.Values[i] = v
			}
		}
	}
	return out, nil
}

// left reports whether an input was not given; on a list socket the engine wraps the default.
func left(v value.Value) bool {
	if list, ok := v.(*value.List); ok && len(list.Items) == 1 {
		v = list.Items[0]
	}
	d, ok := v.(*value.Dict)
	return ok && d == delegate
}
