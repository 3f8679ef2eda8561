package pipeline_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/pipelinetest"
	"github.com/haywardhq/hayward/pipeline/value"
)

// snapshotCase is a line of testdata/snapshots.jsonl (conformance/oracle/snapshot_cases.py).
type snapshotCase struct {
	Seed      int                   `json:"seed"`
	Failed    bool                  `json:"failed"`
	Component string                `json:"component"`
	Visit     int                   `json:"visit"`
	Message   string                `json:"message"`
	Snapshot  json.RawMessage       `json:"snapshot"`
	Outputs   json.RawMessage       `json:"outputs"`
	Error     *pipelinetest.Failure `json:"error"`
	Calls     []struct {
		Component string          `json:"component"`
		Visit     int             `json:"visit"`
		Inputs    json.RawMessage `json:"inputs"`
	} `json:"calls"`
}

// Random pipelines stop where Haystack stopped, with its snapshot, and go on from that snapshot as Haystack did.
func TestSnapshotsAsHaystack(t *testing.T) {
	f, err := os.Open("testdata/snapshots.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases := map[int]*snapshotCase{}
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 1<<22)
	for scan.Scan() {
		var c snapshotCase
		if err := json.Unmarshal(scan.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases[c.Seed] = &c
	}
	if len(cases) < 300 {
		t.Fatalf("only %d cases", len(cases))
	}
	ran := 0
	eachSchedule(t, func(t *testing.T, s *scheduleCase) {
		if c := cases[s.Seed]; c != nil {
			ran++
			c.check(t, s)
		}
	})
	if ran != len(cases) {
		t.Errorf("%d of %d cases ran", ran, len(cases))
	}
}

func (c *snapshotCase) check(t *testing.T, s *scheduleCase) {
	plan := s.build(t)
	inputs, err := value.FromJSON(s.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	opts := []pipeline.Option{pipeline.IncludeOutputsFrom(s.Include...), pipeline.KeepSnapshot(), pipeline.WithConcurrency(4)}
	if !c.Failed {
		opts = append(opts, pipeline.BreakAt(pipeline.Breakpoint{Component: c.Component, Visit: c.Visit}))
	}
	res, err := plan.Run(context.Background(), inputs.(*value.Dict), opts...)
	switch f := fault.From(err); {
	case err == nil || res.Snapshot == nil:
		t.Fatalf("the run does not stop: %v", err)
	case c.Failed && f.Code != pipeline.CodeRuntimeError, !c.Failed && (f.Code != pipeline.CodeBreakpoint || f.Message != c.Message):
		t.Fatalf("stops with %v", err)
	}
	v, err := value.FromJSON(c.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	theirs := v.(*value.Dict)
	if g, w := normal(t, res.Snapshot.ToDict()), normal(t, theirs); g != w {
		t.Errorf("snapshot\n got %s\nwant %s", g, w)
	}
	if !c.Failed {
		c.resume(t, plan, theirs)
		c.resume(t, plan, through(t, res.Snapshot.ToDict()))
	}
}

func (c *snapshotCase) resume(t *testing.T, plan *pipeline.Plan, snapshot *value.Dict) {
	t.Helper()
	from, err := pipeline.SnapshotFromDict(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	observer := pipeline.Observer{Before: func(s *pipeline.Step) {
		in := &value.Dict{}
		for i, v := range s.Inputs {
			in.Set(s.Sockets[i].Name, v)
		}
		got = append(got, fmt.Sprintf("%s %d %s", s.Component, s.Visit, sortedJSON(t, in)))
	}}
	for _, call := range c.Calls {
		in, _ := value.FromJSON(call.Inputs)
		want = append(want, fmt.Sprintf("%s %d %s", call.Component, call.Visit, sortedJSON(t, in)))
	}
	res, err := plan.Run(context.Background(), nil, pipeline.Resume(from), pipeline.WithObserver(observer))
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("resumed visits:\n%s\nwant:\n%s", g, w)
	}
	end := scheduleCase{Error: c.Error, Outputs: c.Outputs, Blocked: slices.ContainsFunc(res.Warnings, func(w string) bool { return strings.Contains(w, "appears to be blocked") })}
	end.checkEnd(t, res, err)
}

// through is what is left of a dict after a trip through JSON text.
func through(t *testing.T, d *value.Dict) *value.Dict {
	t.Helper()
	return obj(t, sortedJSON(t, d))
}

// normal is a snapshot without what may differ and means nothing: its time; components that hold nothing; within a lazy
// socket, where the markers of senders without a value stand, and those of senders that sent a value as well.
func normal(t *testing.T, d *value.Dict) string {
	t.Helper()
	d = through(t, d)
	d.Set("timestamp", value.None)
	state := field(d, "pipeline_state").(*value.Dict)
	kept := &value.Dict{}
	schemas := field(field(field(state, "inputs"), "serialization_schema"), "properties")
	for comp, sockets := range field(field(state, "inputs"), "serialized_data").(*value.Dict).Strings() {
		for socket, list := range sockets.(*value.Dict).Strings() {
			schema := field(field(field(schemas, comp), "properties"), socket).(*value.Dict)
			var entries, markers, senders []string
			for i, it := range list.(*value.List).Items {
				one, ok := schema.Get("items")
				if !ok {
					one = field(schema, "prefixItems").(*value.List).Items[i]
				}
				text := sortedJSON(t, value.NewList(it, one))
				sender := value.Repr(field(it, "sender"))
				switch {
				case !strings.Contains(text, "_NoOutputProduced"):
					entries, senders = append(entries, text), append(senders, sender)
				case !slices.Contains(senders, sender):
					markers, senders = append(markers, text), append(senders, sender)
				}
			}
			slices.Sort(markers)
			kept.Set(comp+"."+socket, value.Str(strings.Join(append(entries, markers...), " ")))
		}
	}
	state.Set("inputs", kept)
	return sortedJSON(t, d)
}

func field(v value.Value, name string) value.Value {
	d, _ := v.(*value.Dict)
	x, _ := d.Get(name)
	return x
}

// Documents go through a snapshot; what has no form there is left out and named.
func TestSnapshotOfDocuments(t *testing.T) {
	plan := one(t, func(_ context.Context, _ *component.Env, in component.In) (component.Out, error) {
		return component.Outputs(in[0]), nil
	})
	text := "hello"
	doc, err := document.New(document.Document{Content: &text})
	if err != nil {
		t.Fatal(err)
	}
	mixed := value.NewList(doc, value.Int(1), value.Tuple{value.Float(1), value.None}, value.Bool(true))
	at := pipeline.BreakAt(pipeline.Breakpoint{Component: "x"})
	res, err := plan.Run(context.Background(), value.NewDict("x", value.NewDict("value", mixed)), at)
	if fault.From(err).Code != pipeline.CodeBreakpoint {
		t.Fatal(err)
	}
	s, err := pipeline.SnapshotFromDict(through(t, res.Snapshot.ToDict()))
	if err != nil {
		t.Fatal(err)
	}
	res, err = plan.Run(context.Background(), nil, pipeline.Resume(s))
	if err != nil || !value.Equal(res.Outputs, value.NewDict("x", value.NewDict("value", mixed))) {
		t.Errorf("%v %s", err, value.Repr(res.Outputs))
	}
	res, _ = plan.Run(context.Background(), value.NewDict("x", value.NewDict("value", value.Bytes("\x00"))), at)
	if s := res.Snapshot; len(s.Left) == 0 || s.Left[0] != "inputs.x" || len(res.Warnings) == 0 {
		t.Errorf("%+v %q", s.Left, res.Warnings)
	}
}

// Snapshots that do not fit, and breakpoints that mean nothing.
func TestSnapshotErrors(t *testing.T) {
	plan := mustLoad(t, linear)
	res, _ := plan.Run(context.Background(), obj(t, `{"a": {"value": 1}}`), pipeline.BreakAt(pipeline.Breakpoint{Component: "b"}))
	good := sortedJSON(t, res.Snapshot.ToDict())
	for name, c := range map[string]struct{ old, new, code string }{
		"an unknown key":         {`"timestamp"`, `"timestmap"`, pipeline.CodeDeserializationError},
		"another component":      {`"ordered_component_names": ["a", "b"]`, `"ordered_component_names": ["a", "b", "c"]`, pipeline.CodeValueError},
		"visits out of range":    {`"component_visits": {"a": 1`, `"component_visits": {"a": -1`, pipeline.CodeValueError},
		"another sender":         {`"sender": "a"`, `"sender": "b"`, pipeline.CodeInvalidSnapshot},
		"a class of code":        {`"type": "integer"`, `"type": "haystack.components.agents.agent.Agent"`, pipeline.CodeDeserializationError},
		"a lie about a type":     {`"type": "integer"`, `"type": "string"`, pipeline.CodeDeserializationError},
		"a strange form":         {`"inputs_format": "internal"`, `"inputs_format": "external"`, pipeline.CodeDeserializationError},
		"a breakpoint elsewhere": {`"component_name": "b"`, `"component_name": "z"`, pipeline.CodeInvalidSnapshot},
	} {
		text := strings.ReplaceAll(good, c.old, c.new)
		if text == good {
			t.Fatalf("%s: %s is not in %s", name, c.old, good)
		}
		s, err := pipeline.SnapshotFromDict(obj(t, text))
		if err == nil {
			_, err = plan.Run(context.Background(), nil, pipeline.Resume(s))
		}
		if f := fault.From(err); f == nil || f.Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	at := pipeline.BreakAt(pipeline.Breakpoint{Component: "b"})
	if _, err := plan.Run(context.Background(), nil, pipeline.Resume(res.Snapshot), at); fault.From(err).Code != pipeline.CodeInvalidSnapshot {
		t.Errorf("the same breakpoint: %v", err)
	}
	if _, err := plan.Run(context.Background(), obj(t, `{"a": {"value": 1}}`), pipeline.Resume(res.Snapshot)); fault.From(err).Code != pipeline.CodeValueError {
		t.Errorf("inputs beside a snapshot: %v", err)
	}
	if _, err := plan.Run(context.Background(), nil, pipeline.BreakAt(pipeline.Breakpoint{Component: "z"})); fault.From(err).Code != pipeline.CodeValueError {
		t.Errorf("no such component: %v", err)
	}
	res, err := plan.Run(context.Background(), obj(t, `{"a": {"value": 1}}`), pipeline.BreakAt(pipeline.Breakpoint{Component: "b", Visit: 9}))
	if err != nil || res.Snapshot != nil || len(res.Warnings) != 1 || !strings.Contains(res.Warnings[0], "was never triggered") {
		t.Errorf("%v %q", err, res.Warnings)
	}
}

// Whatever a snapshot says, reading it and resuming from it neither panics nor goes beyond the limits.
func FuzzSnapshot(f *testing.F) {
	plan := mustLoad(f, linear)
	res, _ := plan.Run(context.Background(), obj(f, `{"a": {"value": 1}}`), pipeline.BreakAt(pipeline.Breakpoint{Component: "b"}))
	text, err := value.ToJSON(res.Snapshot.ToDict(), value.JSONOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(strings.ReplaceAll(text, `"integer"`, `"haystack.dataclasses.document.Document"`))
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.FromJSON([]byte(text))
		d, ok := v.(*value.Dict)
		if err != nil || !ok {
			return
		}
		s, err := pipeline.SnapshotFromDict(d)
		if err != nil {
			return
		}
		res, err := plan.Run(context.Background(), nil, pipeline.Resume(s), pipeline.WithLimits(pipeline.Limits{Steps: 100}))
		if res.Steps > 100 || err != nil && fault.KindOf(err) == fault.Internal {
			t.Errorf("%d steps, %v", res.Steps, err)
		}
	})
}
