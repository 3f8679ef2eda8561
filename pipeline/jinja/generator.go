package jinja

import "github.com/haywardhq/hayward/pipeline/value"

// generator is what filters such as map and select give: items made when they are asked for, once.
type generator struct {
	internal
	it            iterator
	class         string // "generator", "list_reverseiterator", ...
	name          string
	started, done bool
}

func (g *generator) Class() string { return g.class }

// Repr leaves the address out that Python prints.
func (g *generator) Repr() string {
	if g.name != "" {
		return "<" + g.class + " object " + g.name + ">"
	}
	return "<" + g.class + " object>"
}

func (g *generator) iter(*run) (iterator, error) { return g, nil }

func (g *generator) next(r *run) (value.Value, bool, error) {
	if g.done {
		return nil, false, nil
	}
	g.started = true
	v, ok, err := g.it.next(r)
	g.done = !ok || err != nil
	return v, ok, err
}

// attr gives what Python's generators have; of its other iterators none has anything.
func (g *generator) attr(r *run, name string) (value.Value, error) {
	if g.class != "generator" {
		return nil, nil
	}
	switch name {
	case "gi_frame", "gi_code":
		return r.unsafeAttr(g, name), nil
	case "gi_running":
		return value.Bool(false), nil
	case "gi_suspended":
		return value.Bool(g.started && !g.done), nil
	case "gi_yieldfrom":
		return value.None, nil
	case "send":
		return &boundMethod{self: g, name: name, fn: g.send}, nil
	case "throw":
		return &boundMethod{self: g, name: name, fn: g.throw}, nil
	case "close":
		return &boundMethod{self: g, name: name, fn: g.close}, nil
	}
	return nil, nil
}

// send goes on with the generator, which has no use for what it is sent. Jinja makes an undefined value of its end.
func (g *generator) send(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "send", 1, 1); err != nil {
		return nil, err
	}
	if !g.started && !g.done && !value.IsNone(a.pos[0]) {
		return nil, typeErr("can't send non-None value to a just-started generator")
	}
	v, ok, err := g.next(r)
	if err == nil && !ok {
		v = r.undefHint("value was undefined because a callable raised a StopIteration exception", "")
	}
	return v, err
}

// throw never throws: a template has no exceptions.
func (*generator) throw(_ *run, _ value.Value, a *args) (value.Value, error) {
	if err := a.function("generator.throw", "throw", 1, 3); err != nil {
		return nil, err
	}
	if len(a.pos) == 3 && !value.IsNone(a.pos[2]) {
		return nil, typeErr("throw() third argument must be a traceback object")
	}
	return nil, typeErr("exceptions must be classes or instances deriving from BaseException, not %s", typeName(a.pos[0]))
}

func (g *generator) close(_ *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "close", 0, 0); err != nil {
		return nil, err
	}
	g.done = true
	return value.None, nil
}

// lazy makes a generator of a function that is called for the first item.
func lazy(name string, start func(r *run) (iterator, error)) *generator {
	var it iterator
	return &generator{class: "generator", name: name, it: funcIter(func(r *run) (value.Value, bool, error) {
		if it == nil {
			var err error
			if it, err = start(r); err != nil {
				return nil, false, err
			}
		}
		return r.pull(it)
	})}
}
