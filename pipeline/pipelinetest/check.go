package pipelinetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Options changes how [Scenario.Check] works.
type Options struct {
	// Registry has the real components; a class it lacks is played by a stand-in. Nil means the sample components.
	Registry *component.Registry
	// RunOptions are added to every run, for example a store provider.
	RunOptions []pipeline.Option
	// AnyOrder is for concurrent runs: visits may begin in any order, and what comes after a failure may have begun.
	AnyOrder bool
	// Code compiles from the recorded connections even where there is a file.
	Code bool
}

// Check runs every recorded run of the scenario and compares outputs, error, order, and the inputs of every visit. It
// returns the classes that stand-ins played.
func (s *Scenario) Check(t *testing.T, o Options) (standIns []string) {
	t.Helper()
	if o.Registry == nil {
		o.Registry = Registry()
	}
	script := &Script{}
	plan, standIns := s.Plan(t, o, script)
	for i := range s.Runs {
		script.Run = &s.Runs[i]
		t.Run(fmt.Sprintf("run %d", i+1), func(t *testing.T) { s.checkRun(t, plan, script.Run, o) })
	}
	return standIns
}

func (s *Scenario) checkRun(t *testing.T, plan *pipeline.Plan, want *Run, o Options) {
	var order []string
	var calls []*pipeline.Step
	var inputs []*value.Dict
	observer := pipeline.Observer{Before: func(st *pipeline.Step) {
		order, calls = append(order, st.Component), append(calls, st)
		in := &value.Dict{}
		for k, v := range st.Inputs {
			in.Set(st.Sockets[k].Name, v)
		}
		inputs = append(inputs, in)
	}}
	opts := append(slices.Clone(o.RunOptions), pipeline.WithObserver(observer), pipeline.IncludeOutputsFrom(want.Include...))
	res, err := plan.Run(context.Background(), want.Inputs, opts...)
	if o.AnyOrder {
		order, calls, inputs = sorted(want, calls, inputs)
	}
	if !slices.Equal(order, want.Order) {
		t.Errorf("order:\n got %v\nwant %v", order, want.Order)
	}
	for i, c := range want.Calls {
		if i >= len(calls) {
			break
		}
		if calls[i].Component != c.Component || !c.at(calls[i].Visit) {
			t.Errorf("call %d is visit %d of %s, want visit %d of %s", i, calls[i].Visit, calls[i].Component, c.Visit, c.Component)
			continue
		}
		if !Same(inputs[i], c.Inputs) {
			t.Errorf("inputs of visit %d of %s:\n got %s\nwant %s", c.Visit, c.Component, Show(inputs[i]), Show(c.Inputs))
		}
	}
	checkEnd(t, res, err, want)
}

// sorted brings visits into the recorded order. What was not recorded comes last, or goes if the run was to fail.
func sorted(want *Run, calls []*pipeline.Step, inputs []*value.Dict) ([]string, []*pipeline.Step, []*value.Dict) {
	place := func(st *pipeline.Step) int {
		i := slices.IndexFunc(want.Calls, func(c Call) bool { return c.Component == st.Component && c.at(st.Visit) })
		if i < 0 {
			return len(want.Calls)
		}
		return i
	}
	byCall := map[*pipeline.Step]*value.Dict{}
	for i, st := range calls {
		byCall[st] = inputs[i]
	}
	slices.SortStableFunc(calls, func(a, b *pipeline.Step) int { return place(a) - place(b) })
	if want.Error != nil {
		calls = slices.DeleteFunc(calls, func(st *pipeline.Step) bool { return place(st) == len(want.Calls) })
	}
	order, ins := make([]string, len(calls)), make([]*value.Dict, len(calls))
	for i, st := range calls {
		order[i], ins[i] = st.Component, byCall[st]
	}
	return order, calls, ins
}

func checkEnd(t *testing.T, res *pipeline.Result, err error, want *Run) {
	if want.Error == nil {
		if err != nil {
			t.Fatalf("error: %v", err)
		}
		if !Same(res.Outputs, want.Outputs) {
			t.Errorf("outputs:\n got %s\nwant %s", Show(res.Outputs), Show(want.Outputs))
		}
		return
	}
	if err == nil {
		t.Fatalf("no error; want %s: %s", want.Error.Class, want.Error.Message)
	}
	f := fault.From(err)
	if f.Code != want.Error.Class || f.Message != want.Error.Message {
		t.Errorf("error:\n got %s: %s\nwant %s: %s", f.Code, f.Message, want.Error.Class, want.Error.Message)
	}
}

// Plan compiles the scenario: from its file, or, when it has none, from its sockets and connections.
func (s *Scenario) Plan(t testing.TB, o Options, script *Script) (*pipeline.Plan, []string) {
	t.Helper()
	if s.YAML == "" || o.Code {
		return s.fromConnections(t, script)
	}
	reg, standIns := s.withStandIns(t, o.Registry, script)
	plan, err := pipeline.Load([]byte(s.YAML), s.Name+".yml", reg, pipeline.LoadOptions{})
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	s.checkSockets(t, plan)
	return plan, standIns
}

func (s *Scenario) fromConnections(t testing.TB, script *Script) (*pipeline.Plan, []string) {
	t.Helper()
	p := pipeline.New(nil)
	p.MaxRunsPerComponent = s.MaxRuns
	for _, name := range s.Components {
		c, sp := s.StandIn(name, script)
		if err := p.AddInstance(name, c, sp, s.Sockets[name].Class); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range s.Connections {
		if err := p.Connect(c[0], c[1]); err != nil {
			t.Fatalf("%s -> %s: %v", c[0], c[1], err)
		}
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	s.checkSockets(t, plan)
	return plan, s.classes(nil)
}

// checkSockets compares senders and flags of every input socket. The order of senders depends on how the pipeline was
// built, so they are compared as sets.
func (s *Scenario) checkSockets(t testing.TB, plan *pipeline.Plan) {
	t.Helper()
	got := map[string]pipeline.InputInfo{}
	for _, in := range plan.AllInputs() {
		got[in.Component+"."+in.Socket] = in
	}
	for _, name := range s.Components {
		for _, socket := range s.Sockets[name].InputOrder {
			want := s.Sockets[name].Inputs[socket]
			in, ok := got[name+"."+socket]
			if !ok {
				t.Errorf("%s has no input %s", name, socket)
				continue
			}
			if (in.Default == nil) != want.Mandatory || (in.Variadic == component.Lazy) != want.Lazy || (in.Variadic == component.Greedy) != want.Greedy {
				t.Errorf("%s.%s: default %v, variadic %d; want %+v", name, socket, in.Default, in.Variadic, want)
			}
			if senders := senderNames(plan.Senders(name, socket)); !sameSet(senders, want.Senders) {
				t.Errorf("%s.%s: senders %v, want %v", name, socket, senders, want.Senders)
			}
		}
	}
}

func senderNames(sockets []string) []string {
	out := make([]string, len(sockets))
	for i, s := range sockets {
		out[i], _, _ = strings.Cut(s, ".")
	}
	return out
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// classes lists the scenario's classes that the registry lacks.
func (s *Scenario) classes(reg *component.Registry) []string {
	var out []string
	for _, name := range s.Components {
		class := s.Sockets[name].Class
		if reg != nil {
			if _, ok := reg.Lookup(class); ok {
				continue
			}
		}
		if !slices.Contains(out, class) {
			out = append(out, class)
		}
	}
	return out
}
