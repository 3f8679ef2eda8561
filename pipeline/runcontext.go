package pipeline

import (
	"context"
	"time"

	"github.com/haywardhq/hayward/pipeline/component"
)

// bring gives the run the account and the ports that it asked for.
func (r *run) bring() {
	rc := &r.c.context
	if rc.Ledger || rc.Budget != nil || rc.Prices != nil {
		r.meter = &meter{budget: rc.Budget, prices: rc.Prices}
	}
	switch {
	case r.c.ports != nil:
		r.ports = r.c.ports
	case r.meter != nil || rc.Flags != nil || rc.Memory != nil:
		r.ports = &component.Ports{Flags: rc.Flags, Memory: rc.Memory, Session: rc.Session}
	}
	if r.meter != nil {
		r.ports.Meter = r.meter
	}
}

// open starts the clock of a run that has an account; done stops it and closes the account.
func (r *run) open() (done func(), err error) {
	if r.meter == nil {
		return func() {}, nil
	}
	ctx, leave, err := r.meter.budget.enter(r.ctx)
	if err != nil {
		r.result.Ledger = r.meter.account.ledger(0)
		return nil, err
	}
	r.ctx = ctx
	begin := r.now()
	return func() {
		leave()
		r.result.Ledger = r.meter.account.ledger(r.now().Sub(begin))
	}, nil
}

func (r *run) now() time.Time {
	if r.c.now != nil {
		return r.c.now()
	}
	return time.Now()
}

// timed runs the component and writes its time into the account.
func (r *run) timed(ctx context.Context, nd *node, env *component.Env, in component.In) (component.Out, error) {
	if r.meter == nil {
		return r.spanned(ctx, nd, env, in)
	}
	begin := env.Now()
	out, err := r.spanned(ctx, nd, env, in)
	r.meter.account.add(nd.name, Account{Runs: 1, Wall: env.Now().Sub(begin)})
	return out, err
}
