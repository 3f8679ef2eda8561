package pipelinetest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/component/componenttest"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/pyyaml"
	"github.com/haywardhq/hayward/pipeline/value"
)

// fullNames gives the displayed class names of a recording their modules back.
var fullNames = map[string]string{
	"Document":        "haystack.dataclasses.document.Document",
	"ChatMessage":     "haystack.dataclasses.chat_message.ChatMessage",
	"ByteStream":      "haystack.dataclasses.byte_stream.ByteStream",
	"GeneratedAnswer": "haystack.dataclasses.answer.GeneratedAnswer",
	"ExtractedAnswer": "haystack.dataclasses.answer.ExtractedAnswer",
	"Path":            "pathlib.Path",
	"Any":             "typing.Any",
	"Optional":        "typing.Optional",
	"Union":           "typing.Union",
	"Literal":         "typing.Literal",
	"Callable":        "collections.abc.Callable",
	"Iterable":        "collections.abc.Iterable",
	"Sequence":        "collections.abc.Sequence",
	"Mapping":         "collections.abc.Mapping",
}

var word = regexp.MustCompile(`[A-Za-z_][\w.]*`)

// ParseDisplayed reads a type as Haystack displays it, "list[Document]"; what it cannot read is Any.
func ParseDisplayed(s string) *pytype.Type {
	full := word.ReplaceAllStringFunc(s, func(w string) string {
		if f, ok := fullNames[w]; ok {
			return f
		}
		return w
	})
	t, err := pytype.Parse(full)
	if err != nil {
		return pytype.MustParse("typing.Any")
	}
	return t
}

// Script says which run a stand-in plays.
type Script struct{ Run *Run }

// StandIn makes a component with the recorded sockets that gives the recorded outputs of its n-th visit in the script's
// run.
func (s *Scenario) StandIn(name string, script *Script) (component.Component, *component.Spec) {
	sockets := s.Sockets[name]
	sp := &component.Spec{}
	for _, in := range sockets.InputOrder {
		sp.Inputs = append(sp.Inputs, s.inputOf(name, in, sockets.Inputs[in]))
	}
	for _, out := range sockets.OutputOrder {
		sp.Outputs = append(sp.Outputs, component.Output{Name: out, Type: ParseDisplayed(sockets.Outputs[out])})
	}
	answer := func(visit int, in component.In) (*value.Dict, error) {
		for _, c := range script.Run.Calls {
			if c.Component == name && c.at(visit) {
				return recorded(script.Run, c)
			}
		}
		return componenttest.ByVisit()(visit, in)
	}
	return &componenttest.Scripted{Spec: sp, Answer: answer}, sp
}

// at reports whether the call is the n-th visit. Python counts a visit when it is over: one that failed has the number of
// the visit before.
func (c Call) at(visit int) bool {
	return c.Visit == visit || (c.Outputs == nil && c.Visit == visit-1)
}

var invalidOutput = regexp.MustCompile(`Expected a dictionary, but got (\w+) instead`)

// recorded gives a call's outputs; a call without any is the one that failed.
func recorded(run *Run, c Call) (*value.Dict, error) {
	if c.Outputs != nil || run.Error == nil {
		return c.Outputs, nil
	}
	if m := invalidOutput.FindStringSubmatch(run.Error.Message); m != nil {
		return nil, &component.InvalidOutputError{TypeName: m[1]}
	}
	return nil, &failure{run.Error.Message}
}

type failure struct{ text string }

// Error gives what the component said: the end of the recorded message.
func (f *failure) Error() string {
	if _, own, ok := strings.Cut(f.text, "\nError: "); ok {
		return own
	}
	return f.text
}

func (s *Scenario) inputOf(name, socket string, rec InputSocket) component.Input {
	in := component.Input{Name: socket, Type: ParseDisplayed(rec.Type)}
	switch {
	case rec.Greedy:
		in.Variadic = component.Greedy
	case rec.Lazy && s.declaredLazy(name, socket, in.Type):
		in.Variadic = component.Lazy
	}
	if !rec.Mandatory {
		in.Default = s.defaultOf(name, socket)
	}
	return in
}

// declaredLazy tells a socket that was declared variadic from a list socket that became so when a second sender was
// connected: the recording says "lazy" for both. The first gets a list of lists, the second their items. Where no visit
// says, joiners and the sample components are the ones that declare one.
func (s *Scenario) declaredLazy(name, socket string, t *pytype.Type) bool {
	if !t.ListLike() {
		return true
	}
	for _, r := range s.Runs {
		for _, c := range r.Calls {
			v, _ := c.Inputs.Get(socket)
			if list, ok := v.(*value.List); ok && c.Component == name && len(list.Items) > 0 {
				_, nested := list.Items[0].(*value.List)
				return nested
			}
		}
	}
	class := s.Sockets[name].Class
	return strings.Contains(class, "oiner") || strings.Contains(class, "sample_components")
}

// defaultOf finds a default in a visit for which nobody had sent a value: not the user, and no sender since the visit
// before. None when there is no such visit.
func (s *Scenario) defaultOf(name, socket string) value.Value {
	for _, r := range s.Runs {
		if r.gives(name, socket) {
			continue
		}
		fresh := true
		for _, c := range r.Calls {
			if c.Component == name {
				if v, ok := c.Inputs.Get(socket); ok && fresh {
					return v
				}
				fresh = true
			}
			if slices.Contains(s.Sockets[name].Inputs[socket].Senders, c.Component) {
				fresh = false
			}
		}
	}
	return value.None
}

// gives reports whether the run's own inputs hold a value for the socket.
func (r *Run) gives(name, socket string) bool {
	if given, ok := r.Inputs.Get(name); ok {
		if d, ok := given.(*value.Dict); ok {
			_, ok := d.Get(socket)
			return ok
		}
	}
	_, flat := r.Inputs.Get(socket)
	return flat
}

// withStandIns returns the registry with a stand-in for each of the scenario's classes that it lacks, and their names.
func (s *Scenario) withStandIns(t testing.TB, reg *component.Registry, script *Script) (*component.Registry, []string) {
	t.Helper()
	doc, err := pyyaml.Load([]byte(s.YAML), s.Name, pyyaml.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	missing := s.classes(reg)
	var types []*component.Type
	for _, class := range missing {
		typ := &component.Type{Name: class, Doc: "Stands in for a recorded component.",
			New: func(b *component.Builder) (component.Component, *component.Spec, error) {
				c, sp := s.StandIn(b.Name, script)
				return c, sp, nil
			}}
		for _, name := range s.Components {
			if s.Sockets[name].Class != class {
				continue
			}
			params, ok := doc.Node("components", name, "init_parameters").Value.(*value.Dict)
			if !ok {
				continue
			}
			for p := range params.Strings() {
				if !slices.ContainsFunc(typ.Params, func(have component.Param) bool { return have.Name == p }) {
					typ.Params = append(typ.Params, component.Optional(p, nil))
				}
			}
		}
		types = append(types, typ)
	}
	return reg.With(types...), missing
}
