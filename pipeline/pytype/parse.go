package pytype

import (
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// The limits of a type string.
const (
	MaxLength = 4096 // bytes
	MaxDepth  = 32   // brackets within brackets
	MaxArgs   = 512  // parameters and arms in the whole string
)

// Parse reads a type string as haystack.utils.type_serialization.deserialize_type does: "str",
// "list[haystack.dataclasses.document.Document]", "str | None", "typing.Optional[str]", "typing.Literal['a', 'b']",
// "typing.Callable[[int], str]". Names without a module are builtins, else names of the typing module; other import
// paths of a class come out as the one Haystack writes.
//
// A string that is not a type is a [fault.Invalid] error, a name the table does not hold a [fault.Unsupported] one;
// both carry the code "DeserializationError".
func Parse(s string) (*Type, error) {
	if len(s) > MaxLength {
		return nil, problem(fault.TooLarge, "The type string is %d bytes long; at most %d are allowed.", len(s), MaxLength)
	}
	p := &parser{src: s}
	t, err := p.union(false)
	if err != nil {
		return nil, err
	}
	if p.pos < len(p.src) {
		return nil, p.bad("unexpected %q", p.src[p.pos:])
	}
	return t, nil
}

// MustParse is [Parse] for type strings written in the program; it panics on a bad one.
func MustParse(s string) *Type {
	t, err := Parse(s)
	if err != nil {
		panic("pytype.MustParse(" + s + "): " + err.Error())
	}
	return t
}

func problem(kind fault.Kind, format string, args ...any) *fault.Error {
	return fault.New(kind, format, args...).WithCode("DeserializationError")
}

type parser struct {
	src   string
	pos   int
	depth int
	args  int
	made  []made
}

// made is what the typing module's [] gave for parameters.
type made struct {
	name string
	args []*Type
	t    *Type
}

func (p *parser) bad(format string, args ...any) error {
	return problem(fault.Invalid, "Could not deserialize type %q: "+format+".", append([]any{p.src}, args...)...).
		WithHint(`Write a type as Haystack does, for example "list[str]" or "haystack.dataclasses.document.Document | None".`)
}

func (p *parser) space() {
	for p.pos < len(p.src) && strings.IndexByte(" \t\r\n\f\v", p.src[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *parser) peek(c byte) bool { return p.pos < len(p.src) && p.src[p.pos] == c }

// count keeps the number of parameters and arms within bounds.
func (p *parser) count() error {
	if p.args++; p.args > MaxArgs {
		return problem(fault.TooLarge, "The type string names more than %d parameters.", MaxArgs)
	}
	return nil
}

// union reads "X | Y | Z". Space around a lone type is allowed inside brackets only, as in Python.
func (p *parser) union(inner bool) (*Type, error) {
	start := p.pos
	p.space()
	lead := p.pos > start
	var arms []*Type
	for {
		t, err := p.single()
		if err != nil {
			return nil, err
		}
		arms = append(arms, t)
		end := p.pos
		p.space()
		if !p.peek('|') {
			if len(arms) == 1 && !inner && (lead || p.pos > end) {
				return nil, p.bad("it has space around it")
			}
			break
		}
		if err := p.count(); err != nil {
			return nil, err
		}
		p.pos++
		p.space()
	}
	if len(arms) == 1 {
		return arms[0], nil
	}
	return p.pipes(arms)
}

// pipes joins arms from left to right as Python's | does: an older spelling among them gives the older spelling of the
// union.
func (p *parser) pipes(arms []*Type) (*Type, error) {
	for _, a := range arms {
		if !a.canJoin() {
			return nil, p.bad("%s cannot be an arm of a union", a)
		}
	}
	if arms[0].Name == nameNone && arms[1].Name == nameNone {
		return nil, p.bad("None | None is not a type")
	}
	out := arms[0]
	for _, a := range arms[1:] {
		if two := []*Type{out, a}; out.older() || a.older() {
			out = p.once(nameUnion, two, func() *Type { return joinUnion(two, true) })
		} else {
			out = joinUnion(two, false)
		}
	}
	return out, nil
}

// older reports whether t comes from the typing module, whose | gives a typing.Union.
func (t *Type) older() bool { return t.spelled != "" || t.Name == nameLiteral }

// canJoin reports whether t may be an arm of a union: the bare special forms and "..." may not.
func (t *Type) canJoin() bool {
	switch t.Name {
	case nameEllipsis, nameParams, nameOptional:
		return false
	case nameUnion, nameLiteral:
		return len(t.Args)+len(t.Literals) > 0
	}
	return true
}

// joinUnion flattens nested unions, drops repeated arms and turns None into NoneType; one arm left is that arm.
func joinUnion(arms []*Type, older bool) *Type {
	var flat []*Type
	add := func(t *Type) {
		for _, f := range flat {
			if f.Equal(t) {
				return
			}
		}
		flat = append(flat, t)
	}
	for _, a := range arms {
		switch {
		case a.IsUnion():
			for _, inner := range a.Args {
				add(inner)
			}
		case a.Name == nameNone:
			add(noneType)
		default:
			add(a)
		}
	}
	if len(flat) == 1 {
		return flat[0]
	}
	out := &Type{Name: nameUnion, Args: flat}
	if older {
		out.spelled = nameUnion
	}
	return out
}

var noneType = &Type{Name: nameNoneType}

// single reads one type without "|".
func (p *parser) single() (*Type, error) {
	name := p.name()
	if name == "" {
		return nil, p.bad("a name is missing at position %d", p.pos+1)
	}
	if name == nameEllipsis || name == "Ellipsis" {
		return &Type{Name: nameEllipsis}, nil
	}
	t, err := p.resolve(name)
	if err != nil || !p.peek('[') {
		return t, err
	}
	if p.depth++; p.depth > MaxDepth {
		return nil, problem(fault.TooLarge, "The type string is nested more than %d levels deep.", MaxDepth)
	}
	defer func() { p.depth-- }()
	p.pos++
	if t.Name == nameLiteral {
		return p.literal(t)
	}
	args, err := p.list(p.argument)
	if err != nil {
		return nil, err
	}
	return p.apply(t, args)
}

// name reads a dotted name or "...".
func (p *parser) name() string {
	start := p.pos
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		if c != '.' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c < 0x80 {
			break
		}
		p.pos++
	}
	return p.src[start:p.pos]
}

// list reads "a, b]"; a comma before the bracket is allowed.
func (p *parser) list(item func() (*Type, error)) ([]*Type, error) {
	var out []*Type
	for {
		p.space()
		if p.peek(']') {
			p.pos++
			return out, nil
		}
		if err := p.count(); err != nil {
			return nil, err
		}
		t, err := item()
		if err != nil {
			return nil, err
		}
		out = append(out, t)
		p.space()
		switch {
		case p.peek(','):
			p.pos++
		case !p.peek(']'):
			return nil, p.bad("a bracket is not closed")
		}
	}
}

func (p *parser) argument() (*Type, error) {
	if !p.peek('[') {
		return p.union(true)
	}
	p.pos++
	args, err := p.list(func() (*Type, error) { return p.union(true) })
	return &Type{Name: nameParams, Args: args}, err
}
