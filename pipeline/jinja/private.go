package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// ofDataclasses is what a dataclass has that the table does not name.
const ofDataclasses = " __annotations__ __dataclass_fields__ __dataclass_params__ __dict__ __match_args__ __module__ __weakref__ "

// isPrivate reports whether Python's value of this kind has the private attribute, which the sandbox then hides; what it
// does not have is undefined like any other.
func isPrivate(v value.Value, name string) bool {
	name = " " + name + " "
	if _, ok := v.(*namespace); ok { // which shows what it holds, and these
		return strings.Contains(" __class__ _Namespace__attrs ", name)
	}
	return strings.Contains(privateOfAll, name) || strings.Contains(privateOf(v), name)
}

// isDunder reports whether a name is one of Python's own, which undefined values do not make up.
func isDunder(name string) bool {
	return strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__")
}

// privateOf returns the private attributes that are not those of every value.
func privateOf(v value.Value) string {
	kind := value.TypeName(v)
	switch v := v.(type) {
	case *goFunc:
		if v.class != "" {
			kind = "type " + v.class[strings.LastIndexByte(v.class, '.')+1:]
		}
	case *boundMethod:
		if kind == "function" {
			kind = "function of str"
		}
	}
	names, ok := privateNames[kind]
	if !ok {
		return ofDataclasses
	}
	return names
}
