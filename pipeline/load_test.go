package pipeline_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/pipelinetest"
	"github.com/haywardhq/hayward/pipeline/value"
)

const samples = "haystack.testing.sample_components."

func load(src string) (*pipeline.Plan, error) {
	return pipeline.Load([]byte(strings.ReplaceAll(src, "~", samples)), "p.yml", pipelinetest.Registry(), pipeline.LoadOptions{})
}

const adder = "components:\n  a: {type: ~add_value.AddFixedValue}\n  b: {type: ~add_value.AddFixedValue}\n"

// Each bad file: where the main problem is, its code, what it says and what could have been meant.
func TestLoadProblems(t *testing.T) {
	for _, c := range []struct {
		name, src, at, code, message, hint string
	}{
		{"not YAML", "components: [a\n", "p.yml:2:1", "YAMLError", "", ""},
		{"not a mapping", "- a\n", "p.yml:1:1", "DeserializationError", "a pipeline file is a mapping with components and connections, not a list", ""},
		{"empty", "", "p.yml:1:1", "DeserializationError", "a pipeline file is a mapping with components and connections, not nothing", ""},
		{"components is a list", "components: [a]\n", "p.yml:1:13", "DeserializationError", "components must be a mapping of names to components, not a list", ""},
		{"a component is a text", "components: {a: b}\n", "p.yml:1:17", "DeserializationError",
			"component 'a' must be a mapping with type and init_parameters, not a text", ""},
		{"no type", "components:\n  a:\n    init_parameters: {}\n", "p.yml:2:3", "PipelineError", "Missing 'type' in component 'a'", ""},
		{"type is a number", "components:\n  a: {type: 1}\n", "p.yml:2:13", "DeserializationError", "the type of component 'a' must be a text, not a number", ""},
		{"unknown type", "components:\n  a:\n    type: ~add_value.AddFixdValue\n", "p.yml:3:11", "PipelineError",
			"component 'a': there is no component type '~add_value.AddFixdValue' here", "did you mean '~add_value.AddFixedValue'?"},
		{"unknown parameter", "components:\n  a:\n    type: ~double.Double\n    init_parameters: {x: 1}\n", "p.yml:2:3", "DeserializationError",
			"component 'a' (~double.Double) has no init parameter 'x'", "its parameters are: "},
		{"bad parameter", "components:\n  a:\n    type: ~add_value.AddFixedValue\n    init_parameters:\n      add: many\n", "p.yml:5:7",
			"DeserializationError", "component 'a': init parameter 'add' must be a whole number, but is str", ""},
		{"parameters are a list", "components:\n  a: {type: ~double.Double, init_parameters: []}\n", "", "DeserializationError",
			"the init_parameters of component 'a' must be a mapping, not a list", ""},
		{"a misspelt key", "components:\n  a:\n    type: ~double.Double\n    init_paramters: {}\n", "p.yml:4:5", "DeserializationError",
			"component 'a' has a key 'init_paramters' that means nothing", "did you mean 'init_parameters'?"},
		{"a misspelt section", "component: {}\n", "p.yml:1:1", "DeserializationError", "the file has a key 'component' that means nothing", "did you mean 'components'?"},
		{"dot in a name", "components:\n  a.b: {type: ~double.Double}\n", "p.yml:2:3", "ValueError",
			"a.b is an invalid component name, cannot contain '.' (dot) characters.", ""},
		{"reserved name", "components:\n  _debug: {type: ~double.Double}\n", "p.yml:2:3", "ValueError",
			"'_debug' is a reserved name for debug output. Choose another name.", ""},
		{"a name that YAML takes for a bool", "components:\n  on: {type: ~double.Double}\n", "p.yml:2:3", "DeserializationError",
			"True is not a name: it is true or false in YAML; put it in quotes", ""},
		{"runs", adder + "max_runs_per_component: none\n", "p.yml:4:25", "DeserializationError",
			"max_runs_per_component must be a whole number of at least 1, not 'none'", ""},
		{"validation", adder + "connection_type_validation: 1\n", "p.yml:4:29", "DeserializationError", "connection_type_validation must be true or false, not a number", ""},
		{"metadata", adder + "metadata: [1]\n", "p.yml:4:11", "DeserializationError", "metadata must be a mapping, not a list", ""},
		{"connections are a mapping", adder + "connections: {}\n", "p.yml:4:14", "DeserializationError", "connections must be a list of sender and receiver pairs, not a mapping", ""},
		{"no receiver", adder + "connections:\n  - {sender: a.result}\n", "p.yml:5:5", "PipelineError", "Missing receiver in connection: {'sender': 'a.result'}", ""},
		{"sender is a list", adder + "connections:\n  - {sender: [a], receiver: b}\n", "p.yml:5:14", "DeserializationError",
			"the sender of a connection must be a text such as 'component.socket', not a list", ""},
		{"unknown component", adder + "connections:\n  - {sender: aa.result, receiver: b.value}\n", "p.yml:5:14", "ValueError",
			"Component named aa not found in the pipeline.", "did you mean 'a' or 'b'?"},
		{"unknown output", adder + "connections:\n  - {sender: a.resul, receiver: b.value}\n", "p.yml:5:14", "PipelineConnectError",
			"'a.resul' does not exist. Output connections of a are: result (type int)", "did you mean 'result'?"},
		{"unknown input", adder + "connections:\n  - {sender: a.result, receiver: b.valu}\n", "p.yml:5:34", "PipelineConnectError",
			"'b.valu does not exist. Input connections of b are: value (type int), add (type int | None)", "did you mean 'value'?"},
		{"itself", adder + "connections:\n  - {sender: a.result, receiver: a.value}\n", "p.yml:5:5", "PipelineConnectError",
			"Connecting a Component to itself is not supported.", ""},
		{"types", "components:\n  s: {type: ~hello.Hello}\n  b: {type: ~add_value.AddFixedValue}\nconnections:\n  - {sender: s.output, receiver: b.value}\n", "p.yml:5:5",
			"PipelineConnectError", "Cannot connect 's.output' with 'b.value': their declared input and output types do not match.\n" +
				"'s':\n - output: str\n'b':\n - value: int (available)", "s.output sends str and b.value takes int; no other pair of sockets of these two fits either"},
		{"types, another would fit", "components:\n  s: {type: ~hello.Hello}\n  f: {type: ~fstring.FString, init_parameters: {template: x, variables: [v]}}\n" +
			"  g: {type: ~greet.Greet}\nconnections:\n  - {sender: s.output, receiver: g.value}\n", "p.yml:6:5", "PipelineConnectError", "",
			"these would fit: s.output -> g.message, s.output -> g.log_level"},
		{"several ways", adder + "connections:\n  - {sender: a, receiver: b}\n", "p.yml:5:5", "PipelineConnectError",
			"Cannot connect 'a' with 'b': more than one connection is possible between these components. Please specify the connection name, like: " +
				"pipeline.connect('a.result', 'b.value').\n'a':\n - result: int\n'b':\n - value: int (available)\n - add: int | None (available)",
			"one of: a.result -> b.value, a.result -> b.add"},
		{"taken", adder + "  c: {type: ~double.Double}\nconnections:\n  - {sender: a.result, receiver: c.value}\n  - {sender: b.result, receiver: c.value}\n", "p.yml:7:34",
			"PipelineConnectError", "Component 'c' cannot accept multiple inputs to 'value'. It is already connected to component 'a', and it can only accept " +
				"inputs from multiple senders if its type is list, Optional[list], or union of list types.", "a joiner (BranchJoiner, DocumentJoiner, ...) in between takes several senders"},
		{"declared input, no component", adder + "inputs:\n  n: x.value\n", "p.yml:5:6", "PipelineValidationError", "input 'n': there is no component 'x'", "did you mean 'a' or 'b'?"},
		{"declared input, no socket", adder + "inputs:\n  n: a.valeu\n", "p.yml:5:6", "PipelineValidationError", "input 'n': component 'a' has no input 'valeu'", "did you mean 'value'?"},
		{"declared input, no dot", adder + "inputs:\n  n: a\n", "p.yml:5:6", "PipelineValidationError", "input 'n' must name component.socket, not 'a'", ""},
		{"declared twice", adder + "inputs:\n  v: a.value\n  w: [b.value, a.value]\n", "p.yml:6:6", "PipelineValidationError",
			"Declared input 'w' targets 'a.value'; 'a.value' already targeted by declared input 'v'. Each pipeline input target may be declared only once.", ""},
		{"declared output", adder + "outputs:\n  n: a.nope\n", "p.yml:5:6", "PipelineValidationError", "output 'n': component 'a' has no output 'nope'", "there are: result"},
		{"a number as a target", adder + "inputs:\n  n: 1\n", "p.yml:5:6", "PipelineValidationError", "inputs: 'n' must name component.socket, or a list of such, not a number", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := load(c.src)
			if err == nil || plan != nil {
				t.Fatalf("it loads: %v", plan)
			}
			f := fault.From(err)
			full := func(s string) string { return strings.ReplaceAll(s, "~", samples) }
			if c.at != "" && f.Where.Position.String() != c.at {
				t.Errorf("at %s, want %s (%s)", f.Where.Position, c.at, f.Message)
			}
			if f.Code != c.code || (f.Kind != fault.Invalid && c.code != "YAMLError") {
				t.Errorf("code %s, kind %s; want %s", f.Code, f.Kind, c.code)
			}
			if c.message != "" && f.Message != full(c.message) {
				t.Errorf("message\n%s\nwant\n%s", f.Message, full(c.message))
			}
			if strings.HasPrefix(c.src, "components:\n  a:\n    type") && f.Where.Component != "a" {
				t.Errorf("component %q, want a", f.Where.Component)
			}
			if c.hint != "" && f.Hint != full(c.hint) {
				t.Errorf("hint %q, want %q", f.Hint, full(c.hint))
			}
		})
	}
}

