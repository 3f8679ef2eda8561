package inputs

import (
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/pytype"
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

// MissingError lists declared inputs that must be given and are not.
type MissingError struct{ Names []string }

// Error names them.
func (e *MissingError) Error() string { return "missing inputs: " + strings.Join(e.Names, ", ") }

// Read makes a plan's inputs of a request. Keys that are declared inputs are spread over their sockets; a request whose
// keys are not all declared is taken as Haystack's own form, nested or flat, unless DeclaredOnly.
func Read(p *pipeline.Plan, req Request) (Inputs, error) {
	given := req.Given
	if given == nil {
		given = &value.Dict{}
	}
	d := p.Declared()
	declared := len(d.Inputs) > 0 && (req.DeclaredOnly || all(given, d.InputNames()))
	nested, beyond := given, given.Len() > 0
	if declared {
		var err error
		if nested, err = d.Spread(given); err != nil {
			return Inputs{}, err
		}
		beyond = false
	}
	types := sockets(p)
	if req.Text {
		nested = readText(types, nested)
	}
	out, err := decodeAll(p, types, nested)
	if err != nil {
		return Inputs{}, err
	}
	if len(req.Files) > 0 {
		outside, err := place(p, d, types, out, req.Files)
		if err != nil {
			return Inputs{}, err
		}
		beyond = beyond || outside
	}
	if declared {
		if err := missing(d, out); err != nil {
			return Inputs{}, err
		}
	}
	return Inputs{Inputs: out, BeyondDeclared: beyond}, nil
}

func all(given *value.Dict, names []string) bool {
	for k := range given.All() {
		if s, ok := k.(value.Str); !ok || !slices.Contains(names, string(s)) {
			return false
		}
	}
	return true
}

func sockets(p *pipeline.Plan) map[pipeline.Socket]pipeline.InputInfo {
	out := map[pipeline.Socket]pipeline.InputInfo{}
	for _, in := range p.AllInputs() {
		out[pipeline.Socket{Component: in.Component, Socket: in.Socket}] = in
	}
	return out
}

// decodeAll makes data classes of what is given, by the type of the socket it goes to.
func decodeAll(p *pipeline.Plan, types map[pipeline.Socket]pipeline.InputInfo, given *value.Dict) (*value.Dict, error) {
	out := &value.Dict{}
	for k, v := range given.All() {
		name := value.ToStr(k)
		decoded, err := decodeKey(p, types, name, v)
		if err != nil {
			return nil, err
		}
		out.SetKey(k, decoded)
	}
	return out, nil
}

func decodeKey(p *pipeline.Plan, types map[pipeline.Socket]pipeline.InputInfo, name string, v value.Value) (value.Value, error) {
	isComponent := slices.ContainsFunc(p.Components(), func(c pipeline.ComponentInfo) bool { return c.Name == name })
	if dict, ok := v.(*value.Dict); ok && isComponent {
		out := &value.Dict{}
		for k, sv := range dict.All() {
			at := pipeline.Socket{Component: name, Socket: value.ToStr(k)}
			decoded, err := decodeOne(types, at, sv)
			if err != nil {
				return nil, err
			}
			out.SetKey(k, decoded)
		}
		return out, nil
	}
	for _, in := range p.Inputs() { // the flat form: every open socket of that name gets the value
		if in.Socket == name {
			return decodeOne(types, pipeline.Socket{Component: in.Component, Socket: name}, v)
		}
	}
	return v, nil
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
		WithCode("missing").At(fault.Where{Field: names[0]})
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

// place puts uploads where they belong: a declared input of the field's name, else the sockets named "sources".
func place(p *pipeline.Plan, d pipeline.Declared, types map[pipeline.Socket]pipeline.InputInfo, out *value.Dict, files []File) (beyond bool, err error) {
	for _, f := range files {
		targets, outside := destination(p, d, f.Field)
		if len(targets) == 0 {
			return false, fault.New(fault.Invalid, "the pipeline has no input for the uploaded file in field %q", f.Field).
				At(fault.Where{Field: f.Field}).WithHint("name the field after a declared input (%s), or give the pipeline a converter with a sources socket",
				strings.Join(d.InputNames(), ", "))
		}
		beyond = beyond || outside
		for _, t := range targets {
			if err := put(types, out, t, f); err != nil {
				return false, err
			}
		}
	}
	return beyond, nil
}

func destination(p *pipeline.Plan, d pipeline.Declared, field string) (targets []pipeline.Socket, beyond bool) {
	for _, in := range d.Inputs {
		if in.Name == field {
			return in.Targets, false
		}
	}
	for _, in := range d.Inputs {
		for _, t := range in.Targets {
			if t.Socket == "sources" {
				targets = append(targets, t)
			}
		}
	}
	if len(targets) > 0 || len(d.Inputs) > 0 {
		return targets, false
	}
	for _, in := range p.Inputs() {
		if in.Socket == "sources" {
			targets = append(targets, pipeline.Socket{Component: in.Component, Socket: in.Socket})
		}
	}
	return targets, true
}

func put(types map[pipeline.Socket]pipeline.InputInfo, out *value.Dict, t pipeline.Socket, f File) error {
	v, _ := out.Get(t.Component)
	dict, ok := v.(*value.Dict)
	if !ok {
		dict = &value.Dict{}
		out.Set(t.Component, dict)
	}
	stream := f.byteStream()
	have, given := dict.Get(t.Socket)
	switch list, isList := have.(*value.List); {
	case given && isList:
		dict.Set(t.Socket, value.NewList(append(slices.Clone(list.Items), stream)...))
	case given:
		return fault.New(fault.Invalid, "input %s takes one file, and got several", t).At(fault.Where{Socket: t.String(), Field: f.Field})
	case takesList(types[t]):
		dict.Set(t.Socket, value.NewList(stream))
	default:
		dict.Set(t.Socket, stream)
	}
	return nil
}

func takesList(in pipeline.InputInfo) bool {
	return in.Type == nil || !slices.ContainsFunc(in.Type.DataClasses(), func(c pytype.DataClass) bool {
		return c.Lists == 0 && strings.HasSuffix(c.Path, ".ByteStream")
	})
}

// byteStream is the upload as converters see it: as if the file had been read from a path of its last element's name.
func (f File) byteStream() *document.ByteStream {
	meta := &value.Dict{}
	if name := baseName(f.Name); name != "" {
		meta.Set("file_path", value.Str(name))
	}
	mime, _, _ := strings.Cut(f.ContentType, ";")
	return document.Bytes(f.Data, strings.TrimSpace(mime), meta)
}

// baseName is the last element of a name from a client, which may be a path of another system.
func baseName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if name == "." || name == ".." || strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return ""
	}
	return name
}

// readText reads the strings of {component: {socket: text}} as JSON where the socket takes no str. What is not JSON
// either stays as it is.
func readText(types map[pipeline.Socket]pipeline.InputInfo, nested *value.Dict) *value.Dict {
	out := &value.Dict{}
	for comp, v := range nested.Strings() {
		dict, ok := v.(*value.Dict)
		if !ok {
			out.Set(comp, v)
			continue
		}
		read := &value.Dict{}
		for socket, sv := range dict.Strings() {
			read.Set(socket, readOne(types[pipeline.Socket{Component: comp, Socket: socket}], sv))
		}
		out.Set(comp, read)
	}
	return out
}

func readOne(in pipeline.InputInfo, v value.Value) value.Value {
	text, ok := v.(value.Str)
	if !ok || in.Type == nil || pytype.CompatibleStrict(pytype.MustParse("str"), in.Type) {
		return v
	}
	parsed, err := value.FromJSON([]byte(text))
	if err != nil {
		return v
	}
	return parsed
}
