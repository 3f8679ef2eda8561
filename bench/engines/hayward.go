package main

import (
	"context"
	"fmt"

	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// noop hands its input on.
type noop struct{}

// Run implements component.Component.
func (noop) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	return component.Outputs(in[0]), nil
}

func name(i int) string { return fmt.Sprintf("node%04d", i) }

func haywardChain(n int) (func() error, error) {
	typ := pytype.MustParse("int")
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
	plan, err := p.Compile()
	if err != nil {
		return nil, err
	}
	in, ctx := value.NewDict(name(0), value.NewDict("value", value.Int(1))), context.Background()
	return func() error { _, err := plan.Run(ctx, in); return err }, nil
}

func haywardPrompt(source string) (func() error, error) {
	t, err := jinja.New(jinja.Options{}).Compile(source, "prompt")
	if err != nil {
		return nil, err
	}
	docs := &value.List{}
	text := ""
	for range 20 {
		text += "Joe lives in Berlin. "
	}
	for i := range 10 {
		docs.Items = append(docs.Items, value.NewDict("content", value.Str(text),
			"meta", value.NewDict("source", value.Str(fmt.Sprintf("file-%d.txt", i)), "page", value.Int(i))))
	}
	vars, ctx := value.NewDict("documents", docs, "query", value.Str("Where does Joe live?")), context.Background()
	return func() error { _, err := t.Render(ctx, vars); return err }, nil
}

func haywardLoad(source []byte) (func() error, error) {
	registry := components.Registry()
	return func() error {
		_, err := pipeline.Load(source, "pipeline.yml", registry, pipeline.LoadOptions{})
		return err
	}, nil
}
