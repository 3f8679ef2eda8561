package pipeline

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// run is one run of a plan. It and its state are pooled by program and emptied when they go back ([run.release]). What
// anybody may hold on to after the run is never a part of it: its result, and what components were given ([run.grant]).
type run struct {
	g *program
	s *state
	job
	asked
}

// asked is what only a run with options has.
type asked struct {
	optioned bool // there is something here
	c        config
	ports    *component.Ports // nil when the run context brings none of them
	mute     *component.Means // of components nobody listens to; nil when nobody listens at all
	include  []bool
	streams  []bool
	original *value.Dict // the run's inputs by component, for snapshots
	meter    *meter      // nil when nobody asked for an account
	trace    *Trace      // nil when nobody traces
}

// job is what every run has.
type job struct {
	ctx     context.Context
	limits  *Limits
	given   *given
	envs    []component.Env // one per node, for its first visit
	ins     []value.Value   // one per socket, for its node's first visit
	result  *Result
	spare   *value.Dict // for the first outputs that are kept
	plain   bool        // nobody traces, observes or asks for an account
	reached bool        // the result has an output the pipeline is for
}

func (g *program) newRun() *run {
	if r, ok := g.pool.Get().(*run); ok {
		return r
	}
	return &run{g: g, s: g.newState()}
}

// release clears the run and gives it back. Everything but the program and the emptied state goes: inputs, secrets and
// options of one tenant's run cannot be read by another's.
func (r *run) release() {
	r.s.reset()
	r.job = job{}
	if r.optioned {
		r.asked = asked{}
	}
	r.g.pool.Put(r)
}

// equip reads a run's options and gives it everything it works with.
func (r *run) equip(ctx context.Context, init Init, opts []Option) {
	r.ctx, r.limits = ctx, &r.g.limits
	made := new(outcome)
	r.result, r.spare = &made.result, made.first.Start()
	r.result.Outputs = made.all.Start()
	r.grant()
	r.given.means.Secrets = &r.given.chain
	if len(opts) > 0 {
		r.optioned = true
		for _, o := range opts {
			o(&r.c)
		}
		if r.c.limits != nil {
			r.limits = r.c.limits
		}
		r.bring()
	}
	if c := &r.c; c.context.Secrets != nil || init.Secrets != nil || c.resolver != nil {
		r.given.chain.held = &held{run: c.context.Secrets, init: init.Secrets, resolver: c.resolver}
	}
}

// lend gives the components what the options bring.
func (r *run) lend() {
	c, means := &r.c, &r.given.means
	if c.secrets != nil {
		means.Secrets = c.secrets
	}
	doors := component.Doors{RequestID: c.context.RequestID, HTTP: c.http, Stores: c.stores, Files: c.files, Log: c.log, Now: c.now, Ports: r.ports}
	means.Doors = &doors
	if r.streams == nil {
		return
	}
	shut := doors
	r.mute = &component.Means{Secrets: means.Secrets, Doors: &shut}
	emit := c.stream
	doors.Stream = func(at *component.Place, chunk *chat.StreamingChunk) error {
		return emit(StreamEvent{Component: at.Component, Type: at.Type, Chunk: chunk})
	}
}

// outcome is a result with its first dicts, in one block. It is the caller's.
type outcome struct {
	result     Result
	all, first value.Roomy
}

// given is what the components of a run have in common.
type given struct {
	chain secretChain
	means component.Means
}

// smallGrant and tinyGrant are what [run.grant] gives to the components of a small pipeline, in one block.
type (
	smallGrant struct {
		given
		envs [4]component.Env
		ins  [10]value.Value
	}
	tinyGrant struct {
		given
		envs [2]component.Env
		ins  [2]value.Value
	}
)

// grant makes what the components of this run are given: who answers for secrets, and environments and inputs for their
// first visits. It is new for every run, never pooled: a component that keeps some of it against its contract must not
// find another tenant's run in there.
func (r *run) grant() {
	nodes, slots := len(r.g.nodes), len(r.g.slots)
	switch {
	case nodes <= len(tinyGrant{}.envs) && slots <= len(tinyGrant{}.ins):
		b := new(tinyGrant)
		r.given, r.envs, r.ins = &b.given, b.envs[:nodes], b.ins[:slots]
	case nodes <= len(smallGrant{}.envs) && slots <= len(smallGrant{}.ins):
		b := new(smallGrant)
		r.given, r.envs, r.ins = &b.given, b.envs[:nodes], b.ins[:slots]
	default:
		r.given, r.envs, r.ins = new(given), make([]component.Env, nodes), make([]value.Value, slots)
	}
}
