package pipeline

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// CodeBudgetExceeded marks a call or a run that a budget did not allow. It reaches the caller unchanged, not as a
// component's failure.
const CodeBudgetExceeded = "BudgetExceeded"

// BudgetLimits bounds what the runs of one [Budget] spend together. A zero field is no bound.
type BudgetLimits struct {
	Tokens int64         // sent and received
	Cost   int64         // billionths of the currency unit; a call of a model without a price is refused
	Calls  int64         // paid calls
	Wall   time.Duration // the time of all runs together; runs are canceled when it is over
	// MaxOut is what one call may answer when neither pipeline nor caller set a bound; default 4,096 tokens.
	MaxOut int64
}

// DefaultMaxOut is the default of [BudgetLimits].MaxOut.
const DefaultMaxOut = 4096

// Budget is shared by any number of runs at once ([RunContext].Budget). Before each paid call its worst case is set aside,
// and replaced by what was used afterwards: with providers that keep to their bounds, the sum never exceeds the limits.
type Budget struct {
	limits BudgetLimits

	mu    sync.Mutex
	spent Spending // settled
	held  Spending // set aside
	// The clock of the runs under way: each of them spends wall time.
	runs  map[*budgetRun]struct{}
	since time.Time
	timer *time.Timer
	wall  time.Duration
}

// Spending is what was spent of a budget.
type Spending struct {
	Tokens int64
	Cost   int64
	Calls  int64
	Wall   time.Duration
}

// NewBudget returns a budget of which nothing is spent.
func NewBudget(limits BudgetLimits) *Budget {
	limits.MaxOut = orDefault(limits.MaxOut, DefaultMaxOut)
	return &Budget{limits: limits}
}

// BudgetState is a budget at one moment.
type BudgetState struct {
	Limits BudgetLimits
	Spent  Spending // by calls that are over
	Held   Spending // by calls under way
	// Overrun is by how many tokens a provider that did not keep to its bound exceeded the limit.
	Overrun int64
}

// State returns what is spent and set aside now.
func (b *Budget) State() BudgetState {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick(time.Now())
	s := BudgetState{Limits: b.limits, Spent: b.spent, Held: b.held}
	s.Spent.Wall = b.wall
	if b.limits.Tokens > 0 {
		s.Overrun = max(0, b.spent.Tokens-b.limits.Tokens)
	}
	return s
}

// exceeded says which limit a use on top of everything so far would exceed; "" when none.
func (b *Budget) exceeded(tokens, cost, calls int64) string {
	over := func(limit, spent, held, more int64) bool { return limit > 0 && plus(plus(spent, held), more) > limit }
	switch {
	case over(b.limits.Calls, b.spent.Calls, b.held.Calls, calls):
		return "calls"
	case over(b.limits.Tokens, b.spent.Tokens, b.held.Tokens, tokens):
		return "tokens"
	case over(b.limits.Cost, b.spent.Cost, b.held.Cost, cost):
		return "cost"
	}
	return ""
}

// bounds reports whether a call needs a bound on what comes back.
func (b *Budget) bounds() bool { return b != nil && (b.limits.Tokens > 0 || b.limits.Cost > 0) }

// hold sets a call aside and returns its bound on tokens that come back, which is found here when the call has none.
func (b *Budget) hold(in, out int64, price Price) (granted int64, err error) {
	if b == nil {
		return out, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if out == 0 && b.bounds() {
		out = max(1, min(b.limits.MaxOut, b.room(in, price)))
	}
	tokens, cost := plus(in, out), price.Cost(in, out)
	if what := b.exceeded(tokens, cost, 1); what != "" {
		return 0, overBudget(what)
	}
	b.held.Tokens += tokens
	b.held.Cost += cost
	b.held.Calls++
	return out, nil
}

// room is how many tokens may still come back after in were sent.
func (b *Budget) room(in int64, price Price) int64 {
	room := b.limits.MaxOut
	if b.limits.Tokens > 0 {
		room = min(room, b.limits.Tokens-plus(plus(b.spent.Tokens, b.held.Tokens), in))
	}
	if b.limits.Cost > 0 && price.Out > 0 {
		room = min(room, (b.limits.Cost-plus(plus(b.spent.Cost, b.held.Cost), price.Cost(in, 0)))/price.Out)
	}
	return room
}

// grow sets more aside for a call under way, and says so when that is more than there is.
func (b *Budget) grow(tokens, cost int64) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	what := b.exceeded(tokens, cost, 0)
	b.held.Tokens = plus(b.held.Tokens, tokens)
	b.held.Cost = plus(b.held.Cost, cost)
	if what != "" {
		return overBudget(what)
	}
	return nil
}

// settle replaces what was set aside by what was used.
func (b *Budget) settle(heldTokens, heldCost, tokens, cost, calls int64) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held.Tokens -= heldTokens
	b.held.Cost -= heldCost
	b.held.Calls--
	b.spent.Tokens = plus(b.spent.Tokens, tokens)
	b.spent.Cost = plus(b.spent.Cost, cost)
	b.spent.Calls += calls
}

// budgetRun is a run under way, as its budget's clock sees it.
type budgetRun struct{ cancel context.CancelCauseFunc }

// enter starts a run's clock. The context it returns ends when the budget's wall time is over.
func (b *Budget) enter(ctx context.Context) (context.Context, func(), error) {
	if b == nil || b.limits.Wall <= 0 {
		return ctx, func() {}, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick(time.Now())
	if b.wall >= b.limits.Wall {
		return nil, nil, overBudget("wall time")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	r := &budgetRun{cancel: cancel}
	if b.runs == nil {
		b.runs = map[*budgetRun]struct{}{}
	}
	b.runs[r] = struct{}{}
	b.schedule()
	return ctx, func() { b.leave(r) }, nil
}

func (b *Budget) leave(r *budgetRun) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick(time.Now())
	delete(b.runs, r)
	b.schedule()
	r.cancel(nil)
}

// tick charges every run under way for the time since the last tick.
func (b *Budget) tick(now time.Time) {
	if !b.since.IsZero() {
		b.wall += now.Sub(b.since) * time.Duration(len(b.runs))
	}
	b.since = now
}

// schedule sets the timer to when the time is over, if as many runs go on as now.
func (b *Budget) schedule() {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if n := len(b.runs); n > 0 {
		b.timer = time.AfterFunc(max(0, b.limits.Wall-b.wall)/time.Duration(n), b.over)
	}
}

func (b *Budget) over() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick(time.Now())
	if b.wall < b.limits.Wall {
		b.schedule()
		return
	}
	for r := range b.runs {
		r.cancel(overBudget("wall time"))
	}
}

func overBudget(what string) *fault.Error {
	return fault.New(fault.Limited, "the budget of this run is spent: its limit of %s leaves no room", what).WithCode(CodeBudgetExceeded).
		WithHint("a smaller request may fit; the limit is set by the host")
}

// overspent returns the budget's own error out of err, if it is one.
func overspent(err error) *fault.Error {
	var f *fault.Error
	if errors.As(err, &f) && f.Code == CodeBudgetExceeded {
		return f
	}
	return nil
}
