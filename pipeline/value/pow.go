package value

import (
	"math"
	"math/big"
)

// powBits is the working precision: enough for a correctly rounded result in all but one case in 2**60, as C's pow is.
const powBits = 192

// pow is C's pow: Go's math.Pow is off by several units in the last place for large exponents, which shows in repr.
func pow(x, y float64) float64 {
	rough := math.Pow(x, y)
	if rough == 0 || math.IsInf(rough, 0) || math.IsNaN(rough) || math.IsInf(y, 0) || y == 0 || math.Abs(x) == 1 || x == 0 {
		return rough
	}
	product := newFloat().Mul(bigLog(math.Abs(x)), newFloat().SetFloat64(y))
	out, _ := bigExp(product).Float64()
	return math.Copysign(out, rough)
}

func newFloat() *big.Float { return new(big.Float).SetPrec(powBits) }

// bigLog returns ln x for a finite x > 0.
func bigLog(x float64) *big.Float {
	frac, exp := math.Frexp(x)
	if frac < math.Sqrt2/2 {
		frac, exp = 2*frac, exp-1
	}
	out := newFloat().Mul(bigLn2(), newFloat().SetInt64(int64(exp)))
	return out.Add(out, twiceAtanh(newFloat().SetFloat64(frac)))
}

func bigLn2() *big.Float { return twiceAtanh(newFloat().SetInt64(2)) }

// twiceAtanh returns ln m = 2*atanh((m-1)/(m+1)) by its series, for m near 1.
func twiceAtanh(m *big.Float) *big.Float {
	one := newFloat().SetInt64(1)
	z := newFloat().Quo(newFloat().Sub(m, one), newFloat().Add(m, one))
	square := newFloat().Mul(z, z)
	term, sum := newFloat().Copy(z), newFloat()
	for k := int64(1); ; k += 2 {
		part := newFloat().Quo(term, newFloat().SetInt64(k))
		if part.Sign() == 0 || sum.Sign() != 0 && part.MantExp(nil) < sum.MantExp(nil)-powBits {
			return sum.Add(sum, sum)
		}
		sum.Add(sum, part)
		term.Mul(term, square)
	}
}

// bigExp returns e**v by the series of a small remainder: v = n*ln2 + r.
func bigExp(v *big.Float) *big.Float {
	ratio, _ := newFloat().Quo(v, bigLn2()).Float64()
	n := math.Round(ratio)
	r := newFloat().Sub(v, newFloat().Mul(bigLn2(), newFloat().SetFloat64(n)))
	sum, term := newFloat().SetInt64(1), newFloat().SetInt64(1)
	for k := int64(1); ; k++ {
		term.Mul(term, r)
		term.Quo(term, newFloat().SetInt64(k))
		if term.Sign() == 0 || term.MantExp(nil) < -powBits {
			return sum.SetMantExp(sum, int(n))
		}
		sum.Add(sum, term)
	}
}
