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
		"cycler":    class("jinja2.utils.Cycler", newCycler),
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
	return p.nested(append(dst, "<Namespace "...), ns, "{...}", func(dst []byte) ([]byte, error) {
		dst, err := p.append(dst, ns.attrs)
		return append(dst, '>'), err
	})
}

func (ns *namespace) attr(_ *run, name string) (value.Value, error) {
	v, _ := ns.attrs.Get(name)
	return v, nil
}

// cyclerVal is jinja2.utils.Cycler.
type cyclerVal struct {
	internal
	items []value.Value
	pos   int
}

func newCycler(r *run, a *args) (value.Value, error) {
	if len(a.kw) > 0 {
		return nil, typeErr("Cycler.__init__() got an unexpected keyword argument %s", "'"+a.kw[0].Name+"'")
	}
	if len(a.pos) == 0 {
		return nil, raise("RuntimeError", "at least one item has to be provided")
	}
	return &cyclerVal{items: append([]value.Value(nil), a.pos...)}, r.allocItems(len(a.pos))
}

func (c *cyclerVal) Class() string { return "jinja2.utils.Cycler" }

// Repr leaves the address out that Python prints.
func (c *cyclerVal) Repr() string { return "<jinja2.utils.Cycler object>" }

func (c *cyclerVal) attr(_ *run, name string) (value.Value, error) {
	switch name {
	case "current":
		return c.items[c.pos], nil
	case "pos":
		return value.Int(c.pos), nil
	case "items":
		return value.Tuple(c.items), nil
	case "next":
		return methodOf(c, "Cycler.next", func(_ *run, a *args) (value.Value, error) {
			v := c.items[c.pos]
			c.pos = (c.pos + 1) % len(c.items)
			return v, a.nothing("Cycler.next")
		}), nil
	case "reset":
		return methodOf(c, "Cycler.reset", func(_ *run, a *args) (value.Value, error) {
			c.pos = 0
			return value.None, a.nothing("Cycler.reset")
		}), nil
	}
	return nil, nil
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
