package pipeline

import (
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pyyaml"
	"github.com/haywardhq/hayward/pipeline/value"
)

// ToDict returns what Haystack's Pipeline.to_dict does: every init parameter with its defaults, every connection with its
// sockets. A component made in Go has the parameters it reports ([component.Dumper]), or none.
func (p *Plan) ToDict() *value.Dict {
	components := &value.Dict{}
	for i, c := range p.components {
		components.Set(c.Name, value.NewDict("type", value.Str(c.Type), "init_parameters", p.paramsOf(i)))
	}
	connections := &value.List{}
	for _, c := range p.connections {
		connections.Items = append(connections.Items, value.NewDict("sender", value.Str(c.Sender), "receiver", value.Str(c.Receiver)))
	}
	return value.NewDict("metadata", p.metadata, "max_runs_per_component", value.Int(p.maxRuns), "components", components,
		"connections", connections, "connection_type_validation", value.Bool(p.validated))
}

func (p *Plan) paramsOf(i int) *value.Dict {
	nd := &p.program.nodes[p.program.inserted[i]]
	if d, ok := nd.component.(component.Dumper); ok {
		return d.InitParameters()
	}
	return inputsOf(p.params[i])
}

// ToFullDict is [Plan.ToDict] with the file's other top-level keys, such as "inputs" and "outputs".
func (p *Plan) ToFullDict() *value.Dict {
	out := p.ToDict()
	for k, v := range p.extra.All() {
		if _, taken := out.GetKey(k); !taken {
			out.SetKey(k, v)
		}
	}
	return out
}

// Dump writes the plan as Python's Pipeline.dumps does, byte for byte: keys sorted, every init parameter.
func (p *Plan) Dump() (string, error) { return pyyaml.Dump(p.ToDict()) }

// DumpFull is [Plan.Dump] with the file's other top-level keys.
func (p *Plan) DumpFull() (string, error) { return pyyaml.Dump(p.ToFullDict()) }
