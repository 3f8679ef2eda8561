package pipeline

import (
	"context"
	"time"

	"github.com/haywardhq/hayward/pipeline/component"
)

// open starts the clock and the account of a run that has them; done closes them.
func (r *run) open() (done func(), err error) {
	rc := &r.c.context
	if rc.Ledger || rc.Budget != nil || rc.Prices != nil {
		r.meter = &meter{budget: rc.Budget, prices: rc.Prices}
	}
	if r.meter != nil || rc.Flags != nil || rc.Memory != nil {
		r.ports = &component.Ports{Flags: rc.Flags, Memory: rc.Memory, Session: rc.Session}
	}
	if r.c.ports != nil {
		r.ports = r.c.ports
	}
	if r.meter == nil {
		return func() {}, nil
	}
	r.ports.Meter = r.meter
	ctx, leave, err := rc.Budget.enter(r.ctx)
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
