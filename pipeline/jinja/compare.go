package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// truth is Python's bool(v); a strict undefined fails.
func truth(v value.Value) (bool, error) {
	switch v := v.(type) {
	case value.Bool:
		return bool(v), nil
	case value.Str:
		return v != "", nil
	case *undefined:
		return false, strict(v)
	}
	return value.Truthy(v), nil
}

// equal is Python's a == b.
func (r *run) equal(a, b value.Value) (bool, error) { return r.equalAt(a, b, 0) }

func (r *run) equalAt(a, b value.Value, depth int) (bool, error) {
	if err := r.step(); err != nil {
		return false, err
	}
	if x, ok := a.(value.Str); ok {
		if y, ok := b.(value.Str); ok {
			return x == y, r.read(min(len(x), len(y)))
		}
	}
	if depth > maxValueNest {
		return false, raise("RecursionError", "maximum recursion depth exceeded in comparison")
	}
	u, w := asUndefined(a), asUndefined(b)
	if u != nil || w != nil {
		return r.equalUndefined(a, b, u, w)
	}
	a, b = plain(a), plain(b)
	if eq, both, err := r.equalViews(a, b); both || err != nil {
		return eq, err
	}
	switch x := a.(type) {
	case *value.List:
		y, ok := b.(*value.List)
		if !ok || len(x.Items) != len(y.Items) {
			return false, nil
		}
		return r.equalItems(x.Items, y.Items, depth)
	case value.Tuple:
		y, ok := b.(value.Tuple)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return r.equalItems(x, y, depth)
	case *value.Dict:
		y, ok := b.(*value.Dict)
		if !ok || x.Len() != y.Len() {
			return false, nil
		}
		return r.equalDicts(x, y, depth)
	case *rangeVal:
		y, ok := b.(*rangeVal)
		return ok && x.n == y.n && (x.n == 0 || x.start == y.start && (x.n == 1 || x.step == y.step)), nil
	case *dictView, *generator, *loopCtx, *macro, *namespace, *cyclerVal, *joinerVal, *templateRef, *blockRef:
		return a == b, nil
	case *boundMethod:
		y, ok := b.(*boundMethod)
		return ok && x.DictKey() == y.DictKey(), nil
	case *goFunc:
		y, ok := b.(*goFunc)
		return ok && x.DictKey() == y.DictKey(), nil
	case *dictMethod:
		y, ok := b.(*dictMethod)
		return ok && x.name == y.name, nil
	case *genericAlias:
		y, ok := b.(*genericAlias)
		if !ok || x.star != y.star || len(x.args) != len(y.args) {
			return false, nil
		}
		return r.equalItems(x.args, y.args, depth)
	case *sliceArg:
		y, ok := b.(*sliceArg)
		if !ok {
			return false, nil
		}
		return r.equalItems(x.bounds[:], y.bounds[:], depth)
	}
	switch b.(type) {
	case *value.List, value.Tuple, *value.Dict:
		return false, nil
	}
	return value.Equal(a, b), nil
}

// equalUndefined: any two undefined values of one kind are equal, and strict ones refuse to say.
func (r *run) equalUndefined(a, b value.Value, u, w *undefined) (bool, error) {
	if err := strict(a); err != nil {
		return false, err
	}
	if err := strict(b); err != nil {
		return false, err
	}
	return u != nil && w != nil && u.kind == w.kind, nil
}

