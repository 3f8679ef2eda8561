package filter

import (
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Filter is a compiled filter. It is immutable and safe for concurrent use.
type Filter struct {
	root  node
	total bool
}

// node is one condition.
type node interface {
	match(o value.Object) (bool, error)
	// check returns what is wrong with the condition itself; total says that no document can make it fail.
	check() (err error, total bool)
}

// maxDepth bounds how deep conditions nest; a deeper one is an error when it is reached.
const maxDepth = 64

// Compile reads filters. strict keeps datetimes with and without a time zone apart; otherwise the one without takes the
// other's. Nil and empty filters match everything.
func Compile(filters *value.Dict, strict bool) *Filter {
	if filters.Len() == 0 {
		return &Filter{root: all{}, total: true}
	}
	root := compile(filters, strict, 0)
	err, total := root.check()
	return &Filter{root: root, total: total && err == nil}
}

// Matches reports whether o (a document or a byte stream) matches. Errors are Invalid with code FilterError (a bad
// filter, a comparison that makes no sense) or TypeError (values that Python cannot order).
func (f *Filter) Matches(o value.Object) (bool, error) { return f.root.match(o) }

// Total reports that no document can make the filter fail, so that it need not be asked about documents that are out
// of the question anyway.
func (f *Filter) Total() bool { return f.total }

// Check returns what is wrong with the filter itself, if anything.
func (f *Filter) Check() error { err, _ := f.root.check(); return err }

type all struct{}

func (all) match(value.Object) (bool, error) { return true, nil }
func (all) check() (error, bool)             { return nil, true }

// broken is a condition that cannot be read: an error when it is reached.
type broken struct{ err error }

func (b broken) match(value.Object) (bool, error) { return false, b.err }
func (b broken) check() (error, bool)             { return b.err, false }

func bad(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, format, args...).WithCode("FilterError")
}

func compile(v value.Value, strict bool, depth int) node {
	d, ok := v.(*value.Dict)
	switch {
	case !ok:
		return broken{bad("a filter condition must be a mapping, but is %s", value.TypeName(v))}
	case depth > maxDepth:
		return broken{bad("filter conditions nest deeper than %d", maxDepth)}
	}
	if _, ok := d.Get("field"); ok {
		return compileComparison(d, strict)
	}
	return compileLogic(d, strict, depth)
}

// logic is AND, OR or NOT; NOT is the negation of AND.
type logic struct {
	or, negate bool
	conditions []node
}

var logicNames = []string{"AND", "NOT", "OR"}

func compileLogic(d *value.Dict, strict bool, depth int) node {
	op, ok := d.Get("operator")
	if !ok {
		return broken{bad("'operator' key missing in %s", value.Repr(d))}
	}
	list, ok := d.Get("conditions")
	if !ok {
		return broken{bad("'conditions' key missing in %s", value.Repr(d))}
	}
	name, _ := op.(value.Str)
	if !slices.Contains(logicNames, string(name)) {
		return broken{bad("Unknown logical operator '%s'. Valid operators are: ['AND', 'NOT', 'OR']", value.ToStr(op))}
	}
	n := &logic{or: name == "OR", negate: name == "NOT"}
	items, ok := elements(list)
	if !ok {
		return broken{bad("'conditions' must be a list, but is %s", value.TypeName(list))}
	}
	for _, it := range items {
		n.conditions = append(n.conditions, compile(it, strict, depth+1))
	}
	return n
}

func elements(v value.Value) ([]value.Value, bool) {
	switch v := v.(type) {
	case *value.List:
		return v.Items, true
	case value.Tuple:
		return v, true
	}
	return nil, false
}

func (n *logic) match(o value.Object) (bool, error) {
	for _, c := range n.conditions {
		ok, err := c.match(o)
		if err != nil {
			return false, err
		}
		if ok == n.or {
			return n.or != n.negate, nil
		}
	}
	return n.or == n.negate, nil
}

func (n *logic) check() (error, bool) {
	total := true
	for _, c := range n.conditions {
		err, t := c.check()
		if err != nil {
			return err, false
		}
		total = total && t
	}
	return nil, total
}

// fields are the attributes of Haystack's Document and ByteStream that a filter may name without "meta.".
var fields = map[string][]string{
	"haystack.dataclasses.document.Document":      {"id", "content", "blob", "meta", "score", "embedding", "sparse_embedding"},
	"haystack.dataclasses.byte_stream.ByteStream": {"data", "meta", "mime_type"},
}

// lookup returns the value a field name means; a missing one is None. A dotted name walks dicts from an attribute, of
// which only meta is one; a bare name that is no field of the class is a key of meta.
func lookup(o value.Object, field string, parts []string) value.Value {
	if parts == nil {
		if slices.Contains(fields[o.Class()], field) {
			return attr(o, field)
		}
		return get(attr(o, "meta"), field)
	}
	if parts[0] != "meta" {
		return value.None
	}
	v := attr(o, "meta")
	for _, p := range parts[1:] {
		v = get(v, p)
	}
	return v
}

func attr(o value.Object, name string) value.Value {
	if v, ok := o.Attr(name); ok && v != nil {
		return v
	}
	return value.None
}

func get(v value.Value, key string) value.Value {
	if d, ok := v.(*value.Dict); ok {
		if got, ok := d.Get(key); ok {
			return got
		}
	}
	return value.None
}

func split(field string) []string {
	if strings.Contains(field, ".") {
		return strings.Split(field, ".")
	}
	return nil
}
