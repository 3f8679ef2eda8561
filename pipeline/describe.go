package pipeline

import (
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// InputInfo describes a socket that a run can give a value to.
type InputInfo struct {
	Component string
	Socket    string
	Type      *pytype.Type
	Mandatory bool        // a run fails without it
	Default   value.Value // nil when the socket itself is mandatory
	Variadic  component.Variadic
	Connected bool // some component sends to it as well
}

// OutputInfo describes a socket whose value a run can give.
type OutputInfo struct {
	Component string
	Socket    string
	Type      *pytype.Type
	Connected bool // some component takes it, so it is not in a result unless asked for
}

// Inputs lists the open sockets, by component in the order they were added: those nobody sends to, and variadic ones
// (haystack/core/pipeline/descriptions.py, find_pipeline_inputs).
func (p *Plan) Inputs() []InputInfo {
	return p.inputs(func(s *slotInfo) bool { return s.expected == 0 || s.variadic != component.Single })
}

// AllInputs lists every input socket, connected ones included.
func (p *Plan) AllInputs() []InputInfo { return p.inputs(func(*slotInfo) bool { return true }) }

func (p *Plan) inputs(keep func(*slotInfo) bool) []InputInfo {
	var out []InputInfo
	g := p.program
	for _, i := range g.inserted {
		nd := &g.nodes[i]
		for s := nd.first; s < nd.first+int32(len(nd.spec.Inputs)); s++ {
			if info := &g.slots[s]; keep(info) {
				out = append(out, InputInfo{Component: nd.name, Socket: info.name, Type: info.typ, Mandatory: info.mandatory && info.expected == 0,
					Default: info.rawDef, Variadic: info.variadic, Connected: info.expected > 0})
			}
		}
	}
	return out
}

// Outputs lists the output sockets that no component takes (find_pipeline_outputs).
func (p *Plan) Outputs() []OutputInfo {
	var out []OutputInfo
	for _, o := range p.AllOutputs() {
		if !o.Connected {
			out = append(out, o)
		}
	}
	return out
}

// AllOutputs lists every output socket.
func (p *Plan) AllOutputs() []OutputInfo {
	var out []OutputInfo
	for _, i := range p.program.inserted {
		nd := &p.program.nodes[i]
		for k, o := range nd.spec.Outputs {
			out = append(out, OutputInfo{Component: nd.name, Socket: o.Name, Type: o.Type, Connected: nd.consumed[k]})
		}
	}
	return out
}

// Senders lists the components that send to a socket, one entry per connection, in the order they were connected; nil for
// an unknown socket.
func (p *Plan) Senders(comp, socket string) []string {
	var out []string
	for _, c := range p.connections {
		if c.Receiver == comp+"."+socket {
			out = append(out, c.Sender)
		}
	}
	return out
}
