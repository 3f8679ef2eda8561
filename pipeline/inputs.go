package pipeline

import (
	"fmt"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// spread puts a run's inputs into the sockets they are for (_prepare_component_input_data, validate_input). They are not
// copied: values are read-only, and a component that changes its inputs gets its own copy.
func (r *run) spread(inputs *value.Dict) error {
	m := measure{what: "inputs", bytes: r.limits.InputBytes, values: r.limits.InputValues, depth: r.limits.Depth}
	if err := m.add(inputsOf(inputs), 0); err != nil {
		return err
	}
	var err error
	if r.g.nested(inputs) {
		err = r.spreadNested(inputs)
	} else {
		r.spreadFlat(inputs)
	}
	if err != nil {
		return err
	}
	return r.checkInputs()
}

// inputsOf makes nil an empty dict.
func inputsOf(d *value.Dict) *value.Dict {
	if d == nil {
		return &value.Dict{}
	}
	return d
}

// nested tells {component: {socket: value}} from {socket: value}: nested when every value is a dict, unless no key names a
// component and every key names some socket.
func (g *program) nested(inputs *value.Dict) bool {
	component, sockets := false, true
	for i := range inputs.Len() {
		k, v := inputs.At(i)
		if _, ok := v.(*value.Dict); !ok {
			return false
		}
		if component {
			continue // the rest need only be dicts
		}
		name, _ := k.(value.Str)
		if _, component = g.find(string(name)); !component {
			sockets = sockets && g.named[string(name)]
		}
	}
	return component || !sockets || inputs.Len() == 0
}

func (r *run) spreadNested(inputs *value.Dict) error {
	for n := range inputs.Len() {
		k, v := inputs.At(n)
		str, isStr := k.(value.Str)
		name := string(str)
		i, ok := r.g.find(name)
		if !ok || !isStr {
			name = value.ToStr(k)
			err := invalid(CodeValueError, "Component named '%s' not found in the pipeline.", name)
			return didYouMean(err, name, r.g.names()).At(fault.Where{Component: name})
		}
		nd := &r.g.nodes[i]
		sockets := v.(*value.Dict)
		for m := range sockets.Len() {
			key, val := sockets.At(m)
			slot := r.g.slotNamed(nd, key)
			if slot < 0 {
				socket := value.ToStr(key)
				err := invalid(CodeValueError, "Input '%s' not found in component '%s'.", socket, name)
				return didYouMean(err, socket, nd.inputNames()).At(fault.Where{Component: name, Socket: name + "." + socket, Field: socket})
			}
			r.s.setUser(slot, val)
		}
	}
	return nil
}

// find returns a component's number. A few names are compared faster than one is hashed.
func (g *program) find(name string) (i int32, ok bool) {
	if len(g.nodes) > 8 {
		i, ok = g.index[name]
		return i, ok
	}
	for i := range g.nodes {
		if g.nodes[i].name == name {
			return int32(i), true
		}
	}
	return 0, false
}

func (g *program) slotNamed(nd *node, key value.Value) int32 {
	name, ok := key.(value.Str)
	if !ok {
		return -1
	}
	for s := nd.first; s < nd.first+int32(len(nd.spec.Inputs)); s++ {
		if g.slots[s].name == string(name) {
			return s
		}
	}
	return -1
}

// spreadFlat gives each value to every component with an open socket of that name.
func (r *run) spreadFlat(inputs *value.Dict) {
	unmatched := &value.List{}
	for k, v := range inputs.All() {
		name, ok := k.(value.Str)
		slots := r.g.flat[string(name)]
		if !ok || len(slots) == 0 {
			unmatched.Items = append(unmatched.Items, k)
			continue
		}
		for _, s := range slots {
			r.s.setUser(s, v)
		}
	}
	if len(unmatched.Items) > 0 {
		r.warn("Inputs %s were not matched to any component inputs, please check your run parameters.", value.Repr(unmatched))
	}
}

// checkInputs looks for mandatory inputs that are missing, and for inputs to sockets that are taken.
func (r *run) checkInputs() error {
	for _, s := range r.g.checks {
		info := &r.g.slots[s]
		given := r.s.slots[s].flags&flagUser != 0
		name := r.g.nodes[info.node].name
		switch {
		case info.expected == 0 && !given:
			return invalid(CodeValueError, "Missing mandatory input '%s' for component '%s'.", info.name, name).
				WithHint("pass it as {\"%s\": {\"%s\": ...}}; its type is %s", name, info.name, info.typ.Display()).
				At(fault.Where{Component: name, Socket: name + "." + info.name, Field: info.name})
		case info.expected > 0 && given:
			return several(CodeValueError, name, info.name, info.sender)
		}
	}
	return nil
}

func (g *program) names() []string {
	out := make([]string, len(g.nodes))
	for i := range g.nodes {
		out[i] = g.nodes[i].name
	}
	return out
}

func (nd *node) inputNames() []string {
	out := make([]string, len(nd.spec.Inputs))
	for i, in := range nd.spec.Inputs {
		out[i] = in.Name
	}
	return out
}

// included turns the names of [IncludeOutputsFrom] into a set of nodes.
func (r *run) included(names []string) {
	r.include = nil
	if len(names) == 0 {
		return
	}
	r.include = make([]bool, len(r.g.nodes))
	for _, name := range names {
		if i, ok := r.g.index[name]; ok {
			r.include[i] = true
			continue
		}
		text := fmt.Sprintf("include_outputs_from names '%s', which is not a component of the pipeline.", name)
		if near := component.Nearest(name, r.g.names(), 3); len(near) > 0 {
			text += " Did you mean '" + strings.Join(near, "' or '") + "'?"
		}
		r.warn("%s", text)
	}
}

// streaming decides whose chunks are passed on (haystack/core/pipeline/pipeline.py, stream).
func (r *run) streaming(c *config) error {
	if c.stream == nil {
		return nil
	}
	if c.concurrency > 1 {
		c.stream = oneAtATime(c.stream)
	}
	r.streams = make([]bool, len(r.g.nodes))
	if len(c.streamFrom) == 0 {
		for i := range r.streams {
			r.streams[i] = true
		}
		return nil
	}
	var strange, silent value.List
	for _, name := range c.streamFrom {
		i, ok := r.g.index[name]
		switch {
		case !ok:
			strange.Items = append(strange.Items, value.Str(name))
		case !r.g.nodes[i].streams:
			silent.Items = append(silent.Items, value.Str(name))
		default:
			r.streams[i] = true
		}
	}
	if len(strange.Items) > 0 {
		return invalid(CodeValueError, "Unknown components in streaming_components: %s", value.Repr(&strange)).
			WithHint("the pipeline has: %s", strings.Join(r.g.names(), ", "))
	}
	if len(silent.Items) > 0 {
		return invalid(CodeValueError, "These components do not support streaming: %s", value.Repr(&silent))
	}
	return nil
}