// Problems that can be found together are reported together, the first one first; what follows from one is not.
func TestLoadReportsTogether(t *testing.T) {
	_, err := load(adder + `  bad: {type: ~nope.Nope}
  c: {type: ~double.Double, init_parameters: {x: 1}}
connections:
  - {sender: bad.x, receiver: a.value}
  - {sender: a.nope, receiver: b.value}
  - {sender: a.result, receiver: b.value}
inputs:
  n: bad.value
  m: ghost.value
`)
	var all pipeline.Problems
	if !errors.As(err, &all) {
		t.Fatalf("%T: %v", err, err)
	}
	var got []string
	for _, f := range all {
		got = append(got, fmt.Sprintf("%d %s", f.Where.Position.Line, f.Code))
	}
	if want := []string{"4 PipelineError", "5 DeserializationError", "8 PipelineConnectError", "12 PipelineValidationError"}; !slices.Equal(got, want) {
		t.Errorf("problems %v, want %v\n%v", got, want, err)
	}
	if fault.From(err) != all[0] || fault.KindOf(err) != fault.Invalid {
		t.Errorf("the main problem is %v", fault.From(err))
	}
}

func TestLoadKeepsAndWarns(t *testing.T) {
	plan, err := load(strings.Replace(adder, "{type: ~add_value.AddFixedValue}\n  b", "{type: ~add_value.AddFixedValue, note: mine}\n  b", 1) + `
connections:
  - {sender: a.result, receiver: b.value, comment: first}
max_loops_allowed: 3
x-owner: me
inputs:
  n: [a.value, undotted, a.value]
  m: b.add
outputs:
  r: [b.result, a.result]
`)
	if err != nil {
		t.Fatal(err)
	}
	if owner, _ := plan.Extra().Get("x-owner"); owner != value.Str("me") {
		t.Errorf("extra %s", value.Repr(plan.Extra()))
	}
	if n := len(plan.Warnings()); n != 5 {
		t.Errorf("%d warnings: %q", n, plan.Warnings())
	}
	d := plan.Declared()
	if got := fmt.Sprint(d.Inputs[0].Targets, d.Inputs[0].Mandatory, d.Inputs[1].Targets, d.Inputs[1].Mandatory, d.Outputs[0].Source); got !=
		"[a.value] true [b.add] false b.result" {
		t.Errorf("declared %s", got)
	}
	in, err := d.Spread(value.NewDict("n", value.Int(1), "m", value.Int(5)))
	if err != nil || value.Repr(in) != "{'a': {'value': 1}, 'b': {'add': 5}}" {
		t.Errorf("spread %v %v", in, err)
	}
	if _, err := d.Spread(value.NewDict("nn", value.Int(1))); fault.From(err).Hint != "did you mean 'n' or 'm'?" {
		t.Errorf("unknown input: %v", fault.From(err))
	}
	if got := value.Repr(d.Gather(value.NewDict("b", value.NewDict("result", value.Int(7))))); got != "{'r': 7}" {
		t.Errorf("gather %s", got)
	}
}

