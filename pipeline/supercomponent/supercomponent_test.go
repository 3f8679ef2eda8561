package supercomponent_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pipelinetest"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/supercomponent"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

const samples = "haystack.testing.sample_components."

// inner is (value + add of a) + add of b, beside a greeting of their own.
const inner = `
        components:
          a: {type: ` + samples + `add_value.AddFixedValue, init_parameters: {add: 1}}
          b: {type: ` + samples + `add_value.AddFixedValue, init_parameters: {add: 10}}
          g: {type: ` + samples + `greet.Greet, init_parameters: {}}
        connections:
          - {sender: a.result, receiver: b.value}
`

func load(mappings string) (*pipeline.Plan, error) {
	src := "components:\n  s:\n    type: " + supercomponent.TypeName + "\n    init_parameters:\n      pipeline:" + inner + mappings
	return pipeline.Load([]byte(src), "s.yml", pipelinetest.Registry().With(supercomponent.Type()), pipeline.LoadOptions{})
}

// The sockets of both kinds of mapping, and what a run gives.
func TestMappings(t *testing.T) {
	const both = "      input_mapping: {number: [a.value, g.value], more: [a.add, b.add]}\n      output_mapping: {b.result: sum, a.result: half}\n"
	const outs = "      output_mapping: {b.result: sum, g.value: same}\n"
	for _, c := range []struct{ mappings, inputs, sockets, want string }{
		{both, `{"number": 1}`, "number: int, more?", "{'sum': 12, 'half': 2}"},
		{both, `{"number": 1, "more": 100}`, "number: int, more?", "{'sum': 201, 'half': 101}"},
		{both, `{"number": 1, "more": null}`, "number: int, more?", "{'sum': 12, 'half': 2}"},
		{outs, `{"value": 1}`, "value: int, add?, message?, log_level?", "{'sum': 12, 'same': 1}"},
		{"      output_mapping: {g.value: same}\n      is_pipeline_async: true\n", `{"value": 4, "add": 2}`, "value: int, add?, message?, log_level?", "{'same': 4}"},
		{"", `{"value": 1}`, "value: int, add?, message?, log_level?", "{'result': 12, 'value': 1}"},
	} {
		plan, err := load(c.mappings)
		if err != nil {
			t.Errorf("%s: %v", c.mappings, err)
			continue
		}
		var sockets []string
		for _, in := range plan.Inputs() {
			text := in.Socket + "?"
			if in.Mandatory {
				text = in.Socket + ": " + in.Type.String()
			}
			sockets = append(sockets, text)
		}
		if got := strings.Join(sockets, ", "); got != c.sockets {
			t.Errorf("%s: sockets %s", c.mappings, got)
		}
		in, _ := value.FromJSON([]byte(c.inputs))
		res, err := plan.Run(context.Background(), value.NewDict("s", in))
		if err != nil {
			t.Errorf("%s %s: %v", c.mappings, c.inputs, err)
			continue
		}
		got, _ := res.Outputs.Get("s")
		if value.Repr(got) != c.want {
			t.Errorf("%s %s: %s", c.mappings, c.inputs, value.Repr(got))
		}
	}
}

// Bad mappings, with Haystack's texts.
func TestBadMappings(t *testing.T) {
	for mappings, want := range map[string]string{
		"input_mapping: {x: [a]}":                                "InvalidMappingValueError: Invalid path format: 'a'. Expected 'component_name.socket_name'.",
		"input_mapping: {x: a.value}":                            "InvalidMappingTypeError: Input paths for 'x' must be a list of strings.",
		"input_mapping: [a.value]":                               "InvalidMappingTypeError: input_mapping must be a dictionary",
		"input_mapping: {x: [z.value]}":                          "InvalidMappingValueError: Component 'z' not found in pipeline inputs.\nAvailable components: ['a', 'b', 'g']",
		"input_mapping: {x: [b.value]}":                          "InvalidMappingValueError: Input socket 'value' not found in component 'b'.\nAvailable inputs for 'b': ['add']",
		"input_mapping: {x: [a.value, g.message]}":               "InvalidMappingTypeError: Type conflict for input 'message' from component 'g'. Existing type: <class 'int'>, new type: str | None.",
		"output_mapping: {b.result: 1}":                          "InvalidMappingTypeError: Output names in output_mapping must be strings.",
		"output_mapping: {b: x}":                                 "InvalidMappingValueError: Invalid path format: 'b'. Expected 'component_name.socket_name'.",
		"output_mapping: {z.result: x}":                          "InvalidMappingValueError: Component 'z' not found among pipeline outputs.",
		"output_mapping: {b.z: x}":                               "InvalidMappingValueError: Output socket 'z' not found in component 'b'.",
		"output_mapping: {b.result: x, a.result: x}":             "InvalidMappingValueError: Duplicate output name 'x' in output_mapping.",
		"output_mapping: {b.result: x, a.result: x, z.z: y}":     "InvalidMappingValueError: Component 'z' not found among pipeline outputs.",
		"pipeline: {components: {a: {type: no.such.Component}}}": "PipelineError: component 'a': there is no component type 'no.such.Component' here",
		"pipeline: null":                                         "DeserializationError: Pipeline must be provided to SuperComponent.",
	} {
		mapping := mappings
		_, err := load("      " + mapping + "\n")
		f := fault.From(err)
		if f == nil || f.Code+": "+f.Message != want || f.Where.Position.File != "s.yml" {
			t.Errorf("%s:\n got %v\nwant %s", mappings, err, want)
		}
	}
}

