package pipeline

import (
	"maps"
	"math"
	"math/bits"
	"sync"
	"time"
)

// Prices is a price table by model, as pipelines name models. The entry "" is for models without their own.
type Prices map[string]Price

// Price is in billionths of the host's currency unit: a dollar for a million tokens is In: 1000.
type Price struct {
	In   int64 // for a token sent
	Out  int64 // for a token received
	Call int64 // for the call itself
}

// Of returns a model's price.
func (p Prices) Of(model string) (Price, bool) {
	price, ok := p[model]
	if !ok {
		price, ok = p[""]
	}
	return price, ok
}

// Cost is what one call costs, in billionths of the currency unit. It stops at the largest number instead of overflowing.
func (p Price) Cost(in, out int64) int64 {
	return plus(p.Call, plus(times(p.In, in), times(p.Out, out)))
}

func times(a, b int64) int64 {
	if a <= 0 || b <= 0 {
		return 0
	}
	if hi, lo := bits.Mul64(uint64(a), uint64(b)); hi == 0 && lo <= math.MaxInt64 {
		return int64(lo)
	}
	return math.MaxInt64
}

// plus adds two numbers that are not negative.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Ledger is a run's account.
type Ledger struct {
	Total Account
	// Components holds an account for every component that ran. What a pipeline within a component paid for is under
	// "outer.inner", its time under "outer".
	Components map[string]Account
}

// Account counts what was paid for.
type Account struct {
	Runs      int           // how often the component ran; in the total, all of them
	Wall      time.Duration // time in the component; in the total, the run's own
	Calls     int64         // paid calls that were made
	Refused   int64         // paid calls that the budget did not allow
	TokensIn  int64
	TokensOut int64
	Cost      int64 // billionths of the currency unit; what has no price costs nothing
	Unpriced  int64 // calls whose model has no price
	Estimated int64 // calls whose tokens were counted here, because the provider did not tell
	Overrun   int64 // tokens beyond what was reserved for their call
}

func (a *Account) add(b Account) {
	a.Runs += b.Runs
	a.Wall += b.Wall
	a.Calls += b.Calls
	a.Refused += b.Refused
	a.TokensIn = plus(a.TokensIn, b.TokensIn)
	a.TokensOut = plus(a.TokensOut, b.TokensOut)
	a.Cost = plus(a.Cost, b.Cost)
	a.Unpriced += b.Unpriced
	a.Estimated += b.Estimated
	a.Overrun = plus(a.Overrun, b.Overrun)
}

// account gathers a run's ledger. Components may report from several goroutines; the lock is this run's own.
type account struct {
	mu     sync.Mutex
	total  Account
	byName map[string]Account
}

func (a *account) add(component string, entry Account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byName == nil {
		a.byName = map[string]Account{}
	}
	sum := a.byName[component]
	sum.add(entry)
	a.byName[component] = sum
	entry.Wall = 0 // the run has its own clock
	a.total.add(entry)
}

func (a *account) ledger(wall time.Duration) *Ledger {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := &Ledger{Total: a.total, Components: maps.Clone(a.byName)}
	out.Total.Wall = wall
	return out
}
