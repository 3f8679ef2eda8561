package value

import (
	"math"
	"math/big"

	"github.com/haywardhq/hayward/fault"
)

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
	if s, ok := Plain(a).(Bytes); ok {
		return FormatBytes(s, b)
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
