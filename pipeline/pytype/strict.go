package pytype

import "slices"

var anyType = &Type{Name: nameAny}

// CompatibleStrict reports whether the sender's type is the receiver's or a subtype of it, without any conversion
// (_strict_types_are_compatible in haystack/core/type_utils.py). Unions on both sides are compared arm by arm in their
// order unless they are equal, and a union never fits a receiver that is not one.
func CompatibleStrict(sender, receiver *Type) bool {
	if sender.Equal(receiver) || receiver.IsAny() {
		return true
	}
	if sender.IsAny() {
		return false
	}
	if subclass(sender, receiver) {
		return true
	}
	if !sender.IsUnion() && receiver.IsUnion() {
		return slices.ContainsFunc(receiver.Args, func(arm *Type) bool { return CompatibleStrict(sender, arm) })
	}
	if sender.Name == nameList && receiver.Name == nameIterable {
		return listFitsIterable(sender, receiver)
	}
	if sender.Name != receiver.Name || !sender.hasOrigin() || !receiver.hasOrigin() {
		return false
	}
	switch sender.Name {
	case nameCallable:
		return callableFits(sender.Args, receiver.Args)
	case nameLiteral:
		return literalsFit(sender.Literals, receiver.Literals)
	}
	return argsFit(sender.Args, receiver.Args)
}

// hasOrigin reports whether Python's get_origin, or the class itself, gives something to compare.
func (t *Type) hasOrigin() bool {
	switch t.Name {
	case nameNone, nameEllipsis, nameParams, nameOptional:
		return false
	case nameUnion, nameLiteral:
		return len(t.Args)+len(t.Literals) > 0
	}
	return true
}

func listFitsIterable(sender, receiver *Type) bool {
	if len(receiver.Args) == 0 {
		return true
	}
	return len(sender.Args) == 1 && len(receiver.Args) == 1 && CompatibleStrict(sender.Args[0], receiver.Args[0])
}

// argsFit compares parameters by position; a bare sender counts as one Any, a bare receiver takes everything.
func argsFit(sender, receiver []*Type) bool {
	if len(receiver) == 0 {
		return true
	}
	if len(sender) == 0 {
		sender = []*Type{anyType}
	}
	if len(sender) > len(receiver) {
		return false
	}
	for i, s := range sender {
		if !CompatibleStrict(s, receiver[i]) {
			return false
		}
	}
	return true
}

// callableFits compares results and parameters, both in the same direction, as Haystack does.
func callableFits(sender, receiver []*Type) bool {
	if len(receiver) == 0 {
		return true
	}
	result, params := anyType, []*Type(nil)
	if len(sender) == 2 {
		result, params = sender[1], sender[0].Args
	}
	if !CompatibleStrict(result, receiver[1]) {
		return false
	}
	if receiver[0].Name == nameEllipsis || len(sender) == 2 && sender[0].Name == nameEllipsis {
		return true
	}
	if len(sender) == 0 {
		return !slices.ContainsFunc(receiver[0].Args, func(t *Type) bool { return !t.IsAny() })
	}
	if len(params) != len(receiver[0].Args) {
		return false
	}
	for i, p := range params {
		if !CompatibleStrict(p, receiver[0].Args[i]) {
			return false
		}
	}
	return true
}

// literalsFit compares values by position: Python takes them for parameters like any others.
func literalsFit(sender, receiver []string) bool {
	if len(sender) > len(receiver) {
		return false
	}
	for i, s := range sender {
		if plainLiteral(s) != plainLiteral(receiver[i]) {
			return false
		}
	}
	return true
}

// plainLiteral makes True equal 1 and False equal 0.
func plainLiteral(s string) string {
	switch s {
	case "True":
		return "1"
	case "False":
		return "0"
	}
	return s
}

// subclass is Python's issubclass, where it answers rather than raises a TypeError.
func subclass(sender, receiver *Type) bool {
	if len(receiver.Args)+len(receiver.Literals) > 0 {
		return false
	}
	rc, ok := classTable[receiver.Name]
	if !ok {
		return false
	}
	sc, ok := classTable[sender.Name]
	switch {
	case !ok:
		return false
	case sender.spelled != "" && (len(sender.Args) > 0 || receiver.spelled == ""):
		return false // only a bare typing alias, and only against another one
	case len(sender.Args) > 0 && (rc.abstract || sender.Name == receiver.Name):
		return false // a parameterised class passes for its bases, but ABCMeta refuses it
	}
	return receiver.Name == "object" || sender.Name == receiver.Name || slices.Contains(sc.supers, receiver.Name)
}
