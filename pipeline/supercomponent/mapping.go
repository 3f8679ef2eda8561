package supercomponent

import (
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// The codes of the errors about mappings.
const (
	CodeMappingType  = "InvalidMappingTypeError"
	CodeMappingValue = "InvalidMappingValueError"
)

func bad(code, format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...).WithCode(code)
}

// path reads "component.socket".
func path(v value.Value) (pipeline.Socket, error) {
	text, ok := v.(value.Str)
	comp, socket, dotted := strings.Cut(string(text), ".")
	if !ok || !dotted {
		return pipeline.Socket{}, bad(CodeMappingValue, "Invalid path format: '%s'. Expected 'component_name.socket_name'.", value.ToStr(v))
	}
	return pipeline.Socket{Component: comp, Socket: socket}, nil
}

// mapInputs fills s.inputs and returns their sockets.
func (s *SuperComponent) mapInputs(mapping value.Value) ([]component.Input, error) {
	open := s.plan.Inputs()
	if mapping == value.None {
		mapping = allInputs(open)
	}
	d, ok := mapping.(*value.Dict)
	if !ok {
		return nil, bad(CodeMappingType, "input_mapping must be a dictionary")
	}
	var out []component.Input
	for k, v := range d.All() {
		paths, ok := v.(*value.List)
		if !ok {
			return nil, bad(CodeMappingType, "Input paths for '%s' must be a list of strings.", value.ToStr(k))
		}
		name, ok := k.(value.Str)
		if !ok {
			return nil, bad(CodeMappingType, "the name of an input must be a string, not %s", value.TypeName(k))
		}
		if len(paths.Items) == 0 {
			continue // Haystack makes no socket of it either
		}
		t := target{name: string(name)}
		in, err := s.mapInput(&t, paths.Items, open)
		if err != nil {
			return nil, err
		}
		s.inputs = append(s.inputs, t)
		out = append(out, in)
	}
	return out, nil
}

// mapInput finds the type that the sockets of one input share, and whether it has to be given: if one of them must.
func (s *SuperComponent) mapInput(t *target, paths []value.Value, open []pipeline.InputInfo) (component.Input, error) {
	in := component.Input{Name: t.name, Default: delegate}
	for _, p := range paths {
		at, err := path(p)
		if err != nil {
			return in, err
		}
		info, err := find(open, at)
		if err != nil {
			return in, err
		}
		if in.Type == nil {
			in.Type = info.Type
		} else {
			common, ok := pytype.CommonType(in.Type, info.Type)
			if !ok {
				return in, bad(CodeMappingType, "Type conflict for input '%s' from component '%s'. Existing type: %s, new type: %s.",
					at.Socket, at.Component, shown(in.Type), shown(info.Type))
			}
			in.Type = common
		}
		if info.Mandatory {
			in.Default = nil
		}
		t.sockets = append(t.sockets, at)
	}
	return in, nil
}

// shown is Python's str of a type.
func shown(t *pytype.Type) string {
	text := t.String()
	if len(t.Args) == 0 && !strings.HasPrefix(text, "typing.") {
		return "<class '" + text + "'>"
	}
	return text
}

func find(open []pipeline.InputInfo, at pipeline.Socket) (*pipeline.InputInfo, error) {
	components, sockets := &value.List{}, &value.List{}
	for i := range open {
		in := &open[i]
		if in.Component == at.Component && in.Socket == at.Socket {
			return in, nil
		}
		if n := len(components.Items); n == 0 || components.Items[n-1] != value.Str(in.Component) {
			components.Items = append(components.Items, value.Str(in.Component))
		}
		if in.Component == at.Component {
			sockets.Items = append(sockets.Items, value.Str(in.Socket))
		}
	}
	if len(sockets.Items) == 0 {
		return nil, bad(CodeMappingValue, "Component '%s' not found in pipeline inputs.\nAvailable components: %s", at.Component, value.Repr(components))
	}
	return nil, bad(CodeMappingValue, "Input socket '%s' not found in component '%s'.\nAvailable inputs for '%s': %s", at.Socket, at.Component,
		at.Component, value.Repr(sockets))
}

func allInputs(open []pipeline.InputInfo) *value.Dict {
	out := &value.Dict{}
	for _, in := range open {
		at := value.Str(in.Component + "." + in.Socket)
		if list, ok := out.Get(in.Socket); ok {
			list := list.(*value.List)
			list.Items = append(list.Items, at)
			continue
		}
		out.Set(in.Socket, value.NewList(at))
	}
	return out
}

// mapOutputs fills s.outputs and returns their sockets.
func (s *SuperComponent) mapOutputs(mapping value.Value) ([]component.Output, error) {
	if mapping == value.None {
		leaves, err := leafOutputs(s.plan.Outputs())
		if err != nil {
			return nil, err
		}
		mapping = leaves
	}
	d, ok := mapping.(*value.Dict)
	if !ok {
		return nil, bad(CodeMappingType, "output_mapping must be a dictionary")
	}
	all := s.plan.AllOutputs()
	var out []component.Output
	var doubled error
	for k, v := range d.All() {
		name, ok := v.(value.Str)
		if !ok {
			return nil, bad(CodeMappingType, "Output names in output_mapping must be strings.")
		}
		at, err := path(k)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(o pipeline.OutputInfo) bool { return o.Component == at.Component && o.Socket == at.Socket })
		switch {
		case !slices.ContainsFunc(all, func(o pipeline.OutputInfo) bool { return o.Component == at.Component }):
			return nil, bad(CodeMappingValue, "Component '%s' not found among pipeline outputs.", at.Component)
		case i < 0:
			return nil, bad(CodeMappingValue, "Output socket '%s' not found in component '%s'.", at.Socket, at.Component)
		case doubled == nil && slices.ContainsFunc(out, func(o component.Output) bool { return o.Name == string(name) }):
			doubled = bad(CodeMappingValue, "Duplicate output name '%s' in output_mapping.", name)
		}
		s.outputs = append(s.outputs, output{name: string(name), socket: at})
		out = append(out, component.Output{Name: string(name), Type: all[i].Type})
	}
	return out, doubled // every path is checked before any name
}

func leafOutputs(leaves []pipeline.OutputInfo) (*value.Dict, error) {
	out, seen := &value.Dict{}, map[string]bool{}
	for _, o := range leaves {
		if seen[o.Socket] {
			return nil, bad(CodeMappingValue, "Output name conflict: '%s' is produced by multiple components. "+
				"Please provide an output_mapping to resolve this conflict.", o.Socket)
		}
		seen[o.Socket] = true
		out.Set(o.Component+"."+o.Socket, value.Str(o.Socket))
	}
	return out, nil
}