// Two leaves of one name need a mapping.
func TestOutputNamesClash(t *testing.T) {
	reg := pipelinetest.Registry()
	p := pipeline.New(reg)
	for _, name := range []string{"a", "b"} {
		if err := p.AddComponent(name, samples+"add_value.AddFixedValue", nil); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = supercomponent.New(plan, nil, nil)
	const want = "Output name conflict: 'result' is produced by multiple components. Please provide an output_mapping to resolve this conflict."
	if f := fault.From(err); f == nil || f.Code != supercomponent.CodeMappingValue || f.Message != want {
		t.Errorf("%v", err)
	}
}

// What is dumped loads again as the same, and a missing inner input is the inner pipeline's own error.
func TestDumpAndErrors(t *testing.T) {
	plan, err := load("      input_mapping: {n: [a.value]}\n")
	if err != nil {
		t.Fatal(err)
	}
	text, err := plan.Dump()
	if err != nil {
		t.Fatal(err)
	}
	again, err := pipeline.Load([]byte(text), "", pipelinetest.Registry().With(supercomponent.Type()), pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := again.Dump(); second != text || !strings.Contains(text, "input_mapping:\n        n:\n        - a.value\n      output_mapping: null\n") ||
		strings.Contains(text, "is_pipeline_async") {
		t.Errorf("dumps differ:\n%s\n%s", text, second)
	}
	_, err = plan.Run(context.Background(), value.NewDict("n", value.Int(1)))
	const want = "The following component failed to run:\nComponent name: 's'\nComponent type: 'SuperComponent'\nError: Missing mandatory input 'value' for component 'g'."
	if f := fault.From(err); f.Message != want {
		t.Errorf("%v", err)
	}
}

type vault struct{ asked []string }

func (v *vault) Resolve(_ context.Context, _ string, req component.SecretRequest) (pipeline.Found, error) {
	v.asked = append(v.asked, req.Component)
	return pipeline.Found{Value: sealed.NewString("x").For(req.For), Layer: "vault"}, nil
}

// The inner run has the outer one's secrets, budget and listener.
func TestInnerRunBelongsToTheOuter(t *testing.T) {
	anyType := pytype.MustParse("typing.Any")
	work := &componentFunc{func(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
		key, err := env.Secret(ctx, component.SecretRequest{Secret: component.Secret{EnvVars: []string{"KEY"}, Strict: true}, For: sealed.MustDestination("https://a.example")})
		if err != nil || key.IsZero() {
			return component.Out{}, fmt.Errorf("no key: %w", err)
		}
		r, err := env.Reserve(ctx, component.Call{Model: "m", In: 5, Out: 5})
		if err != nil {
			return component.Out{}, err
		}
		r.Settle(component.Usage{In: 5, Out: 2})
		return component.Outputs(value.Str(env.RequestID())), env.Stream(&chat.StreamingChunk{Content: "hi"})
	}}
	spec := &component.Spec{Inputs: []component.Input{{Name: "streaming_callback", Type: anyType, Default: value.None}}, Outputs: []component.Output{{Name: "id", Type: anyType}}}
	p := pipeline.New(nil)
	if err := p.AddInstance("llm", work, spec, "test.LLM"); err != nil {
		t.Fatal(err)
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	s, spec, err := supercomponent.New(plan, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	outer := pipeline.New(nil)
	if err := outer.AddInstance("s", s, spec, supercomponent.TypeName); err != nil {
		t.Fatal(err)
	}
	whole, err := outer.Compile()
	if err != nil {
		t.Fatal(err)
	}
	v := &vault{}
	heard := ""
	budget := pipeline.NewBudget(pipeline.BudgetLimits{Tokens: 12})
	run := func() (*pipeline.Result, error) {
		return whole.Run(context.Background(), nil, pipeline.WithResolver(v), pipeline.WithRunContext(pipeline.RunContext{RequestID: "r1", Budget: budget}),
			pipeline.WithStream(func(ev pipeline.StreamEvent) error { heard += ev.Component + " " + ev.Chunk.Content; return nil }))
	}
	res, err := run()
	if err != nil || value.Repr(res.Outputs) != "{'s': {'id': 'r1'}}" || heard != "s hi" || fmt.Sprint(v.asked) != "[s.llm]" {
		t.Fatalf("%v %v %q %v", err, res.Outputs, heard, v.asked)
	}
	if a := res.Ledger.Components["s.llm"]; a.TokensOut != 2 || res.Ledger.Total.TokensIn != 5 || res.Ledger.Components["s"].Runs != 1 || len(res.Secrets) != 1 {
		t.Errorf("%+v", res.Ledger)
	}
	if _, err = run(); fault.From(err).Code != pipeline.CodeBudgetExceeded {
		t.Errorf("%v", err)
	}
}

type componentFunc struct {
	run func(ctx context.Context, env *component.Env, in component.In) (component.Out, error)
}

func (c *componentFunc) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	return c.run(ctx, env, in)
}
