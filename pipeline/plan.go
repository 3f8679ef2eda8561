package pipeline

import (
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Plan is a compiled pipeline. It never changes, holds no context and no secret (except in a handle made by [Plan.With]),
// and is safe for any number of runs at once.
type Plan struct {
	*source
	program *program
	init    Init
}

// source is what a plan keeps of the graph it was compiled from, for descriptions and dumps.
type source struct {
	components  []ComponentInfo
	connections []Connection
	registry    *component.Registry
	params      []*value.Dict
	metadata    *value.Dict
	maxRuns     int
	validated   bool
	secrets     []component.DeclaredSecret
	stores      []docstore.Ref
	extra       *value.Dict
	declared    Declared
	warnings    []string
	marks       []string
}

// ComponentInfo describes a component of a plan.
type ComponentInfo struct {
	Name string
	Type string
	Spec *component.Spec // read-only
}

// Connection is an edge of a plan.
type Connection struct {
	Sender   string // "component.socket"
	Receiver string
}

// Compile freezes the pipeline into a plan. The pipeline may be changed and compiled again; plans made before stay as they
// are.
func (p *Pipeline) Compile() (*Plan, error) {
	if p.MaxRunsPerComponent < 1 {
		return nil, fault.New(fault.Invalid, "max_runs_per_component is %d; it must be at least 1", p.MaxRunsPerComponent).WithCode(CodePipelineError)
	}
	src := &source{registry: p.registry, metadata: value.CopyDict(inputsOf(p.Metadata)), maxRuns: p.MaxRunsPerComponent,
		validated: p.ConnectionTypeValidation, extra: inputsOf(p.extra), declared: p.declared, warnings: slices.Clone(p.warnings),
		marks: slices.Clone(p.marks)}
	src.components, src.params = make([]ComponentInfo, 0, len(p.nodes)), make([]*value.Dict, 0, len(p.nodes))
	src.connections = make([]Connection, 0, p.edges)
	for _, n := range p.nodes {
		src.components = append(src.components, ComponentInfo{Name: n.name, Type: n.typ, Spec: n.child.Spec})
		src.params = append(src.params, n.params)
		for _, adj := range n.out {
			for _, e := range adj.edges {
				src.connections = append(src.connections, Connection{Sender: n.name + "." + n.outputs[e.out].Name,
					Receiver: adj.to.name + "." + adj.to.inputs[e.in].Name})
			}
		}
	}
	src.secrets = declaredSecrets(p)
	src.stores = slices.Clone(p.record.Stores)
	return &Plan{source: src, program: compile(p)}, nil
}

// Components lists the components in the order they were added.
func (p *Plan) Components() []ComponentInfo { return slices.Clone(p.components) }

// Connections lists the connections: by sender in the order the components were added, then by receiver in the order of
// their first connection, as networkx gives them.
func (p *Plan) Connections() []Connection { return slices.Clone(p.connections) }

// Metadata returns the file's metadata; read-only.
func (p *Plan) Metadata() *value.Dict { return p.metadata }

// MaxRunsPerComponent returns how often one component may run in one run.
func (p *Plan) MaxRunsPerComponent() int { return p.maxRuns }

// Warnings lists what loading found strange and did not refuse.
func (p *Plan) Warnings() []string { return slices.Clone(p.warnings) }

// Extra returns the top-level keys of the file that Haystack does not know, "inputs" and "outputs" included; read-only.
func (p *Plan) Extra() *value.Dict { return p.extra }

// Secrets lists the secrets that the file or its types' defaults name: what a run may ask for.
func (p *Plan) Secrets() []component.DeclaredSecret { return slices.Clone(p.secrets) }

// Stores lists the document stores that the components name.
func (p *Plan) Stores() []docstore.Ref { return slices.Clone(p.stores) }

// Streams lists the components that pass chunks on while they run.
func (p *Plan) Streams() []string {
	var out []string
	for _, i := range p.program.inserted {
		if p.program.nodes[i].streams {
			out = append(out, p.program.nodes[i].name)
		}
	}
	return out
}
