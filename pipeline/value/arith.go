package value

import (
	"math"
	"math/big"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// The limits of arithmetic. They keep a template from filling the memory; Python has none of its own.
const (
	MaxIntBits = 14_285  // an int of MaxIntDigits digits
	MaxRepeat  = 1 << 24 // bytes of a repeated or joined str, items of a list or tuple
)

func tooBig() error {
	return fault.New(fault.TooLarge, "the number would have more than %d digits", MaxIntDigits).WithCode("OverflowError")
}

func tooLong() error {
	return fault.New(fault.TooLarge, "the result would be longer than %d", MaxRepeat).WithCode("MemoryError")
}

func badOperands(op string, a, b Value) error {
	return pyError("TypeError", "unsupported operand type(s) for %s: '%s' and '%s'", op, tpName(a), tpName(b))
}

// numbers reports whether both values are numbers, and whether one is a float.
func numbers(a, b Value) (float, ok bool) {
	_, _, x := number(a)
	_, _, y := number(b)
	return x == isFloat || y == isFloat, x != notNumber && y != notNumber
}

// toFloat is Python's float() of a number.
func toFloat(v Value) (float64, error) {
	f, ok := AsFloat(v)
	if !ok {
		return 0, pyError("OverflowError", "int too large to convert to float")
	}
	return f, nil
}

func floatPair(a, b Value) (x, y float64, err error) {
	if x, err = toFloat(a); err != nil {
		return
	}
	y, err = toFloat(b)
	return
}

func bounded(n *big.Int) (Value, error) {
	if n.BitLen() > MaxIntBits {
		return nil, tooBig()
	}
	return NewInt(n), nil
}

// Add is Python's a + b: numbers, and the concatenation of two str, bytes, lists or tuples.
func Add(a, b Value) (Value, error) {
	a, b = Plain(a), Plain(b)
	float, ok := numbers(a, b)
	switch {
	case ok && float:
		x, y, err := floatPair(a, b)
		return Float(x + y), err
	case ok:
		return addInts(a, b)
	}
	return concat(a, b)
}

func addInts(a, b Value) (Value, error) {
	x, _, kx := number(a)
	y, _, ky := number(b)
	if sum := x + y; kx == isSmall && ky == isSmall && (sum > x) == (y > 0) {
		return Int(sum), nil
	}
	return bounded(new(big.Int).Add(bigOf(a), bigOf(b)))
}

func concat(a, b Value) (Value, error) {
	switch x := a.(type) {
	case Str:
		y, ok := b.(Str)
		if !ok {
			return nil, pyError("TypeError", "can only concatenate str (not \"%s\") to str", tpName(b))
		}
		if len(x)+len(y) > MaxRepeat {
			return nil, tooLong()
		}
		return x + y, nil
	case Bytes:
		y, ok := b.(Bytes)
		if !ok {
			return nil, pyError("TypeError", "can't concat %s to bytes", tpName(b))
		}
		if len(x)+len(y) > MaxRepeat {
			return nil, tooLong()
		}
		return x + y, nil
	case *List:
		y, ok := b.(*List)
		if !ok {
			return nil, pyError("TypeError", "can only concatenate list (not \"%s\") to list", tpName(b))
		}
		items, err := join(x.Items, y.Items)
		return &List{Items: items}, err
	case Tuple:
		y, ok := b.(Tuple)
		if !ok {
			return nil, pyError("TypeError", "can only concatenate tuple (not \"%s\") to tuple", tpName(b))
		}
		items, err := join(x, y)
		return Tuple(items), err
	}
	return nil, badOperands("+", a, b)
}

func join(a, b []Value) ([]Value, error) {
	if len(a)+len(b) > MaxRepeat {
		return nil, tooLong()
	}
	out := make([]Value, 0, len(a)+len(b))
	return append(append(out, a...), b...), nil
}

// Sub is Python's a - b: numbers, and the difference of two sets.
func Sub(a, b Value) (Value, error) {
	a, b = Plain(a), Plain(b)
	if x, ok := a.(*Set); ok {
		if y, ok := b.(*Set); ok {
			return difference(x, y), nil
		}
	}
	float, ok := numbers(a, b)
	switch {
	case !ok:
		return nil, badOperands("-", a, b)
	case float:
		x, y, err := floatPair(a, b)
		return Float(x - y), err
	}
	return bounded(new(big.Int).Sub(bigOf(a), bigOf(b)))
}

func difference(a, b *Set) *Set {
	out := &Set{}
	for k := range a.d.All() {
		if !b.Has(k) {
			out.Add(k)
		}
	}
	return out
}

// Mul is Python's a * b: numbers, and the repetition of a str, bytes, list or tuple up to [MaxRepeat].
func Mul(a, b Value) (Value, error) {
	a, b = Plain(a), Plain(b)
	float, ok := numbers(a, b)
	switch {
	case ok && float:
		x, y, err := floatPair(a, b)
		return Float(x * y), err
	case ok:
		x, y := bigOf(a), bigOf(b)
		if x.BitLen()+y.BitLen() > MaxIntBits+1 {
			return nil, tooBig()
		}
		return bounded(new(big.Int).Mul(x, y))
	}
	if isSequence(a) {
		return repeat(a, b)
	}
	if isSequence(b) {
		return repeat(b, a)
	}
	return nil, badOperands("*", a, b)
}

func isSequence(v Value) bool {
	switch v.(type) {
	case Str, Bytes, *List, Tuple:
		return true
	}
	return false
}

func repeat(v, times Value) (Value, error) {
	small, _, kind := number(times)
	if kind == notNumber || kind == isFloat {
		return nil, pyError("TypeError", "can't multiply sequence by non-int of type '%s'", tpName(times))
	}
	if kind == isBig {
		small = int64(bigOf(times).Sign()) * math.MaxInt64
	}
	n := int(max(small, 0))
	size, _ := Len(v)
	if s, ok := v.(Str); ok {
		size = len(s)
	}
	if size > 0 && n > MaxRepeat/size {
		return nil, tooLong()
	}
	if size == 0 {
		n = 0
	}
	switch v := v.(type) {
	case Str:
		return Str(strings.Repeat(string(v), n)), nil
	case Bytes:
		return Bytes(strings.Repeat(string(v), n)), nil
	case *List:
		return &List{Items: repeatItems(v.Items, n)}, nil
	}
	return Tuple(repeatItems(v.(Tuple), n)), nil
}

func repeatItems(items []Value, n int) []Value {
	out := make([]Value, 0, len(items)*n)
	for range n {
		out = append(out, items...)
	}
	return out
}

// TrueDiv is Python's a / b.
func TrueDiv(a, b Value) (Value, error) {
	a, b = Plain(a), Plain(b)
	float, ok := numbers(a, b)
	if !ok {
		return nil, badOperands("/", a, b)
	}
	if !Truthy(b) {
		if float {
			return nil, pyError("ZeroDivisionError", "float division by zero")
		}
		return nil, pyError("ZeroDivisionError", "division by zero")
	}
	if float {
		x, y, err := floatPair(a, b)
		return Float(x / y), err
	}
	if !Truthy(a) && bigOf(b).Sign() < 0 {
		return Float(math.Copysign(0, -1)), nil
	}
	f, _ := new(big.Rat).SetFrac(bigOf(a), bigOf(b)).Float64() // rounds once, as Python does
	if math.IsInf(f, 0) {
		return nil, pyError("OverflowError", "integer division result too large for a float")
	}
	return Float(f), nil
}

// FloorDiv is Python's a // b: it rounds towards minus infinity.
func FloorDiv(a, b Value) (Value, error) {
	a, b = Plain(a), Plain(b)
	float, ok := numbers(a, b)
	if !ok {
		return nil, badOperands("//", a, b)
	}
	if float {
		x, y, err := floatPair(a, b)
		if err == nil && y == 0 {
			err = pyError("ZeroDivisionError", "float floor division by zero")
		}
		if err != nil {
			return nil, err
		}
		div, _ := floatDivMod(x, y)
		return Float(div), nil
	}
	if !Truthy(b) {
		return nil, pyError("ZeroDivisionError", "integer division or modulo by zero")
	}
	div, _ := intDivMod(bigOf(a), bigOf(b))
	return NewInt(div), nil
}

// Mod is Python's a % b: the remainder has the sign of b. A str on the left is formatted, see [Format].
func Mod(a, b Value) (Value, error) {
	if s, ok := Plain(a).(Str); ok {
		out, err := Format(string(s), b)
		return Str(out), err
	}
	a, b = Plain(a), Plain(b)
	float, ok := numbers(a, b)
	if !ok {
		return nil, badOperands("%", a, b)
	}
	if float {
		x, y, err := floatPair(a, b)
		if err == nil && y == 0 {
			err = pyError("ZeroDivisionError", "float modulo")
		}
		if err != nil {
			return nil, err
		}
		_, mod := floatDivMod(x, y)
		return Float(mod), nil
	}
	if !Truthy(b) {
		return nil, pyError("ZeroDivisionError", "integer modulo by zero")
	}
	_, mod := intDivMod(bigOf(a), bigOf(b))
	return NewInt(mod), nil
}

func intDivMod(a, b *big.Int) (div, mod *big.Int) {
	div, mod = new(big.Int).QuoRem(a, b, new(big.Int))
	if mod.Sign() != 0 && mod.Sign() != b.Sign() {
		mod.Add(mod, b)
		div.Sub(div, big.NewInt(1))
	}
	return div, mod
}

// floatDivMod follows float_divmod of CPython, signed zeros included.
func floatDivMod(x, y float64) (div, mod float64) {
	mod = math.Mod(x, y)
	div = (x - mod) / y
	switch {
	case mod == 0:
		mod = math.Copysign(0, y)
	case (y < 0) != (mod < 0):
		mod += y
		div--
	}
	if div == 0 {
		return math.Copysign(0, x/y), mod
	}
	floor := math.Floor(div)
	if div-floor > 0.5 {
		floor++
	}
	return floor, mod
}

// Pow is Python's a ** b; a result beyond [MaxIntBits] is refused, and so is a complex one.
func Pow(a, b Value) (Value, error) {
	a, b = Plain(a), Plain(b)
	float, ok := numbers(a, b)
	if !ok {
		return nil, pyError("TypeError", "unsupported operand type(s) for ** or pow(): '%s' and '%s'", tpName(a), tpName(b))
	}
	if float || bigOf(b).Sign() < 0 {
		x, y, err := floatPair(a, b)
		if err != nil {
			return nil, err
		}
		return floatPow(x, y)
	}
	x, y := bigOf(a), bigOf(b)
	if x.BitLen() > 1 && (!y.IsInt64() || y.Int64() > MaxIntBits || int64(x.BitLen()-1)*y.Int64() > MaxIntBits) {
		return nil, tooBig()
	}
	if x.BitLen() <= 1 { // 0, 1 and -1 need no multiplying, whatever the exponent
		y = new(big.Int).And(y, big.NewInt(1))
		if bigOf(b).Sign() > 0 && y.Sign() == 0 {
			y = big.NewInt(2)
		}
	}
	return bounded(new(big.Int).Exp(x, y, nil))
}

func floatPow(x, y float64) (Value, error) {
	switch {
	case x == 0 && y < 0:
		return nil, pyError("ZeroDivisionError", "0.0 cannot be raised to a negative power")
	case x < 0 && !math.IsInf(x, 0) && !math.IsInf(y, 0) && !math.IsNaN(y) && y != math.Trunc(y):
		return nil, fault.New(fault.Unsupported, "complex numbers are not supported").WithCode("ValueError")
	}
	out := pow(x, y)
	if math.IsInf(out, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		return nil, pyError("OverflowError", "(34, 'Numerical result out of range')")
	}
	return Float(out), nil
}

// Neg is Python's -a.
func Neg(a Value) (Value, error) {
	i, f, kind := number(a)
	switch {
	case kind == isFloat:
		return Float(-f), nil
	case kind == isSmall && i != math.MinInt64:
		return Int(-i), nil
	case kind == notNumber:
		return nil, pyError("TypeError", "bad operand type for unary -: '%s'", tpName(a))
	}
	return NewInt(new(big.Int).Neg(bigOf(a))), nil
}

// Pos is Python's +a.
func Pos(a Value) (Value, error) {
	i, f, kind := number(a)
	switch kind {
	case isFloat:
		return Float(f), nil
	case isSmall:
		return Int(i), nil
	case isBig:
		return NewInt(bigOf(a)), nil
	}
	return nil, pyError("TypeError", "bad operand type for unary +: '%s'", tpName(a))
}

// Len is Python's len(v).
func Len(v Value) (int, error) {
	switch v := Plain(v).(type) {
	case Str:
		return StrLen(string(v)), nil
	case Bytes:
		return len(v), nil
	case *List:
		return len(v.Items), nil
	case Tuple:
		return len(v), nil
	case *Dict:
		return v.Len(), nil
	case *Set:
		return v.Len(), nil
	case Lener:
		return v.PyLen(), nil
	}
	return 0, pyError("TypeError", "object of type '%s' has no len()", tpName(v))
}

// Contains is Python's item in container.
func Contains(container, item Value) (bool, error) {
	switch c := Plain(container).(type) {
	case Str:
		s, ok := Plain(item).(Str)
		if !ok {
			return false, pyError("TypeError", "'in <string>' requires string as left operand, not %s", tpName(item))
		}
		return strings.Contains(string(c), string(s)), nil
	case Bytes:
		return bytesContain(string(c), Plain(item))
	case *List:
		return among(c.Items, item), nil
	case Tuple:
		return among(c, item), nil
	case *Dict:
		if _, ok := HashKey(item); !ok {
			return false, unhashable(item)
		}
		_, ok := c.GetKey(item)
		return ok, nil
	case *Set:
		if _, ok := item.(*Set); ok {
			return false, nil // Python looks for a frozenset, which is no value here
		}
		if _, ok := HashKey(item); !ok {
			return false, unhashable(item)
		}
		return c.Has(item), nil
	}
	return false, pyError("TypeError", "argument of type '%s' is not iterable", tpName(container))
}

func among(items []Value, v Value) bool {
	for _, it := range items {
		if Equal(it, v) {
			return true
		}
	}
	return false
}

func bytesContain(c string, item Value) (bool, error) {
	switch v := item.(type) {
	case Bytes:
		return strings.Contains(c, string(v)), nil
	case Int:
		if v < 0 || v > 255 {
			return false, pyError("ValueError", "byte must be in range(0, 256)")
		}
		return strings.IndexByte(c, byte(v)) >= 0, nil
	}
	return false, pyError("TypeError", "a bytes-like object is required, not '%s'", tpName(item))
}
