package pipeline

import (
	"context"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
)

// meter is a run's [component.Meter]: its ledger, and its share of a budget.
type meter struct {
	account account
	budget  *Budget
	prices  Prices
}

// Reserve implements [component.Meter].
func (m *meter) Reserve(ctx context.Context, name string, call component.Call) (component.Reservation, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Canceled, context.Cause(ctx), "the call was not made: the run was ended")
	}
	if call.In < 0 || call.Out < 0 {
		return nil, fault.New(fault.Internal, "component '%s' reserves a negative number of tokens", name)
	}
	price, known := m.prices.Of(call.Model)
	if !known && m.budget != nil && m.budget.limits.Cost > 0 {
		m.account.add(name, Account{Refused: 1})
		return nil, fault.New(fault.Limited, "the model '%s' has no price, and the budget of this run limits the cost", call.Model).
			WithCode(CodeBudgetExceeded).WithHint("the host's price table must name the model")
	}
	out, err := m.budget.hold(call.In, call.Out, price)
	if err != nil {
		m.account.add(name, Account{Refused: 1})
		return nil, err
	}
	return &reservation{meter: m, name: name, price: price, known: known, in: call.In, out: out, most: out}, nil
}

// reservation is one call under way.
type reservation struct {
	meter *meter
	name  string
	price Price
	known bool
	in    int64
	most  int64 // tokens that may come back

	mu   sync.Mutex
	out  int64 // tokens set aside for what comes back
	done bool
}

// MaxOut implements [component.Reservation].
func (r *reservation) MaxOut() int64 { return r.most }

// Progress implements [component.Reservation].
func (r *reservation) Progress(out int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	more := out - r.out
	if r.done || more <= 0 || r.most == 0 {
		return nil
	}
	r.out = out
	return r.meter.budget.grow(more, times(r.price.Out, more))
}

// Settle implements [component.Reservation].
func (r *reservation) Settle(used component.Usage) {
	entry := Account{Calls: 1, TokensIn: max(0, used.In), TokensOut: max(0, used.Out)}
	entry.Cost = r.price.Cost(entry.TokensIn, entry.TokensOut)
	if used.Estimated {
		entry.Estimated = 1
	}
	if !r.known && len(r.meter.prices) > 0 {
		entry.Unpriced = 1
	}
	if r.most > 0 {
		entry.Overrun = max(0, plus(entry.TokensIn, entry.TokensOut)-plus(r.in, r.most))
	}
	r.end(entry)
}

// Release implements [component.Reservation].
func (r *reservation) Release() { r.end(Account{}) }

func (r *reservation) end(entry Account) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done {
		return
	}
	r.done = true
	r.meter.budget.settle(plus(r.in, r.out), r.price.Cost(r.in, r.out), plus(entry.TokensIn, entry.TokensOut), entry.Cost, entry.Calls)
	if entry.Calls > 0 {
		r.meter.account.add(r.name, entry)
	}
}
