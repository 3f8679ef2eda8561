package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pipelinetest"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// jitter takes a random time, so that components end in any order.
func jitter() { time.Sleep(time.Duration(rand.IntN(60)) * time.Microsecond) }

// The random pipelines that Haystack ran give the same visits, inputs, outputs and errors side by side.
func TestScheduleConcurrently(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, limit := range []int{2, 16} {
		eachSchedule(t, func(t *testing.T, c *scheduleCase) {
			c.wait = jitter
			c.check(t, pipeline.WithConcurrency(limit))
		})
	}
}

// So do the recorded runs.
func TestRecordedRunsConcurrently(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, s := range pipelinetest.Scenarios(t) {
		t.Run(s.Name, func(t *testing.T) {
			s.Check(t, pipelinetest.Options{RunOptions: []pipeline.Option{pipeline.WithConcurrency(4)}, AnyOrder: true})
		})
	}
}

// parts builds a pipeline of components with an optional input "value" and an output "value"; "j" joins lists.
func parts(t testing.TB, run func(name string, ctx context.Context) (value.Value, error), names string, connections ...string) *pipeline.Plan {
	t.Helper()
	p := pipeline.New(nil)
	text, list := pytype.MustParse("str"), pytype.MustParse("list[str]")
	for _, name := range strings.Fields(names) {
		sp := &component.Spec{Inputs: []component.Input{{Name: "value", Type: text, Default: value.None}}, Outputs: []component.Output{{Name: "value", Type: text}}}
		work := runner(func(ctx context.Context, env *component.Env, _ component.In) (component.Out, error) {
			v, err := run(name, ctx)
			return component.Outputs(v), err
		})
		if name == "j" {
			sp.Inputs[0] = component.Input{Name: "value", Type: text, Variadic: component.Lazy}
			sp.Outputs[0].Type = list
			work = func(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
				return component.Outputs(in[0]), nil
			}
		}
		if err := p.AddInstance(name, work, sp, "test.Part"); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range connections {
		from, to, _ := strings.Cut(c, ">")
		if err := p.Connect(from+".value", to+".value"); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// A joiner gets what the sequential mode gives it, whoever is first: [z, a1], the longer branch last.
func TestJoinedInSequentialOrder(t *testing.T) {
	for _, slow := range []string{"a0", "a1", "z", ""} {
		plan := parts(t, func(name string, _ context.Context) (value.Value, error) {
			if name == slow {
				time.Sleep(5 * time.Millisecond)
			}
			return value.Str(name), nil
		}, "a0 a1 z j", "a0>a1", "a1>j", "z>j")
		for _, limit := range []int{1, 2, 8} {
			res, err := plan.Run(context.Background(), nil, pipeline.WithConcurrency(limit), pipeline.IncludeOutputsFrom("a0", "a1", "j", "z"))
			want := "{'a0': {'value': 'a0'}, 'z': {'value': 'z'}, 'a1': {'value': 'a1'}, 'j': {'value': ['z', 'a1']}}"
			if err != nil || value.Repr(res.Outputs) != want || res.Steps != 4 {
				t.Errorf("%s slow, %d at once: %v %v", slow, limit, err, value.Repr(res.Outputs))
			}
		}
	}
}

// Independent branches overlap, also across rounds: the long chain does not wait for the slow component beside it.
func TestBranchesOverlap(t *testing.T) {
	chainDone := make(chan struct{})
	plan := parts(t, func(name string, ctx context.Context) (value.Value, error) {
		switch name {
		case "c":
			close(chainDone)
		case "slow":
			select {
			case <-chainDone:
			case <-time.After(10 * time.Second):
				return nil, errors.New("the chain waits for the slow one")
			}
		}
		return value.Str(name), nil
	}, "a b c slow j", "a>b", "b>c", "c>j", "slow>j")
	res, err := plan.Run(context.Background(), nil, pipeline.WithConcurrency(2))
	if err != nil || value.Repr(res.Outputs) != "{'j': {'value': ['slow', 'c']}}" {
		t.Errorf("%v %v", err, res.Outputs)
	}
}

func TestConcurrencyLimit(t *testing.T) {
	var now, most atomic.Int64
	plan := parts(t, func(string, context.Context) (value.Value, error) {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		time.Sleep(2 * time.Millisecond)
		now.Add(-1)
		return value.Str("x"), nil
	}, "a b c d e f g h")
	for _, limit := range []int64{2, 3} {
		most.Store(0)
		if _, err := plan.Run(context.Background(), nil, pipeline.WithConcurrency(int(limit))); err != nil || most.Load() != limit {
			t.Errorf("limit %d: %d at once, %v", limit, most.Load(), err)
		}
	}
	if _, err := plan.Run(context.Background(), nil, pipeline.WithConcurrency(0)); fault.From(err).Code != pipeline.CodeValueError {
		t.Errorf("limit 0: %v", err)
	}
}

// The first failure ends the components beside it, and is what the caller is told.
func TestFailureCancelsSiblings(t *testing.T) {
	defer goleak.VerifyNone(t)
	for name, connections := range map[string][]string{"free": nil, "with a loop": {"x>y", "y>x"}} {
		var canceled atomic.Int64
		plan := parts(t, func(name string, ctx context.Context) (value.Value, error) {
			if name == "m" {
				return nil, errors.New("boom")
			}
			<-ctx.Done()
			canceled.Add(1)
			return nil, ctx.Err()
		}, "a m z x y", connections...)
		_, err := plan.Run(context.Background(), nil, pipeline.WithConcurrency(8))
		if f := fault.From(err); f == nil || f.Where.Component != "m" || !strings.HasSuffix(f.Message, "Error: boom") {
			t.Errorf("%s: %v", name, err)
		}
		if canceled.Load() < 2 {
			t.Errorf("%s: %d canceled", name, canceled.Load())
		}
	}
}

// A caller who goes away ends all of them; a panic is an error as ever.
func TestConcurrentEnds(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(context.Background())
	var begun atomic.Int64
	plan := parts(t, func(_ string, ctx context.Context) (value.Value, error) {
		if begun.Add(1) == 3 {
			cancel()
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}, "a b c")
	if _, err := plan.Run(ctx, nil, pipeline.WithConcurrency(3)); !fault.Is(err, fault.Canceled) {
		t.Errorf("%v", err)
	}
	plan = parts(t, func(name string, ctx context.Context) (value.Value, error) { panic("oh") }, "a b c")
	if _, err := plan.Run(context.Background(), nil, pipeline.WithConcurrency(3)); !fault.Is(err, fault.Internal) {
		t.Errorf("%v", err)
	}
}

// The observer is told on one goroutine, and so is whoever listens to a stream.
func TestConcurrentListeners(t *testing.T) {
	p := pipeline.New(nil)
	anyType := pytype.MustParse("typing.Any")
	sp := &component.Spec{Inputs: []component.Input{{Name: "streaming_callback", Type: anyType, Default: value.None}}, Outputs: []component.Output{{Name: "value", Type: anyType}}}
	for i := range 8 {
		err := p.AddInstance(fmt.Sprint("c", i), runner(func(_ context.Context, env *component.Env, _ component.In) (component.Out, error) {
			for range 50 {
				if err := env.Stream(&chat.StreamingChunk{Content: env.Component()}); err != nil {
					return component.Out{}, err
				}
			}
			return component.Outputs(value.None), nil
		}), sp, "test.X")
		if err != nil {
			t.Fatal(err)
		}
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	chunks, before, after := 0, 0, 0 // without a lock: the race detector looks
	_, err = plan.Run(context.Background(), nil, pipeline.WithConcurrency(8), pipeline.WithRunContext(pipeline.RunContext{Ledger: true}),
		pipeline.WithStream(func(pipeline.StreamEvent) error { chunks++; return nil }),
		pipeline.WithObserver(pipeline.Observer{Before: func(*pipeline.Step) { before++ }, After: func(*pipeline.Step) { after++ }}))
	if err != nil || chunks != 400 || before != 8 || after != 8 {
		t.Errorf("%v: %d chunks, %d before, %d after", err, chunks, before, after)
	}
}

// What running side by side costs per component.
func BenchmarkConcurrentNoOps(b *testing.B) {
	plan := chain(b, 50)
	in := value.NewDict("n0000", value.NewDict("value", value.Int(1)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plan.Run(context.Background(), in, pipeline.WithConcurrency(4)); err != nil {
			b.Fatal(err)
		}
	}
}
