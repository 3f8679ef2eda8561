package pipelinetest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/haywardhq/hayward/pipeline/value"
)

// VectorsDir is where recorded results of the Python originals lie: HAYWARD_VECTORS, else the folder beside the checkout.
func VectorsDir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("HAYWARD_VECTORS"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "..", "shared", "vectors")
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

// Scenario is a recorded pipeline with its runs (pipeline_run.json).
type Scenario struct {
	Name        string
	YAML        string // "" for one that Python cannot dump
	MaxRuns     int
	Connections [][2]string
	Components  []string // in the order they were added
	Sockets     map[string]*Sockets
	Stores      *value.Dict // documents by index, to be written first; nil for none
	Runs        []Run
}

// Sockets is what a component's sockets looked like.
type Sockets struct {
	Class       string
	InputOrder  []string
	Inputs      map[string]InputSocket
	OutputOrder []string
	Outputs     map[string]string // types as Haystack displays them
}

// InputSocket is one input.
type InputSocket struct {
	Type      string   `json:"type"`
	Mandatory bool     `json:"mandatory"`
	Lazy      bool     `json:"lazy_variadic"`
	Greedy    bool     `json:"greedy"`
	Senders   []string `json:"senders"`
}

// Run is one recorded run.
type Run struct {
	Inputs  *value.Dict
	Include []string
	Outputs *value.Dict // nil after an error
	Error   *Failure
	Order   []string
	Calls   []Call
}

// Failure is a Python exception.
type Failure struct {
	Class   string `json:"class"`
	Message string `json:"message"`
}

// Call is one visit of a component.
type Call struct {
	Component string
	Visit     int
	Inputs    *value.Dict
	Outputs   *value.Dict // nil when it failed
}

// Scenarios reads pipeline_run.json. Without the folder the test says so and is skipped.
func Scenarios(t testing.TB) []Scenario {
	t.Helper()
	path := filepath.Join(VectorsDir(t), "pipeline_run.json")
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skip("part missing: recorded runs (pipeline_run.json; set HAYWARD_VECTORS)")
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := ParseScenarios(data)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if len(out) == 0 {
		t.Fatalf("%s lists nothing", path)
	}
	return out
}

type rawScenario struct {
	Name        string          `json:"name"`
	YAML        string          `json:"yaml"`
	MaxRuns     int             `json:"max_runs_per_component"`
	Connections [][2]string     `json:"connections"`
	Stores      json.RawMessage `json:"stores"`
	Sockets     json.RawMessage `json:"sockets"`
	Runs        []struct {
		Inputs  json.RawMessage `json:"inputs"`
		Include []string        `json:"include_outputs_from"`
		Outputs json.RawMessage `json:"outputs"`
		Error   *Failure        `json:"error"`
		Order   []string        `json:"order"`
		Calls   []struct {
			Component string          `json:"component"`
			Visit     int             `json:"visit"`
			Inputs    json.RawMessage `json:"inputs"`
			Outputs   json.RawMessage `json:"outputs"`
		} `json:"calls"`
	} `json:"runs"`
}

// ParseScenarios reads the file's text. Values become what the engine works with: data classes, tuples, bytes.
func ParseScenarios(data []byte) ([]Scenario, error) {
	var raws []rawScenario
	if err := json.Unmarshal(data, &raws); err != nil {
		return nil, err
	}
	out := make([]Scenario, len(raws))
	for i, raw := range raws {
		if err := raw.parse(&out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (raw *rawScenario) parse(s *Scenario) (err error) {
	*s = Scenario{Name: raw.Name, YAML: raw.YAML, MaxRuns: raw.MaxRuns, Connections: raw.Connections, Sockets: map[string]*Sockets{}}
	if s.Stores, err = dict(raw.Stores); err != nil {
		return err
	}
	order, parts, err := ordered(raw.Sockets)
	if err != nil {
		return err
	}
	s.Components = order
	for _, name := range order {
		if s.Sockets[name], err = parseSockets(parts[name]); err != nil {
			return err
		}
	}
	for _, r := range raw.Runs {
		run := Run{Include: r.Include, Error: r.Error, Order: r.Order}
		if run.Inputs, err = dict(r.Inputs); err != nil {
			return err
		}
		if run.Outputs, err = dict(r.Outputs); err != nil {
			return err
		}
		for _, c := range r.Calls {
			call := Call{Component: c.Component, Visit: c.Visit}
			if call.Inputs, err = dict(c.Inputs); err != nil {
				return err
			}
			if call.Outputs, err = dict(c.Outputs); err != nil {
				return err
			}
			run.Calls = append(run.Calls, call)
		}
		s.Runs = append(s.Runs, run)
	}
	return nil
}

func parseSockets(data json.RawMessage) (*Sockets, error) {
	var raw struct {
		Class   string          `json:"class"`
		Inputs  json.RawMessage `json:"inputs"`
		Outputs json.RawMessage `json:"outputs"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	s := &Sockets{Class: raw.Class, Inputs: map[string]InputSocket{}, Outputs: map[string]string{}}
	names, parts, err := ordered(raw.Inputs)
	if err != nil {
		return nil, err
	}
	s.InputOrder = names
	for _, n := range names {
		var in InputSocket
		if err := json.Unmarshal(parts[n], &in); err != nil {
			return nil, err
		}
		s.Inputs[n] = in
	}
	if s.OutputOrder, parts, err = ordered(raw.Outputs); err != nil {
		return nil, err
	}
	for _, n := range s.OutputOrder {
		var typ string
		if err := json.Unmarshal(parts[n], &typ); err != nil {
			return nil, err
		}
		s.Outputs[n] = typ
	}
	return s, nil
}

// ordered reads an object and keeps the order of its keys.
func ordered(data json.RawMessage) (keys []string, parts map[string]json.RawMessage, err error) {
	parts = map[string]json.RawMessage{}
	if len(data) == 0 || string(data) == "null" {
		return nil, parts, nil
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return nil, nil, err
	}
	v, err := value.FromJSON(data)
	if err != nil {
		return nil, nil, err
	}
	if d, ok := v.(*value.Dict); ok {
		for k := range d.Strings() {
			keys = append(keys, k)
		}
	}
	return keys, parts, nil
}

func dict(data json.RawMessage) (*value.Dict, error) {
	if len(data) == 0 || string(data) == "null" {
		return nil, nil
	}
	v, err := value.FromJSON(data)
	if err != nil {
		return nil, err
	}
	d, ok := Decode(v).(*value.Dict)
	if !ok {
		return nil, nil
	}
	return d, nil
}
