package value

import (
	"math"
	"math/big"
)

// maxEqualDepth bounds comparisons of nested containers; deeper ones count as different.
const maxEqualDepth = 1000

// PlainDicter is an [Object] whose to_dict() flattens something: PlainDict returns the form that keeps every field apart.
// Equality, JSON for HTTP and copies use it in place of ToDict.
type PlainDicter interface {
	// PlainDict returns the unflattened dict.
	PlainDict() *Dict
}

// ObjectDict returns o's fields as a dict: PlainDict when o has it, else ToDict.
func ObjectDict(o Object) *Dict {
	if p, ok := o.(PlainDicter); ok {
		return p.PlainDict()
	}
	return o.ToDict()
}

// Equal reports whether Python's a == b holds: numbers by value across int, float and bool, a list never equals a
// tuple, containers item by item, objects of one class by their dicts.
func Equal(a, b Value) bool { return equal(Plain(a), Plain(b), 0) }

func equal(a, b Value, depth int) bool {
	if depth > maxEqualDepth {
		return false
	}
	switch a := a.(type) {
	case nil, noneType:
		return IsNone(b)
	case Str:
		b, ok := b.(Str)
		return ok && a == b
	case Bytes:
		b, ok := b.(Bytes)
		return ok && a == b
	case Bool, Int, *BigInt, Float:
		return equalNumbers(a, b)
	case *List:
		b, ok := b.(*List)
		return ok && (a == b || equalItems(a.Items, b.Items, depth))
	case Tuple:
		b, ok := b.(Tuple)
		return ok && equalItems(a, b, depth)
	case *Dict:
		b, ok := b.(*Dict)
		return ok && (a == b || equalDicts(a, b, depth))
	case *Set:
		b, ok := b.(*Set)
		return ok && equalSets(a, b)
	case Date:
		b, ok := b.(Date)
		return ok && a == b
	case DateTime:
		b, ok := b.(DateTime)
		return ok && a.Aware == b.Aware && a.Time.Equal(b.Time)
	case Object:
		return equalObjects(a, b, depth)
	}
	return false
}

func equalItems(a, b []Value, depth int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(Plain(a[i]), Plain(b[i]), depth+1) {
			return false
		}
	}
	return true
}

func equalDicts(a, b *Dict, depth int) bool {
	if a.Len() != b.Len() {
		return false
	}
	for k, v := range a.All() {
		w, ok := b.GetKey(k)
		if !ok || !equal(Plain(v), Plain(w), depth+1) {
			return false
		}
	}
	return true
}

func equalSets(a, b *Set) bool {
	if a.Len() != b.Len() {
		return false
	}
	for k := range a.d.All() {
		if !b.Has(k) {
			return false
		}
	}
	return true
}

func equalObjects(a Object, b Value, depth int) bool {
	o, ok := b.(Object)
	if !ok || a.Class() != o.Class() {
		return false
	}
	if e, ok := a.(*Enum); ok {
		return e.Name == o.(*Enum).Name
	}
	return a == o || equalDicts(ObjectDict(a), ObjectDict(o), depth)
}

func equalNumbers(a, b Value) bool {
	c, ok := compareNumbers(a, b)
	return ok && c == 0
}

// unordered is compareNumbers' answer when one side is a NaN.
const unordered = 2

// compareNumbers compares two numbers exactly, as Python does: -1, 0, 1 or unordered. ok is false unless both are
// numbers.
func compareNumbers(a, b Value) (c int, ok bool) {
	x, xf, xk := number(a)
	y, yf, yk := number(b)
	if xk == notNumber || yk == notNumber {
		return 0, false
	}
	switch {
	case xk == isFloat && yk == isFloat:
		return compareFloats(xf, yf), true
	case xk == isFloat:
		return reverse(compareIntFloat(b, y, yk, xf)), true
	case yk == isFloat:
		return compareIntFloat(a, x, xk, yf), true
	case xk == isSmall && yk == isSmall:
		return compareInts(x, y), true
	}
	return bigOf(a).Cmp(bigOf(b)), true
}

// reverse turns the answer for (a, b) into the one for (b, a).
func reverse(c int) int {
	if c == unordered {
		return c
	}
	return -c
}

type numberKind uint8

const (
	notNumber numberKind = iota
	isSmall
	isBig
	isFloat
)

// number takes a value apart; bools are ints.
func number(v Value) (i int64, f float64, k numberKind) {
	switch v := v.(type) {
	case Int:
		return int64(v), 0, isSmall
	case Float:
		return 0, float64(v), isFloat
	case Bool:
		if v {
			return 1, 0, isSmall
		}
		return 0, 0, isSmall
	case *BigInt:
		return 0, 0, isBig
	case *Enum:
		if v.Mixin {
			return number(v.Value)
		}
	}
	return 0, 0, notNumber
}

// bigOf returns an int value as a big.Int that must not be changed.
func bigOf(v Value) *big.Int {
	switch v := Plain(v).(type) {
	case *BigInt:
		return v.N
	case Int:
		return big.NewInt(int64(v))
	case Bool:
		if v {
			return big.NewInt(1)
		}
	}
	return new(big.Int)
}

func compareInts(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	return unordered
}

// compareIntFloat compares without rounding the int: 2**53 + 1 is not 2.0**53.
func compareIntFloat(v Value, small int64, k numberKind, f float64) int {
	switch {
	case math.IsNaN(f):
		return unordered
	case math.IsInf(f, 1):
		return -1
	case math.IsInf(f, -1):
		return 1
	case k == isSmall && small > -1<<53 && small < 1<<53:
		return compareFloats(float64(small), f)
	}
	x := new(big.Float).SetInt(bigOf(v))
	return x.Cmp(new(big.Float).SetFloat64(f))
}

// Truthy reports whether Python's bool(v) is True. Data classes are true, even empty ones, unless they have a length.
func Truthy(v Value) bool {
	switch v := Plain(v).(type) {
	case nil, noneType:
		return false
	case Bool:
		return bool(v)
	case Int:
		return v != 0
	case Float:
		return v != 0
	case Str:
		return v != ""
	case Bytes:
		return v != ""
	case *List:
		return len(v.Items) > 0
	case Tuple:
		return len(v) > 0
	case *Dict:
		return v.Len() > 0
	case *Set:
		return v.Len() > 0
	case Lener:
		return v.PyLen() > 0
	}
	return true
}

// Lener is an [Object] that has a Python length, such as a chat message.
type Lener interface {
	// PyLen returns what Python's len() returns.
	PyLen() int
}
