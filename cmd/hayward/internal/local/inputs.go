package local

import (
	"io"
	"os"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// MaxInputs is the most bytes of inputs that are read.
const MaxInputs = 64 << 20

// ReadInputs reads the argument of --inputs: a JSON object, or "@" and the name of a file that holds one ("@-": stdin).
func ReadInputs(arg string, stdin io.Reader) (*value.Dict, error) {
	text, from := []byte(arg), "--inputs"
	if name, ok := strings.CutPrefix(arg, "@"); ok {
		var err error
		if text, err = readAll(name, stdin); err != nil {
			return nil, err
		}
		from = name
	}
	v, err := value.FromJSON(text)
	if err != nil {
		f := fault.From(err)
		return nil, fault.New(fault.Invalid, "the inputs are not JSON: %s", f.Message).WithCode(f.Code).
			At(fault.Where{Position: fault.Position{File: from, Line: f.Where.Line, Column: f.Where.Column}}).
			WithHint(`write an object such as {"query": "What is a channel?"}, or @file.json`)
	}
	d, ok := v.(*value.Dict)
	if !ok {
		return nil, fault.New(fault.Invalid, "the inputs must be a JSON object, not %s", value.TypeName(v)).
			At(fault.Where{Position: fault.Position{File: from}})
	}
	return d, nil
}

func readAll(name string, stdin io.Reader) ([]byte, error) {
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the inputs cannot be read")
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, MaxInputs+1))
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.Invalid, err, "the inputs cannot be read")
	case len(b) > MaxInputs:
		return nil, fault.New(fault.TooLarge, "the inputs are larger than %d bytes", MaxInputs)
	}
	return b, nil
}

// Assign says which inputs each file gets: as many as files are taken in pairs, one for several files is split, so that
// each file takes the entries that name its declared inputs, its components or its open sockets.
func Assign(files []*File, given []*value.Dict) ([]*value.Dict, error) {
	switch {
	case len(given) == 0:
		return make([]*value.Dict, len(files)), nil
	case len(given) == len(files):
		return given, nil
	case len(given) == 1:
		return split(files, given[0])
	}
	return nil, fault.New(fault.Invalid, "%d inputs were given for %d files", len(given), len(files)).At(fault.Where{Field: "inputs"}).
		WithHint("give --inputs once for all files, or once for each file in the same order")
}

func split(files []*File, given *value.Dict) ([]*value.Dict, error) {
	out := make([]*value.Dict, len(files))
	for i := range out {
		out[i] = &value.Dict{}
	}
	for k, v := range given.All() {
		name, taken := value.ToStr(k), false
		for i, f := range files {
			if knows(f.Plan, name) {
				out[i].SetKey(k, v)
				taken = true
			}
		}
		if !taken {
			return nil, unknown(files, name)
		}
	}
	return out, nil
}

func knows(p *pipeline.Plan, name string) bool {
	return slices.Contains(p.Declared().InputNames(), name) || isComponent(p, name) || len(openSockets(p, name)) > 0
}

func unknown(files []*File, name string) error {
	var names []string
	for _, f := range files {
		names = append(names, known(f.Plan)...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	err := fault.New(fault.Invalid, "none of the files has an input, a component or an open socket %q", name).At(fault.Where{Field: name})
	if near := component.Nearest(name, names, 3); len(near) > 0 {
		return err.WithHint("did you mean %s?", strings.Join(near, " or "))
	}
	return err.WithHint("they have: %s", strings.Join(names, ", "))
}

func known(p *pipeline.Plan) []string {
	out := p.Declared().InputNames()
	for _, c := range p.Components() {
		out = append(out, c.Name)
	}
	for _, in := range p.Inputs() {
		out = append(out, in.Socket)
	}
	return out
}

func isComponent(p *pipeline.Plan, name string) bool {
	return slices.ContainsFunc(p.Components(), func(c pipeline.ComponentInfo) bool { return c.Name == name })
}

func openSockets(p *pipeline.Plan, name string) (out []pipeline.Socket) {
	for _, in := range p.Inputs() {
		if in.Socket == name {
			out = append(out, pipeline.Socket{Component: in.Component, Socket: in.Socket})
		}
	}
	return out
}

// blend writes inputs that mix declared names with Haystack's own forms in the nested form alone, which the engine can
// tell from the flat one. Inputs that do not mix are returned as they are.
func blend(p *pipeline.Plan, given *value.Dict) *value.Dict {
	names := p.Declared().InputNames()
	declared, rest := &value.Dict{}, &value.Dict{}
	if given != nil {
		for k, v := range given.All() {
			into := rest
			if s, ok := k.(value.Str); ok && slices.Contains(names, string(s)) {
				into = declared
			}
			into.SetKey(k, v)
		}
	}
	if declared.Len() == 0 || rest.Len() == 0 || !placeable(p, rest) {
		return given
	}
	out, err := p.Declared().Spread(declared)
	if err != nil {
		return given // whoever reads the inputs next says what is wrong
	}
	for k, v := range rest.All() {
		place(p, out, value.ToStr(k), v)
	}
	return out
}

// placeable reports whether each entry is a component's dictionary or the name of an open socket.
func placeable(p *pipeline.Plan, rest *value.Dict) bool {
	for k, v := range rest.All() {
		_, dict := v.(*value.Dict)
		if name := value.ToStr(k); !(dict && isComponent(p, name)) && len(openSockets(p, name)) == 0 {
			return false
		}
	}
	return true
}

func place(p *pipeline.Plan, out *value.Dict, name string, v value.Value) {
	if dict, ok := v.(*value.Dict); ok && isComponent(p, name) {
		for k, sv := range dict.All() {
			at(out, name).SetKey(k, sv)
		}
		return
	}
	for _, s := range openSockets(p, name) {
		at(out, s.Component).Set(s.Socket, v)
	}
}

func at(out *value.Dict, component string) *value.Dict {
	if v, ok := out.Get(component); ok {
		if d, ok := v.(*value.Dict); ok {
			return d
		}
	}
	d := &value.Dict{}
	out.Set(component, d)
	return d
}
