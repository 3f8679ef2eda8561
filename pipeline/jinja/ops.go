package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

var opText = map[tokenKind]string{tokAdd: "+", tokSub: "-", tokMul: "*", tokDiv: "/", tokFloorDiv: "//", tokMod: "%",
	tokPow: "** or pow()"}

// arith is one of Python's arithmetic operators.
func (r *run) arith(op tokenKind, a, b value.Value) (value.Value, error) {
	if x, ok := a.(value.Int); ok {
		if y, ok := b.(value.Int); ok {
			if v, ok := fastInts(op, int64(x), int64(y)); ok {
				return v, nil
			}
		}
	}
	if _, ok := str(a); ok && op == tokMod {
		return r.printf(a, b)
	}
	if x, ok := a.(value.Bytes); ok && op == tokMod {
		return r.printfBytes(x, b)
	}
	if op == tokMul && (isMarkup(a) && !isInt(b) || isMarkup(b) && !isInt(a)) {
		return nil, markupTimes(a, b)
	}
	if u := asUndefined(a); u != nil {
		return nil, u.fail()
	}
	if op == tokSub && (setLike(a) || setLike(b)) {
		return r.minusViews(a, b)
	}
	if u := asUndefined(b); u != nil {
		return nil, u.fail()
	}
	a, b = value.Plain(a), value.Plain(b)
	if isNumber(a) && isNumber(b) {
		return r.numbers(op, a, b)
	}
	switch op {
	case tokAdd:
		if a = ungrouped(a); a.Kind() == value.KindTuple {
			b = ungrouped(b)
		}
		return r.add(a, b)
	case tokMul:
		return r.repeat(ungrouped(a), b)
	case tokSub:
		if v, ok, err := r.minus(a, b); ok || err != nil {
			return v, err
		}
	}
	return nil, badOperands(opText[op], a, b)
}

// ungrouped is a pair of groupby as a tuple.
func ungrouped(v value.Value) value.Value {
	if g, ok := v.(*groupTuple); ok {
		return g.pair
	}
	return v
}

// markupTimes is Markup's own error for a factor that is no int.
func markupTimes(a, b value.Value) error {
	count := b
	if !isMarkup(a) {
		count = a
	}
	if u := asUndefined(a); u != nil {
		return u.fail()
	}
	return typeErr("'%s' object cannot be interpreted as an integer", typeName(count))
}

func badOperands(op string, a, b value.Value) error {
	return typeErr("unsupported operand type(s) for %s: '%s' and '%s'", op, typeName(a), typeName(b))
}

// fastInts does what cannot overflow.
func fastInts(op tokenKind, x, y int64) (value.Value, bool) {
	switch op {
	case tokAdd:
		if s := x + y; (s > x) == (y > 0) {
			return value.Int(s), true
		}
	case tokSub:
		if s := x - y; (s < x) == (y > 0) {
			return value.Int(s), true
		}
	case tokMul:
		if x > -1<<31 && x < 1<<31 && y > -1<<31 && y < 1<<31 {
			return value.Int(x * y), true
		}
	case tokFloorDiv, tokMod:
		if y > 0 {
			q, m := x/y, x%y
			if m < 0 {
				q, m = q-1, m+y
			}
			if op == tokMod {
				return value.Int(m), true
			}
			return value.Int(q), true
		}
	}
	return nil, false
}

func isNumber(v value.Value) bool {
	switch v.(type) {
	case value.Int, value.Float, value.Bool, *value.BigInt:
		return true
	}
	return false
}

// numbers does arithmetic on two numbers; ints stay below 4300 digits.
func (r *run) numbers(op tokenKind, a, b value.Value) (value.Value, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	switch op {
	case tokAdd:
		return value.Add(a, b)
	case tokSub:
		return value.Sub(a, b)
	case tokMul:
		return value.Mul(a, b)
	case tokDiv:
		return value.TrueDiv(a, b)
	case tokFloorDiv:
		return value.FloorDiv(a, b)
	case tokMod:
		return value.Mod(a, b)
	}
	return value.Pow(a, b)
}

