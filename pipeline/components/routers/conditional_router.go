package routers

import (
	"context"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// ConditionalRouter takes the first route whose condition holds (haystack/components/routers/conditional_router.py).
type ConditionalRouter struct {
	routes   []route
	inputs   []string
	outputs  []string
	validate bool
	native   bool // templates give values instead of text (unsafe: true); nothing here is less safe for it
}

// route is one way out.
type route struct {
	condition *jinja.Template
	outputs   []routeOutput
	shown     value.Value // for messages
}

type routeOutput struct {
	slot     int
	name     string
	typ      *pytype.Type
	template *jinja.Template // nil: the variable below is passed on as it is
	variable string
}

// ConditionalRouterType describes [ConditionalRouter].
func ConditionalRouterType() *component.Type {
	return &component.Type{
		Name: "haystack.components.routers.conditional_router.ConditionalRouter",
		Doc:  "Takes the first route whose condition, a Jinja template, holds.",
		Params: []component.Param{
			component.Required("routes"),
			component.Optional("custom_filters", nil),
			component.Optional("unsafe", value.Bool(false)),
			component.Optional("validate_output_type", value.Bool(false)),
			component.Optional("optional_variables", nil),
		},
		New: newConditionalRouter,
	}
}

func newConditionalRouter(b *component.Builder) (component.Component, *component.Spec, error) {
	r := &ConditionalRouter{validate: b.Bool("validate_output_type"), native: b.Bool("unsafe")}
	optional := b.Strs("optional_variables")
	if err := part.NoFilters(b, "ConditionalRouter"); err != nil {
		return nil, nil, err
	}
	routes := b.List("routes")
	if b.Err() != nil {
		return nil, nil, b.Err()
	}
	env := jinja.New(jinja.Options{})
	spec := &component.Spec{}
	var names []string
	for _, it := range routes {
		vars, err := r.add(env, spec, it)
		if err != nil {
			return nil, nil, part.Refuse(b, "routes", err)
		}
		for _, n := range vars {
			if !slices.Contains(names, n) && !slices.Contains(optional, n) {
				names = append(names, n)
			}
		}
	}
	for _, n := range names {
		spec.Inputs = append(spec.Inputs, part.In(n, part.Any))
	}
	for _, n := range optional {
		spec.Inputs = append(spec.Inputs, part.Opt(n, part.Any))
	}
	for _, s := range spec.Inputs {
		r.inputs = append(r.inputs, s.Name)
	}
	return r, spec, nil
}

// add reads one route, and returns the variables it needs.
func (r *ConditionalRouter) add(env *jinja.Env, spec *component.Spec, v value.Value) ([]string, error) {
	d, ok := v.(*value.Dict)
	if !ok {
		return nil, part.ValueError("Route must be a dictionary, got: %s", value.ToStr(v))
	}
	for _, key := range []string{"condition", "output", "output_type", "output_name"} {
		if _, ok := d.Get(key); !ok {
			return nil, part.ValueError("Route must contain 'condition', 'output', 'output_type' and 'output_name' fields: %s", value.Repr(d))
		}
	}
	outputs, types, names := oneOrMore(d, "output"), oneOrMore(d, "output_type"), oneOrMore(d, "output_name")
	if len(outputs) != len(types) || len(outputs) != len(names) {
		return nil, part.ValueError("Route output, output_type and output_name must have same length: %s", value.Repr(d))
	}
	condition, _ := d.Get("condition")
	rt := route{}
	var err error
	if rt.condition, err = compile(env, "condition", condition); err != nil {
		return nil, err
	}
	vars := rt.condition.Variables()
	passthrough, _ := d.Get("output_passthrough")
	shown := value.NewList()
	for i := range outputs {
		out, err := r.output(env, spec, outputs[i], types[i], names[i], passthrough != nil && value.Truthy(passthrough))
		if err != nil {
			return nil, err
		}
		if out.template != nil {
			vars = append(vars, out.template.Variables()...)
		} else {
			vars = append(vars, out.variable)
		}
		rt.outputs = append(rt.outputs, out)
		shown.Items = append(shown.Items, shownType{out.typ})
	}
	rt.shown = showRoute(d, shown)
	r.routes = append(r.routes, rt)
	return vars, nil
}

func oneOrMore(d *value.Dict, key string) []value.Value {
	v, _ := d.Get(key)
	if l, ok := v.(*value.List); ok {
		return l.Items
	}
	return []value.Value{v}
}

func compile(env *jinja.Env, what string, v value.Value) (*jinja.Template, error) {
	s, ok := v.(value.Str)
	if !ok {
		word, space := "Condition", ""
		if what == "output" {
			word, space = "Output", " "
		}
		return nil, part.ValueError("Invalid template for %s: %s (type: %s).%s%s must be a string representing a valid Jinja2 template. "+
			"For example, use %s instead of %s.", what, value.Repr(v), value.TypeName(v), space, word, value.Repr(value.Str(value.ToStr(v))), value.Repr(v))
	}
	t, err := env.Compile(string(s), "")
	if err != nil && fault.From(err).Code == "TemplateSyntaxError" {
		return nil, part.ValueError("Invalid template for %s: %s", what, string(s)).WithHint("%s", fault.From(err).Message)
	}
	return t, err
}

func (r *ConditionalRouter) output(env *jinja.Env, spec *component.Spec, output, typ, name value.Value, passthrough bool) (routeOutput, error) {
	var out routeOutput
	n, ok1 := name.(value.Str)
	t, ok2 := typ.(value.Str)
	if !ok1 || !ok2 {
		return out, part.ValueError("a route's 'output_name' and 'output_type' must be strings")
	}
	var err error
	if out.typ, err = pytype.Parse(string(t)); err != nil {
		return out, err
	}
	if passthrough {
		v, ok := output.(value.Str)
		if !ok {
			return out, part.ValueError("the 'output' of a passthrough route must be the name of a variable")
		}
		out.variable = string(v)
	} else if out.template, err = compile(env, "output", output); err != nil {
		return out, err
	}
	out.name = string(n)
	if out.slot = slices.Index(r.outputs, out.name); out.slot < 0 {
		out.slot = len(r.outputs)
		r.outputs = append(r.outputs, out.name)
		spec.Outputs = append(spec.Outputs, part.Out(out.name, out.typ))
	}
	spec.Outputs[out.slot].Type = out.typ
	return out, nil
}

// Run tries the routes in order. A condition that cannot be evaluated is a RouteConditionException, no route that holds
// a NoRouteSelectedException.
func (r *ConditionalRouter) Run(ctx context.Context, _ *component.Env, in component.In) (component.Out, error) {
	vars := &value.Dict{}
	for i, name := range r.inputs {
		if in[i] != nil {
			vars.Set(name, in[i])
		}
	}
	for i := range r.routes {
		out, taken, err := r.try(ctx, &r.routes[i], vars)
		if err != nil {
			f := fault.From(err)
			if f.Code == "ValueError" || f.Kind == fault.TooLarge || f.Kind == fault.Canceled || f.Kind == fault.Timeout {
				return component.Out{}, err
			}
			return component.Out{}, fault.New(fault.Failed, "Error evaluating condition for route '%s': %s", value.Repr(r.routes[i].shown), f.Message).
				WithCode("RouteConditionException")
		}
		if taken {
			return component.Out{Values: out}, nil
		}
	}
	shown := value.NewList()
	for _, rt := range r.routes {
		shown.Items = append(shown.Items, rt.shown)
	}
	return component.Out{}, fault.New(fault.Failed, "No route fired. Routes: %s", value.Repr(shown)).WithCode("NoRouteSelectedException")
}

func (r *ConditionalRouter) try(ctx context.Context, rt *route, vars *value.Dict) ([]value.Value, bool, error) {
	holds, err := r.holds(ctx, rt.condition, vars)
	if err != nil || !value.Truthy(holds) {
		return nil, false, err
	}
	out := make([]value.Value, len(r.outputs))
	for _, o := range rt.outputs {
		if out[o.slot], err = o.value(ctx, vars, r.native); err != nil {
			return nil, false, err
		}
		if r.validate && !part.Matches(out[o.slot], o.typ) {
			return nil, false, part.ValueError("Route '%s' type doesn't match expected type", o.name)
		}
	}
	return out, true, nil
}

func (r *ConditionalRouter) holds(ctx context.Context, t *jinja.Template, vars *value.Dict) (value.Value, error) {
	if r.native {
		return t.RenderNative(ctx, vars)
	}
	text, err := t.Render(ctx, vars)
	if err != nil {
		return nil, err
	}
	return value.LiteralEval(text)
}

func (o *routeOutput) value(ctx context.Context, vars *value.Dict, native bool) (value.Value, error) {
	if o.template == nil {
		v, ok := vars.Get(o.variable)
		if !ok {
			return nil, part.ValueError("Variable '%[1]s' not found in inputs for passthrough route '%[2]s'. "+
				"Ensure '%[1]s' is passed as an input to the router.", o.variable, o.name)
		}
		return v, nil
	}
	if native {
		return o.template.RenderNative(ctx, vars)
	}
	text, err := o.template.Render(ctx, vars)
	if err != nil {
		return nil, err
	}
	return part.Literal(text, o.typ), nil
}

// shownType prints a type as Python prints it in a message.
type shownType struct{ t *pytype.Type }

func (shownType) Kind() value.Kind                { return value.KindObject }
func (shownType) Class() string                   { return "type" }
func (shownType) Attr(string) (value.Value, bool) { return nil, false }
func (shownType) ToDict() *value.Dict             { return &value.Dict{} }
func (s shownType) Repr() string {
	if s.t.Args == nil && s.t.Literals == nil && s.t.Name != "typing.Any" {
		return "<class '" + s.t.String() + "'>"
	}
	return s.t.String()
}

// showRoute is the route with its types in place of their names.
func showRoute(d *value.Dict, types *value.List) value.Value {
	out := &value.Dict{}
	for k, v := range d.All() {
		if k == value.Str("output_type") {
			if _, several := v.(*value.List); several {
				v = types
			} else {
				v = types.Items[0]
			}
		}
		out.SetKey(k, v)
	}
	return out
}
