package inputs

import (
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// File is an uploaded file.
type File struct {
	Field       string // the form field it came in
	Name        string // as the client named it; only its last element is kept
	ContentType string
	Data        []byte
}

// Request is what came in.
type Request struct {
	Given        *value.Dict // nil is {}
	DeclaredOnly bool        // Given holds declared inputs; other keys are errors
	Text         bool        // Given came as text (a form): a string for a socket that takes none is read as JSON
	Files        []File
}

// Inputs is what a plan runs on.
type Inputs struct {
	Inputs *value.Dict
	// BeyondDeclared says that the request reaches sockets which the file does not declare as inputs.
	BeyondDeclared bool
}

// The codes of what is wrong with a request's inputs.
const (
	CodeMissing = "missing"       // an input that must be given is not; the cause is a *MissingError
	CodeUnknown = "unknown_input" // Where.Field names what the pipeline does not have
	CodeType    = "input_type"    // a value that does not fit its input; the cause is a *TypeError
)

// MissingError lists declared inputs that must be given and are not.
type MissingError struct{ Names []string }

// Error names them.
func (e *MissingError) Error() string { return "missing inputs: " + strings.Join(e.Names, ", ") }

// Read makes a plan's inputs of a request. Keys that are declared inputs are spread over their sockets; a request whose
// keys are not all declared is taken as Haystack's own form, nested or flat, unless DeclaredOnly. What comes out is always
// nested: {component: {socket: value}}.
func Read(p *pipeline.Plan, req Request) (Inputs, error) {
	given := req.Given
	if given == nil {
		given = &value.Dict{}
	}
	d := p.Declared()
	declared := len(d.Inputs) > 0 && (req.DeclaredOnly || all(given, d.InputNames()))
	nested, err := nest(p, d, declared, given)
	if err != nil {
		return Inputs{}, err
	}
	types := sockets(p)
	if req.Text {
		nested = readText(types, nested)
	}
	if declared && req.DeclaredOnly {
		if err := coerce(d, nested); err != nil {
			return Inputs{}, err
		}
	}
	out, err := decodeAll(types, nested)
	if err != nil {
		return Inputs{}, err
	}
	outside, err := place(p, d, types, out, req.Files)
	if err != nil {
		return Inputs{}, err
	}
	if declared {
		if err := missing(d, out); err != nil {
			return Inputs{}, err
		}
	}
	return Inputs{Inputs: out, BeyondDeclared: outside || d.IsZero() || (!declared && given.Len() > 0)}, nil
}

func all(given *value.Dict, names []string) bool {
	for k := range given.All() {
		if s, ok := k.(value.Str); !ok || !slices.Contains(names, string(s)) {
			return false
		}
	}
	return true
}

// nest writes every form of inputs as {component: {socket: value}}.
func nest(p *pipeline.Plan, d pipeline.Declared, declared bool, given *value.Dict) (*value.Dict, error) {
	switch {
	case declared:
		for k := range given.All() {
			if name := value.ToStr(k); !slices.Contains(d.InputNames(), name) {
				return nil, unknown(name, d.InputNames(), "the pipeline declares no input '%s'", name)
			}
		}
		return d.Spread(given)
	case isNested(p, given):
		return given, nil
	}
	return nestFlat(p, d, given)
}

// isNested tells the two forms of Haystack apart as the engine does: nested when every value is a dictionary, unless no
// key names a component and every key names some socket.
func isNested(p *pipeline.Plan, given *value.Dict) bool {
	component, named := false, true
	for k, v := range given.All() {
		if _, ok := v.(*value.Dict); !ok {
			return false
		}
		name := value.ToStr(k)
		component = component || slices.ContainsFunc(p.Components(), func(c pipeline.ComponentInfo) bool { return c.Name == name })
		named = named && slices.ContainsFunc(p.AllInputs(), func(in pipeline.InputInfo) bool { return in.Socket == name })
	}
	return component || !named || given.Len() == 0
}

// nestFlat gives each value to every open socket of its name, else to the declared input of that name. Haystack only warns
// of a name that there is nowhere; here it is an error.
func nestFlat(p *pipeline.Plan, d pipeline.Declared, given *value.Dict) (*value.Dict, error) {
	out := &value.Dict{}
	open := p.Inputs()
	for k, v := range given.All() {
		name, found := value.ToStr(k), false
		for _, in := range open {
			if in.Socket == name {
				inner(out, in.Component).Set(name, v)
				found = true
			}
		}
		if found {
			continue
		}
		i := slices.IndexFunc(d.Inputs, func(in pipeline.DeclaredInput) bool { return in.Name == name })
		if i < 0 {
			return nil, unknown(name, openNames(p, d), "the pipeline has no input '%s'", name)
		}
		for _, t := range d.Inputs[i].Targets {
			inner(out, t.Component).Set(t.Socket, v)
		}
	}
	return out, nil
}

func inner(out *value.Dict, component string) *value.Dict {
	v, _ := out.Get(component)
	dict, ok := v.(*value.Dict)
	if !ok {
		dict = &value.Dict{}
		out.Set(component, dict)
	}
	return dict
}

func openNames(p *pipeline.Plan, d pipeline.Declared) []string {
	names := d.InputNames()
	for _, in := range p.Inputs() {
		if !slices.Contains(names, in.Socket) {
			names = append(names, in.Socket)
		}
	}
	return names
}

func unknown(name string, have []string, format string, args ...any) error {
	err := fault.New(fault.Invalid, format, args...).WithCode(CodeUnknown).At(fault.Where{Field: name})
	if near := component.Nearest(name, have, 3); len(near) > 0 {
		return err.WithHint("did you mean '%s'?", strings.Join(near, "' or '"))
	}
	if len(have) == 0 {
		return err.WithHint("it takes none")
	}
	return err.WithHint("there are: %s", strings.Join(have[:min(len(have), 12)], ", "))
}

func sockets(p *pipeline.Plan) map[pipeline.Socket]pipeline.InputInfo {
	out := map[pipeline.Socket]pipeline.InputInfo{}
	for _, in := range p.AllInputs() {
		out[pipeline.Socket{Component: in.Component, Socket: in.Socket}] = in
	}
	return out
}

// decodeAll makes data classes of what is given, by the type of the socket it goes to. What fits nowhere is left for the
// engine to name.
func decodeAll(types map[pipeline.Socket]pipeline.InputInfo, nested *value.Dict) (*value.Dict, error) {
	out := &value.Dict{}
	for k, v := range nested.All() {
		dict, ok := v.(*value.Dict)
		if !ok {
			out.SetKey(k, v)
			continue
		}
		decoded := &value.Dict{}
		for name, sv := range dict.All() {
			dv, err := decodeOne(types, pipeline.Socket{Component: value.ToStr(k), Socket: value.ToStr(name)}, sv)
			if err != nil {
				return nil, err
			}
			decoded.SetKey(name, dv)
		}
		out.SetKey(k, decoded)
	}
	return out, nil
}

func decodeOne(types map[pipeline.Socket]pipeline.InputInfo, at pipeline.Socket, v value.Value) (value.Value, error) {
	in, ok := types[at]
	if !ok {
		return v, nil // the engine says what is wrong
	}
	out, err := Decode(in.Type, v)
	if err != nil {
		f := fault.From(err)
		w := f.Where
		w.Component, w.Socket = at.Component, at.String()
		return nil, f.At(w)
	}
	return out, nil
}

func missing(d pipeline.Declared, in *value.Dict) error {
	var names []string
	for _, input := range d.Inputs {
		if input.Mandatory && !slices.ContainsFunc(input.Targets, func(s pipeline.Socket) bool { return has(in, s) }) {
			names = append(names, input.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fault.Wrap(fault.Invalid, &MissingError{names}, "input %q is required", names[0]).
		WithCode(CodeMissing).At(fault.Where{Field: names[0]})
}

func has(in *value.Dict, s pipeline.Socket) bool {
	v, _ := in.Get(s.Component)
	dict, ok := v.(*value.Dict)
	if !ok {
		return false
	}
	_, ok = dict.Get(s.Socket)
	return ok
}
