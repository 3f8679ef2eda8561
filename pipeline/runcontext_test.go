package pipeline_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// paying is a pipeline of one component that makes the given paid calls and uses what it is told to.
func paying(t testing.TB, use func(component.Reservation), calls ...component.Call) *pipeline.Plan {
	return one(t, func(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
		for _, call := range calls {
			r, err := env.Reserve(ctx, call)
			if err != nil {
				return component.Out{}, err
			}
			use(r)
		}
		return component.Outputs(in[0]), nil
	})
}

func settle(in, out int64) func(component.Reservation) {
	return func(r component.Reservation) { r.Settle(component.Usage{In: in, Out: out}) }
}

// A run that nobody meters pays without an account, and has no part of the rest.
func TestNothingIsThereByDefault(t *testing.T) {
	plan := one(t, func(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
		r, err := env.Reserve(ctx, component.Call{Model: "m", In: math.MaxInt64})
		if env.Ports() != nil || env.Metered() || env.HasMemory() || err != nil || r.MaxOut() != 0 || r.Progress(math.MaxInt64) != nil {
			t.Errorf("%+v %v", env, err)
		}
		r.Settle(component.Usage{})
		if on, err := env.FlagOn(ctx, "x", true); !on || err != nil {
			t.Error("a flag without flags is not its default")
		}
		if _, err := env.Messages(ctx); !fault.Is(err, fault.Unavailable) {
			t.Errorf("messages: %v", err)
		}
		if err := env.Remember(ctx); !fault.Is(err, fault.Unavailable) {
			t.Errorf("remember: %v", err)
		}
		return component.Outputs(in[0]), nil
	})
	if res, err := plan.Run(context.Background(), nil); err != nil || res.Ledger != nil {
		t.Errorf("%v %+v", err, res)
	}
}

func TestLedger(t *testing.T) {
	now := time.Unix(0, 0)
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); now = now.Add(time.Second); return now }
	plan := paying(t, settle(10, 4), component.Call{Model: "a", In: 20, Out: 5}, component.Call{Model: "b", In: 20, Out: 2})
	res, err := plan.Run(context.Background(), nil, pipeline.WithClock(clock),
		pipeline.WithRunContext(pipeline.RunContext{Prices: pipeline.Prices{"a": {In: 3, Out: 5, Call: 7}}}))
	if err != nil {
		t.Fatal(err)
	}
	want := pipeline.Account{Runs: 1, Wall: time.Second, Calls: 2, TokensIn: 20, TokensOut: 8, Cost: 3*10 + 5*4 + 7, Unpriced: 1}
	if got := res.Ledger.Components["x"]; got != want || len(res.Ledger.Components) != 1 {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	want.Wall = 3 * time.Second
	if res.Ledger.Total != want {
		t.Errorf("total %+v", res.Ledger.Total)
	}
	res, err = plan.Run(context.Background(), nil, pipeline.WithRunContext(pipeline.RunContext{Ledger: true}))
	if err != nil || res.Ledger.Total.Cost != 0 || res.Ledger.Total.Calls != 2 || res.Ledger.Total.Unpriced != 0 {
		t.Errorf("without prices: %v %+v", err, res.Ledger)
	}
}

