package value

import (
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// Fields reads the fields of a data class from a dict. Getters remember the first problem instead of returning it: read
// everything, then ask [Fields.Err] once.
type Fields struct {
	what string
	d    *Dict
	err  error
}

// ReadFields starts reading d as a data class named what. A field that is not among known is a problem.
func ReadFields(what string, d *Dict, known ...string) *Fields {
	f := &Fields{what: what, d: d}
	for key := range d.All() {
		if s, ok := key.(Str); !ok || !slices.Contains(known, string(s)) {
			f.err = fault.New(fault.Invalid, "%s has no field %s", what, Repr(key)).WithCode("TypeError").
				WithHint("its fields are: %s", strings.Join(known, ", "))
			break
		}
	}
	return f
}

// Err returns the first problem.
func (f *Fields) Err() error { return f.err }

// Fail remembers a problem, unless there was one before. class is a Python exception class.
func (f *Fields) Fail(class, format string, args ...any) {
	if f.err == nil {
		f.err = pyError(class, format, args...)
	}
}

// Note remembers an error from elsewhere, unless there was one before; nil is ignored.
func (f *Fields) Note(err error) {
	if f.err == nil {
		f.err = err
	}
}

// Get returns a field as it is; nil when it is missing or None.
func (f *Fields) Get(name string) Value {
	v, ok := f.d.Get(name)
	if !ok || v == None {
		return nil
	}
	return v
}

func (f *Fields) wrong(name, want string, v Value) {
	f.Fail("TypeError", "field '%s' of %s must be %s, but is %s", name, f.what, want, TypeName(v))
}

func (f *Fields) missing(name string) { f.Fail("KeyError", "%s lacks its field '%s'", f.what, name) }

// Str returns a required str.
func (f *Fields) Str(name string) string {
	if s := f.OptStr(name); s != nil {
		return *s
	}
	f.missing(name)
	return ""
}

// OptStr returns a str, or nil when it is missing or None.
func (f *Fields) OptStr(name string) *string {
	v := f.Get(name)
	if v == nil {
		return nil
	}
	s, ok := Plain(v).(Str)
	if !ok {
		f.wrong(name, "a string", v)
	}
	out := string(s)
	return &out
}

// OptDict returns a dict, or nil when it is missing or None.
func (f *Fields) OptDict(name string) *Dict {
	v := f.Get(name)
	if v == nil {
		return nil
	}
	d, ok := v.(*Dict)
	if !ok {
		f.wrong(name, "a mapping", v)
	}
	return d
}

// Dict returns a dict; a missing one or None gives a new empty one.
func (f *Fields) Dict(name string) *Dict {
	if d := f.OptDict(name); d != nil {
		return d
	}
	return &Dict{}
}

// List returns the items of a list or tuple, or nil when it is missing or None.
func (f *Fields) List(name string) []Value {
	switch v := f.Get(name).(type) {
	case nil:
		return nil
	case *List:
		return v.Items
	case Tuple:
		return v
	default:
		f.wrong(name, "a list", v)
		return nil
	}
}

// OptFloat returns a number, or nil when it is missing or None.
func (f *Fields) OptFloat(name string) *float64 {
	v := f.Get(name)
	if v == nil {
		return nil
	}
	out, ok := AsFloat(v)
	if !ok {
		f.wrong(name, "a number", v)
	}
	return &out
}

// Float returns a required number.
func (f *Fields) Float(name string) float64 {
	if x := f.OptFloat(name); x != nil {
		return *x
	}
	f.missing(name)
	return 0
}

// OptInt returns a whole number, or nil when it is missing or None.
func (f *Fields) OptInt(name string) *int {
	v := f.Get(name)
	if v == nil {
		return nil
	}
	n, ok := v.(Int)
	if !ok {
		f.wrong(name, "a whole number", v)
	}
	out := int(n)
	return &out
}

// Int returns a required whole number.
func (f *Fields) Int(name string) int {
	if n := f.OptInt(name); n != nil {
		return *n
	}
	f.missing(name)
	return 0
}

// Bool returns a bool, or the default when it is missing or None.
func (f *Fields) Bool(name string, def bool) bool {
	v := f.Get(name)
	if v == nil {
		return def
	}
	b, ok := v.(Bool)
	if !ok {
		f.wrong(name, "true or false", v)
	}
	return bool(b)
}
