package memory

import "math"

// log is the natural logarithm, correctly rounded but for the rarest cases: Go's own may be off in the last digit,
// which Python's is not, and scores are compared to the last digit.
func log(x float64) float64 {
	y := math.Log(x)
	if math.IsInf(y, 0) || math.IsNaN(y) || y == 0 {
		return y
	}
	// One Newton step in twice the precision: log(x) = y + log(x*exp(-y)), and x*exp(-y) is close to 1.
	hi, lo := expm(-y)
	p := x * hi
	e := math.FMA(x, hi, -p) + x*lo // x*exp(-y) = p + e
	d := (p - 1) + e
	return y + (d - d*d/2)
}

// expm returns exp(y) as a sum of two floats, good to about 100 bits for |y| below 700.
func expm(y float64) (hi, lo float64) {
	const ln2Hi, ln2Lo, ln2Lo2 = 0x1.62e42fefa38p-1, 0x1.ef35793c7673p-45, 0x1.f97b57a079a19p-103
	k := math.Round(y / math.Ln2)
	// r = y - k ln 2, reduced once more by 2^8 so that the series below is short
	a := dd{y, 0}.sub(dd{k * ln2Hi, 0}).sub(twoProd(k, ln2Lo)).sub(dd{k * ln2Lo2, 0})
	const halvings = 8
	a = dd{math.Ldexp(a.hi, -halvings), math.Ldexp(a.lo, -halvings)}
	sum, term := dd{1, 0}, dd{1, 0}
	for i := 1; i <= 12; i++ {
		term = term.mul(a).div(float64(i))
		sum = sum.add(term)
	}
	for range halvings {
		sum = sum.mul(sum)
	}
	return math.Ldexp(sum.hi, int(k)), math.Ldexp(sum.lo, int(k))
}

// dd is a number as the sum of two floats that do not overlap.
type dd struct{ hi, lo float64 }

func twoSum(a, b float64) dd {
	s := a + b
	t := s - a
	return dd{s, (a - (s - t)) + (b - t)}
}

func twoProd(a, b float64) dd {
	p := a * b
	return dd{p, math.FMA(a, b, -p)}
}

func (a dd) add(b dd) dd {
	s := twoSum(a.hi, b.hi)
	return twoSum(s.hi, s.lo+(a.lo+b.lo))
}

func (a dd) sub(b dd) dd { return a.add(dd{-b.hi, -b.lo}) }

func (a dd) mul(b dd) dd {
	p := twoProd(a.hi, b.hi)
	return twoSum(p.hi, p.lo+(a.hi*b.lo+a.lo*b.hi))
}

func (a dd) div(n float64) dd {
	q := a.hi / n
	r := a.sub(twoProd(q, n))
	return twoSum(q, (r.hi+r.lo)/n)
}
