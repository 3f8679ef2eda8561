package value

import (
	"math"
	"math/big"

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
