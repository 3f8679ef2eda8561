package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sort"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
)

// guarded runs a component and turns a panic into an error that names it.
func guarded(ctx context.Context, nd *node, env *component.Env, in component.In) (out component.Out, err error) {
	returned := false // asking recover costs more than the rest of the call
	defer func() {
		if returned {
			return
		}
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	out, err = nd.component.Run(ctx, env, in)
	returned = true
	return out, err
}

// panicError keeps what a component panicked with for logs; a caller is told only that it did.
type panicError struct {
	value any
	stack []byte
}

// Error gives the panic and its stack, for the inside.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

// failed wraps a component's error as Haystack does (PipelineRuntimeError.from_exception). An error that already is one,
// from a pipeline inside the component, passes unchanged.
func (r *run) failed(nd *node, err error) error {
	var f *fault.Error
	var panicked *panicError
	var bad *component.InvalidOutputError
	if spent := overspent(err); spent != nil {
		return located(spent, nd)
	}
	switch {
	case errors.As(err, &panicked):
		return fault.Wrap(fault.Internal, panicked, "%s", failedText(nd, "the component panicked")).WithCode(CodeRuntimeError).At(nd.where())
	case r.ctx.Err() != nil && (!keepsOwnKind(err) || overspent(context.Cause(r.ctx)) != nil):
		return ended(r.ctx, nd, "in")
	case errors.As(err, &bad):
		return fault.New(fault.Failed, "The following component returned an invalid output:\nComponent name: '%s'\nComponent type: '%s'\n"+
			"Expected a dictionary, but got %s instead.\nCheck the component's output and ensure it is a valid dictionary.",
			nd.name, nd.class, bad.TypeName).WithCode(CodeRuntimeError).At(nd.where())
	case !errors.As(err, &f):
		return wrapped(fault.Failed, nd, err.Error(), err)
	case f.Code == CodeRuntimeError || f.Code == CodeComponentsBlocked || f.Code == CodeBreakpoint:
		return err
	}
	out := wrapped(callersKind(f.Kind), nd, f.Message, err)
	out.Hint = f.Hint
	out.Where.Field, out.Where.Socket = f.Where.Field, f.Where.Socket
	return out
}

func failedText(nd *node, cause string) string {
	return fmt.Sprintf("The following component failed to run:\nComponent name: '%s'\nComponent type: '%s'\nError: %s", nd.name, nd.class, cause)
}

func wrapped(kind fault.Kind, nd *node, text string, err error) *fault.Error {
	e := fault.New(kind, "%w", quiet{text: failedText(nd, text), err: err})
	return e.WithCode(CodeRuntimeError).At(nd.where())
}

// quiet is an error whose text stands for the chain below it, which stays reachable.
type quiet struct {
	text string
	err  error
}

func (q quiet) Error() string { return q.text }
func (q quiet) Unwrap() error { return q.err }

// located says at which component an error that passes through unchanged came up, unless a deeper one is known.
func located(err *fault.Error, nd *node) error {
	if err.Where.Component != "" {
		return err
	}
	return err.At(nd.where())
}

// keepsOwnKind reports whether err says by itself that the run was ended.
func keepsOwnKind(err error) bool {
	return fault.Is(err, fault.Canceled) || fault.Is(err, fault.Timeout)
}

// callersKind keeps the kinds that mean to the caller of a run what they meant to the component. A model's "not found" or
// "unauthenticated" is not the caller's.
func callersKind(k fault.Kind) fault.Kind {
	switch k {
	case fault.NotFound, fault.Conflict, fault.Unauthenticated:
		return fault.Failed
	}
	return k
}

// ended is the error for a context that is over.
func ended(ctx context.Context, nd *node, when string) error {
	if spent := overspent(context.Cause(ctx)); spent != nil {
		return located(spent, nd)
	}
	kind, what := fault.Canceled, "was canceled"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		kind, what = fault.Timeout, "took too long"
	}
	return fault.Wrap(kind, context.Cause(ctx), "the run %s %s component '%s'", what, when, nd.name).At(nd.where())
}

func (r *run) notConverted(nd *node, e *edge, err error) error {
	info := &r.g.slots[e.slot]
	to := &r.g.nodes[info.node]
	out := nd.spec.Outputs[e.out].Name
	return fault.New(fault.Failed, "Failed to perform conversion between components:\nSender component: '%s' (type: '%s')\nSender socket: '%s'\n"+
		"Receiver component: '%s' (type: '%s')\nReceiver socket: '%s'\nError: %s", nd.name, nd.class, out, to.name, to.class, info.name, err.Error()).
		WithCode(CodeRuntimeError).At(fault.Where{Component: nd.name, Type: nd.typ, Socket: nd.name + "." + out})
}

// blocked warns when the run stopped without any of the outputs the pipeline is for (_is_pipeline_possibly_blocked,
// _find_components_blocking_pipeline).
func (r *run) blocked() {
	if r.reached {
		return
	}
	expected := false
	for i := range r.g.nodes {
		nd := &r.g.nodes[i]
		if !nd.open {
			continue
		}
		if _, ok := r.result.Outputs.Get(nd.name); ok {
			return
		}
		expected = true
	}
	if !expected {
		return
	}
	var lines []string
	for _, i := range r.blocking() {
		lines = append(lines, fmt.Sprintf("  - '%s' (%s)", r.g.nodes[i].name, r.g.nodes[i].class))
	}
	r.warn("%s", "Cannot run pipeline - the pipeline appears to be blocked.\n"+
		"The following components could not be run and may be waiting on inputs that will never arrive:\n"+strings.Join(lines, "\n")+"\n"+
		"Note that some of these components may be intentionally inactive due to conditional branching. If this is unexpected, "+
		"check the connections to these components and ensure all required inputs are provided.")
}

// blocking lists the components that most likely hold things up: those that hold inputs, among them the least visited.
func (r *run) blocking() []int32 {
	// The original looks at its queue after taking the first component off it.
	all := make([]int32, 0, len(r.g.nodes))
	for i := int32(1); int(i) < len(r.g.nodes); i++ {
		all = append(all, i)
	}
	candidates := slices.DeleteFunc(slices.Clone(all), func(i int32) bool { return !r.holdsInput(i) })
	if len(candidates) == 0 {
		candidates = all
	}
	if len(candidates) == 0 {
		return []int32{0}
	}
	least := slices.MinFunc(candidates, func(a, b int32) int { return int(r.s.tallies[a].visits - r.s.tallies[b].visits) })
	candidates = slices.DeleteFunc(candidates, func(i int32) bool { return r.s.tallies[i].visits != r.s.tallies[least].visits })
	sort.Slice(candidates, func(a, b int) bool { return r.g.nodes[candidates[a]].rank < r.g.nodes[candidates[b]].rank })
	return candidates
}

func (r *run) holdsInput(i int32) bool {
	nd := &r.g.nodes[i]
	for s := nd.first; s < nd.first+int32(len(nd.spec.Inputs)); s++ {
		if sl := &r.s.slots[s]; len(sl.items) > 0 || sl.ran > 0 || sl.from != fromNobody {
			return true
		}
	}
	return false
}
