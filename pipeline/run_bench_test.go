package pipeline_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pipelinetest"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

type noop struct{}

func (noop) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	return component.Outputs(in[0]), nil
}

// chain is n components in a row that hand a value on.
func chain(t testing.TB, n int) *pipeline.Plan {
	typ := pytype.MustParse("int")
	sp := &component.Spec{Inputs: []component.Input{{Name: "value", Type: typ}}, Outputs: []component.Output{{Name: "value", Type: typ}}}
	p := pipeline.New(nil)
	for i := range n {
		if err := p.AddInstance(fmt.Sprintf("n%04d", i), noop{}, sp, "test.NoOp"); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			if err := p.Connect(fmt.Sprintf("n%04d.value", i-1), fmt.Sprintf("n%04d.value", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// The engine's own cost per component: it must not grow with the number of components.
func BenchmarkNoOpNodes(b *testing.B) {
	for _, n := range []int{2, 10, 50, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			plan := chain(b, n)
			in := value.NewDict("n0000", value.NewDict("value", value.Int(1)))
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := plan.Run(ctx, in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/node")
		})
	}
}

// At most three allocations per component, whatever the number of components.
func TestAllocationsPerNode(t *testing.T) {
	for _, n := range []int{10, 50, 500} {
		plan := chain(t, n)
		in := value.NewDict("n0000", value.NewDict("value", value.Int(1)))
		per := testing.AllocsPerRun(50, func() {
			if _, err := plan.Run(context.Background(), in); err != nil {
				t.Fatal(err)
			}
		})
		if per/float64(n) > 3 {
			t.Errorf("%d components: %.1f allocations each", n, per/float64(n))
		}
	}
}

// The same with options as a server gives them.
func BenchmarkNoOpNodesServed(b *testing.B) {
	plan := chain(b, 2)
	in, ctx := value.NewDict("n0000", value.NewDict("value", value.Int(1))), context.Background()
	log := slog.New(slog.DiscardHandler)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plan.Run(ctx, in, pipeline.WithRequestID("r"), pipeline.WithLogger(log), pipeline.WithLimits(pipeline.Limits{})); err != nil {
			b.Fatal(err)
		}
	}
}

// A run of two components allocates four times: its result, what the components are given, and their own outputs. Bytes
// count as well: between two runs of the collector there are so many of them. The least of many tries counts, because pools
// lose what they hold now and then.
func TestAllocationsOfASmallRun(t *testing.T) {
	plan := chain(t, 2)
	in := value.NewDict("n0000", value.NewDict("value", value.Int(1)))
	run := func() {
		if _, err := plan.Run(context.Background(), in); err != nil {
			t.Fatal(err)
		}
	}
	least, bytes := math.Inf(1), uint64(math.MaxUint64)
	for range 50 {
		least = min(least, testing.AllocsPerRun(1, run))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)
		bytes = min(bytes, after.TotalAlloc-before.TotalAlloc)
	}
	if least > 4 || bytes > 352 {
		t.Errorf("%v allocations of %d bytes", least, bytes)
	}
}

// Reading and compiling a file of ten components.
func BenchmarkLoad(b *testing.B) {
	var src strings.Builder
	src.WriteString("components:\n")
	for i := range 10 {
		fmt.Fprintf(&src, "  c%d:\n    type: %sadd_value.AddFixedValue\n    init_parameters:\n      add: %d\n", i, samples, i)
	}
	src.WriteString("connections:\n")
	for i := range 9 {
		fmt.Fprintf(&src, "  - {sender: c%d.result, receiver: c%d.value}\n", i, i+1)
	}
	text, reg := []byte(src.String()), pipelinetest.Registry()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pipeline.Load(text, "p.yml", reg, pipeline.LoadOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
