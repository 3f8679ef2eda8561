package value

// Enum is a member of a Python enum, such as ChatRole.USER. A member of a class that is also a str (or an int) equals,
// hashes, orders and encodes as its value; a plain one equals only itself.
type Enum struct {
	Path  string // Python path of the class, for example "haystack.dataclasses.chat_message.ChatRole"
	Name  string // "USER"
	Value Value  // what .value gives
	Mixin bool   // the class also derives from the value's own type: class ChatRole(str, Enum)
}

// Kind returns KindObject.
func (*Enum) Kind() Kind { return KindObject }

// Class returns the Python path of the enum class.
func (e *Enum) Class() string { return e.Path }

// Attr returns name or value.
func (e *Enum) Attr(name string) (Value, bool) {
	switch name {
	case "name":
		return Str(e.Name), true
	case "value":
		return e.Value, true
	}
	return nil, false
}

// ToDict returns the member's name and value; Python's enums have no to_dict.
func (e *Enum) ToDict() *Dict { return NewDict("name", Str(e.Name), "value", e.Value) }

// Repr returns "<ChatRole.USER: 'user'>".
func (e *Enum) Repr() string { return "<" + e.PyStr() + ": " + Repr(e.Value) + ">" }

// PyStr returns "ChatRole.USER", as str() does in Python 3.11 and later.
func (e *Enum) PyStr() string { return className(e.Path) + "." + e.Name }

// Plain returns the value behind a mixed-in enum member ([Enum].Mixin), and any other value as it is.
func Plain(v Value) Value {
	if e, ok := v.(*Enum); ok && e.Mixin {
		return e.Value
	}
	return v
}
