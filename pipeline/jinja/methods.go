package jinja

import (
	"strings"
	"sync"

	"github.com/haywardhq/hayward/pipeline/value"
)

// method is a method of a Python type, or one of its attributes.
type method func(r *run, self value.Value, a *args) (value.Value, error)

type methodInfo struct {
	fn       method
	changes  bool // it changes its value
	property bool // it is read, not called
}

type methodTable map[string]methodInfo

func table(parts ...map[string]method) methodTable {
	out := methodTable{}
	for _, p := range parts {
		for name, fn := range p {
			out[name] = methodInfo{fn: fn}
		}
	}
	return out
}

func (t methodTable) changing(list map[string]method) methodTable {
	for name, fn := range list {
		t[name] = methodInfo{fn: fn, changes: true}
	}
	return t
}

func (t methodTable) properties(list map[string]method) methodTable {
	for name, fn := range list {
		t[name] = methodInfo{fn: fn, property: true}
	}
	return t
}

// library holds Jinja's own filters and tests and the methods of Python's types. It is the same for every environment and
// never changes.
type library struct {
	filters, tests                                                                               map[string]*builtinFunc
	str, markup, list, tuple, dict, set, int, float, bytes, date, time, rangeTable, views, proxy methodTable
}

// builtins is the one library, made when the first environment is. Its functions find it through their environment: they
// could not name it here.
var builtins = sync.OnceValue(newLibrary)

func newLibrary() *library {
	text := table(strCase, strStrip, strPad, strFind, strSplit, strClass, strOther)
	return &library{
		filters: builtinFilters(), tests: builtinTests(),
		str:        text,
		markup:     markupMethods(text),
		list:       table(listMethods).changing(listChanges),
		tuple:      table(tupleMethods),
		dict:       table(dictMethods).changing(dictChanges),
		set:        table(setMethods).changing(setChanges),
		int:        table(intMethods).properties(intAttrs),
		float:      table(floatMethods).properties(floatAttrs),
		bytes:      table(bytesMethods),
		date:       table(dateMethods).properties(dateAttrs),
		time:       table(dateMethods, timeMethods).properties(dateAttrs).properties(timeAttrs),
		rangeTable: table(rangeMethods).properties(rangeAttrs),
		views:      table(viewMethods).properties(viewAttrs),
		proxy:      proxied(),
	}
}

// methodsOf returns the methods that templates may use on a value of a Python type.
func (l *library) methodsOf(v value.Value) methodTable {
	switch v := v.(type) {
	case value.Str:
		return l.str
	case markup:
		return l.markup
	case *value.Dict:
		return l.dict
	case *value.List:
		return l.list
	case value.Tuple, *groupTuple:
		return l.tuple
	case *value.Set:
		return l.set
	case value.Int, *value.BigInt, value.Bool:
		return l.int
	case value.Float:
		return l.float
	case value.Bytes:
		return l.bytes
	case value.Date:
		return l.date
	case value.DateTime:
		return l.time
	case *rangeVal:
		return l.rangeTable
	case *dictView:
		return l.views
	case *mappingProxy:
		return l.proxy
	case *value.Enum:
		if v.Mixin {
			return l.methodsOf(v.Value)
		}
	}
	return nil
}

const objectDunders = " __class__ __delattr__ __dir__ __doc__ __eq__ __format__ __ge__ __getattribute__ __getstate__ __gt__ " +
	"__hash__ __init__ __init_subclass__ __le__ __lt__ __ne__ __new__ __reduce__ __reduce_ex__ __repr__ __setattr__ " +
	"__sizeof__ __str__ __subclasshook__ "

const (
	numberDunders = " __abs__ __add__ __bool__ __ceil__ __divmod__ __float__ __floor__ __floordiv__ __getnewargs__ __int__ " +
		"__mod__ __mul__ __neg__ __pos__ __pow__ __radd__ __rdivmod__ __rfloordiv__ __rmod__ __rmul__ __round__ __rpow__ " +
		"__rsub__ __rtruediv__ __sub__ __truediv__ __trunc__ "
	intDunders = " __and__ __index__ __invert__ __lshift__ __or__ __rand__ __rlshift__ __ror__ __rrshift__ __rshift__ " +
		"__rxor__ __xor__ "
	seqDunders = " __add__ __contains__ __getitem__ __iter__ __len__ __mul__ __rmul__ "
	setDunders = " __and__ __class_getitem__ __contains__ __iand__ __ior__ __isub__ __iter__ __ixor__ __len__ __or__ " +
		"__rand__ __ror__ __rsub__ __rxor__ __sub__ __xor__ "
	dictClassDunders = " __base__ __bases__ __basicsize__ __call__ __class_getitem__ __contains__ __delitem__ __dict__ " +
		"__dictoffset__ __flags__ __getitem__ __instancecheck__ __ior__ __itemsize__ __iter__ __len__ __module__ __mro__ " +
		"__name__ __or__ __prepare__ __qualname__ __reversed__ __ror__ __setitem__ __subclasscheck__ __subclasses__ " +
		"__text_signature__ __weakrefoffset__ "
	objDunders = " __dict__ __module__ __weakref__ "
)

// isDunder reports whether a value of this type has the private attribute in Python.
func isDunder(v value.Value, name string) bool {
	own := ""
	switch v.(type) {
	case value.Str:
		own = seqDunders + "__getnewargs__ __mod__ __rmod__ "
	case markup:
		own = seqDunders + objDunders + "__getnewargs__ __mod__ __rmod__ __html__ __html_format__ __radd__ "
	case *value.List:
		own = seqDunders + "__class_getitem__ __delitem__ __iadd__ __imul__ __reversed__ __setitem__ "
	case value.Tuple:
		own = seqDunders + "__class_getitem__ __getnewargs__ "
	case *value.Dict:
		own = " __class_getitem__ __contains__ __delitem__ __getitem__ __ior__ __iter__ __len__ __or__ __reversed__ " +
			"__ror__ __setitem__ "
	case value.Int, value.Bool, *value.BigInt:
		own = numberDunders + intDunders
	case value.Float:
		own = numberDunders + "__getformat__ "
	case value.Bytes:
		own = seqDunders + "__getnewargs__ __mod__ __rmod__ __bytes__ "
	case *value.Set:
		own = setDunders
	case *genericAlias:
		own = dictClassDunders + "__args__ __mro_entries__ __origin__ __parameters__ __typing_unpacked_tuple_args__ __unpacked__ "
	case *goFunc, *globalFunc, *boundMethod, *dictMethod:
		if isDictClass(v) {
			own = dictClassDunders
			break
		}
		own = " __call__ __code__ __closure__ __defaults__ __dict__ __func__ __globals__ __kwdefaults__ __module__ __name__ " +
			"__qualname__ __self__ __text_signature__ __annotations__ __builtins__ __get__ "
	case *macro, *loopCtx, *undefined:
		own = objDunders + "__call__ __html__ "
	case value.Object:
		own = objDunders + "__dataclass_fields__ __dataclass_params__ __match_args__ __annotations__ "
	}
	name = " " + name + " "
	return strings.Contains(objectDunders, name) || strings.Contains(own, name)
}
