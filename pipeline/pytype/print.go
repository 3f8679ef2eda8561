package pytype

import "strings"

// String writes t as haystack.utils.type_serialization.serialize_type does; [Parse] reads it back.
func (t *Type) String() string {
	if t == nil {
		return nameAny
	}
	var b strings.Builder
	t.write(&b, false)
	return b.String()
}

// write prints t. inOlder is set inside a typing generic, where Python turns X | Y into typing.Union.
func (t *Type) write(b *strings.Builder, inOlder bool) {
	switch {
	case t.Name == nameNoneType:
		b.WriteString(nameNone)
	case t.Name == nameParams:
		b.WriteByte('[')
		writeAll(b, t.Args, ", ", false)
		b.WriteByte(']')
	case t.Name == nameLiteral && len(t.Literals) > 0:
		b.WriteString(nameLiteral + "[" + strings.Join(t.Literals, ", ") + "]")
	case t.IsUnion() && (t.spelled != "" || inOlder):
		writeOlderUnion(b, t.Args)
	case t.IsUnion():
		writeAll(b, t.Args, " | ", false)
	default:
		t.writeGeneric(b)
	}
}

func (t *Type) writeGeneric(b *strings.Builder) {
	if t.spelled != "" {
		b.WriteString(t.spelled)
	} else {
		b.WriteString(t.Name)
	}
	if len(t.Args) > 0 {
		b.WriteByte('[')
		writeAll(b, t.Args, ", ", t.spelled != "")
		b.WriteByte(']')
	}
}

func writeOlderUnion(b *strings.Builder, arms []*Type) {
	if len(arms) != 2 || arms[0].Name != nameNoneType && arms[1].Name != nameNoneType {
		b.WriteString(nameUnion + "[")
		writeAll(b, arms, ", ", true)
		b.WriteByte(']')
		return
	}
	arm := arms[0]
	if arm.Name == nameNoneType {
		arm = arms[1]
	}
	b.WriteString(nameOptional + "[")
	arm.write(b, true)
	b.WriteByte(']')
}

func writeAll(b *strings.Builder, types []*Type, sep string, inOlder bool) {
	for i, a := range types {
		if i > 0 {
			b.WriteString(sep)
		}
		a.write(b, inOlder)
	}
}

// Display writes t as Haystack does in socket listings and error messages (_type_name in haystack/core/type_utils.py):
// class names without their modules, and without the None of a typing.Optional or any other older generic.
func (t *Type) Display() string {
	if t == nil {
		return "Any"
	}
	var b strings.Builder
	t.display(&b)
	return b.String()
}

func (t *Type) display(b *strings.Builder) {
	switch {
	case t.Name == nameNoneType:
		b.WriteString(nameNone)
		return
	case t.Name == nameParams:
		return // Haystack cuts the name of a Python list at its bracket, so nothing is left of it
	case t.Name == nameEllipsis:
		b.WriteString("Ellipsis")
		return
	case t.IsUnion() && t.spelled == "":
		displayAll(b, t.Args, " | ")
		return
	}
	b.WriteString(t.shortName())
	if len(t.Literals) > 0 {
		shown := t.shown
		if shown == nil { // a Type that was not parsed
			shown = t.Literals
		}
		b.WriteString("[" + strings.Join(shown, ", ") + "]")
	}
	if len(t.Args) > 0 {
		b.WriteByte('[')
		displayAll(b, t.without(nameNoneType), ", ")
		b.WriteByte(']')
	}
}

func displayAll(b *strings.Builder, types []*Type, sep string) {
	for i, a := range types {
		if i > 0 {
			b.WriteString(sep)
		}
		a.display(b)
	}
}

func (t *Type) without(name string) []*Type {
	var out []*Type
	for _, a := range t.Args {
		if a.Name != name {
			out = append(out, a)
		}
	}
	return out
}

func (t *Type) shortName() string {
	name := t.Name
	if t.spelled != "" {
		name = t.spelled
	}
	if t.IsOptional() && len(t.Args) == 2 {
		name = nameOptional
	}
	return name[strings.LastIndexByte(name, '.')+1:]
}
