package filter

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

// comparison is {"field", "operator", "value"}.
type comparison struct {
	field  string
	parts  []string // of a dotted field; nil otherwise
	op     string
	want   value.Value
	items  []value.Value // of an "in" list
	strict bool
}

func compileComparison(d *value.Dict, strict bool) node {
	op, ok := d.Get("operator")
	if !ok {
		return broken{bad("'operator' key missing in %s", value.Repr(d))}
	}
	want, ok := d.Get("value")
	if !ok {
		return broken{bad("'value' key missing in %s", value.Repr(d))}
	}
	field, _ := d.Get("field")
	name, ok := field.(value.Str)
	if !ok {
		return broken{bad("the 'field' of a filter must be a string, but is %s", value.TypeName(field))}
	}
	c := &comparison{field: string(name), parts: split(string(name)), want: want, strict: strict}
	opName, _ := op.(value.Str)
	switch c.op = string(opName); c.op {
	case "==", "!=", ">", ">=", "<", "<=":
	case "in", "not in":
		list, ok := want.(*value.List)
		if !ok {
			return broken{bad("Filter value must be a `list` when using operator 'in' or 'not in', received type '<class '%s'>'",
				value.TypeName(want))}
		}
		c.items = list.Items
	default:
		return broken{bad("Unknown comparison operator '%s'. Valid operators are: %s", value.ToStr(op),
			"['!=', '<', '<=', '==', '>', '>=', 'in', 'not in']")}
	}
	return c
}

func (c *comparison) check() (error, bool) {
	switch c.op {
	case "==", "!=", "in", "not in":
		return nil, true
	}
	return nil, value.IsNone(c.want)
}

func (c *comparison) match(o value.Object) (bool, error) {
	have := lookup(o, c.field, c.parts)
	switch c.op {
	case "==":
		return c.equal(have, c.want), nil
	case "!=":
		return !c.equal(have, c.want), nil
	case "in":
		return c.in(have), nil
	case "not in":
		return !c.in(have), nil
	}
	return c.order(have)
}

func (c *comparison) in(have value.Value) bool {
	for _, it := range c.items {
		if c.equal(it, have) {
			return true
		}
	}
	return false
}

// equal is Python's ==, and also takes two ISO dates of one moment for equal.
func (c *comparison) equal(a, b value.Value) bool {
	if value.Equal(a, b) {
		return true
	}
	first, ok := isoDate(a)
	if !ok {
		return false
	}
	second, ok := isoDate(b)
	if !ok || (c.strict && first.aware != second.aware) {
		return false
	}
	return first.compare(second) == 0
}

// order is <, <=, > and >=. None compares as false; strings are dates or an error.
func (c *comparison) order(have value.Value) (bool, error) {
	if value.IsNone(have) || value.IsNone(c.want) {
		return false, nil
	}
	a, b, err := moments(have, c.want)
	if err != nil {
		return false, err
	}
	if _, ok := c.want.(*value.List); ok {
		return false, bad("Filter value can't be of type <class 'list'> using operators '>', '>=', '<', '<='")
	}
	if (a == nil) != (b == nil) {
		return false, bad("Can't compare a datetime with a non-datetime value using operators '>', '>=', '<', '<='")
	}
	if a != nil {
		if c.strict && a.aware != b.aware {
			return false, nil
		}
		return holds(c.op, a.compare(*b)), nil
	}
	return value.Compare(c.op, have, c.want)
}

func holds(op string, n int) bool {
	switch op {
	case "<":
		return n < 0
	case "<=":
		return n <= 0
	case ">":
		return n > 0
	}
	return n >= 0
}

// moments reads datetimes, and, when either side is a str, both sides as dates.
func moments(have, want value.Value) (a, b *moment, err error) {
	_, s1 := have.(value.Str)
	_, s2 := want.(value.Str)
	if a, err = toMoment(have, s1 || s2); err != nil {
		return nil, nil, err
	}
	b, err = toMoment(want, s1 || s2)
	return a, b, err
}

func toMoment(v value.Value, parse bool) (*moment, error) {
	if dt, ok := v.(value.DateTime); ok {
		m := ofDateTime(dt)
		return &m, nil
	}
	if !parse {
		return nil, nil
	}
	if s, ok := v.(value.Str); ok {
		if m, ok := parseDate(string(s)); ok {
			return &m, nil
		}
	}
	return nil, bad("Can't compare strings using operators '>', '>=', '<', '<='. " +
		"Strings are only comparable if they are ISO formatted dates.")
}
