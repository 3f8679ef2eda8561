package pipeline

import (
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Declared is what a file's "inputs" and "outputs" say, resolved: Hayhooks' names for a pipeline's own sockets. Both are
// empty when the file has neither; Haystack itself ignores the two keys.
type Declared struct {
	Inputs  []DeclaredInput
	Outputs []DeclaredOutput
}

// IsZero reports whether the file declares nothing.
func (d Declared) IsZero() bool { return len(d.Inputs) == 0 && len(d.Outputs) == 0 }

// Socket is a component's socket by name.
type Socket struct{ Component, Socket string }

// String returns "component.socket".
func (s Socket) String() string { return s.Component + "." + s.Socket }

// DeclaredInput is one named input and every socket it goes to.
type DeclaredInput struct {
	Name      string
	Targets   []Socket
	Types     []*pytype.Type // of the targets, in their order
	Mandatory bool           // some target has neither a default nor a sender
}

// DeclaredOutput is one named output.
type DeclaredOutput struct {
	Name   string
	Source Socket
	Type   *pytype.Type
}

// Declared returns the file's declared inputs and outputs.
func (p *Plan) Declared() Declared {
	return Declared{Inputs: slices.Clone(p.declared.Inputs), Outputs: slices.Clone(p.declared.Outputs)}
}

// Spread turns {declared name: value} into {component: {socket: value}}. A name that the file does not declare is an
// error; a missing one is left to [Plan.Run].
func (d Declared) Spread(given *value.Dict) (*value.Dict, error) {
	out := &value.Dict{}
	for k, v := range given.All() {
		name := value.ToStr(k)
		i := slices.IndexFunc(d.Inputs, func(in DeclaredInput) bool { return in.Name == name })
		if i < 0 {
			err := invalid(CodeValueError, "the pipeline declares no input '%s'", name).At(fault.Where{Field: name})
			return nil, didYouMean(err, name, d.InputNames())
		}
		for _, t := range d.Inputs[i].Targets {
			sockets, _ := out.Get(t.Component)
			dict, ok := sockets.(*value.Dict)
			if !ok {
				dict = &value.Dict{}
				out.Set(t.Component, dict)
			}
			dict.Set(t.Socket, v)
		}
	}
	return out, nil
}

// InputNames lists the declared inputs.
func (d Declared) InputNames() []string {
	out := make([]string, len(d.Inputs))
	for i, in := range d.Inputs {
		out[i] = in.Name
	}
	return out
}

// Components lists the components whose outputs are declared, for [IncludeOutputsFrom].
func (d Declared) Components() []string {
	var out []string
	for _, o := range d.Outputs {
		if !slices.Contains(out, o.Source.Component) {
			out = append(out, o.Source.Component)
		}
	}
	return out
}

// Gather picks the declared outputs out of a result: {declared name: value}. What was not produced is left out.
func (d Declared) Gather(outputs *value.Dict) *value.Dict {
	out := &value.Dict{}
	for _, o := range d.Outputs {
		sockets, _ := outputs.Get(o.Source.Component)
		if dict, ok := sockets.(*value.Dict); ok {
			if v, ok := dict.Get(o.Source.Socket); ok {
				out.Set(o.Name, v)
			}
		}
	}
	return out
}

// declareInput resolves one entry of "inputs". Entries of a list that have no dot are dropped, as Hayhooks does, with a
// warning; a target that two inputs name is an error (hayhooks 2.1).
func (p *Pipeline) declareInput(name string, targets []string, list bool) *fault.Error {
	in := DeclaredInput{Name: name}
	for _, target := range targets {
		comp, socket, dotted := strings.Cut(target, ".")
		if !dotted {
			if !list {
				return invalid(CodeValidationError, "input '%s' must name component.socket, not '%s'", name, target)
			}
			p.warnings = append(p.warnings, "input '"+name+"' lists '"+target+"', which is not component.socket; it is left out")
			continue
		}
		n, err := p.declaredNode("input", name, comp, target)
		if err != nil {
			return err
		}
		i := n.input(socket)
		if i < 0 {
			err := invalid(CodeValidationError, "input '%s': component '%s' has no input '%s'", name, comp, socket).
				At(fault.Where{Component: comp, Socket: target, Field: name})
			return didYouMean(err, socket, n.inputNames())
		}
		at := Socket{comp, socket}
		if slices.Contains(in.Targets, at) {
			continue
		}
		for _, other := range p.declared.Inputs {
			if slices.Contains(other.Targets, at) {
				return invalid(CodeValidationError, "Declared input '%s' targets '%s'; '%s' already targeted by declared input '%s'. "+
					"Each pipeline input target may be declared only once.", name, target, target, other.Name)
			}
		}
		in.Targets = append(in.Targets, at)
		in.Types = append(in.Types, n.inputs[i].Type)
		in.Mandatory = in.Mandatory || (n.inputs[i].Default == nil && len(n.inputs[i].senders) == 0)
	}
	p.declared.Inputs = append(p.declared.Inputs, in)
	return nil
}

// declareOutput resolves one entry of "outputs". Of a list, Hayhooks uses the first entry with a dot.
func (p *Pipeline) declareOutput(name string, sources []string) *fault.Error {
	i := slices.IndexFunc(sources, func(s string) bool { return strings.Contains(s, ".") })
	if i < 0 {
		return invalid(CodeValidationError, "output '%s' must name component.socket", name)
	}
	if len(sources) > 1 {
		p.warnings = append(p.warnings, "output '"+name+"' lists several sockets; only '"+sources[i]+"' is used")
	}
	comp, socket, _ := strings.Cut(sources[i], ".")
	n, err := p.declaredNode("output", name, comp, sources[i])
	if err != nil {
		return err
	}
	o := n.output(socket)
	if o < 0 {
		err := invalid(CodeValidationError, "output '%s': component '%s' has no output '%s'", name, comp, socket).
			At(fault.Where{Component: comp, Socket: sources[i], Field: name})
		return didYouMean(err, socket, n.outputNames())
	}
	p.declared.Outputs = append(p.declared.Outputs, DeclaredOutput{Name: name, Source: Socket{comp, socket}, Type: n.outputs[o].Type})
	return nil
}

func (p *Pipeline) declaredNode(kind, name, comp, target string) (*gnode, *fault.Error) {
	if n := p.byName[comp]; n != nil {
		return n, nil
	}
	err := invalid(CodeValidationError, "%s '%s': there is no component '%s'", kind, name, comp).
		At(fault.Where{Component: comp, Socket: target, Field: name})
	return nil, didYouMean(err, comp, p.names())
}
