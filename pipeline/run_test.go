package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/component/componenttest"
	"github.com/haywardhq/hayward/pipeline/pipelinetest"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

func mustLoad(t testing.TB, src string) *pipeline.Plan {
	t.Helper()
	plan, err := load(src)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// one is a pipeline of one component with an optional input "value" and an output "value".
func one(t testing.TB, run func(ctx context.Context, env *component.Env, in component.In) (component.Out, error)) *pipeline.Plan {
	t.Helper()
	p := pipeline.New(nil)
	anyType := pytype.MustParse("typing.Any")
	sp := &component.Spec{Inputs: []component.Input{{Name: "value", Type: anyType, Default: value.None}, {Name: "streaming_callback", Type: anyType, Default: value.None}},
		Outputs: []component.Output{{Name: "value", Type: anyType}}}
	if err := p.AddInstance("x", runner(run), sp, "test.generators.X"); err != nil {
		t.Fatal(err)
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

type runner func(ctx context.Context, env *component.Env, in component.In) (component.Out, error)

func (r runner) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	return r(ctx, env, in)
}

func echo(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	return component.Outputs(in[0]), nil
}

func obj(t testing.TB, json string) *value.Dict {
	t.Helper()
	v, err := value.FromJSON([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return v.(*value.Dict)
}

const linear = adder + "connections:\n  - {sender: a.result, receiver: b.value}\n"

// Inputs that do not fit, with Haystack's texts.
func TestInputErrors(t *testing.T) {
	plan := mustLoad(t, linear)
	for inputs, want := range map[string]string{
		`{"x": {"value": 1}}`:                    "Component named 'x' not found in the pipeline.",
		`{"a": {"valeu": 1}}`:                    "Input 'valeu' not found in component 'a'.",
		`{}`:                                     "Missing mandatory input 'value' for component 'a'.",
		`{"a": {"add": 1}}`:                      "Missing mandatory input 'value' for component 'a'.",
		`{"add": 1}`:                             "Missing mandatory input 'value' for component 'a'.",
		`{"a": {"value": 1}, "b": {"value": 1}}`: "Component 'b' cannot accept multiple inputs to 'value'. It is already connected to component 'a', and it can only accept inputs from multiple senders if its type is list, Optional[list], or union of list types.",
		`{"add": {"x": 1}, "nope": {"x": 1}}`:    "Component named 'add' not found in the pipeline.",
		`{"a": {"value": 1}, "b": {"value": [1], "add": 1}, "x": {}}`: "Component named 'x' not found in the pipeline.",
	} {
		res, err := plan.Run(context.Background(), obj(t, inputs))
		if f := fault.From(err); f == nil || f.Message != want || f.Code != "ValueError" || f.Kind != fault.Invalid {
			t.Errorf("%s: %v\nwant %s", inputs, err, want)
		}
		if res == nil || res.Steps != 0 {
			t.Errorf("%s: result %+v", inputs, res)
		}
	}
}

func TestFlatInputs(t *testing.T) {
	plan := mustLoad(t, linear)
	res, err := plan.Run(context.Background(), obj(t, `{"value": 1, "add": 10, "other": 3, "last": 4}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := value.Repr(res.Outputs); got != "{'b': {'result': 21}}" {
		t.Errorf("outputs %s: every open socket of that name gets the value", got)
	}
	want := "Inputs ['other', 'last'] were not matched to any component inputs, please check your run parameters."
	if len(res.Warnings) != 1 || res.Warnings[0] != want {
		t.Errorf("warnings %q", res.Warnings)
	}
}

// All values are dicts and every key is a socket: flat after all.
func TestFlatInputsOfDicts(t *testing.T) {
	res, err := one(t, echo).Run(context.Background(), obj(t, `{"value": {"field": "meta.x"}}`))
	if err != nil || value.Repr(res.Outputs) != "{'x': {'value': {'field': 'meta.x'}}}" {
		t.Errorf("%v %v", res.Outputs, err)
	}
}

func TestErrorsOfComponents(t *testing.T) {
	secretly := errors.New("inner cause")
	for _, c := range []struct {
		name    string
		err     error
		kind    fault.Kind
		message string
	}{
		{"a plain error", errors.New("boom"), fault.Failed, "boom"},
		{"a fault keeps its kind", fault.New(fault.Invalid, "bad top_k").WithHint("use 1"), fault.Invalid, "bad top_k"},
		{"its cause stays inside", fault.Wrap(fault.Unavailable, secretly, "no model"), fault.Unavailable, "no model"},
		{"not the caller's not found", fault.New(fault.NotFound, "no such model"), fault.Failed, "no such model"},
		{"not the caller's login", fault.New(fault.Unauthenticated, "bad key"), fault.Failed, "bad key"},
		{"not the caller's conflict", fault.New(fault.Conflict, "twice"), fault.Failed, "twice"},
	} {
		plan := one(t, func(context.Context, *component.Env, component.In) (component.Out, error) {
			return component.Out{}, c.err
		})
		res, err := plan.Run(context.Background(), nil)
		f := fault.From(err)
		want := "The following component failed to run:\nComponent name: 'x'\nComponent type: 'X'\nError: " + c.message
		if f.Kind != c.kind || f.Message != want || f.Code != "PipelineRuntimeError" || f.Where.Component != "x" || !errors.Is(err, c.err) || res == nil {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
	inner := fault.New(fault.Failed, "inner text").WithCode("PipelineRuntimeError")
	_, err := one(t, func(context.Context, *component.Env, component.In) (component.Out, error) {
		return component.Out{}, inner
	}).Run(context.Background(), nil)
	if fault.From(err).Message != "inner text" {
		t.Errorf("a PipelineRuntimeError from inside is wrapped again: %v", err)
	}
}

func TestPanicIsAnError(t *testing.T) {
	plan := one(t, func(context.Context, *component.Env, component.In) (component.Out, error) { panic("secret-in-a-panic") })
	_, err := plan.Run(context.Background(), nil)
	f := fault.From(err)
	if f.Kind != fault.Internal || !strings.Contains(f.Message, "Component name: 'x'") || strings.Contains(f.Message, "secret-in-a-panic") {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(f.Cause.Error(), "secret-in-a-panic") || !strings.Contains(f.Cause.Error(), "run_test.go") {
		t.Errorf("the inside knows neither panic nor place: %v", f.Cause)
	}
}

func TestWrongNumberOfOutputs(t *testing.T) {
	plan := one(t, func(context.Context, *component.Env, component.In) (component.Out, error) {
		return component.Outputs(), nil
	})
	if _, err := plan.Run(context.Background(), nil); !fault.Is(err, fault.Internal) || fault.From(err).Code != "PipelineRuntimeError" {
		t.Errorf("%v", err)
	}
}

func TestUndeclaredOutputs(t *testing.T) {
	plan := one(t, func(context.Context, *component.Env, component.In) (component.Out, error) {
		return component.Out{Values: []value.Value{nil}, Extra: value.NewDict("c", value.Int(1))}, nil
	})
	res, err := plan.Run(context.Background(), nil)
	if err != nil || value.Repr(res.Outputs) != "{'x': {'c': 1}}" {
		t.Errorf("%v %v", res.Outputs, err)
	}
	if len(res.Warnings) != 1 || !strings.HasPrefix(res.Warnings[0], "Component 'x' (type: X) returned output keys ['c'] that are not declared in its output types.") {
		t.Errorf("warnings %q", res.Warnings)
	}
}

func TestCancellation(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	late, stop := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer stop()
	plan := mustLoad(t, linear)
	for ctx, kind := range map[context.Context]fault.Kind{canceled: fault.Canceled, late: fault.Timeout} {
		res, err := plan.Run(ctx, obj(t, `{"value": 1}`))
		if f := fault.From(err); f.Kind != kind || f.Where.Component != "a" || !strings.Contains(f.Message, "before component 'a'") || res.Steps != 0 {
			t.Errorf("%+v", f)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	waits := one(t, func(ctx context.Context, _ *component.Env, _ component.In) (component.Out, error) {
		cancel()
		<-ctx.Done()
		return component.Out{}, ctx.Err()
	})
	_, err := waits.Run(ctx, nil)
	if f := fault.From(err); f.Kind != fault.Canceled || f.Message != "the run was canceled in component 'x'" {
		t.Errorf("%+v", f)
	}
}

func TestRunLimits(t *testing.T) {
	deep := value.Value(value.Int(1))
	for range 100 {
		deep = value.NewList(deep)
	}
	big := value.Str(strings.Repeat("x", 2000))
	small := pipeline.WithLimits(pipeline.Limits{InputBytes: 1000, OutputBytes: 1000, InputValues: 50})
	for name, in := range map[string]value.Value{"depth": deep, "bytes": big, "values": value.NewList(make([]value.Value, 60)...)} {
		_, err := one(t, echo).Run(context.Background(), value.NewDict("value", in), small)
		if f := fault.From(err); f == nil || f.Kind != fault.TooLarge || !strings.Contains(f.Message, "inputs") {
			t.Errorf("%s: %v", name, err)
		}
	}
	gives := one(t, func(context.Context, *component.Env, component.In) (component.Out, error) {
		return component.Outputs(big), nil
	})
	if _, err := gives.Run(context.Background(), nil, small); !fault.Is(err, fault.TooLarge) {
		t.Errorf("outputs: %v", err)
	}
	if _, err := mustLoad(t, linear).Run(context.Background(), obj(t, `{"value": 1}`), pipeline.WithLimits(pipeline.Limits{Steps: 1})); !fault.Is(err, fault.TooLarge) ||
		fault.From(err).Where.Component != "b" {
		t.Errorf("steps: %v", err)
	}
	p := pipeline.New(pipelinetest.Registry())
	p.Limits.Components = 2
	for i, name := range []string{"a", "b", "c"} {
		if err := p.AddComponent(name, samples+"double.Double", nil); (err != nil) != (i == 2) || (err != nil && !fault.Is(err, fault.TooLarge)) {
			t.Errorf("component %d: %v", i, err)
		}
	}
}

// Receivers share what a sender sent; one that changes its inputs says so and gets a copy.
func TestMutatesGetsACopy(t *testing.T) {
	lists := pytype.MustParse("list[int]")
	p := pipeline.New(nil)
	spoil := runner(func(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
		list := in[0].(*value.List)
		list.Items = append(list.Items, value.Int(99))
		list.Items[0] = value.Int(-1)
		return component.Outputs(list), nil
	})
	sp := &component.Spec{Inputs: []component.Input{{Name: "value", Type: lists}}, Outputs: []component.Output{{Name: "value", Type: lists}}}
	mutating := *sp
	mutating.Mutates = true
	for name, c := range map[string]component.Component{"a": runner(echo), "b": spoil, "c": runner(echo)} {
		s := sp
		if name == "b" {
			s = &mutating
		}
		if err := p.AddInstance(name, c, s, "test.List"); err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range []string{"b", "c"} {
		if err := p.Connect("a", to); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	in := obj(t, `{"a": {"value": [1, 2]}}`)
	for range 2 {
		res, err := plan.Run(context.Background(), in)
		if err != nil || value.Repr(res.Outputs) != "{'b': {'value': [-1, 2, 99]}, 'c': {'value': [1, 2]}}" {
			t.Errorf("%v %v", res.Outputs, err)
		}
	}
	if value.Repr(in) != "{'a': {'value': [1, 2]}}" {
		t.Errorf("the caller's input became %s", value.Repr(in))
	}
}

func TestEnvironmentOfAComponent(t *testing.T) {
	at := time.Unix(5, 0)
	var got component.Env
	plan := one(t, func(_ context.Context, env *component.Env, _ component.In) (component.Out, error) {
		got = *env
		if env.Streams() {
			if err := env.Stream(&chat.StreamingChunk{Content: "chunk"}); err != nil {
				return component.Out{}, err
			}
		}
		env.Log().Info("fine")
		return component.Outputs(value.None), nil
	})
	store := componenttest.Stores{}
	var chunks []string
	stream := func(e pipeline.StreamEvent) error {
		chunks = append(chunks, e.Component+" "+e.Type+" "+e.Chunk.Content)
		return nil
	}
	if _, err := plan.Run(context.Background(), nil, pipeline.WithRequestID("r1"), pipeline.WithClock(func() time.Time { return at }),
		pipeline.WithStores(store), pipeline.WithStream(stream, "x")); err != nil {
		t.Fatal(err)
	}
	if got.Component() != "x" || got.Type() != "test.generators.X" || got.Visit() != 1 || got.RequestID() != "r1" || got.Now() != at || got.Stores() != store {
		t.Errorf("env %+v %+v", got.Place(), got.Doors())
	}
	if len(chunks) != 1 || chunks[0] != "x test.generators.X chunk" {
		t.Errorf("chunks %q", chunks)
	}
	_, err := plan.Run(context.Background(), nil, pipeline.WithStream(stream, "y", "z"))
	if f := fault.From(err); f.Message != "Unknown components in streaming_components: ['y', 'z']" || f.Code != "ValueError" {
		t.Errorf("%v", err)
	}
	_, err = mustLoad(t, linear).Run(context.Background(), obj(t, `{"value": 1}`), pipeline.WithStream(stream, "a"))
	if f := fault.From(err); f.Message != "These components do not support streaming: ['a']" {
		t.Errorf("%v", err)
	}
	gone := errors.New("listener went away")
	_, err = plan.Run(context.Background(), nil, pipeline.WithStream(func(pipeline.StreamEvent) error { return gone }))
	if !errors.Is(err, gone) {
		t.Errorf("a stream's error does not stop the run: %v", err)
	}
}

func TestIncludeOutputs(t *testing.T) {
	res, err := mustLoad(t, linear).Run(context.Background(), obj(t, `{"value": 1}`), pipeline.IncludeOutputsFrom("a", "bb"))
	if err != nil || value.Repr(res.Outputs) != "{'a': {'result': 2}, 'b': {'result': 3}}" {
		t.Errorf("%v %v", res.Outputs, err)
	}
	if len(res.Warnings) != 1 || res.Warnings[0] != "include_outputs_from names 'bb', which is not a component of the pipeline. Did you mean 'b' or 'a'?" {
		t.Errorf("warnings %q", res.Warnings)
	}
}

// A loop whose waiting components the original never counts ends all the same.
func TestLoopsEnd(t *testing.T) {
	plan := mustLoad(t, "components:\n  a: {type: ~add_value.AddFixedValue}\n")
	if plan.MaxRunsPerComponent() != 100 {
		t.Errorf("default max runs %d", plan.MaxRunsPerComponent())
	}
	p := pipeline.New(nil)
	anyType := pytype.MustParse("int")
	in := func(name string, v component.Variadic) component.Input {
		return component.Input{Name: name, Type: anyType, Default: value.Int(0), Variadic: v}
	}
	sp := &component.Spec{Inputs: []component.Input{in("value", component.Single), in("never", component.Single)}, Outputs: []component.Output{{Name: "value", Type: anyType}}}
	for _, n := range []string{"a", "b", "c"} {
		if err := p.AddInstance(n, runner(echo), sp, "test.Loop"); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range [][2]string{{"b.value", "c.value"}, {"c.value", "b.value"}, {"c.value", "a.never"}, {"a.value", "b.never"}, {"a.value", "c.never"}} {
		if err := p.Connect(c[0], c[1]); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	_, err = plan.Run(context.Background(), obj(t, `{"a": {"value": 1}}`), pipeline.WithLimits(pipeline.Limits{Steps: 1000}))
	if f := fault.From(err); f == nil || (f.Code != "PipelineMaxComponentRuns" && f.Kind != fault.TooLarge) {
		t.Errorf("the loop ended with %v", err)
	}
}

// One plan, many runs at once: each gets its own values, in a loop too.
func TestConcurrentRuns(t *testing.T) {
	plan := mustLoad(t, linear)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for k := range 50 {
				res, err := plan.Run(context.Background(), value.NewDict("value", value.Int(1000*i+k)))
				if want := fmt.Sprintf("{'b': {'result': %d}}", 1000*i+k+2); err != nil || value.Repr(res.Outputs) != want {
					t.Errorf("got %v %v, want %s", res.Outputs, err, want)
				}
			}
		})
	}
	wg.Wait()
}

// randomDAG draws components that add up what they are sent, connected from lower to higher numbers.
func randomDAG(t *rapid.T) (*pipeline.Pipeline, int) {
	p := pipeline.New(pipelinetest.Registry())
	n := rapid.IntRange(1, 70).Draw(t, "components")
	names := rapid.Permutation(numbered(n)).Draw(t, "names")
	for _, name := range names {
		if err := p.AddComponent(name, samples+"sum.Sum", nil); err != nil {
			t.Fatal(err)
		}
	}
	for range rapid.IntRange(0, 3*n).Draw(t, "connections") {
		from, to := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")
		if from < to {
			if err := p.Connect(names[from]+".total", names[to]+".values"); err != nil {
				t.Fatal(err)
			}
		}
	}
	return p, n
}

func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("c%d", i)
	}
	return out
}

// A pipeline without cycles runs every component once, senders before receivers, and gives the same every time.
func TestDAGProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, n := randomDAG(t)
		plan, err := p.Compile()
		if err != nil {
			t.Fatal(err)
		}
		in := &value.Dict{}
		for _, info := range plan.Inputs() {
			in.Set(info.Component, value.NewDict("values", value.Int(len(info.Component))))
		}
		var first string
		for range 3 {
			done := map[string]int{}
			res, err := plan.Run(context.Background(), in, pipeline.WithObserver(pipeline.Observer{Before: func(s *pipeline.Step) { done[s.Component] = len(done) + 1 }}))
			if err != nil {
				t.Fatal(err)
			}
			if res.Steps != n || len(done) != n {
				t.Fatalf("%d steps over %d components of %d", res.Steps, len(done), n)
			}
			for _, c := range plan.Connections() {
				from, to := strings.TrimSuffix(c.Sender, ".total"), strings.TrimSuffix(c.Receiver, ".values")
				if done[from] > done[to] {
					t.Fatalf("%s ran before %s, which sends to it", to, from)
				}
			}
			if got := value.Repr(res.Outputs); first != "" && got != first {
				t.Fatalf("the next run gave %s, the first %s", got, first)
			} else {
				first = got
			}
		}
	})
}

func FuzzRun(f *testing.F) {
	plan := mustLoad(f, "components:\n  a: {type: ~add_value.AddFixedValue}\n  t: {type: ~text_splitter.TextSplitter}\n  s: {type: ~sum.Sum}\n"+
		"  j: {type: ~joiner.StringListJoiner}\nconnections:\n  - {sender: t.output, receiver: j.inputs}\n")
	f.Add([]byte(`{"a": {"value": 1}}`))
	f.Add([]byte(`{"a": {"value": "x"}, "t": {"sentence": "a b"}, "s": {"values": 3}, "j": {"inputs": ["c"]}}`))
	f.Add([]byte(`{"value": 1, "sentence": "x y", "values": 2, "inputs": []}`))
	f.Add([]byte(`{"a": {"value": [[[[1]]]], "nope": {}}, "": {}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := value.FromJSON(data)
		if err != nil {
			return
		}
		in, ok := v.(*value.Dict)
		if !ok {
			return
		}
		before := value.Repr(in)
		res, err := plan.Run(context.Background(), in)
		if res == nil {
			t.Fatal("no result")
		}
		if err == nil && value.Repr(in) != before {
			t.Fatalf("the inputs changed: %s", before)
		}
	})
}
