package pipeline

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Run runs the plan in Haystack's sequential order. inputs is {component: {socket: value}} or {socket: value}; nil is
// empty. The result is never nil. Errors carry Haystack's class as their code:
//
//   - ValueError (Invalid): inputs that do not fit the pipeline;
//   - PipelineComponentsBlockedError (Failed): no component could start;
//   - PipelineMaxComponentRuns (Failed): a loop that went on for too long;
//   - PipelineRuntimeError: a component failed, or a conversion between two did. Its kind is the component's own where
//     that means something to the caller, else Failed; a panic is Internal, and the process lives;
//   - Canceled and Timeout: ctx ended; checked before each component.
//
// Haystack's warnings are in Result.Warnings. (haystack/core/pipeline/pipeline.py, run)
func (p *Plan) Run(ctx context.Context, inputs *value.Dict, opts ...Option) (*Result, error) {
	r := p.program.newRun()
	r.equip(ctx, p.init, opts)
	var err error
	if t := r.traced(); t != nil || r.meter != nil {
		err = r.watched(t, inputs)
	} else {
		r.plain = r.c.observer.Before == nil && r.c.observer.After == nil
		err = r.do(inputs)
	}
	result := r.result
	r.release() // not deferred: after a panic that no component caused, workers may still be using it
	return result, err
}

// watched is a run with a span or an account around it.
func (r *run) watched(t *Trace, inputs *value.Dict) (failed error) {
	done, err := r.open()
	if err != nil {
		return err
	}
	defer done()
	end := r.span(t, inputs)
	defer func() { end(failed) }()
	return r.do(inputs)
}

func (r *run) do(inputs *value.Dict) error {
	err := r.work(inputs)
	r.result.Secrets = r.given.chain.used()
	return err
}

func (r *run) work(inputs *value.Dict) error {
	if err := r.prepareAll(inputs); err != nil {
		return err
	}
	if len(r.g.nodes) > 0 && r.s.counts[blocked] == len(r.g.nodes) {
		return fault.New(fault.Failed, "Cannot run pipeline - all components are blocked. This typically happens when:\n"+
			"1. There is no valid entry point for the pipeline\n"+
			"2. There is a circular dependency preventing the pipeline from running\n"+
			"Check the connections between these components and ensure all required inputs are provided.").WithCode(CodeComponentsBlocked)
	}
	var err error
	if r.c.concurrency > 1 && !r.c.stops() {
		err = r.concurrent()
	} else {
		err = r.loop()
	}
	if err != nil {
		return err
	}
	if at := r.c.breakAt; at != nil {
		r.warn("The given breakpoint at component '%s' and visit count %d was never triggered. This is because:\n"+
			"1. The provided component is not a part of the pipeline execution path.\n"+
			"2. The component did not reach the visit count specified in the pipeline_breakpoint", at.Component, at.Visit)
	}
	m := measure{what: "outputs", bytes: r.limits.OutputBytes, values: 1 << 40, depth: r.limits.Depth}
	return m.add(r.result.Outputs, 0)
}

// prepareAll looks at what the run was asked for, and puts its inputs, or its snapshot, into the sockets.
func (r *run) prepareAll(inputs *value.Dict) error {
	if !r.optioned {
		return r.spread(inputs)
	}
	if r.c.concurrent && r.c.concurrency < 1 {
		return invalid(CodeValueError, "the concurrency of a run is %d; it must be at least 1", r.c.concurrency)
	}
	r.included(r.c.include)
	if err := r.streaming(&r.c); err != nil {
		return err
	}
	r.lend()
	if r.c.stops() {
		return r.begin(inputs)
	}
	return r.spread(inputs)
}

// loop is Haystack's priority queue without the queue. The original fills a queue with every component, by priority and
// name, and fills it anew only when what is left is not ready: so whoever was highest or ready at that moment runs, in that
// order, whatever happens meanwhile. A round here is one filling. When only waiting components are left, the first by
// topological order runs, and the queue is filled again.
func (r *run) loop() error {
	s := r.s
	for {
		if s.counts[highest]+s.counts[ready] > 0 {
			if err := r.round(); err != nil {
				return err
			}
			continue
		}
		if s.counts[waiting] == 0 {
			r.blocked()
			return nil
		}
		// The original checks the run count of the first by name, and then runs the first by rank.
		if err := r.countCheck(firstOf(s.sets[waiting])); err != nil {
			return err
		}
		if err := r.step(r.g.byRank[firstOf(s.deferred)]); err != nil {
			return err
		}
	}
}

