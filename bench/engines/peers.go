package main

import (
	"context"

	"github.com/cloudwego/eino/compose"
	"github.com/tmc/langchaingo/chains"
)

// einoChain is a graph of lambdas that hand their input on.
func einoChain(n int) (func() error, error) {
	g := compose.NewGraph[int, int]()
	last := compose.START
	for i := range n {
		node := compose.InvokableLambda(func(_ context.Context, v int) (int, error) { return v, nil })
		if err := g.AddLambdaNode(name(i), node); err != nil {
			return nil, err
		}
		if err := g.AddEdge(last, name(i)); err != nil {
			return nil, err
		}
		last = name(i)
	}
	if err := g.AddEdge(last, compose.END); err != nil {
		return nil, err
	}
	ctx := context.Background()
	run, err := g.Compile(ctx, compose.WithMaxRunSteps(n+10))
	if err != nil {
		return nil, err
	}
	return func() error { _, err := run.Invoke(ctx, 1); return err }, nil
}

// langchainChain is a sequence of transforms that hand their input on.
func langchainChain(n int) (func() error, error) {
	var steps []chains.Chain
	for i := range n {
		in, out := name(i), name(i+1)
		steps = append(steps, chains.NewTransform(func(_ context.Context, v map[string]any, _ ...chains.ChainCallOption) (map[string]any, error) {
			return map[string]any{out: v[in]}, nil
		}, []string{in}, []string{out}))
	}
	seq, err := chains.NewSequentialChain(steps, []string{name(0)}, []string{name(n)})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	return func() error { _, err := chains.Call(ctx, seq, map[string]any{name(0): 1}); return err }, nil
}
