package jinja

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

func intMethod(name string, fn func(n *big.Int) value.Value) method {
	return func(_ *run, self value.Value, a *args) (value.Value, error) {
		n, _ := bigInt(self)
		return fn(n), a.builtin(self, name, 0, 0)
	}
}

func intAttr(fn func(n *big.Int) value.Value) method {
	return func(_ *run, self value.Value, _ *args) (value.Value, error) {
		n, _ := bigInt(self)
		return fn(n), nil
	}
}

var intMethods = map[string]method{
	"bit_length": intMethod("bit_length", func(n *big.Int) value.Value { return value.Int(n.BitLen()) }),
	"bit_count":  intMethod("bit_count", bitCount),
	"conjugate":  intMethod("conjugate", intOf),
	"as_integer_ratio": intMethod("as_integer_ratio", func(n *big.Int) value.Value {
		return value.Tuple{intOf(n), value.Int(1)}
	}),
	"to_bytes": toBytes,
}

var intAttrs = map[string]method{
	"real":        intAttr(intOf),
	"numerator":   intAttr(intOf),
	"imag":        intAttr(func(*big.Int) value.Value { return value.Int(0) }),
	"denominator": intAttr(func(*big.Int) value.Value { return value.Int(1) }),
}

func bitCount(n *big.Int) value.Value {
	count := 0
	for _, w := range n.Bits() {
		count += bits.OnesCount(uint(w))
	}
	return value.Int(count)
}

func toBytes(r *run, self value.Value, a *args) (value.Value, error) {
	got, err := a.bind("to_bytes", []string{"length", "byteorder", "signed"}, 0)
	if err != nil {
		return nil, err
	}
	length, order := 1, "big"
	if got[0] != nil {
		if length, err = index(got[0]); err != nil {
			return nil, err
		}
	}
	if got[1] != nil {
		order, _ = str(got[1])
	}
	n, _ := bigInt(self)
	switch {
	case order != "big" && order != "little":
		return nil, valueErr("byteorder must be either 'little' or 'big'")
	case length < 0:
		return nil, valueErr("length argument must be non-negative")
	case got[2] != nil && value.Truthy(got[2]):
		return nil, unsupported(0, "to_bytes(signed=True) is not supported")
	case n.Sign() < 0:
		return nil, raise("OverflowError", "can't convert negative int to unsigned")
	case (n.BitLen()+7)/8 > length:
		return nil, raise("OverflowError", "int too big to convert")
	}
	if err := r.alloc(length); err != nil {
		return nil, err
	}
	out := n.FillBytes(make([]byte, length))
	if order == "little" {
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
	}
	return value.Bytes(out), nil
}

func floatMethod(name string, fn func(f float64) (value.Value, error)) method {
	return func(_ *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 0, 0); err != nil {
			return nil, err
		}
		return fn(float64(self.(value.Float)))
	}
}

var floatMethods = map[string]method{
	"is_integer": floatMethod("is_integer", func(f float64) (value.Value, error) {
		return value.Bool(f == math.Trunc(f) && !math.IsInf(f, 0)), nil
	}),
	"conjugate":        floatMethod("conjugate", func(f float64) (value.Value, error) { return value.Float(f), nil }),
	"hex":              floatMethod("hex", floatHex),
	"as_integer_ratio": floatMethod("as_integer_ratio", integerRatio),
}

var floatAttrs = map[string]method{
	"real": func(_ *run, self value.Value, _ *args) (value.Value, error) { return self, nil },
	"imag": func(*run, value.Value, *args) (value.Value, error) { return value.Float(0), nil },
}

func integerRatio(f float64) (value.Value, error) {
	if math.IsInf(f, 0) {
		return nil, raise("OverflowError", "cannot convert Infinity to integer ratio")
	}
	if math.IsNaN(f) {
		return nil, valueErr("cannot convert NaN to integer ratio")
	}
	q := new(big.Rat).SetFloat64(f)
	return value.Tuple{intOf(q.Num()), intOf(q.Denom())}, nil
}

func floatHex(f float64) (value.Value, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return value.Str(value.FloatRepr(f)), nil
	}
	if f == 0 {
		if math.Signbit(f) {
			return value.Str("-0x0.0p+0"), nil
		}
		return value.Str("0x0.0p+0"), nil
	}
	s := strconv.FormatFloat(f, 'x', 13, 64) // 0x1.4000000000000p+01
	i := strings.IndexByte(s, 'p')
	exp, _ := strconv.Atoi(s[i+1:])
	sign := "+"
	if exp < 0 {
		sign = ""
	}
	return value.Str(s[:i+1] + sign + strconv.Itoa(exp)), nil
}
