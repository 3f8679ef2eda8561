package pytype

import "strings"

// Walk calls visit for t and every type inside it, outermost first, with the lists it lies in: a type below
// list[list[X]] is at depth 2. Hosts use it to see which classes a JSON value for a socket may have to become. Walking
// stops below a type for which visit returns false.
func (t *Type) Walk(visit func(t *Type, lists int) bool) { t.walk(0, visit) }

func (t *Type) walk(lists int, visit func(*Type, int) bool) {
	if t == nil || !visit(t, lists) {
		return
	}
	if t.isSequence() {
		lists++
	}
	for _, a := range t.Args {
		a.walk(lists, visit)
	}
}

func (t *Type) isSequence() bool {
	switch t.Name {
	case nameList, nameIterable, "collections.abc.Sequence", "collections.abc.Collection", "collections.abc.MutableSequence":
		return true
	}
	return false
}

// DataClass is one class of Haystack that a value for a socket may hold.
type DataClass struct {
	Path  string // "haystack.dataclasses.document.Document"
	Lists int    // 0 for the value itself, 1 for the items of a list, 2 for lists of lists
}

// DataClasses lists the classes of Haystack inside t, in order and each once per depth: what the dicts of a JSON input
// may have to be turned into. list[Document] gives {Document, 1}; str gives none. Classes inside dicts, Callables and
// types are left out, because no dict in JSON stands for them.
func (t *Type) DataClasses() []DataClass {
	var out []DataClass
	seen := map[DataClass]bool{}
	t.Walk(func(t *Type, lists int) bool {
		if c := (DataClass{t.Name, lists}); strings.HasPrefix(t.Name, "haystack.") && !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
		return t.IsUnion() || t.isSequence()
	})
	return out
}

// Untrusted returns the first class in t whose module Haystack's deserialisation refuses unless somebody adds it to the
// list of allowed modules (haystack/core/serialization_security.py); empty if there is none. Sockets may have such
// types, pathlib.Path for example, but a YAML file cannot name them under Haystack's defaults.
func (t *Type) Untrusted() string {
	found := ""
	t.Walk(func(t *Type, _ int) bool {
		if found == "" && !trusted(t.Name) {
			found = t.Name
		}
		return found == ""
	})
	return found
}

func trusted(name string) bool {
	module, _, dotted := strings.Cut(name, ".")
	if !dotted || name == nameEllipsis {
		return true
	}
	switch module {
	case "typing", "collections", "builtins", "haystack", "haystack_integrations", "haystack_experimental":
		return true
	}
	return false
}
