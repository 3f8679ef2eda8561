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
	"github.com/haywardhq/hayward/pipeline/component/componenttest"
	"github.com/haywardhq/hayward/pipeline/pipelinetest"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// scheduleCase is a line of testdata/schedule.jsonl (conformance/oracle/schedule_cases.py).
type scheduleCase struct {
	Seed       int  `json:"seed"`
	MaxRuns    int  `json:"max_runs"`
	Validation bool `json:"validation"`
	Components []struct {
		Name   string `json:"name"`
		Inputs []struct {
			Name, Type, Variadic string
			Default              json.RawMessage
		} `json:"inputs"`
		Outputs []struct{ Name, Type string } `json:"outputs"`
		Script  []json.RawMessage             `json:"script"`
	} `json:"components"`
	Connect []struct {
		Sender, Receiver string
		Error            *pipelinetest.Failure
	} `json:"connect"`
	Edges   [][2]string           `json:"edges"`
	Inputs  json.RawMessage       `json:"inputs"`
	Include []string              `json:"include"`
	Outputs json.RawMessage       `json:"outputs"`
	Error   *pipelinetest.Failure `json:"error"`
	Calls   []struct {
		Component string          `json:"component"`
		Visit     int             `json:"visit"`
		Inputs    json.RawMessage `json:"inputs"`
	} `json:"calls"`
	Blocked bool `json:"blocked"`

	wait func() // before each visit; nil for none
}

// Random pipelines behave as they did in Haystack: what connects and what does not and why, the order of connections, the
// order of runs, the inputs of every visit, outputs, errors and the blocked warning.
func TestScheduleAsHaystack(t *testing.T) {
	eachSchedule(t, func(t *testing.T, c *scheduleCase) { c.check(t) })
}

