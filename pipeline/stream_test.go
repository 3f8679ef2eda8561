package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// counting streams "0", "1", ... and returns how many got through.
func counting(t testing.TB, n int) *pipeline.Plan {
	return one(t, func(ctx context.Context, env *component.Env, _ component.In) (component.Out, error) {
		for i := range n {
			if !env.Streams() {
				break
			}
			if err := env.Stream(&chat.StreamingChunk{Content: string(rune('0' + i%10))}); err != nil {
				return component.Out{}, err
			}
		}
		return component.Outputs(value.Int(n)), ctx.Err()
	})
}

func TestStreamEvents(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, opts := range [][]pipeline.Option{nil, {pipeline.WithConcurrency(4)}, {pipeline.StreamFrom("x")}} {
		s := counting(t, 5).Stream(context.Background(), nil, opts...)
		got := ""
		for ev := range s.Events() {
			if got += ev.Chunk.Content; ev.Component != "x" {
				t.Errorf("from %q", ev.Component)
			}
			if _, err := s.Result(); !fault.Is(err, fault.Conflict) {
				t.Errorf("a result too early: %v", err)
			}
		}
		res, err := s.Result()
		if again, _ := s.Result(); err != nil || got != "01234" || value.Repr(res.Outputs) != "{'x': {'value': 5}}" || again != res {
			t.Errorf("%q %v %v", got, res.Outputs, err)
		}
		for range s.Events() {
			t.Error("a stream is played twice")
		}
	}
}

// Only a component that somebody listens to streams; each chunk names its own.
func TestListenersOfSomeComponents(t *testing.T) {
	p := pipeline.New(nil)
	anyType := pytype.MustParse("typing.Any")
	sp := &component.Spec{Inputs: []component.Input{{Name: "streaming_callback", Type: anyType, Default: value.None}},
		Outputs: []component.Output{{Name: "listened", Type: anyType}}}
	says := runner(func(_ context.Context, env *component.Env, _ component.In) (component.Out, error) {
		return component.Outputs(value.Bool(env.Streams())), env.Stream(&chat.StreamingChunk{Content: "hi"})
	})
	for _, name := range []string{"a", "b", "c"} {
		if err := p.AddInstance(name, says, sp, "test."+name); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	for want, names := range map[string][]string{"[a test.a][b test.b][c test.c]": nil, "[b test.b]": {"b"}} {
		got := ""
		listen := func(ev pipeline.StreamEvent) error { got += "[" + ev.Component + " " + ev.Type + "]"; return nil }
		res, err := plan.Run(context.Background(), nil, pipeline.WithStream(listen, names...))
		outs := value.NewDict()
		for _, name := range []string{"a", "b", "c"} {
			outs.Set(name, value.NewDict("listened", value.Bool(names == nil || name == "b")))
		}
		if err != nil || got != want || value.Repr(res.Outputs) != value.Repr(outs) {
			t.Errorf("%s %v %v, want %s", got, res.Outputs, err, want)
		}
	}
}

// Nobody has to listen, and a stream that is never used never runs.
func TestStreamResultAlone(t *testing.T) {
	defer goleak.VerifyNone(t)
	plan := counting(t, 5)
	if res, err := plan.Stream(context.Background(), nil).Result(); err != nil || res.Steps != 1 {
		t.Errorf("%v", err)
	}
	plan.Stream(context.Background(), nil)
}

func TestAbandonedStreamIsCanceled(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := counting(t, 1<<30).Stream(context.Background(), nil)
	for range s.Events() {
		break
	}
	if res, err := s.Result(); !fault.Is(err, fault.Canceled) || res == nil || res.Steps != 0 {
		t.Errorf("%v", err)
	}
}

// A component that does not look at its context holds the caller up for a second, not for ever.
func TestAbandonIsBounded(t *testing.T) {
	release := make(chan struct{})
	defer func() { close(release); goleak.VerifyNone(t) }()
	plan := one(t, func(_ context.Context, env *component.Env, _ component.In) (component.Out, error) {
		err := env.Stream(&chat.StreamingChunk{})
		<-release
		return component.Out{}, err
	})
	s := plan.Stream(context.Background(), nil)
	left := make(chan struct{})
	go func() {
		defer close(left)
		for range s.Events() {
			return
		}
	}()
	select {
	case <-left:
	case <-time.After(30 * time.Second):
		t.Fatal("held up")
	}
}

func TestStreamErrors(t *testing.T) {
	defer goleak.VerifyNone(t)
	s := counting(t, 1).Stream(context.Background(), nil, pipeline.StreamFrom("nobody"))
	for range s.Events() {
		t.Error("an event")
	}
	if _, err := s.Result(); fault.From(err).Code != pipeline.CodeValueError {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s = counting(t, 1<<30).Stream(ctx, nil)
	for range s.Events() {
		cancel()
	}
	if _, err := s.Result(); !fault.Is(err, fault.Canceled) {
		t.Errorf("%v", err)
	}
}

// A panic in the loop's body is the caller's own, and ends the run.
func TestPanicInTheLoop(t *testing.T) {
	defer goleak.VerifyNone(t)
	defer func() {
		if p := recover(); p == nil || p.(error).Error() != "mine" {
			t.Errorf("recovered %v", p)
		}
	}()
	for range counting(t, 1<<30).Stream(context.Background(), nil).Events() {
		panic(errors.New("mine"))
	}
}
