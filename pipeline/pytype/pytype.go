package pytype

import "slices"

// Names of the origins that are not classes.
const (
	nameUnion    = "typing.Union"
	nameOptional = "typing.Optional"
	nameLiteral  = "typing.Literal"
	nameAny      = "typing.Any"
	nameEllipsis = "..."
	nameParams   = "[]" // the parameter list of a Callable
	nameNone     = "None"
	nameNoneType = "NoneType"
	nameCallable = "collections.abc.Callable"
	nameIterable = "collections.abc.Iterable"
	nameList     = "list"
	nameStr      = "str"
	nameChat     = "haystack.dataclasses.chat_message.ChatMessage"
)

// Type is a parsed Python type annotation. Types are immutable and may be shared.
type Type struct {
	// Name is the full path of the origin: "str", "list" (for list[str] as for typing.List[str]), "typing.Union" (for
	// both spellings of a union), "typing.Any", "haystack.dataclasses.document.Document". In arguments it may also be
	// "None", "..." and "[]" (a Callable's parameter list).
	Name string
	// Args are the parameters; nil for a bare type.
	Args []*Type
	// Literals are the values of a typing.Literal, as Python's repr writes them.
	Literals []string

	// spelled is the name of the typing module's older spelling, "typing.List"; empty for list[...] and X | Y. Python
	// keeps the two apart when it compares and prints.
	spelled string
	shown   []string // Literals as socket listings show them
}

// IsUnion reports whether t is a union of types, in either spelling.
func (t *Type) IsUnion() bool { return t.Name == nameUnion && len(t.Args) > 0 }

// IsOptional reports whether None is one of t's arms.
func (t *Type) IsOptional() bool {
	return t.IsUnion() && slices.ContainsFunc(t.Args, func(a *Type) bool { return a.Name == nameNoneType })
}

// IsAny reports whether t is typing.Any.
func (t *Type) IsAny() bool { return t.Name == nameAny }

// Equal reports whether Python's == holds between the two annotations: list[str] differs from typing.List[str], the
// arms of a union may stand in any order.
func (t *Type) Equal(o *Type) bool {
	if t == o {
		return true
	}
	if t == nil || o == nil || t.Name != o.Name || len(t.Args) != len(o.Args) || len(t.Literals) != len(o.Literals) {
		return false
	}
	if t.Name == nameUnion {
		return subset(t.Args, o.Args) && subset(o.Args, t.Args)
	}
	if (t.spelled == "") != (o.spelled == "") {
		return false
	}
	if len(t.Literals) > 0 {
		return literalSubset(t.Literals, o.Literals) && literalSubset(o.Literals, t.Literals)
	}
	return slices.EqualFunc(t.Args, o.Args, (*Type).Equal)
}

func subset(a, b []*Type) bool {
	for _, x := range a {
		if !slices.ContainsFunc(b, x.Equal) {
			return false
		}
	}
	return true
}

func literalSubset(a, b []string) bool {
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
}
