package jinja

import "github.com/haywardhq/hayward/pipeline/value"

func (g *groupTuple) Class() string { return "jinja2.filters._GroupTuple" }

// Repr is the tuple's repr.
func (g *groupTuple) Repr() string { return value.Repr(g.pair) }

// PyLen is 2.
func (g *groupTuple) PyLen() int { return 2 }

func (g *groupTuple) appendRepr(p *reprWriter, dst []byte) ([]byte, error) {
	return p.append(dst, g.pair)
}
func (g *groupTuple) iter(*run) (iterator, error) { return &sliceIter{items: g.pair}, nil }
func (g *groupTuple) length(*run) (int, error)    { return 2, nil }

func (g *groupTuple) item(_ *run, arg value.Value) (value.Value, error) {
	i, err := position(arg, 2, "tuple")
	if err != nil {
		return nil, err
	}
	return g.pair[i], nil
}

func (g *groupTuple) attr(_ *run, name string) (value.Value, error) {
	switch name {
	case "grouper":
		return g.pair[0], nil
	case "list":
		return g.pair[1], nil
	}
	return nil, nil
}
