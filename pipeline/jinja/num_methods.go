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
	"to_bytes":   toBytes,
	"from_bytes": fromBytes,
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
	"fromhex":          floatFromHex,
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

func floatFromHex(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "fromhex", 1, 1); err != nil {
		return nil, err
	}
	text, ok := str(a.pos[0])
	if !ok {
		return nil, typeErr("bad argument type for built-in operation")
	}
	s := strings.ToLower(strings.Trim(text, asciiSpace))
	sign := 1.0
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	switch s {
	case "inf", "infinity":
		return value.Float(math.Inf(int(sign))), r.read(len(text))
	case "nan":
		return value.Float(math.NaN()), r.read(len(text))
	}
	s = strings.TrimPrefix(s, "0x")
	if !strings.Contains(s, "p") {
		s += "p0"
	}
	f, err := strconv.ParseFloat("0x"+s, 64)
	if strings.ContainsAny(s, "_+-") && strings.Trim(s[:strings.IndexByte(s, 'p')], "0123456789abcdef.") != "" || err != nil && !isRange(err) {
		return nil, valueErr("invalid hexadecimal floating-point string")
	}
	if math.IsInf(f, 0) {
		return nil, raise("OverflowError", "hexadecimal value too large to represent as a float")
	}
	return value.Float(math.Copysign(f, sign)), r.read(len(text))
}
