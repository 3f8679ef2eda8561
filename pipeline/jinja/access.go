package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// attributed is a value of this room with attributes of its own; nil means that there is none of that name.
type attributed interface {
	attr(r *run, name string) (value.Value, error)
}

// pyAttr is Python's getattr(v, name) without the sandbox's refusal of private names; nil means AttributeError.
func (r *run) pyAttr(v value.Value, name string) (value.Value, error) {
	switch v := v.(type) {
	case *undefined:
		return r.undefinedAttr(v, name)
	case attributed:
		got, err := v.attr(r, name)
		if got != nil || err != nil {
			return got, err
		}
	}
	if m, ok := r.env.lib.methodsOf(v)[name]; ok {
		if m.property {
			return m.fn(r, v, &args{})
		}
		return r.bindMethod(v, name, m)
	}
	if strings.HasPrefix(name, "_") {
		if isPrivate(v, name) {
			return r.unsafeAttr(v, name), nil
		}
		return nil, nil
	}
	if o, ok := v.(value.Object); ok {
		return r.objectAttr(o, name)
	}
	return nil, nil
}

func (r *run) undefinedAttr(u *undefined, name string) (value.Value, error) {
	switch {
	case strings.HasPrefix(name, "_") && isPrivate(u, name):
		return r.unsafeAttr(u, name), nil
	case u.kind == Chainable && strings.HasPrefix(name, "_") && !isDunder(name):
		return r.unsafeAttr(u, name), nil // it makes every name up but these, and the sandbox hides it
	case u.kind == Chainable:
		return u, nil
	}
	return nil, u.fail()
}

func (r *run) objectAttr(o value.Object, name string) (value.Value, error) {
	if got, ok := o.Attr(name); ok {
		if got == nil {
			got = value.None
		}
		return r.foreign(got)
	}
	if name == "to_dict" && !isInternal(o) {
		return methodOf(o, typeName(o)+".to_dict", func(r *run, a *args) (value.Value, error) {
			if err := a.builtin(o, "to_dict", 0, 0); err != nil {
				return nil, err
			}
			return r.foreign(o.ToDict())
		}), nil
	}
	return nil, nil
}

// isInternal reports whether an object is one of this room's own, which have no to_dict.
func isInternal(o value.Object) bool {
	_, ok := o.(interface{ internalValue() })
	return ok
}

func (internal) internalValue() {}

// bindMethod takes a method from its value. Changing methods need containers that belong to this render.
func (r *run) bindMethod(v value.Value, name string, m methodInfo) (value.Value, error) {
	if m.changes && !r.copying {
		return nil, errCopy
	}
	return &boundMethod{self: v, name: name, fn: m.fn}, nil
}

// getattr is the sandbox's environment.getattr: the attribute, else the item, else undefined.
func (r *run) getattr(v value.Value, name string) (value.Value, error) {
	if d, ok := v.(*value.Dict); ok { // the common case, without making a key of the name
		if got, ok := d.Get(name); ok && got != nil && !strings.HasPrefix(name, "_") {
			if _, isMethod := r.env.lib.dict[name]; !isMethod {
				return got, nil
			}
		}
	}
	got, err := r.pyAttr(v, name)
	if err != nil {
		return nil, err
	}
	if got != nil {
		if strings.HasPrefix(name, "_") && asUndefined(got) == nil {
			return r.unsafeAttr(v, name), nil
		}
		return got, nil
	}
	got, err = r.item(v, value.Str(name))
	if err != nil {
		if catchable(err, "TypeError", "LookupError", "KeyError", "IndexError") {
			return r.undefItem(v, value.Str(name)), nil
		}
		return nil, err
	}
	return got, nil
}

// getitem is the sandbox's environment.getitem: the item, else the attribute, else undefined.
func (r *run) getitem(v, arg value.Value) (value.Value, error) {
	got, ok, err := r.fastItem(v, arg)
	if ok {
		return got, nil
	}
	if err == nil {
		got, err = r.item(v, arg)
	}
	if err == nil {
		return got, nil
	}
	if !catchable(err, "TypeError", "LookupError", "KeyError", "IndexError") {
		return nil, err
	}
	if name, ok := str(arg); ok {
		got, err := r.pyAttr(v, name)
		if err != nil {
			return nil, err
		}
		if got != nil {
			if strings.HasPrefix(name, "_") && asUndefined(got) == nil {
				got = r.unsafeAttr(v, name)
			}
			return got, nil
		}
	}
	return r.undefItem(v, arg), nil
}

