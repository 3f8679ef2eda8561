package value

// Repr returns Python's repr(v).
func Repr(v Value) string { panic("to be written") }

// TypeName returns the name of v's Python type, for error messages: "int", "NoneType", "list".
func TypeName(v Value) string { panic("to be written") }
