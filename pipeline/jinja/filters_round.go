package jinja

import (
	"math"
	"math/big"
	"strconv"

	"github.com/haywardhq/hayward/pipeline/value"
)

func filterRound(r *run, a []value.Value) (value.Value, error) {
	method := "common"
	if a[2] != nil {
		if err := r.hashable(plain(a[2])); err != nil { // it is looked up in a set
			return nil, err
		}
		method, _ = str(a[2])
	}
	if method != "common" && method != "ceil" && method != "floor" {
		return nil, filterArgErr("method must be common, ceil or floor")
	}
	var precision value.Value = value.Int(0)
	if a[1] != nil {
		precision = a[1]
	}
	if method == "common" {
		return roundCommon(a[0], precision)
	}
	scale, err := r.arith(tokPow, value.Int(10), precision)
	if err != nil {
		return nil, err
	}
	x, err := r.arith(tokMul, a[0], scale)
	if err != nil {
		return nil, err
	}
	if !isInt(x) {
		f, ok, err := toFloat(x)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, typeErr("must be real number, not %s", typeName(x))
		}
		fn := math.Ceil
		if method == "floor" {
			fn = math.Floor
		}
		if x, err = floatToInt(fn(f)); err != nil {
			return nil, err
		}
	}
	return r.arith(tokDiv, x, scale)
}

// roundCommon is Python's round(v, n): half to even on the exact value.
func roundCommon(v, precision value.Value) (value.Value, error) {
	if _, ok := value.Plain(v).(value.Float); !ok && !isInt(v) {
		return nil, typeErr("type %s doesn't define __round__ method", typeName(v))
	}
	none := value.IsNone(precision)
	n := 0
	if !none {
		var err error
		if n, err = clampIndex(precision); err != nil {
			return nil, err
		}
	}
	if x, ok := value.Plain(v).(value.Float); ok {
		if none {
			return floatToInt(math.RoundToEven(float64(x)))
		}
		return roundFloat(float64(x), n)
	}
	b, _ := bigInt(v)
	if none || n >= 0 {
		return intOf(b), nil
	}
	return roundInt(b, n), nil
}

func roundFloat(f float64, n int) (value.Value, error) {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0) || n > 323:
		return value.Float(f), nil
	case n < -308:
		return value.Float(math.Copysign(0, f)), nil
	case n >= 0:
		out, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', n, 64), 64)
		if err != nil {
			return nil, raise("OverflowError", "rounded value too large to represent")
		}
		return value.Float(out), nil
	}
	scale := math.Pow10(-n)
	q := math.RoundToEven(f / scale)
	if math.IsInf(q*scale, 0) {
		return nil, raise("OverflowError", "rounded value too large to represent")
	}
	return value.Float(q * scale), nil
}

// roundInt rounds to a power of ten, half to even.
func roundInt(b *big.Int, n int) value.Value {
	if -n > maxIntDigits+1 {
		return value.Int(0)
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-n)), nil)
	q, m := new(big.Int).DivMod(b, scale, new(big.Int))
	switch twice := new(big.Int).Lsh(m, 1).Cmp(scale); {
	case twice > 0, twice == 0 && q.Bit(0) == 1:
		q.Add(q, big.NewInt(1))
	}
	return intOf(q.Mul(q, scale))
}

func filterFilesize(r *run, a []value.Value) (value.Value, error) {
	size, err := r.floatOf(a[0])
	if err != nil {
		return nil, err
	}
	binary, err := truthArg(a[1], false)
	if err != nil {
		return nil, err
	}
	base, units := 1000.0, []string{"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"}
	if binary {
		base, units = 1024, []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"}
	}
	if size == 1 {
		return value.Str("1 Byte"), nil
	}
	if size < base {
		n, err := floatToInt(size)
		if err != nil {
			return nil, err
		}
		s, err := r.str(n)
		return value.Str(s + " Bytes"), err
	}
	unit := base
	for i, name := range units {
		unit *= base
		if size < unit || i == len(units)-1 {
			n := base * size / unit
			if math.IsInf(n, 0) || math.IsNaN(n) {
				return value.Str(value.FloatRepr(n) + " " + name), nil
			}
			return value.Str(strconv.FormatFloat(n, 'f', 1, 64) + " " + name), nil
		}
	}
	return nil, nil
}
