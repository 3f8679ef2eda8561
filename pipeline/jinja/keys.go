package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// Objects of Python without an equality of their own are dict keys, each one its own.

// DictKey implements value.Keyed: that of a str, which it equals.
func (m markup) DictKey() any { return value.Str(m.text) }

// DictKey implements value.Keyed.
func (m *macro) DictKey() any { return m }

// DictKey implements value.Keyed.
func (ns *namespace) DictKey() any { return ns }

// DictKey implements value.Keyed.
func (c *cyclerVal) DictKey() any { return c }

// DictKey implements value.Keyed.
func (j *joinerVal) DictKey() any { return j }

// DictKey implements value.Keyed.
func (g *generator) DictKey() any { return g }

// DictKey implements value.Keyed.
func (l *loopCtx) DictKey() any { return l }

// DictKey implements value.Keyed.
func (g *goFunc) DictKey() any {
	switch g.owner.(type) {
	case *loopCtx, *cyclerVal:
		return methodKey{g.owner, g.name}
	}
	return g
}

// DictKey implements value.Keyed. Whether two texts or numbers are one object Python alone knows; equal ones mostly are.
func (m *boundMethod) DictKey() any {
	if m.Class() == "builtin_function_or_method" {
		if strings.Contains(" fromkeys fromhex from_bytes maketrans ", " "+m.name+" ") { // which are the class's
			owner := typeName(m.self)
			if isDictClass(m.self) {
				owner = "dict"
			}
			return methodKey{value.Str(owner), m.name}
		}
		switch m.self.(type) {
		case value.Str, value.Int, value.Bytes, *value.List, *value.Dict, *value.Set, *goFunc, *generator:
			return methodKey{m.self, m.name}
		}
	}
	return m
}

// DictKey implements value.Keyed.
func (t *templateRef) DictKey() any { return t }

// DictKey implements value.Keyed.
func (b *blockRef) DictKey() any { return b }

// DictKey implements value.Keyed: of the views, those of values alone can be keys.
func (v *dictView) DictKey() any { return v }

// methodKey says that two methods are equal that are the same one of the same value.
type methodKey struct {
	owner value.Value
	name  string
}

// DictKey implements value.Keyed.
func (g *globalFunc) DictKey() any { return g }

type rangeKey struct {
	n           int
	start, step int64
}

// DictKey implements value.Keyed: ranges are equal that give the same items.
func (v *rangeVal) DictKey() any {
	switch v.n {
	case 0:
		return rangeKey{}
	case 1:
		return rangeKey{n: 1, start: v.start}
	}
	return rangeKey{n: v.n, start: v.start, step: v.step}
}
