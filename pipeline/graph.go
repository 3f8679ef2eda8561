package pipeline

import (
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// DefaultMaxRuns is how often one component may run in one run unless the file says otherwise.
const DefaultMaxRuns = 100

// Pipeline is a graph being built. It is used by one goroutine; [Pipeline.Compile] gives the plan that many may run.
// The order in which components are added and connected decides some ties, as in Haystack.
type Pipeline struct {
	// Metadata is carried along and dumped; may be nil.
	Metadata *value.Dict
	// MaxRunsPerComponent bounds how often one component runs in one run. [New] sets [DefaultMaxRuns].
	MaxRunsPerComponent int
	// ConnectionTypeValidation false connects whatever is asked, without converting. [New] sets true.
	ConnectionTypeValidation bool
	// Limits bounds the plan and its runs.
	Limits Limits

	registry *component.Registry
	record   component.Record
	nodes    []*gnode
	byName   map[string]*gnode
	edges    int
	extra    *value.Dict // other top-level keys of the file
	marks    []string    // what shows that the file is of Haystack 2
	declared Declared
	warnings []string
}

// gnode is a component of the graph.
type gnode struct {
	name    string
	typ     string
	child   *component.Child
	params  *value.Dict // init parameters with defaults; nil for an instance made in Go
	inputs  []*ginput
	outputs []*goutput
	out     []*gadjacent // receivers, in the order of their first connection (networkx's adjacency)
}

type ginput struct {
	component.Input
	senders []*gnode // one per connection, in order
	flatten bool     // became lazily variadic because a second sender was connected: lists are joined, not nested
}

type goutput struct {
	component.Output
	receivers []*gnode
}

type gadjacent struct {
	to    *gnode
	edges []gedge
}

type gedge struct {
	out, in int
	convert pytype.Conversion
}

// New returns an empty pipeline whose components come from the registry; nil is for pipelines of Go instances only.
func New(registry *component.Registry) *Pipeline {
	p := &Pipeline{MaxRunsPerComponent: DefaultMaxRuns, ConnectionTypeValidation: true, byName: map[string]*gnode{}}
	if registry != nil {
		p.registry = registry.Recording(&p.record)
	}
	return p
}

// AddComponent makes a component of a registered type and adds it. A nil params leaves every init parameter at its
// default. Errors: ValueError for a bad or taken name, PipelineError for an unknown type, DeserializationError for bad
// parameters.
func (p *Pipeline) AddComponent(name, typ string, params *value.Dict) error {
	return p.addAt(name, typ, params, fault.Where{}, nil)
}

func (p *Pipeline) addAt(name, typ string, params *value.Dict, where fault.Where, pos func(string) fault.Position) error {
	where.Component, where.Type = name, typ
	if err := p.checkName(name); err != nil {
		return err.At(where)
	}
	if p.registry == nil {
		return invalid(CodePipelineError, "component '%s': this pipeline has no registry to take '%s' from", name, typ).At(where)
	}
	if params == nil {
		params = &value.Dict{}
	}
	child, err := p.registry.BuildAt(name, typ, params, fault.Where{Position: where.Position}, pos)
	if err != nil {
		return err
	}
	if err := p.add(name, child, fillParams(p.registry, child.Params)); err != nil {
		return err.At(where)
	}
	return nil
}

// AddInstance adds a component that was made in Go. The instance may be in several pipelines: components keep no state.
func (p *Pipeline) AddInstance(name string, c component.Component, spec *component.Spec, typ string) error {
	if err := p.checkName(name); err != nil {
		return err
	}
	if err := p.add(name, &component.Child{Component: c, Spec: spec, Type: typ}, nil); err != nil {
		return err
	}
	return nil
}

// checkName applies haystack/core/pipeline/base.py, _validate_component.
func (p *Pipeline) checkName(name string) *fault.Error {
	switch {
	case name == "":
		return invalid(CodeValueError, "a component needs a name")
	case p.byName[name] != nil:
		return invalid(CodeValueError, "A component named '%s' already exists in this pipeline: choose another name.", name)
	case name == "_debug":
		return invalid(CodeValueError, "'_debug' is a reserved name for debug output. Choose another name.")
	case strings.Contains(name, "."):
		return invalid(CodeValueError, "%s is an invalid component name, cannot contain '.' (dot) characters.", name)
	case len(p.nodes) >= p.Limits.withDefaults().Components:
		return fault.New(fault.TooLarge, "a pipeline holds at most %d components", p.Limits.withDefaults().Components)
	}
	return nil
}

func (p *Pipeline) add(name string, child *component.Child, params *value.Dict) *fault.Error {
	if child.Component == nil || child.Spec == nil {
		return fault.New(fault.Internal, "component '%s' (%s) has no instance or no sockets", name, child.Type).WithCode(CodeValidationError)
	}
	n := &gnode{name: name, typ: child.Type, child: child, params: params}
	spec := child.Spec
	if bad, twice := firstBad(len(spec.Inputs), func(i int) (string, bool) { return spec.Inputs[i].Name, spec.Inputs[i].Type != nil }); twice {
		return fault.New(fault.Internal, "component '%s' (%s): input '%s' is declared twice or without a type", name, child.Type, bad).
			WithCode("ComponentError")
	}
	if bad, twice := firstBad(len(spec.Outputs), func(i int) (string, bool) { return spec.Outputs[i].Name, spec.Outputs[i].Type != nil }); twice {
		return fault.New(fault.Internal, "component '%s' (%s): output '%s' is declared twice or without a type", name, child.Type, bad).
			WithCode("ComponentError")
	}
	ins, outs := make([]ginput, len(spec.Inputs)), make([]goutput, len(spec.Outputs))
	n.inputs, n.outputs = make([]*ginput, len(ins)), make([]*goutput, len(outs))
	for i, in := range spec.Inputs {
		ins[i].Input, n.inputs[i] = in, &ins[i]
	}
	for i, out := range spec.Outputs {
		outs[i].Output, n.outputs[i] = out, &outs[i]
	}
	p.nodes = append(p.nodes, n)
	p.byName[name] = n
	return nil
}

// firstBad finds the first of n sockets that has no name, no type, or the name of one before it.
func firstBad(n int, socket func(i int) (name string, typed bool)) (string, bool) {
	var seen map[string]bool
	if n > 16 { // fewer are compared with each other
		seen = make(map[string]bool, n)
	}
	for i := range n {
		name, typed := socket(i)
		if !typed || name == "" || seen[name] {
			return name, true
		}
		if seen != nil {
			seen[name] = true
			continue
		}
		for j := range i {
			if before, _ := socket(j); before == name {
				return name, true
			}
		}
	}
	return "", false
}

func (p *Pipeline) names() []string {
	out := make([]string, len(p.nodes))
	for i, n := range p.nodes {
		out[i] = n.name
	}
	return out
}

func (n *gnode) input(name string) int {
	for i, in := range n.inputs {
		if in.Name == name {
			return i
		}
	}
	return -1
}

func (n *gnode) output(name string) int {
	for i, out := range n.outputs {
		if out.Name == name {
			return i
		}
	}
	return -1
}

func (n *gnode) inputNames() []string {
	out := make([]string, len(n.inputs))
	for i, in := range n.inputs {
		out[i] = in.Name
	}
	return out
}

func (n *gnode) outputNames() []string {
	out := make([]string, len(n.outputs))
	for i, o := range n.outputs {
		out[i] = o.Name
	}
	return out
}
