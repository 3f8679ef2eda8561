package jinja

import (
	"sync"

	"github.com/haywardhq/hayward/pipeline/value"
)

// globals is the one table of them; an environment adds its own to a copy.
var globals = sync.OnceValue(builtinGlobals)

// builtinGlobals are the names every template has (jinja2.defaults.DEFAULT_NAMESPACE).
func builtinGlobals() map[string]value.Value {
	fn := func(name string, f func(r *run, a *args) (value.Value, error)) value.Value {
		return &goFunc{name: name, fn: f}
	}
	class := func(name string, f func(r *run, a *args) (value.Value, error)) value.Value {
		return &goFunc{class: name, fn: f}
	}
	return map[string]value.Value{
		"range": fn("safe_range", func(r *run, a *args) (value.Value, error) {
			if err := a.positions("safe_range"); err != nil {
				return nil, err
			}
			if err := a.function("range", "range", 1, 3); err != nil {
				return nil, err
			}
			return r.makeRange(a.pos)
		}),
		"dict": class("dict", func(r *run, a *args) (value.Value, error) {
			if len(a.pos) > 1 {
				return nil, typeErr("dict expected at most 1 argument, got %d", len(a.pos))
			}
			d := &value.Dict{}
			return d, r.updateDict(d, a)
		}),
		"namespace": class("jinja2.utils.Namespace", newNamespace),
		"cycler":    class(cyclerPath, newCycler),
		"joiner":    class("jinja2.utils.Joiner", newJoiner),
		"lipsum":    fn("lipsum", lipsum),
	}
}

// namespace is jinja2.utils.Namespace, the one thing whose attributes set may change.
type namespace struct {
	internal
	attrs *value.Dict
}

func newNamespace(r *run, a *args) (value.Value, error) {
	if len(a.pos) > 1 {
		return nil, typeErr("dict expected at most 1 argument, got %d", len(a.pos))
	}
	ns := &namespace{attrs: &value.Dict{}}
	return ns, r.updateDict(ns.attrs, a)
}

func (ns *namespace) Class() string { return "jinja2.utils.Namespace" }

// Repr returns "<Namespace {...}>".
func (ns *namespace) Repr() string { return "<Namespace {...}>" }

func (ns *namespace) appendRepr(p *reprWriter, dst []byte) ([]byte, error) {
	dst, err := p.append(append(dst, "<Namespace "...), ns.attrs)
	return append(dst, '>'), err
}

func (ns *namespace) attr(_ *run, name string) (value.Value, error) {
	v, _ := ns.attrs.Get(name)
	return v, nil
}

// joinerVal is jinja2.utils.Joiner: nothing the first time, then its separator.
type joinerVal struct {
	internal
	sep  value.Value
	used bool
}

func newJoiner(_ *run, a *args) (value.Value, error) {
	got, err := a.bindTo(&signature{fn: "Joiner.__init__", hidden: "self", params: []string{"sep"}})
	if err != nil {
		return nil, err
	}
	j := &joinerVal{sep: value.Str(", ")}
	if got[0] != nil {
		j.sep = got[0]
	}
	return j, nil
}

func (j *joinerVal) Class() string { return "jinja2.utils.Joiner" }

// Repr leaves the address out that Python prints.
func (j *joinerVal) Repr() string { return "<jinja2.utils.Joiner object>" }

func (j *joinerVal) attr(_ *run, name string) (value.Value, error) {
	switch name {
	case "sep":
		return j.sep, nil
	case "used":
		return value.Bool(j.used), nil
	}
	return nil, nil
}

func (j *joinerVal) call(_ *run, a *args) (value.Value, error) {
	if err := a.nothing("Joiner.__call__"); err != nil {
		return nil, err
	}
	if !j.used {
		j.used = true
		return value.Str(""), nil
	}
	return j.sep, nil
}

// lipsum is refused: its text is random, which nobody can test for.
func lipsum(*run, *args) (value.Value, error) {
	return nil, unsupported(0, "lipsum() makes random filler text and is not supported: write the text into the template")
}
