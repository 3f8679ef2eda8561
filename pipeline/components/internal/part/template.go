package part

import (
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// NoFilters refuses filters that name Python code, as Haystack does in safe mode. What its parameter unsafe would allow,
// code in templates, does not exist here: with it a template gives values instead of text, and nothing else changes.
func NoFilters(b *component.Builder, class string) error {
	if !value.Truthy(b.Get("custom_filters")) {
		return nil
	}
	return Refuse(b, "custom_filters", fault.New(fault.Unsupported, "Refusing to deserialize %s %s with custom filters while loading in "+
		"safe mode. Custom filters are Python code, which cannot run here.", article(class), class).WithCode("DeserializationError").
		WithHint("leave 'custom_filters' out"))
}

func article(class string) string {
	if strings.ContainsAny(class[:1], "AEIO") {
		return "an"
	}
	return "a"
}

// Literal is what a rendered output becomes: text that is a Python literal is that value, unless the declared type is
// exactly str.
func Literal(text string, t *pytype.Type) value.Value {
	if t.Name == "str" && len(t.Args) == 0 {
		return value.Str(text)
	}
	if v, err := value.LiteralEval(text); err == nil {
		return v
	}
	return value.Str(text)
}

// Matches is ConditionalRouter's test of a value against a type: lists, tuples and dicts item by item, unions by any arm.
func Matches(v value.Value, t *pytype.Type) bool {
	switch {
	case t.IsAny():
		return true
	case t.IsUnion():
		for _, arm := range t.Args {
			if Matches(v, arm) {
				return true
			}
		}
		return false
	case len(t.Args) == 0:
		return isInstance(v, t.Name)
	}
	switch items := v.(type) {
	case *value.List:
		return isSequence(t.Name) && each(items.Items, t.Args[0])
	case value.Tuple:
		return isSequence(t.Name) && each(items, t.Args[0])
	case *value.Dict:
		if !strings.HasSuffix(strings.ToLower(t.Name), "dict") && !strings.HasSuffix(t.Name, "Mapping") || len(t.Args) != 2 {
			return false
		}
		for k, val := range items.All() {
			if !Matches(k, t.Args[0]) || !Matches(val, t.Args[1]) {
				return false
			}
		}
		return true
	}
	return false
}

// isSequence reports whether a generic type is one of the sequences. Haystack asks for a Sequence alone: a list also
// matches tuple[...].
func isSequence(name string) bool {
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "list", "List", "tuple", "Tuple", "Sequence", "MutableSequence":
		return true
	}
	return false
}

func each(items []value.Value, t *pytype.Type) bool {
	for _, it := range items {
		if !Matches(it, t) {
			return false
		}
	}
	return true
}

// isInstance is Python's isinstance for the types that YAML can name.
func isInstance(v value.Value, name string) bool {
	switch short := strings.ToLower(strings.TrimPrefix(name, "typing.")); short {
	case "none", "nonetype":
		return value.IsNone(v)
	case "int":
		return v.Kind() == value.KindInt || v.Kind() == value.KindBool
	case "object":
		return true
	case "str", "float", "bool", "bytes", "list", "tuple", "dict", "set":
		return value.TypeName(v) == short
	}
	o, ok := v.(value.Object)
	return ok && o.Class() == name
}