func TestBudgetRefuses(t *testing.T) {
	call := component.Call{Model: "m", In: 60, Out: 40}
	prices := pipeline.Prices{"": {In: 1, Out: 2}}
	for name, c := range map[string]struct {
		limits pipeline.BudgetLimits
		prices pipeline.Prices
		calls  int // that go through
	}{
		"no limit":        {pipeline.BudgetLimits{}, prices, 4},
		"tokens":          {pipeline.BudgetLimits{Tokens: 120}, prices, 3},    // each uses 10, and must leave room for 100
		"exactly enough":  {pipeline.BudgetLimits{Tokens: 130}, prices, 4},    //
		"cost":            {pipeline.BudgetLimits{Cost: 140 + 14}, prices, 2}, // 60 + 2*40 at worst, 6 + 2*4 in the end
		"calls":           {pipeline.BudgetLimits{Calls: 2}, nil, 2},
		"no price":        {pipeline.BudgetLimits{Cost: 1 << 40}, pipeline.Prices{"other": {}}, 0},
		"far too little":  {pipeline.BudgetLimits{Tokens: 1}, nil, 0},
		"several at once": {pipeline.BudgetLimits{Tokens: 1 << 40, Calls: 3, Cost: 1 << 40}, prices, 3},
	} {
		budget := pipeline.NewBudget(c.limits)
		plan := paying(t, settle(6, 4), call, call, call, call)
		res, err := plan.Run(context.Background(), nil, pipeline.WithRunContext(pipeline.RunContext{Budget: budget, Prices: c.prices}))
		if c.calls == 4 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		f := fault.From(err)
		if f == nil || f.Code != pipeline.CodeBudgetExceeded || f.Kind != fault.Limited || f.Where.Component != "x" {
			t.Errorf("%s: %v", name, err)
		}
		if got := res.Ledger.Total; got.Calls != int64(c.calls) || got.Refused != 1 {
			t.Errorf("%s: %+v", name, got)
		}
		if s := budget.State(); s.Spent.Calls != int64(c.calls) || s.Held != (pipeline.Spending{}) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// A call without a bound of its own gets one that fits.
func TestBudgetBoundsCalls(t *testing.T) {
	for _, c := range []struct {
		limits pipeline.BudgetLimits
		want   int64
	}{
		{pipeline.BudgetLimits{Calls: 5}, 0},
		{pipeline.BudgetLimits{Tokens: 1 << 40}, pipeline.DefaultMaxOut},
		{pipeline.BudgetLimits{Tokens: 1 << 40, MaxOut: 9}, 9},
		{pipeline.BudgetLimits{Tokens: 107}, 7},
		{pipeline.BudgetLimits{Cost: 100 + 2*6 + 1}, 6},
		{pipeline.BudgetLimits{Tokens: 103, Cost: 100 + 2*6}, 3},
	} {
		got := int64(-1)
		plan := paying(t, func(r component.Reservation) { got = r.MaxOut(); r.Release() }, component.Call{In: 100})
		_, err := plan.Run(context.Background(), nil, pipeline.WithRunContext(pipeline.RunContext{Budget: pipeline.NewBudget(c.limits),
			Prices: pipeline.Prices{"": {In: 1, Out: 2}}}))
		if err != nil || got != c.want {
			t.Errorf("%+v: got %d, %v; want %d", c.limits, got, err, c.want)
		}
	}
}

// Whatever components reserve, report and settle, held and spent add up, and a use within its reservation never exceeds
// the limits.
func TestBudgetLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := pipeline.BudgetLimits{Tokens: rapid.Int64Range(1, 500).Draw(t, "tokens"), Calls: rapid.Int64Range(0, 9).Draw(t, "calls"),
			Cost: rapid.Int64Range(0, 900).Draw(t, "cost")}
		budget := pipeline.NewBudget(limits)
		p := pipeline.New(nil)
		honest := rapid.Bool().Draw(t, "honest")
		var sum int64
		run := func(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
			for range 12 {
				sent := rapid.Int64Range(0, 60).Draw(t, "in")
				r, err := env.Reserve(ctx, component.Call{In: sent, Out: rapid.Int64Range(0, 60).Draw(t, "out")})
				if err != nil {
					continue
				}
				most := r.MaxOut()
				if !honest {
					most *= 2
				}
				out := rapid.Int64Range(0, most).Draw(t, "used")
				if err := r.Progress(out); err != nil && out <= r.MaxOut() {
					t.Fatalf("cut within the reservation: %v", err)
				}
				switch rapid.IntRange(0, 2).Draw(t, "end") {
				case 0:
					r.Release()
				default:
					r.Settle(component.Usage{In: sent, Out: out})
					sum += sent + out
				}
				r.Settle(component.Usage{In: 1 << 40})
			}
			return component.Outputs(), nil
		}
		if err := p.AddInstance("x", runner(run), &component.Spec{}, "test.X"); err != nil {
			t.Fatal(err)
		}
		plan, err := p.Compile()
		if err != nil {
			t.Fatal(err)
		}
		res, err := plan.Run(context.Background(), nil, pipeline.WithRunContext(pipeline.RunContext{Budget: budget, Prices: pipeline.Prices{"": {In: 1, Out: 1}}}))
		if err != nil {
			t.Fatal(err)
		}
		s := budget.State()
		if s.Held != (pipeline.Spending{}) || s.Spent.Tokens != sum || res.Ledger.Total.TokensIn+res.Ledger.Total.TokensOut != sum {
			t.Fatalf("%+v, sum %d, ledger %+v", s, sum, res.Ledger.Total)
		}
		if honest && (sum > limits.Tokens || limits.Cost > 0 && s.Spent.Cost > limits.Cost) || limits.Calls > 0 && s.Spent.Calls > limits.Calls {
			t.Fatalf("%+v exceeds %+v", s.Spent, limits)
		}
	})
}