func TestDescriptions(t *testing.T) {
	plan, err := load(adder + "  s: {type: ~sum.Sum}\nconnections:\n  - {sender: a.result, receiver: b.value}\n  - {sender: a.result, receiver: s.values}\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, in := range plan.Inputs() {
		got = append(got, fmt.Sprintf("%s.%s %s %v", in.Component, in.Socket, in.Type.Display(), in.Mandatory))
	}
	if want := []string{"a.value int true", "a.add int | None false", "b.add int | None false", "s.values int false"}; !slices.Equal(got, want) {
		t.Errorf("inputs %q, want %q", got, want)
	}
	got = nil
	for _, out := range plan.Outputs() {
		got = append(got, out.Component+"."+out.Socket)
	}
	if want := []string{"b.result", "s.total"}; !slices.Equal(got, want) {
		t.Errorf("outputs %q, want %q", got, want)
	}
}

// A plan says which secrets and stores it needs: from the file, from defaults, and from what children hold.
func TestPlanSecretsAndStores(t *testing.T) {
	leaf := &component.Type{Name: "test.Leaf", Params: []component.Param{component.Optional("api_key", component.EnvSecret(true, "LEAF_KEY"))},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			b.Secret("api_key")
			return noop{}, &component.Spec{}, nil
		}}
	parent := &component.Type{Name: "test.Parent", Params: []component.Param{component.Optional("child", nil), component.Optional("headers", nil),
		component.Optional("document_store", nil)},
		New: func(b *component.Builder) (component.Component, *component.Spec, error) {
			b.Child("child")
			if !b.IsNone("document_store") {
				b.Store("document_store")
			}
			return noop{}, &component.Spec{}, nil
		}}
	store := &component.StoreType{Name: "test.Store", Params: []component.Param{component.Optional("index", nil)}, Index: "index"}
	plan, err := pipeline.Load([]byte(`
components:
  p:
    type: test.Parent
    init_parameters:
      child: {type: test.Leaf, init_parameters: {}}
      headers: {auth: {type: env_var, env_vars: [A, B], strict: false}}
      document_store: {type: test.Store, init_parameters: {index: docs}}
  l: {type: test.Leaf}
`), "p.yml", component.NewRegistry([]*component.Type{leaf, parent}, []*component.StoreType{store}), pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range plan.Secrets() {
		got = append(got, fmt.Sprint(s.Component, " ", s.Type, " ", s.Param, " ", s.Secret.EnvVars, " ", s.Secret.Strict))
	}
	want := []string{"p test.Leaf child.api_key [LEAF_KEY] true", "l test.Leaf api_key [LEAF_KEY] true", "p test.Parent headers.auth [A B] false"}
	if !slices.Equal(got, want) {
		t.Errorf("secrets\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	stores := plan.Stores()
	if len(stores) != 1 || stores[0].Index != "docs" || stores[0].Component != "p" || stores[0].Type != "test.Store" {
		t.Errorf("stores %+v", []docstore.Ref(stores))
	}
	dump, err := plan.Dump()
	if err != nil || !strings.Contains(dump, "        init_parameters:\n          api_key:\n            env_vars:\n            - LEAF_KEY\n            strict: true\n            type: env_var\n") {
		t.Errorf("a child's defaults are not dumped: %v\n%s", err, dump)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(adder+"connections:\n  - {sender: a.result, receiver: b.value}\ninputs: {n: a.value}\noutputs: {r: b.result}\n", "~", samples)))
	f.Add([]byte("components: {a: {type: 1, init_parameters: []}}\nconnections: [1, {sender: 2}]\nmetadata: 3\n"))
	f.Add([]byte("components: &a {x: *a}\n"))
	f.Add([]byte("inputs: {1: 2}\n1: 2\n"))
	reg := pipelinetest.Registry()
	f.Fuzz(func(t *testing.T, src []byte) {
		plan, err := pipeline.Load(src, "f.yml", reg, pipeline.LoadOptions{})
		if err != nil {
			if fault.KindOf(err) == fault.Internal {
				t.Fatalf("an internal error for a file: %v", err)
			}
			return
		}
		dump, err := plan.DumpFull()
		if err != nil {
			return // a value that YAML can read and not write, such as a key that is a tuple
		}
		again, err := pipeline.Load([]byte(dump), "g.yml", reg, pipeline.LoadOptions{})
		if err != nil {
			t.Fatalf("the dump does not load: %v\n%s", err, dump)
		}
		if second, _ := again.DumpFull(); second != dump {
			t.Fatalf("dumped again it differs:\n%s\n%s", dump, second)
		}
	})
}