func eachSchedule(t *testing.T, check func(t *testing.T, c *scheduleCase)) {
	t.Helper()
	path := "testdata/schedule.jsonl"
	if other := os.Getenv("HAYWARD_SCHEDULE_CASES"); other != "" {
		path = other
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	scan := bufio.NewScanner(f)
	scan.Buffer(nil, 1<<22)
	count := 0
	for scan.Scan() {
		var c scheduleCase
		if err := json.Unmarshal(scan.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		count++
		t.Run(fmt.Sprint(c.Seed), func(t *testing.T) { check(t, &c) })
	}
	if count < 500 {
		t.Fatalf("only %d cases in %s", count, path)
	}
}

func (c *scheduleCase) check(t *testing.T, opts ...pipeline.Option) {
	plan := c.build(t)
	if t.Failed() {
		return
	}
	inputs, err := value.FromJSON(c.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	observer := pipeline.Observer{Before: func(s *pipeline.Step) {
		in := &value.Dict{}
		for i, v := range s.Inputs {
			in.Set(s.Sockets[i].Name, v)
		}
		got = append(got, fmt.Sprintf("%s %d %s", s.Component, s.Visit, sortedJSON(t, in)))
	}}
	opts = append(opts, pipeline.WithObserver(observer), pipeline.IncludeOutputsFrom(c.Include...))
	res, err := plan.Run(context.Background(), inputs.(*value.Dict), opts...)
	var want []string
	for _, call := range c.Calls {
		in, err := value.FromJSON(call.Inputs)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("%s %d %s", call.Component, call.Visit, sortedJSON(t, in)))
	}
	if c.wait != nil { // side by side: begun in any order; what a failure would have prevented may have begun
		slices.Sort(got)
		slices.Sort(want)
		if c.Error != nil {
			got = slices.DeleteFunc(got, func(s string) bool { return !slices.Contains(want, s) })
		}
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("visits:\n%s\nwant:\n%s", g, w)
	}
	c.checkEnd(t, res, err)
}

func (c *scheduleCase) checkEnd(t *testing.T, res *pipeline.Result, err error) {
	if c.Error != nil {
		if err == nil {
			t.Fatalf("no error; want %s: %s", c.Error.Class, c.Error.Message)
		}
		if f := fault.From(err); f.Code != c.Error.Class || f.Message != c.Error.Message {
			t.Errorf("error %s: %s\nwant %s: %s", f.Code, f.Message, c.Error.Class, c.Error.Message)
		}
		return
	}
	if err != nil {
		t.Fatalf("error: %v", err)
	}
	want, jsonErr := value.FromJSON(c.Outputs)
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	if g, w := sortedJSON(t, res.Outputs), sortedJSON(t, want); g != w {
		t.Errorf("outputs %s\nwant %s", g, w)
	}
	blocked := false
	for _, w := range res.Warnings {
		blocked = blocked || strings.Contains(w, "appears to be blocked")
	}
	if blocked != c.Blocked {
		t.Errorf("blocked warning: %v, want %v", blocked, c.Blocked)
	}
}

func sortedJSON(t *testing.T, v value.Value) string {
	t.Helper()
	s, err := value.ToJSON(v, value.JSONOptions{SortKeys: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (c *scheduleCase) build(t *testing.T) *pipeline.Plan {
	p := pipeline.New(nil)
	p.MaxRunsPerComponent, p.ConnectionTypeValidation = c.MaxRuns, c.Validation
	for i := range c.Components {
		comp, sp := c.component(t, i)
		if err := p.AddInstance(c.Components[i].Name, comp, sp, "Scripted"); err != nil {
			t.Fatal(err)
		}
	}
	for _, asked := range c.Connect {
		err := p.Connect(asked.Sender, asked.Receiver)
		switch {
		case err == nil && asked.Error == nil:
		case err == nil:
			t.Fatalf("%s -> %s connects; want %s: %s", asked.Sender, asked.Receiver, asked.Error.Class, asked.Error.Message)
		case asked.Error == nil:
			t.Fatalf("%s -> %s: %v", asked.Sender, asked.Receiver, err)
		default:
			if f := fault.From(err); f.Code != asked.Error.Class || f.Message != asked.Error.Message {
				t.Fatalf("%s -> %s:\n%s: %s\nwant\n%s: %s", asked.Sender, asked.Receiver, f.Code, f.Message, asked.Error.Class, asked.Error.Message)
			}
		}
	}
	plan, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	var edges [][2]string
	for _, e := range plan.Connections() {
		edges = append(edges, [2]string{e.Sender, e.Receiver})
	}
	if fmt.Sprint(edges) != fmt.Sprint(c.Edges) {
		t.Fatalf("connections %v\nwant %v", edges, c.Edges)
	}
	return plan
}

var variadics = map[string]component.Variadic{"single": component.Single, "lazy": component.Lazy, "greedy": component.Greedy}

func (c *scheduleCase) component(t *testing.T, i int) (component.Component, *component.Spec) {
	def := c.Components[i]
	sp := &component.Spec{}
	for _, in := range def.Inputs {
		socket := component.Input{Name: in.Name, Type: pytype.MustParse(in.Type), Variadic: variadics[in.Variadic]}
		if in.Default != nil {
			v, err := value.FromJSON(in.Default)
			if err != nil {
				t.Fatal(err)
			}
			socket.Default = v
		}
		sp.Inputs = append(sp.Inputs, socket)
	}
	for _, out := range def.Outputs {
		sp.Outputs = append(sp.Outputs, component.Output{Name: out.Name, Type: pytype.MustParse(out.Type)})
	}
	answer := func(visit int, _ component.In) (*value.Dict, error) {
		if c.wait != nil {
			c.wait()
		}
		entry := def.Script[min(visit, len(def.Script))-1]
		var produced []string
		if json.Unmarshal(entry, &produced) != nil {
			return nil, fmt.Errorf("%s fails on visit %d", def.Name, visit)
		}
		out := &value.Dict{}
		for _, name := range produced {
			for _, o := range def.Outputs {
				if o.Name == name {
					out.Set(name, scriptedValue(def.Name, o.Type, visit))
				}
			}
		}
		return out, nil
	}
	return &componenttest.Scripted{Spec: sp, Answer: answer}, sp
}

func scriptedValue(name, typ string, visit int) value.Value {
	number, text := value.Int(visit*10+len([]rune(name))), value.Str(fmt.Sprintf("%s%d", name, visit))
	switch typ {
	case "int":
		return number
	case "str":
		return text
	case "list[int]":
		return value.NewList(number)
	}
	return value.NewList(text)
}
