package pipeline_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// endless is a component that works until its context ends, and says so through under, which holds one word.
type endless struct {
	name  string
	under chan struct{}
	run   runner
	opts  []pipeline.Option
	loops bool // wakes itself again instead of working on
}

// once says that it is under way, unless it said so and nobody has heard it yet.
func (e *endless) once() {
	select {
	case e.under <- struct{}{}:
	default:
	}
}

// endlessly are the three things a run can be in the middle of: a loop, a stream that is handed on, and a call whose
// answer does not come.
func endlessly(t testing.TB) []*endless {
	t.Helper()
	loop := &endless{name: "loop", loops: true, under: make(chan struct{}, 1)}
	loop.run = func(context.Context, *component.Env, component.In) (component.Out, error) {
		loop.once()
		return component.Outputs(value.Int(1), nil), nil
	}
	stream := &endless{name: "stream", under: make(chan struct{}, 1),
		opts: []pipeline.Option{pipeline.WithStream(func(pipeline.StreamEvent) error { return nil })}}
	talk := serving(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, "word "); err != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
	})
	stream.opts = append(stream.opts, talk.option)
	stream.run = func(ctx context.Context, env *component.Env, _ component.In) (component.Out, error) {
		return component.Out{}, talk.read(ctx, env, func(text string) error {
			stream.once()
			return env.Stream(&chat.StreamingChunk{Content: text})
		})
	}
	call := &endless{name: "call", under: make(chan struct{}, 1)}
	silent := serving(t, func(_ http.ResponseWriter, r *http.Request) {
		call.once()
		<-r.Context().Done()
	})
	call.opts = []pipeline.Option{silent.option}
	call.run = func(ctx context.Context, env *component.Env, _ component.In) (component.Out, error) {
		return component.Out{}, silent.read(ctx, env, func(string) error { return nil })
	}
	return []*endless{loop, stream, call}
}

// origin is a server that a run may reach.
type origin struct {
	url    string
	option pipeline.Option
}

func serving(t testing.TB, answer http.HandlerFunc) origin {
	t.Helper()
	srv := httptest.NewServer(answer)
	t.Cleanup(srv.Close)
	policy, err := egress.NewPolicy(strings.TrimPrefix(srv.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return origin{srv.URL, pipeline.WithHTTP(egress.New(policy, egress.Options{}))}
}

// read asks the server through the run's client and hands on what comes, piece by piece.
func (o origin) read(ctx context.Context, env *component.Env, take func(string) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url, nil)
	if err != nil {
		return err
	}
	resp, err := env.HTTP().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for buf := make([]byte, 64); ; {
		n, err := resp.Body.Read(buf)
		if err == nil {
			err = take(string(buf[:n]))
		}
		if err != nil {
			return err
		}
	}
}

// plan puts the component before another one, which counts its runs.
func (e *endless) plan(t testing.TB, next *atomic.Int64) *pipeline.Plan {
	t.Helper()
	typ := pytype.MustParse("int")
	p := pipeline.New(nil)
	p.MaxRunsPerComponent = 1 << 40
	after := runner(func(context.Context, *component.Env, component.In) (component.Out, error) {
		next.Add(1)
		return component.Outputs(value.Int(1)), nil
	})
	first := &component.Spec{Inputs: []component.Input{{Name: "start", Type: typ, Default: value.None}, {Name: "back", Type: typ, Default: value.None}},
		Outputs: []component.Output{{Name: "again", Type: typ}, {Name: "done", Type: typ}}}
	second := &component.Spec{Inputs: []component.Input{{Name: "value", Type: typ}}, Outputs: []component.Output{{Name: "value", Type: typ}}}
	wires := [][2]string{{"work.done", "next.value"}}
	if e.loops {
		wires = append(wires, [2]string{"work.again", "turn.value"}, [2]string{"turn.value", "work.back"})
		turn := runner(func(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
			return component.Outputs(in[0]), nil
		})
		if err := p.AddInstance("turn", turn, second, "test.Turn"); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.AddInstance("work", e.run, first, "test.Work"); err != nil {
		t.Fatal(err)
	}
	if err := p.AddInstance("next", after, second, "test.Next"); err != nil {
		t.Fatal(err)
	}
	for _, w := range wires {
		if err := p.Connect(w[0], w[1]); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// cancel runs the plan, cancels it from outside in the middle of its work, and returns how long the run took to end.
func (e *endless) cancel(t testing.TB, plan *pipeline.Plan) time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	select {
	case <-e.under: // of the run before
	default:
	}
	begin := make(chan time.Time, 1)
	go func() {
		<-e.under
		begin <- time.Now()
		cancel()
	}()
	_, err := plan.Run(ctx, value.NewDict("start", value.Int(1)), e.opts...)
	end := time.Now()
	if !fault.Is(err, fault.Canceled) {
		t.Fatalf("%s: %v", e.name, err)
	}
	return end.Sub(<-begin)
}

// A run that is cancelled in a loop, in a stream or in a call ends there, a hundred times of a hundred: the component that
// would be next never starts (for a loop, which no time need pass, TestCancelEndsALoop counts the turns). The median is
// printed; BenchmarkCancel measures it, and a run that takes seconds hangs.
func TestCancelEndsWhatIsInFlight(t *testing.T) {
	for _, e := range endlessly(t) {
		t.Run(e.name, func(t *testing.T) {
			var next atomic.Int64
			plan := e.plan(t, &next)
			took := make([]time.Duration, 100)
			for i := range took {
				took[i] = e.cancel(t, plan)
			}
			if next.Load() != 0 {
				t.Errorf("the next component ran %d times", next.Load())
			}
			slices.Sort(took)
			if t.Logf("median of 100: %s, longest %s", took[50], took[99]); took[50] > 2*time.Second {
				t.Errorf("the median is %s", took[50])
			}
		})
	}
}

// BenchmarkCancel is the time from a cancellation to the end of the run: the median and the longest.
func BenchmarkCancel(b *testing.B) {
	for _, e := range endlessly(b) {
		b.Run(e.name, func(b *testing.B) {
			var next atomic.Int64
			plan := e.plan(b, &next)
			var took []time.Duration
			for b.Loop() {
				took = append(took, e.cancel(b, plan))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs/median")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "µs/longest")
		})
	}
}
