package jinja

import (
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
	filters, tests                                                                                       map[string]*builtinFunc
	str, markup, list, tuple, dict, set, int, float, bytes, date, time, rangeTable, views, values, proxy methodTable
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
		values:     table().properties(viewAttrs),
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
		if v.kind == "dict_values" {
			return l.values
		}
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
