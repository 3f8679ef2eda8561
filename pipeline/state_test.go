package pipeline

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

type pass struct{}

func (pass) Run(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
	return component.Outputs(in[0]), nil
}

// twoSenders is a -> c and b -> c, with c's socket becoming lazily variadic.
func twoSenders(t *testing.T) *Plan {
	list := pytype.MustParse("list[int]")
	sp := &component.Spec{Inputs: []component.Input{{Name: "value", Type: list}}, Outputs: []component.Output{{Name: "value", Type: list}}}
	p := New(nil)
	for _, n := range []string{"a", "b", "c"} {
		if err := p.AddInstance(n, pass{}, sp, "test.Pass"); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []string{"a", "b"} {
		if err := p.Connect(n, "c"); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// What goes back to the pool holds nothing of the run, also when it failed halfway, and so does what stands in a list's
// spare room.
func TestReleasedStateIsEmpty(t *testing.T) {
	plan := twoSenders(t)
	given := value.NewList(value.Str("one tenant's"))
	secrets := map[string]sealed.Value{"KEY": sealed.NewString("one tenant's")}
	options := []Option{WithRunContext(RunContext{Secrets: secrets, RequestID: "one tenant's", Ledger: true}), IncludeOutputsFrom("a"),
		WithStream(func(StreamEvent) error { return nil }), WithObserver(Observer{After: func(*Step) {}}), WithLimits(Limits{}), KeepSnapshot()}
	for name, inputs := range map[string]*value.Dict{
		"a whole run":  value.NewDict("a", value.NewDict("value", given), "b", value.NewDict("value", given), "c", value.NewDict("value", given)),
		"a failed run": value.NewDict("a", value.NewDict("value", given), "c", value.NewDict("value", given)),
	} {
		r := plan.program.newRun()
		r.equip(context.Background(), Init{Secrets: secrets}, options)
		err := r.do(inputs)
		if (err != nil) != (name == "a failed run") {
			t.Fatalf("%s: %v", name, err)
		}
		r.release()
		for i := range r.s.slots {
			sl := &r.s.slots[i]
			for _, it := range sl.items[:cap(sl.items)] {
				if it != (item{}) {
					t.Errorf("%s: slot %d still holds %v", name, i, it.val)
				}
			}
			sl.items = nil // its room may stay
		}
		if fresh := plan.program.newState(); !reflect.DeepEqual(r.s, fresh) {
			t.Errorf("%s: the state is not as at the start:\n%+v\n%+v", name, r.s, fresh)
		}
		if fresh := (&run{g: plan.program, s: r.s}); !reflect.DeepEqual(r, fresh) {
			t.Errorf("%s: the run still holds something: %+v", name, r)
		}
	}
}

// What a component was given stays its own run's, even if it keeps it against its contract.
func TestWhatWasGivenIsNotUsedAgain(t *testing.T) {
	plan := twoSenders(t)
	inputs := value.NewDict("a", value.NewDict("value", value.NewList()), "b", value.NewDict("value", value.NewList()))
	var kept []*component.Env
	var all []*given
	for range 50 {
		r := plan.program.newRun()
		r.equip(context.Background(), Init{}, nil)
		if err := r.do(inputs); err != nil {
			t.Fatal(err)
		}
		for i := range r.envs {
			if slices.Contains(kept, &r.envs[i]) {
				t.Fatal("an environment was given twice")
			}
			kept = append(kept, &r.envs[i])
		}
		if slices.Contains(all, r.given) {
			t.Fatal("a secret chain was given twice")
		}
		all = append(all, r.given)
		r.release()
	}
}

// A run that a listener's panic ended is not used again: its workers may still be at work.
func TestRunThatPanickedIsNotUsedAgain(t *testing.T) {
	plan := twoSenders(t)
	inputs := value.NewDict("a", value.NewDict("value", value.NewList()), "b", value.NewDict("value", value.NewList()))
	for _, concurrency := range []int{1, 2} {
		func() {
			defer func() {
				if p := recover(); p != "the listener" {
					t.Errorf("recovered %v", p)
				}
			}()
			_, _ = plan.Run(context.Background(), inputs, WithConcurrency(concurrency),
				WithObserver(Observer{After: func(*Step) { panic("the listener") }}))
		}()
		if r := plan.program.pool.Get(); r != nil {
			t.Errorf("concurrency %d: the pool holds %+v", concurrency, r)
		}
	}
}

// A list socket that the user sends to as well takes both in that run, and is as before in the next.
func TestUserBesideASenderIsPerRun(t *testing.T) {
	plan := twoSenders(t)
	one, two, three := value.NewList(value.Int(1)), value.NewList(value.Int(2)), value.NewList(value.Int(3))
	base := value.NewDict("a", value.NewDict("value", one), "b", value.NewDict("value", two))
	with := base.Clone()
	with.Set("c", value.NewDict("value", three))
	for range 2 {
		for inputs, want := range map[*value.Dict]string{with: "{'c': {'value': [3, 1, 2]}}", base: "{'c': {'value': [1, 2]}}"} {
			res, err := plan.Run(context.Background(), inputs)
			if err != nil || value.Repr(res.Outputs) != want {
				t.Errorf("%v %v, want %s", res.Outputs, err, want)
			}
		}
	}
}

// A handle with its own init context costs next to nothing.
func TestHandleIsCheap(t *testing.T) {
	plan := twoSenders(t)
	if n := testing.AllocsPerRun(100, func() { sink = plan.With(Init{}) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
	if sink.program != plan.program {
		t.Error("the program was copied")
	}
}

var sink *Plan
