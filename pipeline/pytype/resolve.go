package pytype

import (
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// resolve looks a name up, without parameters.
func (p *parser) resolve(name string) (*Type, error) {
	if name == nameNone || name == nameNoneType {
		return &Type{Name: name}, nil
	}
	if full, ok := classAliases[name]; ok {
		name = full
	}
	if _, ok := classTable[name]; ok {
		return &Type{Name: name}, nil
	}
	if t := resolveTyping(strings.TrimPrefix(name, "typing.")); t != nil {
		return t, nil
	}
	if base := strings.TrimPrefix(name, "builtins."); base != name {
		if _, ok := classTable[base]; ok && !strings.Contains(base, ".") {
			return &Type{Name: base}, nil
		}
	}
	return nil, p.unknown(name)
}

func resolveTyping(name string) *Type {
	if name == "Text" {
		return &Type{Name: nameStr}
	}
	if typingSpecials[name] {
		return &Type{Name: "typing." + name}
	}
	if a, ok := typingAliases[name]; ok {
		return &Type{Name: a.origin, spelled: "typing." + name}
	}
	return nil
}

func (p *parser) unknown(name string) error {
	if !strings.Contains(name, ".") {
		err := problem(fault.Invalid, "Could not deserialize type %q: %q is neither a builtin nor a name of typing.", p.src, name)
		if full := fullPath(name); full != "" {
			return err.WithHint("Write the full import path: %s.", full)
		}
		return err.WithHint("Write a class with its full import path.")
	}
	return problem(fault.Unsupported, "The type %q is not known here.", name).
		WithHint("Use a builtin, a name of typing or collections.abc, or one of Haystack's data classes; typing.Any fits everything.")
}

// fullPath finds the import path of a class of Haystack by its bare name, to help with the commonest mistake.
func fullPath(name string) string {
	best := ""
	for full := range classTable {
		if strings.HasPrefix(full, "haystack.") && strings.HasSuffix(full, "."+name) && (best == "" || full < best) {
			best = full
		}
	}
	return best
}

// apply gives a bare type its parameters, as Python's [] does.
func (p *parser) apply(t *Type, args []*Type) (*Type, error) {
	if len(args) == 0 {
		return nil, p.bad("%s[] has no parameters", t)
	}
	switch {
	case len(t.Args)+len(t.Literals) > 0 || t.Name == nameAny:
		return nil, p.bad("%s takes no parameters", t)
	case t.Name == nameUnion, t.Name == nameOptional:
		return p.applyUnion(t, args)
	case t.Name == nameCallable:
		return p.applyCallable(t, args)
	}
	if err := p.checkArgs(t, args); err != nil {
		return nil, err
	}
	if t.spelled == "" {
		return &Type{Name: t.Name, Args: args}, nil
	}
	return p.once(t.spelled, args, func() *Type { return &Type{Name: t.Name, Args: args, spelled: t.spelled} }), nil
}

func (p *parser) applyUnion(t *Type, args []*Type) (*Type, error) {
	if t.Name == nameOptional {
		if len(args) != 1 {
			return nil, p.bad("typing.Optional takes one parameter")
		}
		args = append(args, noneType)
	}
	for _, a := range args {
		if !a.canJoin() {
			return nil, p.bad("%s cannot be an arm of a union", a)
		}
	}
	return p.once(nameUnion, args, func() *Type { return joinUnion(args, true) }), nil
}

// once returns what [] made before of parameters that are equal: the typing module keeps what it makes, and types that differ in the
// order of a union's arms alone are equal. The first order is the one that is seen.
func (p *parser) once(name string, args []*Type, make func() *Type) *Type {
	for _, m := range p.made {
		if m.name == name && slices.EqualFunc(m.args, args, (*Type).Equal) {
			return m.t
		}
	}
	t := make()
	p.made = append(p.made, made{name, args, t})
	return t
}

func (p *parser) applyCallable(t *Type, args []*Type) (*Type, error) {
	bare := len(args) > 0 && args[0].Name != nameParams && args[0].Name != nameEllipsis
	if len(args) != 2 || bare && t.spelled == "" {
		return nil, p.bad("a Callable is written Callable[[parameters], result] or Callable[..., result]")
	}
	if bare { // typing.Callable[int, str] is typing.Callable[[int], str]
		args[0] = &Type{Name: nameParams, Args: []*Type{args[0]}}
	}
	if t.spelled != "" {
		if r := args[1]; r.Name != nameEllipsis && !r.canJoin() {
			return nil, p.bad("%s cannot be the result of %s", r, t)
		}
		args = []*Type{{Name: args[0].Name, Args: notNone(args[0].Args)}, notNone(args[1:])[0]}
	}
	return &Type{Name: t.Name, Args: args, spelled: t.spelled}, nil
}

// checkArgs checks the number and the sort of parameters, and turns None into NoneType where Python does.
func (p *parser) checkArgs(t *Type, args []*Type) error {
	if t.spelled == "" && !classTable[t.Name].generic {
		return p.bad("%s takes no parameters", t)
	}
	if t.spelled != "" {
		want := typingAliases[strings.TrimPrefix(t.spelled, "typing.")].params
		if want == 0 || want > 0 && want != len(args) {
			return p.bad("%s takes %d parameters, not %d", t, want, len(args))
		}
	}
	for i, a := range args {
		if a.Name == nameParams {
			return p.bad("a list of types is only allowed in a Callable")
		}
		if t.spelled != "" && !a.canJoin() && !(a.Name == nameEllipsis) {
			return p.bad("%s cannot be a parameter of %s", a, t)
		}
		if t.spelled != "" && a.Name == nameNone {
			args[i] = noneType
		}
	}
	return nil
}

func notNone(args []*Type) []*Type {
	out := make([]*Type, len(args))
	for i, a := range args {
		if out[i] = a; a.Name == nameNone {
			out[i] = noneType
		}
	}
	return out
}
