package pytype

// Type is a parsed Python type annotation. Types are immutable and may be shared.
type Type struct {
	// Name is the full path of the origin ("str", "list", "typing.Union", "haystack.dataclasses.document.Document").
	Name string
	// Args are the parameters; nil for a bare type.
	Args []*Type
	// Literals are the values of a typing.Literal, as Python source.
	Literals []string
}
