package jinja

import "github.com/haywardhq/hayward/pipeline/value"

// UndefinedKind is what an environment makes of names and attributes that are not there.
type UndefinedKind uint8

// The kinds of Jinja2: Default prints as nothing and fails on use, Strict fails on everything but "is defined",
// Chainable also gives itself for its attributes, Debug prints its name in braces.
const (
	Default UndefinedKind = iota
	Strict
	Chainable
	Debug
)

var undefinedNames = [...]string{"Undefined", "StrictUndefined", "ChainableUndefined", "DebugUndefined"}

// undefined is jinja2.runtime.Undefined.
type undefined struct {
	internal
	kind  UndefinedKind
	hint  string
	owner value.Value // nil: a name, not an attribute
	name  value.Value
	shown string // the name's repr, of one that only a run can print
	class string // exception class; "" is UndefinedError
}

func (u *undefined) nameRepr() string {
	if u.shown != "" {
		return u.shown
	}
	return value.Repr(u.name)
}

func (u *undefined) Class() string { return "jinja2.runtime." + undefinedNames[u.kind] }

// Repr returns "Undefined", whatever the kind.
func (u *undefined) Repr() string { return "Undefined" }

type undefinedKey UndefinedKind

// DictKey implements value.Keyed: all undefined values of one kind are one key, as they are equal.
func (u *undefined) DictKey() any { return undefinedKey(u.kind) }

// PyStr returns what str() prints, for the kinds that print.
func (u *undefined) PyStr() string {
	if u.kind != Debug {
		return ""
	}
	switch {
	case u.hint != "":
		return "{{ undefined value printed: " + u.hint + " }}"
	case u.owner == nil:
		return "{{ " + value.ToStr(u.name) + " }}"
	}
	return "{{ no such element: " + objectTypeRepr(u.owner) + "[" + u.nameRepr() + "] }}"
}

// PyLen is the length of an undefined: none, and so it is false.
func (u *undefined) PyLen() int { return 0 }

func (u *undefined) message() string {
	if u.hint != "" {
		return u.hint
	}
	if u.owner == nil {
		return value.Repr(u.name) + " is undefined"
	}
	owner := objectTypeRepr(u.owner)
	if _, ok := str(u.name); !ok {
		return owner + " has no element " + u.nameRepr()
	}
	return quote(owner) + " has no attribute " + value.Repr(u.name)
}

// fail is the error that using the value gives.
func (u *undefined) fail() error {
	class := u.class
	if class == "" {
		class = "UndefinedError"
	}
	return raise(class, "%s", u.message())
}

// objectTypeRepr is jinja2.utils.object_type_repr: "None", "str object", "module.Class object".
func objectTypeRepr(v value.Value) string {
	switch v := v.(type) {
	case value.Date, value.DateTime:
		return "datetime." + typeName(v) + " object"
	case value.Object:
		return v.Class() + " object"
	}
	if value.IsNone(v) {
		return "None"
	}
	return typeName(v) + " object"
}

func (r *run) undefName(name string) value.Value {
	return &undefined{kind: r.env.undefined, name: value.Str(name)}
}

func (r *run) undefHint(hint, name string) value.Value {
	return &undefined{kind: r.env.undefined, hint: hint, name: value.Str(name)}
}

func (r *run) undefItem(owner, name value.Value) value.Value {
	u := &undefined{kind: r.env.undefined, owner: owner, name: name}
	switch name.(type) {
	case value.Str, value.Int:
	default:
		u.shown, _ = r.repr(name)
	}
	return u
}

// unsafeAttr is what an attribute gives that the sandbox hides.
func (r *run) unsafeAttr(owner value.Value, name string) value.Value {
	return &undefined{kind: r.env.undefined, owner: owner, name: value.Str(name), class: "SecurityError",
		hint: "access to attribute " + quote(name) + " of " + quote(value.TypeName(owner)) + " object is unsafe."}
}

// IsUndefined reports whether a value is one of Jinja's undefined values, for filters of an extension.
func IsUndefined(v value.Value) bool { return asUndefined(v) != nil }

func asUndefined(v value.Value) *undefined {
	u, _ := v.(*undefined)
	return u
}

// strict fails if v is a strict undefined.
func strict(v value.Value) error {
	if u := asUndefined(v); u != nil && u.kind == Strict {
		return u.fail()
	}
	return nil
}