// Two runs spend wall time together: both are ended when it is over, and the next one does not start.
func TestWallBudget(t *testing.T) {
	budget := pipeline.NewBudget(pipeline.BudgetLimits{Wall: 50 * time.Millisecond})
	plan := one(t, func(ctx context.Context, _ *component.Env, _ component.In) (component.Out, error) {
		<-ctx.Done()
		return component.Out{}, ctx.Err()
	})
	rc := pipeline.WithRunContext(pipeline.RunContext{Budget: budget})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if _, err := plan.Run(context.Background(), nil, rc); fault.From(err).Code != pipeline.CodeBudgetExceeded {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	if s := budget.State(); s.Spent.Wall < 50*time.Millisecond {
		t.Errorf("%+v", s)
	}
	res, err := plan.Run(context.Background(), nil, rc)
	if fault.From(err).Code != pipeline.CodeBudgetExceeded || res.Steps != 0 || res.Ledger == nil {
		t.Errorf("the next run: %v", err)
	}
	enough := pipeline.WithRunContext(pipeline.RunContext{Budget: pipeline.NewBudget(pipeline.BudgetLimits{Wall: time.Hour})})
	if _, err := one(t, echo).Run(context.Background(), nil, enough); err != nil {
		t.Error(err)
	}
}

type flagSet map[string]value.Value

func (f flagSet) Flag(_ context.Context, name string) (value.Value, error) {
	if name == "broken" {
		return nil, errors.New("no flags now")
	}
	return f[name], nil
}

func TestFlags(t *testing.T) {
	plan := one(t, func(ctx context.Context, env *component.Env, _ component.In) (component.Out, error) {
		on, err := env.FlagOn(ctx, "new_ranking", false)
		if err != nil {
			t.Error(err)
		}
		if absent, err := env.FlagOn(ctx, "absent", true); !absent || err != nil {
			t.Error("an absent flag is not its default")
		}
		if _, err := env.Flag(ctx, "broken"); err == nil {
			t.Error("a failure is hidden")
		}
		return component.Outputs(value.Bool(on)), nil
	})
	for _, on := range []bool{true, false} {
		res, err := plan.Run(context.Background(), nil, pipeline.WithRunContext(pipeline.RunContext{Flags: flagSet{"new_ranking": value.Bool(on)}}))
		if err != nil || value.Repr(res.Outputs) != value.Repr(value.NewDict("x", value.NewDict("value", value.Bool(on)))) {
			t.Errorf("%v %v", err, res.Outputs)
		}
	}
}

type memory struct {
	mu       sync.Mutex
	sessions map[string][]*chat.Message
}

func (m *memory) Messages(_ context.Context, session string) ([]*chat.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.sessions[session]), nil
}

func (m *memory) Append(_ context.Context, session string, messages ...*chat.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[session] = append(m.sessions[session], messages...)
	return nil
}

func TestSessionMemory(t *testing.T) {
	plan := one(t, func(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
		before, err := env.Messages(ctx)
		if err == nil {
			err = env.Remember(ctx, chat.FromUser("again"))
		}
		return component.Outputs(value.Int(len(before))), err
	})
	m := &memory{sessions: map[string][]*chat.Message{}}
	for _, c := range []struct {
		session string
		before  int
	}{{"a", 0}, {"a", 1}, {"b", 0}, {"a", 2}} {
		res, err := plan.Run(context.Background(), nil, pipeline.WithRunContext(pipeline.RunContext{Memory: m, Session: c.session}))
		if want := value.NewDict("x", value.NewDict("value", value.Int(c.before))); err != nil || !value.Equal(res.Outputs, want) {
			t.Errorf("%s: %v %v", c.session, err, res.Outputs)
		}
	}
}

// Cancelling a run's context ends a loop before its next component.
func TestCancelEndsALoop(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var runs atomic.Int64
	p := pipeline.New(nil)
	p.MaxRunsPerComponent = 1 << 20
	plan := ring(t, p, func() {
		if runs.Add(1) == 100 {
			cancel()
		}
	})
	res, err := plan.Run(ctx, value.NewDict("a", value.NewDict("start", value.Int(1))))
	if !fault.Is(err, fault.Canceled) || runs.Load() != 100 || res.Steps != 100 {
		t.Errorf("%v after %d runs", err, runs.Load())
	}
}

// ring is two components that call tick and wake each other for ever.
func ring(t testing.TB, p *pipeline.Pipeline, tick func()) *pipeline.Plan {
	t.Helper()
	typ := pytype.MustParse("int")
	turn := runner(func(context.Context, *component.Env, component.In) (component.Out, error) {
		tick()
		return component.Outputs(value.Int(1)), nil
	})
	sp := &component.Spec{Inputs: []component.Input{{Name: "start", Type: typ, Default: value.None}, {Name: "back", Type: typ, Default: value.None}},
		Outputs: []component.Output{{Name: "value", Type: typ}}}
	for _, name := range []string{"a", "b"} {
		if err := p.AddInstance(name, turn, sp, "test.Turn"); err != nil {
			t.Fatal(err)
		}
	}
	for _, ends := range [][2]string{{"a.value", "b.back"}, {"b.value", "a.back"}} {
		if err := p.Connect(ends[0], ends[1]); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}
