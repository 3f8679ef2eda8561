package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// noop hands its input on.
type noop struct{}

// Run implements component.Component.
func (noop) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	return component.Outputs(in[0]), nil
}

// chain is a plan of n components in a row.
func chain(n int) (*pipeline.Plan, error) {
	typ, err := pytype.Parse("int")
	if err != nil {
		return nil, err
	}
	spec := &component.Spec{Inputs: []component.Input{{Name: "value", Type: typ}}, Outputs: []component.Output{{Name: "value", Type: typ}}}
	p := pipeline.New(nil)
	for i := range n {
		if err := p.AddInstance(name(i), noop{}, spec, "bench.NoOp"); err != nil {
			return nil, err
		}
		if i > 0 {
			if err := p.Connect(name(i-1)+".value", name(i)+".value"); err != nil {
				return nil, err
			}
		}
	}
	return p.Compile()
}

func name(i int) string { return fmt.Sprintf("node%04d", i) }

// measureEngine prints what the engine costs per component that does nothing.
func measureEngine() {
	heading("Engine, per component that does nothing")
	for _, n := range []int{2, 10, 50} {
		r := testing.Benchmark(func(b *testing.B) { runChain(b, n) })
		per := float64(r.NsPerOp()) / float64(n) / 1000
		line(fmt.Sprintf("%d components", n), fmt.Sprintf("%.2f us", per), "0.5 us")
		line("", fmt.Sprintf("%.1f allocations", float64(r.AllocsPerOp())/float64(n)), "")
	}
}

func runChain(b *testing.B, n int) {
	plan, err := chain(n)
	if err != nil {
		b.Fatal(err)
	}
	in := value.NewDict(name(0), value.NewDict("value", value.Int(1)))
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plan.Run(ctx, in); err != nil {
			b.Fatal(err)
		}
	}
}
