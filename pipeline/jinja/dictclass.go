package jinja

import "github.com/haywardhq/hayward/pipeline/value"

// The class dict is a global of every template, and so Python's attributes and items of it can be asked for: its methods,
// unbound, and dict[...], which Python takes for a type with parameters.

func isDictClass(v value.Value) bool {
	switch v := v.(type) {
	case *goFunc:
		return v.class == "dict"
	case *genericAlias:
		return true
	}
	return false
}

func (g *goFunc) attr(r *run, name string) (value.Value, error) {
	switch {
	case g.class == cyclerPath:
		return cyclerClass[name], nil
	case g.class != "dict":
		return nil, nil
	}
	if name == "mro" {
		return r.unsafeAttr(g, name), nil
	}
	return dictClassAttr(r, g, name)
}

func (g *goFunc) item(r *run, arg value.Value) (value.Value, error) {
	if g.class != "dict" {
		return nil, typeErr("'%s' object is not subscriptable", typeName(g))
	}
	return r.newAlias(g, arg)
}

func dictClassAttr(r *run, class *goFunc, name string) (value.Value, error) {
	m, ok := r.env.lib.dict[name]
	switch {
	case !ok:
		return nil, nil
	case name == "fromkeys":
		return &boundMethod{self: class, name: name, fn: func(r *run, _ value.Value, a *args) (value.Value, error) {
			return m.fn(r, &value.Dict{}, a)
		}}, nil
	case m.changes && !r.copying:
		return nil, errCopy
	}
	return &dictMethod{name: name, fn: m.fn}, nil
}

// dictMethod is a method of the class dict, which takes the dict as its first argument.
type dictMethod struct {
	internal
	name string
	fn   method
}

func (*dictMethod) Class() string { return "method_descriptor" }

// Repr returns "<method 'name' of 'dict' objects>".
func (m *dictMethod) Repr() string { return "<method '" + m.name + "' of 'dict' objects>" }

// DictKey implements value.Keyed.
func (m *dictMethod) DictKey() any { return methodKey{name: m.name} }

func (m *dictMethod) call(r *run, a *args) (value.Value, error) {
	if len(a.pos) == 0 {
		return nil, typeErr("unbound method dict.%s() needs an argument", m.name)
	}
	if _, ok := a.pos[0].(*value.Dict); !ok {
		return nil, typeErr("descriptor '%s' for 'dict' objects doesn't apply to a '%s' object", m.name, typeName(a.pos[0]))
	}
	return m.fn(r, a.pos[0], &args{pos: a.pos[1:], kw: a.kw})
}

// genericAlias is dict[...]: Python's types.GenericAlias.
type genericAlias struct {
	internal
	class *goFunc
	args  value.Tuple
	star  bool // *dict[...], what iteration gives
	depth int  // how many are inside one another
}

// maxAliasNest bounds what hashing and comparing descends into.
const maxAliasNest = 50

func (r *run) newAlias(class *goFunc, arg value.Value) (value.Value, error) {
	g := &genericAlias{class: class}
	switch arg := arg.(type) {
	case value.Tuple:
		g.args = arg
	case *groupTuple:
		g.args = arg.pair
	default:
		g.args = value.Tuple{arg}
	}
	inside, err := r.aliasDepth(g.args, 0)
	if err != nil {
		return nil, err
	}
	if g.depth = 1 + inside; g.depth > maxAliasNest {
		return nil, raise("RecursionError", "maximum recursion depth exceeded")
	}
	return g, r.allocItems(2 + len(g.args))
}

// aliasDepth is how deep types are inside one another within a tuple.
func (r *run) aliasDepth(t value.Tuple, nest int) (int, error) {
	deepest := 0
	if nest > maxValueNest {
		return maxAliasNest, nil
	}
	for _, v := range t {
		if err := r.step(); err != nil {
			return 0, err
		}
		switch v := v.(type) {
		case *genericAlias:
			deepest = max(deepest, v.depth)
		case value.Tuple:
			inner, err := r.aliasDepth(v, nest+1)
			if err != nil {
				return 0, err
			}
			deepest = max(deepest, inner)
		}
	}
	return deepest, nil
}

func (*genericAlias) Class() string { return "types.GenericAlias" }

// TpName returns the name with its module, which the interpreter says in its messages.
func (g *genericAlias) TpName() string { return g.Class() }

// Repr is for messages without a run.
func (g *genericAlias) Repr() string {
	if g.star {
		return "*dict[...]"
	}
	return "dict[...]"
}

// DictKey implements value.Keyed; the parameters were found hashable before.
func (g *genericAlias) DictKey() any {
	k, _ := value.HashKey(g.args)
	return aliasKey{k, g.star}
}

type aliasKey struct {
	args any
	star bool
}

func (g *genericAlias) attr(r *run, name string) (value.Value, error) {
	return dictClassAttr(r, g.class, name)
}

func (g *genericAlias) item(r *run, _ value.Value) (value.Value, error) {
	text, err := r.repr(g)
	if err != nil {
		return nil, err
	}
	return nil, typeErr("%s is not a generic class", text)
}

func (g *genericAlias) call(r *run, a *args) (value.Value, error) { return g.class.call(r, a) }

func (g *genericAlias) iter(*run) (iterator, error) {
	starred := *g
	starred.star = true
	return &sliceIter{items: []value.Value{&starred}}, nil
}

func (g *genericAlias) appendRepr(p *reprWriter, dst []byte) ([]byte, error) {
	if g.star {
		dst = append(dst, '*')
	}
	dst = append(dst, "dict["...)
	if len(g.args) == 0 {
		return append(dst, "()]"...), nil
	}
	if err := p.push(g); err != nil {
		return nil, err
	}
	defer func() { p.open = p.open[:len(p.open)-1] }()
	for i, v := range g.args {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if name := qualifiedName(v); name != "" {
			dst = append(dst, name...)
			continue
		}
		var err error
		if dst, err = p.append(dst, v); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// qualifiedName is how a class or a function of Python stands among the parameters of a type; others stand as they print.
func qualifiedName(v value.Value) string {
	g, ok := v.(*goFunc)
	if !ok {
		return ""
	}
	switch {
	case g.class != "":
		return g.class
	case g.name == "safe_range":
		return "jinja2.sandbox.safe_range"
	case g.name == "lipsum":
		return "jinja2.utils.generate_lorem_ipsum"
	}
	switch g.owner.(type) {
	case *cyclerVal:
		return "jinja2.utils." + g.name
	case *loopCtx:
		return "jinja2.runtime." + g.name
	}
	return ""
}

// sliceArg is what a:b:c is where dict[...] takes it for a parameter.
type sliceArg struct {
	internal
	bounds [3]value.Value
}

func newSliceArg(bounds ...value.Value) *sliceArg {
	s := &sliceArg{bounds: [3]value.Value{value.None, value.None, value.None}}
	for i, v := range bounds {
		if v != nil {
			s.bounds[i] = v
		}
	}
	return s
}

func (*sliceArg) Class() string { return "slice" }

// Repr is for messages without a run.
func (*sliceArg) Repr() string { return "slice(...)" }

func (s *sliceArg) appendRepr(p *reprWriter, dst []byte) ([]byte, error) {
	return p.items(append(dst, "slice("...), s.bounds[:], ')')
}
