package jinja

import (
	"math"
	"math/big"
	"strconv"

	"github.com/haywardhq/hayward/pipeline/value"
)

func intOf(n *big.Int) value.Value { return value.NewInt(n) }

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// smallInt returns an int or bool of at most 64 bits.
func smallInt(v value.Value) (int64, bool) {
	switch v := value.Plain(v).(type) {
	case value.Int:
		return int64(v), true
	case value.Bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// bigInt returns any int or bool as a big.Int that must not be changed.
func bigInt(v value.Value) (*big.Int, bool) {
	if b, ok := v.(*value.BigInt); ok {
		return b.N, true
	}
	if n, ok := smallInt(v); ok {
		return big.NewInt(n), true
	}
	return nil, false
}

func isInt(v value.Value) bool {
	_, ok := bigInt(v)
	return ok
}

// index is Python's operator.index for sizes and positions: an int that fits.
func index(v value.Value) (int, error) {
	if n, ok := smallInt(v); ok {
		return int(n), nil
	}
	if b, ok := v.(*value.BigInt); ok {
		_ = b
		return 0, raise("OverflowError", "Python int too large to convert to C ssize_t")
	}
	return 0, typeErr("'%s' object cannot be interpreted as an integer", typeName(v))
}

// clampIndex is index, with ints that are too large cut to the ends of the range.
func clampIndex(v value.Value) (int, error) {
	if b, ok := v.(*value.BigInt); ok {
		if b.N.Sign() < 0 {
			return math.MinInt, nil
		}
		return math.MaxInt, nil
	}
	return index(v)
}

// toFloat returns a number as a float; ok is false for values that are none.
func toFloat(v value.Value) (float64, bool, error) {
	switch v := value.Plain(v).(type) {
	case value.Float:
		return float64(v), true, nil
	case *value.BigInt:
		f, _ := new(big.Float).SetInt(v.N).Float64()
		if math.IsInf(f, 0) {
			return 0, true, raise("OverflowError", "int too large to convert to float")
		}
		return f, true, nil
	}
	if n, ok := smallInt(v); ok {
		return float64(n), true, nil
	}
	return 0, false, nil
}

// floatToInt cuts a float to an int, as int(f) does.
func floatToInt(f float64) (value.Value, error) {
	switch {
	case math.IsNaN(f):
		return nil, valueErr("cannot convert float NaN to integer")
	case math.IsInf(f, 0):
		return nil, raise("OverflowError", "cannot convert float infinity to integer")
	case f >= -1<<62 && f <= 1<<62:
		return value.Int(int64(f)), nil
	}
	n, _ := new(big.Float).SetFloat64(f).Int(nil)
	return intOf(n), nil
}