// add joins text, bytes, lists and tuples.
func (r *run) add(a, b value.Value) (value.Value, error) {
	if isMarkup(a) || isMarkup(b) {
		if _, ok := str(a); ok {
			if _, ok := str(b); ok {
				return r.addMarkup(a, b)
			}
		}
	}
	switch x := a.(type) {
	case value.Str:
		if y, ok := b.(value.Str); ok {
			return r.join(string(x), string(y))
		}
		return nil, typeErr("can only concatenate str (not \"%s\") to str", typeName(b))
	case value.Bytes:
		if y, ok := b.(value.Bytes); ok {
			return value.Bytes(x + y), r.alloc(len(x) + len(y))
		}
		return nil, typeErr("can't concat %s to bytes", typeName(b))
	case *value.List:
		if y, ok := b.(*value.List); ok {
			items, err := r.joinItems(x.Items, y.Items)
			return &value.List{Items: items}, err
		}
		return nil, typeErr("can only concatenate list (not \"%s\") to list", typeName(b))
	case value.Tuple:
		if y, ok := b.(value.Tuple); ok {
			items, err := r.joinItems(x, y)
			return value.Tuple(items), err
		}
		return nil, typeErr("can only concatenate tuple (not \"%s\") to tuple", typeName(b))
	}
	return nil, badOperands("+", a, b)
}

func (r *run) join(x, y string) (value.Value, error) {
	if err := r.alloc(len(x) + len(y)); err != nil {
		return nil, err
	}
	return value.Str(x + y), nil
}

func (r *run) addMarkup(a, b value.Value) (value.Value, error) {
	x, err := r.escape(a)
	if err != nil {
		return nil, err
	}
	y, err := r.escape(b)
	if err != nil {
		return nil, err
	}
	whole := a
	if !isMarkup(a) {
		whole = b
	}
	return like(whole, x.text+y.text), r.alloc(len(x.text) + len(y.text))
}

func (r *run) joinItems(a, b []value.Value) ([]value.Value, error) {
	if err := r.allocItems(len(a) + len(b)); err != nil {
		return nil, err
	}
	return append(append(make([]value.Value, 0, len(a)+len(b)), a...), b...), nil
}

// repeat is a sequence times an int, from either side.
func (r *run) repeat(a, b value.Value) (value.Value, error) {
	seq, count := a, b
	if !isSequence(a) {
		seq, count = ungrouped(b), a
	}
	if !isSequence(seq) {
		return nil, badOperands("*", a, b)
	}
	if !isInt(count) {
		return nil, typeErr("can't multiply sequence by non-int of type '%s'", typeName(count))
	}
	n, err := index(count)
	if err != nil {
		return nil, raise("OverflowError", "cannot fit 'int' into an index-sized integer")
	}
	n = max(n, 0)
	switch v := seq.(type) {
	case value.Str:
		s, err := r.repeatText(string(v), n)
		return value.Str(s), err
	case markup:
		s, err := r.repeatText(v.text, n)
		return like(v, s), err
	case value.Bytes:
		s, err := r.repeatText(string(v), n)
		return value.Bytes(s), err
	case value.Tuple:
		items, err := r.repeatItems(v, n)
		return value.Tuple(items), err
	}
	items, err := r.repeatItems(seq.(*value.List).Items, n)
	return &value.List{Items: items}, err
}

func isSequence(v value.Value) bool {
	switch v.(type) {
	case value.Str, markup, value.Bytes, *value.List, value.Tuple:
		return true
	}
	return false
}

func (r *run) repeatText(s string, n int) (string, error) {
	if s == "" || n == 0 {
		return "", nil
	}
	if n > r.mem/len(s) {
		return "", r.alloc(-1)
	}
	return strings.Repeat(s, n), r.alloc(n * len(s))
}

func (r *run) repeatItems(items []value.Value, n int) ([]value.Value, error) {
	if len(items) == 0 || n == 0 {
		return nil, nil
	}
	if n > r.mem/len(items)/16 {
		return nil, r.alloc(-1)
	}
	if err := r.allocItems(n * len(items)); err != nil {
		return nil, err
	}
	out := make([]value.Value, 0, n*len(items))
	for range n {
		out = append(out, items...)
	}
	return out, nil
}

// minus is the difference of sets and of dates.
func (r *run) minus(a, b value.Value) (value.Value, bool, error) {
	x, ok := a.(*value.Set)
	y, ok2 := b.(*value.Set)
	if !ok || !ok2 {
		return nil, false, nil
	}
	out := &value.Set{}
	for _, v := range x.Items() {
		if !y.Has(v) {
			out.Add(v)
		}
	}
	return out, true, r.allocItems(x.Len())
}

// negate is -v and +v.
func (r *run) negate(op tokenKind, v value.Value) (value.Value, error) {
	if u := asUndefined(v); u != nil {
		return nil, u.fail()
	}
	if op == tokSub {
		return value.Neg(v)
	}
	return value.Pos(v)
}