// round runs everything that is highest or ready now.
func (r *run) round() error {
	s := r.s
	if r.g.words == 1 {
		urgent, due := s.sets[highest][0], s.sets[ready][0]
		if err := r.all(urgent); err != nil {
			return err
		}
		return r.all(due)
	}
	var due [2]int
	for k, set := range s.sets[:waiting] {
		copy(s.round[k], set)
		due[k] = s.counts[k]
	}
	for k, set := range s.round {
		for word := 0; due[k] > 0; due[k]-- {
			var i int32
			i, word = takeFirst(set, word)
			if err := r.countCheck(i); err != nil {
				return err
			}
			if err := r.step(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// all runs the components of a set, which is one of the first 64.
func (r *run) all(due uint64) error {
	for ; due != 0; due &= due - 1 {
		i := int32(bits.TrailingZeros64(due))
		if err := r.countCheck(i); err != nil {
			return err
		}
		if err := r.step(i); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) countCheck(i int32) error {
	if r.s.tallies[i].visits < r.g.maxRuns {
		return nil
	}
	name := r.g.nodes[i].name
	return fault.New(fault.Failed, "Maximum run count %d reached for component '%s'", r.g.maxRuns, name).WithCode(CodeMaxComponentRuns).
		WithHint("a loop did not end; max_runs_per_component in the file sets the limit").At(fault.Where{Component: name, Type: r.g.nodes[i].typ})
}

// step runs one component once.
func (r *run) step(i int32) error {
	nd := &r.g.nodes[i]
	var before *value.Dict
	if r.c.stops() {
		if err := r.pause(i, nd); err != nil {
			return err
		}
		before = r.pending(i)
	}
	in, env, err := r.prepare(i, nd)
	if err != nil {
		return err
	}
	var out component.Out
	if r.plain {
		out, err = guarded(r.ctx, nd, env, in)
	} else {
		out, err = r.call(nd, env, in)
	}
	if err != nil {
		err = r.failed(nd, err)
		if r.c.keepState {
			r.keepFailed(i, nd, before, err)
		}
		return err
	}
	r.s.tallies[i].visits++
	if len(out.Values) != len(nd.spec.Outputs) {
		return wrongOutputs(nd, len(out.Values))
	}
	if err := r.deliver(nd, out); err != nil {
		return err
	}
	r.s.reprioritise(i)
	r.keep(i, nd, out)
	return nil
}

func wrongOutputs(nd *node, n int) error {
	return fault.New(fault.Internal, "The following component returned an invalid output:\nComponent name: '%s'\nComponent type: '%s'\n"+
		"Expected %d outputs, but got %d instead.", nd.name, nd.class, len(nd.spec.Outputs), n).WithCode(CodeRuntimeError).At(nd.where())
}

// prepare consumes a component's inputs and makes its environment.
func (r *run) prepare(i int32, nd *node) (component.In, *component.Env, error) {
	if err := r.ctx.Err(); err != nil {
		return nil, nil, ended(r.ctx, nd, "before")
	}
	if r.result.Steps >= r.limits.Steps {
		return nil, nil, fault.New(fault.TooLarge, "the run took more than %d steps; the next would be component '%s'", r.limits.Steps, nd.name).
			WithHint("the limit is set by the host").At(nd.where())
	}
	visits := r.s.tallies[i].visits
	in, env := r.room(i, nd, visits)
	if err := r.s.consume(nd, in); err != nil {
		return nil, nil, err
	}
	if nd.spec.Mutates {
		for k := range in {
			in[k] = value.DeepCopy(in[k])
		}
	}
	r.result.Steps++
	return in, env, nil
}

// room gives a visit its inputs and environment. The first visit's come from one block per run, later ones are made: a
// component that kept them could not see another visit's.
func (r *run) room(i int32, nd *node, visits int32) (component.In, *component.Env) {
	means := &r.given.means
	if r.mute != nil && !r.streams[i] {
		means = r.mute
	}
	if visits == 0 {
		env := &r.envs[i]
		*env = means.Env(&nd.place)
		last := nd.first + int32(len(nd.spec.Inputs))
		return r.ins[nd.first:last:last], env
	}
	later := &struct {
		place component.Place
		env   component.Env
	}{place: nd.place}
	later.place.Visit = int(visits) + 1
	later.env = means.Env(&later.place)
	return make(component.In, len(nd.spec.Inputs)), &later.env
}

// call runs the component behind a guard, and tells the observer.
func (r *run) call(nd *node, env *component.Env, in component.In) (component.Out, error) {
	if r.c.observer.Before == nil && r.c.observer.After == nil {
		return r.timed(r.ctx, nd, env, in)
	}
	step := &Step{Component: nd.name, Type: nd.typ, Visit: env.Visit(), Inputs: in, Sockets: nd.spec.Inputs, Declared: nd.spec.Outputs}
	if r.c.observer.Before != nil {
		r.c.observer.Before(step)
	}
	begin := env.Now()
	step.Outputs, step.Err = r.timed(r.ctx, nd, env, in)
	step.Took = env.Now().Sub(begin)
	if r.c.observer.After != nil {
		r.c.observer.After(step)
	}
	return step.Outputs, step.Err
}

// deliver writes the outputs to the sockets they are connected to, converting on the way (_write_component_outputs).
func (r *run) deliver(nd *node, out component.Out) error {
	for k := range nd.edges {
		e := &nd.edges[k]
		v := out.Values[e.out]
		if v != nil && e.convert != "" {
			converted, err := convert(v, e.convert)
			if err != nil {
				return r.notConverted(nd, e, err)
			}
			v = converted
		}
		r.s.write(e, v)
	}
	return nil
}

// keep puts what nobody consumed, or all of it if asked for, into the result. The last visit wins.
func (r *run) keep(i int32, nd *node, out component.Out) {
	all := r.include != nil && r.include[i]
	if !all && !nd.open && out.Extra == nil {
		return
	}
	var kept *value.Dict
	if all {
		kept = r.newOutputs()
	}
	for o, v := range out.Values {
		if v == nil || (!all && nd.consumed[o]) {
			continue
		}
		if kept == nil {
			kept = r.newOutputs()
		}
		kept.SetPrepared(nd.outputs[o], v)
	}
	if out.Extra.Len() > 0 {
		if kept == nil {
			kept = r.newOutputs()
		}
		r.undeclared(nd, out.Extra, kept.Set)
	}
	if kept != nil {
		r.result.Outputs.SetPrepared(nd.key, kept)
		r.reached = r.reached || nd.open
	}
}

// newOutputs makes room for a component's outputs; the first of a run come with the result.
func (r *run) newOutputs() *value.Dict {
	if d := r.spare; d != nil {
		r.spare = nil
		return d
	}
	return &value.Dict{}
}

// undeclared outputs reach the result with a warning, and no other component.
func (r *run) undeclared(nd *node, extra *value.Dict, set func(string, value.Value)) {
	if extra.Len() == 0 {
		return
	}
	names := &value.List{}
	for name, v := range extra.Strings() {
		names.Items = append(names.Items, value.Str(name))
		set(name, v)
	}
	if len(nd.spec.Outputs) > 0 {
		r.warn("Component '%s' (type: %s) returned output keys %s that are not declared in its output types. "+
			"These keys will be ignored and not passed to downstream components. "+
			"Make sure the component's output keys match its declared @component.output_types.", nd.name, nd.class, value.Repr(names))
	}
}

func (r *run) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.result.Warnings = append(r.result.Warnings, text)
	if r.c.log != nil {
		r.c.log.WarnContext(r.ctx, text, "request_id", r.c.context.RequestID)
	}
}

func (nd *node) where() fault.Where { return fault.Where{Component: nd.name, Type: nd.typ} }
