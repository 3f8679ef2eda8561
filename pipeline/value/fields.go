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

// AsFloat returns a number (int, float or bool) as a float64; an int beyond the range of a float is not ok.
func AsFloat(v Value) (f float64, ok bool) {
	i, f, k := number(v)
	switch k {
	case isSmall:
		return float64(i), true
	case isFloat:
		return f, true
	case isBig:
		f, _ = bigOf(v).Float64()
		return f, f-f == 0
	}
	return 0, false
}

// OptValue returns Str(*s), or None for nil.
func OptValue(s *string) Value {
	if s == nil {
		return None
	}
	return Str(*s)
}

// OptFloatValue returns Float(*f), or None for nil.
func OptFloatValue(f *float64) Value {
	if f == nil {
		return None
	}
	return Float(*f)
}

// OptIntValue returns Int(*n), or None for nil.
func OptIntValue(n *int) Value {
	if n == nil {
		return None
	}
	return Int(*n)
}

// DictValue returns d, or None for nil.
func DictValue(d *Dict) Value {
	if d == nil {
		return None
	}
	return d
}

// AsDicts returns v with every data class inside it replaced by its dict, as dataclasses.asdict does for nested fields.
// What holds none is returned as it is, not copied.
func AsDicts(v Value) Value { return asDicts(v, 0) }

func asDicts(v Value, depth int) Value {
	if depth > maxReprDepth {
		return v
	}
	switch v := v.(type) {
	case *List:
		if items, changed := dictItems(v.Items, depth); changed {
			return &List{Items: items}
		}
	case Tuple:
		if items, changed := dictItems(v, depth); changed {
			return Tuple(items)
		}
	case *Dict:
		return dictEntries(v, depth)
	case *Enum:
	case Object:
		return ObjectDict(v)
	}
	return v
}

func dictItems(items []Value, depth int) ([]Value, bool) {
	var out []Value
	for i, it := range items {
		plain := asDicts(it, depth+1)
		if out == nil && !same(plain, it) {
			out = slices.Clone(items)
		}
		if out != nil {
			out[i] = plain
		}
	}
	return out, out != nil
}

func dictEntries(d *Dict, depth int) Value {
	out := d
	if d == nil {
		return None
	}
	for i := range d.entries {
		plain := asDicts(d.entries[i].val, depth+1)
		if out == d && !same(plain, d.entries[i].val) {
			out = d.Clone()
		}
		if out != d {
			out.entries[i].val = plain
		}
	}
	return out
}

// same reports identity; tuples, which Go cannot compare, count as the same when they share their items.
func same(a, b Value) bool {
	x, ok := a.(Tuple)
	if !ok {
		return a == b
	}
	y, ok := b.(Tuple)
	return ok && len(x) == len(y) && (len(x) == 0 || &x[0] == &y[0])
}
