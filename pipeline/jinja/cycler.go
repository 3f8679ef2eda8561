package jinja

import "github.com/haywardhq/hayward/pipeline/value"

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

const cyclerPath = "jinja2.utils.Cycler"

func (c *cyclerVal) Class() string { return cyclerPath }

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
		return methodOf(c, "Cycler.next", func(_ *run, a *args) (value.Value, error) { return c.next(), a.nothing("Cycler.next") }), nil
	case "reset":
		return methodOf(c, "Cycler.reset", func(_ *run, a *args) (value.Value, error) { return c.reset(), a.nothing("Cycler.reset") }), nil
	}
	return nil, nil
}

func (c *cyclerVal) next() value.Value {
	v := c.items[c.pos]
	c.pos = (c.pos + 1) % len(c.items)
	return v
}

func (c *cyclerVal) reset() value.Value {
	c.pos = 0
	return value.None
}

// cyclerClass holds the attributes of the class cycler itself: its methods, which then take the cycler as their argument.
var cyclerClass = map[string]value.Value{
	"next":    cyclerFunction("next", "current", (*cyclerVal).next),
	"reset":   cyclerFunction("reset", "pos", (*cyclerVal).reset),
	"current": &property{name: "current"},
}

// cyclerFunction is a method as a function of its class; uses is the attribute it fails on with anything else.
func cyclerFunction(name, uses string, method func(*cyclerVal) value.Value) value.Value {
	full := "Cycler." + name
	return &goFunc{name: full, fn: func(_ *run, a *args) (value.Value, error) {
		got, err := a.bind(full, []string{"self"}, 1)
		if err != nil {
			return nil, err
		}
		if u := asUndefined(got[0]); u != nil && name == "next" {
			return nil, u.fail()
		}
		if class, ok := got[0].(*goFunc); ok && class.class == cyclerPath {
			return nil, noAttribute(class, "pos") // whose current is the property
		}
		c, ok := got[0].(*cyclerVal)
		if !ok {
			return nil, noAttribute(got[0], uses)
		}
		return method(c), nil
	}}
}

// property is Python's property as a value: what a class shows of one.
type property struct {
	internal
	name string // two of nothing could be one pointer
}

func (*property) Class() string { return "property" }

// Repr leaves the address out that Python prints.
func (*property) Repr() string { return "<property object>" }

// DictKey implements value.Keyed.
func (p *property) DictKey() any { return p }
