package pipeline

import (
	"context"
	"log/slog"
	"time"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// run is one run of a plan. It and its state are pooled by program and cleared when they go back ([run.release]). What
// anybody may hold on to after the run is never a part of it: its result, and what components were given ([run.grant]).
type run struct {
	g        *program
	s        *state
	ctx      context.Context
	c        config
	limits   *Limits
	chain    *secretChain
	env      component.Env   // what the environments of all components have in common
	envs     []component.Env // one per node, for its first visit
	ins      []value.Value   // one per socket, for its node's first visit
	include  []bool
	streams  []bool
	result   *Result
	spare    *value.Dict // for the first outputs that are kept
	original *value.Dict // the run's inputs by component, for snapshots
	meter    *meter      // nil when nobody asked for an account
	trace    *Trace      // nil when nobody traces
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
	*r = run{g: r.g, s: r.s}
	r.g.pool.Put(r)
}

// equip gives a run that knows its options everything it works with.
func (r *run) equip(init Init) {
	r.limits = &r.g.limits
	if r.c.limits != nil {
		r.limits = r.c.limits
	}
	made := new(outcome)
	r.result, r.spare = &made.result, made.first.Start()
	r.result.Outputs = made.all.Start()
	r.grant()
	r.chain.run, r.chain.init, r.chain.resolver = r.c.context.Secrets, init.Secrets, r.c.resolver
	r.equipEnv()
	r.bring()
}

// outcome is a result with its first dicts, in one block. It is the caller's.
type outcome struct {
	result     Result
	all, first value.Roomy
}

const smallNodes, smallSlots = 2, 4

// smallGrant is what [run.grant] gives to the components of a small pipeline, in one block.
type smallGrant struct {
	chain secretChain
	envs  [smallNodes]component.Env
	ins   [smallSlots]value.Value
}

// grant makes what the components of this run are given: who answers for secrets, and environments and inputs for their
// first visits. It is new for every run, never pooled: a component that keeps some of it against its contract must not
// find another tenant's run in there.
func (r *run) grant() {
	nodes, slots := len(r.g.nodes), len(r.g.slots)
	if nodes <= smallNodes && slots <= smallSlots {
		b := new(smallGrant)
		r.chain, r.envs, r.ins = &b.chain, b.envs[:nodes], b.ins[:slots]
		return
	}
	r.chain, r.envs, r.ins = new(secretChain), make([]component.Env, nodes), make([]value.Value, slots)
}

var discard = slog.New(slog.DiscardHandler)

func (r *run) equipEnv() {
	env, c := &r.env, &r.c
	env.RequestID, env.HTTP, env.Stores, env.Files, env.Log, env.Now = c.context.RequestID, c.http, c.stores, c.files, c.log, c.now
	env.Secrets = r.chain
	if c.secrets != nil {
		env.Secrets = c.secrets
	}
	if env.Log == nil {
		env.Log = discard
	}
	if env.Now == nil {
		env.Now = time.Now
	}
}
