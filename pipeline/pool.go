package pipeline

import (
	"context"
	"log/slog"
	"time"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// run is one run of a plan. It and its state are pooled by program and emptied when they go back ([run.release]). What
// anybody may hold on to after the run is never a part of it: its result, and what components were given ([run.grant]).
type run struct {
	g        *program
	s        *state
	c        config
	optioned bool // c is not empty
	job
}

// job is what a run has beside its options.
type job struct {
	ctx      context.Context
	limits   *Limits
	chain    *secretChain
	secrets  component.SecretResolver // whom components ask
	log      *slog.Logger             // never nil, as they need it
	clock    func() time.Time         // likewise
	ports    *component.Ports         // nil when the run context brings none of them
	envs     []component.Env          // one per node, for its first visit
	ins      []value.Value            // one per socket, for its node's first visit
	include  []bool
	streams  []bool
	result   *Result
	spare    *value.Dict // for the first outputs that are kept
	original *value.Dict // the run's inputs by component, for snapshots
	plain    bool        // nobody traces, observes or asks for an account
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
	r.job = job{}
	if r.optioned {
		r.c, r.optioned = config{}, false
	}
	r.g.pool.Put(r)
}

// equip reads a run's options and gives it everything it works with.
func (r *run) equip(ctx context.Context, init Init, opts []Option) {
	r.ctx = ctx
	for _, o := range opts {
		o(&r.c)
	}
	r.optioned = len(opts) > 0
	r.limits = &r.g.limits
	if r.c.limits != nil {
		r.limits = r.c.limits
	}
	made := new(outcome)
	r.result, r.spare = &made.result, made.first.Start()
	r.result.Outputs = made.all.Start()
	r.grant()
	r.fillChain(init)
	r.secrets, r.log, r.clock = r.chain, r.c.log, r.c.now
	if r.c.secrets != nil {
		r.secrets = r.c.secrets
	}
	if r.log == nil {
		r.log = discard
	}
	if r.clock == nil {
		r.clock = time.Now
	}
	r.bring()
}

var discard = slog.New(slog.DiscardHandler)

func (r *run) fillChain(init Init) {
	if r.c.context.Secrets != nil {
		r.chain.run = r.c.context.Secrets
	}
	if init.Secrets != nil {
		r.chain.init = init.Secrets
	}
	if r.c.resolver != nil {
		r.chain.resolver = r.c.resolver
	}
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