// errNoKey is a KeyError whose text nobody sees.
var errNoKey = raise("KeyError", "")

// fastItem answers the common cases without making an error for what is missing.
func (r *run) fastItem(v, arg value.Value) (value.Value, bool, error) {
	switch v := v.(type) {
	case *value.Dict:
		if s, ok := arg.(value.Str); ok {
			if got, ok := v.Get(string(s)); ok {
				return got, true, nil
			}
			return nil, false, errNoKey
		}
	case *value.List:
		if i, ok := arg.(value.Int); ok {
			n := int64(i)
			if n < 0 {
				n += int64(len(v.Items))
			}
			if n >= 0 && n < int64(len(v.Items)) {
				return v.Items[n], true, nil
			}
		}
	}
	return nil, false, nil
}

// item is Python's v[arg].
func (r *run) item(v, arg value.Value) (value.Value, error) {
	switch v := v.(type) {
	case *value.Dict:
		return r.dictItem(v, arg)
	case *value.List:
		i, err := position(arg, len(v.Items), "list")
		if err != nil {
			return nil, err
		}
		return v.Items[i], nil
	case value.Tuple:
		i, err := position(arg, len(v), "tuple")
		if err != nil {
			return nil, err
		}
		return v[i], nil
	case value.Str, markup:
		return r.textItem(v, arg)
	case value.Bytes:
		i, err := position(arg, len(v), "bytes")
		if err != nil {
			return nil, err
		}
		return value.Int(v[i]), nil
	case *rangeVal:
		i, err := position(arg, v.n, "range object")
		if err != nil {
			return nil, err
		}
		return v.at(i), nil
	case *undefined:
		if v.kind == Chainable {
			return v, nil
		}
		return nil, v.fail()
	case subscripted:
		return v.item(r, arg)
	case *value.Enum:
		if v.Mixin {
			return r.item(v.Value, arg)
		}
	}
	return nil, typeErr("'%s' object is not subscriptable", typeName(v))
}

// subscripted is a value of this room with items.
type subscripted interface {
	item(r *run, arg value.Value) (value.Value, error)
}

func (r *run) dictItem(d *value.Dict, arg value.Value) (value.Value, error) {
	if err := r.hashable(arg); err != nil {
		return nil, err
	}
	if got, ok := d.GetKey(plain(arg)); ok {
		if got == nil {
			got = value.None
		}
		return got, nil
	}
	return nil, r.keyError(arg)
}

// keyError is the error of a key that is not there, which names it as it was asked for.
func (r *run) keyError(key value.Value) error {
	text, err := r.repr(key)
	if err != nil {
		return err
	}
	return raise("KeyError", "%s", text)
}

// position is an index into n items, counted from the end if negative.
func position(arg value.Value, n int, what string) (int, error) {
	if !isInt(arg) {
		switch what {
		case "list", "tuple":
			return 0, typeErr("%s indices must be integers or slices, not %s", what, typeName(arg))
		case "bytes":
			return 0, typeErr("byte indices must be integers or slices, not %s", typeName(arg))
		}
		return 0, typeErr("range indices must be integers or slices, not %s", typeName(arg))
	}
	i, err := clampIndex(arg)
	if err != nil {
		return 0, err
	}
	if i < 0 && i >= -n {
		i += n
	}
	if i < 0 || i >= n {
		return 0, raise("IndexError", "%s index out of range", strings.TrimSuffix(what, "s"))
	}
	return i, nil
}

func (r *run) textItem(v, arg value.Value) (value.Value, error) {
	s, _ := str(v)
	if !isInt(arg) {
		return nil, typeErr("string indices must be integers, not '%s'", typeName(arg))
	}
	if err := r.read(len(s)); err != nil {
		return nil, err
	}
	i, err := clampIndex(arg)
	if err != nil {
		return nil, err
	}
	if isASCII(s) {
		if i < 0 {
			i += len(s)
		}
		if i < 0 || i >= len(s) {
			return nil, raise("IndexError", "string index out of range")
		}
		return like(v, s[i:i+1]), nil
	}
	runes := []rune(s)
	if i < 0 {
		i += len(runes)
	}
	if i < 0 || i >= len(runes) {
		return nil, raise("IndexError", "string index out of range")
	}
	return like(v, string(runes[i])), r.alloc(4 * len(runes))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