func (r *run) equalItems(a, b []value.Value, depth int) (bool, error) {
	for i := range a {
		same, err := r.same(a[i], b[i], depth+1)
		if err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

// same is Python's "is or ==", which containers use for their items.
func (r *run) same(a, b value.Value, depth int) (bool, error) {
	switch a.(type) {
	case *value.List, *value.Dict, *value.Set, *undefined:
		if a == b {
			return true, nil
		}
	}
	return r.equalAt(a, b, depth)
}

func (r *run) equalDicts(a, b *value.Dict, depth int) (bool, error) {
	for k, v := range a.All() {
		if err := r.hashable(k); err != nil {
			return false, err
		}
		w, ok := b.GetKey(k)
		if !ok {
			return false, nil
		}
		same, err := r.same(v, w, depth+1)
		if err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

// hashable fails for values that cannot be keys, and counts the work of hashing a tuple.
func (r *run) hashable(v value.Value) error {
	switch v := v.(type) {
	case value.Tuple:
		return r.hashableItems(v, 0)
	case *groupTuple:
		return r.hashableItems(v.pair, 0)
	case *genericAlias:
		return r.hashableItems(v.args, 0)
	case *sliceArg:
		return typeErr("unhashable type: 'slice'")
	case *mappingProxy:
		return typeErr("unhashable type: 'mappingproxy'")
	case *dictView:
		if setLike(v) {
			return typeErr("unhashable type: '%s'", v.kind)
		}
	case *value.List, *value.Dict, *value.Set:
		return typeErr("unhashable type: '%s'", typeName(v))
	case *undefined:
		return strict(v)
	}
	return nil
}

func (r *run) hashableItems(t value.Tuple, depth int) error {
	if depth > maxValueNest {
		return raise("RecursionError", "maximum recursion depth exceeded")
	}
	for _, v := range t {
		if err := r.step(); err != nil {
			return err
		}
		if inner, ok := v.(value.Tuple); ok {
			if err := r.hashableItems(inner, depth+1); err != nil {
				return err
			}
			continue
		}
		if s, ok := str(v); ok {
			if err := r.alloc(len(s)); err != nil {
				return err
			}
		}
		if err := r.hashable(v); err != nil {
			return err
		}
	}
	return nil
}

// key returns a value as a dict key.
func (r *run) key(v value.Value) (value.Value, error) {
	if s, ok := v.(value.Str); ok {
		return s, nil
	}
	if !isMarkup(v) {
		v = plain(v)
	}
	if err := r.hashable(v); err != nil {
		return nil, err
	}
	if _, ok := value.HashKey(v); !ok {
		return nil, unsupported(0, "a %s as a key is not supported", typeName(v))
	}
	return v, nil
}

var compareText = map[tokenKind]string{tokLt: "<", tokLtEq: "<=", tokGt: ">", tokGtEq: ">="}

// compareOp is one comparison: an order, an equality or a membership.
func (r *run) compareOp(op tokenKind, a, b value.Value) (bool, error) {
	switch op {
	case tokEq, tokNe:
		same, err := r.equal(a, b)
		return same == (op == tokEq), err
	case opIn, opNotIn:
		has, err := r.contains(b, a)
		return has == (op == opIn), err
	}
	return r.order(op, a, b, 0)
}

// order is Python's <, <=, > and >=.
func (r *run) order(op tokenKind, a, b value.Value, depth int) (bool, error) {
	if err := r.step(); err != nil {
		return false, err
	}
	u, w := asUndefined(a), asUndefined(b)
	if u != nil && (w == nil || u.kind != Default || w.kind == Default) { // Python asks the right one first if its class is derived
		return false, u.fail()
	}
	if w != nil {
		return false, w.fail()
	}
	left, right := a, b
	a, b = plain(a), plain(b)
	_, isSet := a.(*value.Set)
	_, isSet2 := b.(*value.Set)
	if setLike(a) && (isSet2 || setLike(b)) || isSet && setLike(b) {
		return r.orderViews(op, a, b)
	}
	x, xs := sequence(a)
	y, ys := sequence(b)
	if xs != 0 && xs == ys {
		return r.orderItems(op, x, y, depth)
	}
	if s, ok := a.(value.Str); ok {
		if t, ok := b.(value.Str); ok {
			return holds(op, strings.Compare(string(s), string(t))), r.read(min(len(s), len(t)))
		}
	}
	ok, err := value.Compare(compareText[op], a, b)
	if err != nil && (renamed(left) || renamed(right)) {
		err = typeErr("'%s' not supported between instances of '%s' and '%s'", compareText[op], typeName(left), typeName(right))
	}
	return ok, err
}

// renamed reports whether plain takes a value for one of another class.
func renamed(v value.Value) bool {
	_, isGroup := v.(*groupTuple)
	return isGroup || isMarkup(v)
}

func sequence(v value.Value) ([]value.Value, value.Kind) {
	switch v := v.(type) {
	case *value.List:
		return v.Items, value.KindList
	case value.Tuple:
		return v, value.KindTuple
	}
	return nil, 0
}

func holds(op tokenKind, c int) bool {
	switch op {
	case tokLt:
		return c < 0
	case tokLtEq:
		return c <= 0
	case tokGt:
		return c > 0
	}
	return c >= 0
}

// orderItems orders sequences by their first differing item, else by length.
func (r *run) orderItems(op tokenKind, a, b []value.Value, depth int) (bool, error) {
	if depth > maxValueNest {
		return false, raise("RecursionError", "maximum recursion depth exceeded in comparison")
	}
	for i := range min(len(a), len(b)) {
		same, err := r.same(a[i], b[i], depth+1)
		if err != nil {
			return false, err
		}
		if !same {
			return r.order(op, a[i], b[i], depth+1)
		}
	}
	return holds(op, len(a)-len(b)), nil
}

// contains is Python's "item in box".
func (r *run) contains(box, item value.Value) (bool, error) {
	switch b := box.(type) {
	case value.Str, markup:
		return r.inText(box, item)
	case *value.Dict:
		if err := r.hashable(item); err != nil {
			return false, err
		}
		_, ok := b.GetKey(plain(item))
		return ok, nil
	case *value.Set:
		if err := r.hashable(item); err != nil {
			return false, err
		}
		return b.Has(plain(item)), nil
	case *rangeVal:
		if err := strict(item); err != nil {
			return false, err
		}
		return b.index(item) >= 0, nil
	case *mappingProxy:
		return r.contains(b.d, item)
	case *dictView:
		if setLike(b) {
			return r.inView(b, item)
		}
	case value.Bytes:
		return inBytes(b, item)
	case *undefined:
		return false, strict(b)
	case *value.List, value.Tuple, iterable:
	case *value.Enum:
		if b.Mixin {
			return r.contains(b.Value, item)
		}
		return false, typeErr("argument of type '%s' is not iterable", typeName(box))
	default:
		return false, typeErr("argument of type '%s' is not iterable", typeName(box))
	}
	it, err := r.iter(box)
	if err != nil {
		return false, err
	}
	for {
		v, ok, err := r.pull(it)
		if err != nil || !ok {
			return false, err
		}
		same, err := r.same(v, item, 0)
		if err != nil || same {
			return same, err
		}
	}
}

func (r *run) inText(box, item value.Value) (bool, error) {
	s, _ := str(box)
	sub, ok := str(item)
	if !ok {
		return false, typeErr("'in <string>' requires string as left operand, not %s", typeName(item))
	}
	return strings.Contains(s, sub), r.read(len(s))
}

func inBytes(b value.Bytes, item value.Value) (bool, error) {
	if sub, ok := item.(value.Bytes); ok {
		return strings.Contains(string(b), string(sub)), nil
	}
	n, ok := smallInt(item)
	if !isInt(item) {
		return false, typeErr("a bytes-like object is required, not '%s'", typeName(item))
	}
	if !ok || n < 0 || n > 255 {
		return false, valueErr("byte must be in range(0, 256)")
	}
	return strings.IndexByte(string(b), byte(n)) >= 0, nil
}
