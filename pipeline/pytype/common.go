package pytype

// CommonType returns the type two sockets share when a SuperComponent maps one input name to both of them, and whether
// there is one. The rule is symmetric and apart from [Compatible]: Any gives way to the other type, unions give the
// union of what their arms share, parameters must share one by one, and subclasses do not count
// (_is_compatible in haystack/core/super_component/utils.py).
func CommonType(a, b *Type) (*Type, bool) {
	c := common(plain(a), plain(b))
	return c, c != nil
}

// plain turns the older spellings of generic classes into the plain ones, as Python does when it rebuilds a type.
func plain(t *Type) *Type {
	if len(t.Args) == 0 {
		return t
	}
	args := make([]*Type, len(t.Args))
	for i, a := range t.Args {
		args[i] = plain(a)
	}
	if t.IsUnion() {
		return joinUnion(args, t.spelled != "")
	}
	if t.Name == nameParams {
		args = t.Args // Python leaves the parameter list of a Callable as it is
	}
	return &Type{Name: t.Name, Args: args}
}

func common(a, b *Type) *Type {
	switch {
	case a.IsAny():
		return b
	case b.IsAny(), a.Equal(b):
		return a
	case a.IsUnion() && b.IsUnion():
		return commonArms(a.Args, b.Args)
	case a.IsUnion():
		return commonArms(a.Args, []*Type{b})
	case b.IsUnion():
		return commonArms([]*Type{a}, b.Args)
	case a.Name != b.Name || a.Name == nameParams || len(a.Args) != len(b.Args) || len(a.Literals) != len(b.Literals):
		return nil
	case len(a.Literals) > 0:
		if literalsFit(a.Literals, b.Literals) {
			return a
		}
		return nil
	case len(a.Args) == 0:
		return nil // list and typing.List: Python finds an origin on one of them only
	}
	out := &Type{Name: a.Name}
	for i := range a.Args {
		c := common(a.Args[i], b.Args[i])
		if c == nil {
			return nil
		}
		out.Args = append(out.Args, c)
	}
	return out
}

func commonArms(as, bs []*Type) *Type {
	var out *Type
	for _, a := range as {
		for _, b := range bs {
			c := common(a, b)
			switch {
			case c == nil, c.Name == nameNone: // Haystack takes the value None for "nothing in common"
			case out == nil:
				out = c
			default:
				out = joinUnion([]*Type{out, c}, out.older() || c.older())
			}
		}
	}
	return out
}
