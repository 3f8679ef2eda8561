package value

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

func (f *formatter) integer(verb byte, sp spec, v Value) error {
	num, err := f.of.Number(v, verb)
	switch {
	case err != nil:
		return err
	case num == nil && strings.IndexByte("oxX", verb) >= 0:
		return pyError("TypeError", "%%%c format: an integer is required, not %s", verb, f.of.Class(v))
	case num == nil:
		return pyError("TypeError", "%%%c format: a real number is required, not %s", verb, f.of.Class(v))
	}
	_, x, kind := number(num)
	n := bigOf(num)
	if kind == isFloat {
		if n, err = truncated(x); err != nil {
			return err
		}
	}
	base, prefix := 10, ""
	switch verb {
	case 'o':
		base, prefix = 8, "0o"
	case 'x':
		base, prefix = 16, "0x"
	case 'X':
		base, prefix = 16, "0X"
	}
	body := new(big.Int).Abs(n).Text(base)
	if verb == 'X' {
		body = strings.ToUpper(body)
	}
	if sp.precision > len(body) {
		body = strings.Repeat("0", sp.precision-len(body)) + body
	}
	if !sp.alt {
		prefix = ""
	}
	f.pad(sp, sp.sign(n.Sign() < 0)+prefix, body, sp.fill())
	return nil
}

// truncated is Python's int() of a float.
func truncated(x float64) (*big.Int, error) {
	if math.IsNaN(x) {
		return nil, pyError("ValueError", "cannot convert float NaN to integer")
	}
	if math.IsInf(x, 0) {
		return nil, pyError("OverflowError", "cannot convert float infinity to integer")
	}
	n, _ := big.NewFloat(x).Int(nil)
	return n, nil
}

func (f *formatter) float(verb byte, sp spec, v Value) error {
	num, err := f.of.Number(v, verb)
	if err != nil {
		return err
	}
	if num == nil {
		return pyError("TypeError", "must be real number, not %s", f.of.Class(v))
	}
	x, err := toFloat(num)
	if err != nil {
		return err
	}
	if sp.precision < 0 {
		sp.precision = 6
	}
	body := FormatFloat(math.Abs(x), verb, sp.precision, sp.alt)
	f.pad(sp, sp.sign(math.Signbit(x) && !math.IsNaN(x)), body, sp.fill())
	return nil
}

// FormatFloat prints a float that is not negative as C's printf does: verb is one of e, E, f, F, g, G; alt keeps the
// point and the zeros of g.
func FormatFloat(x float64, verb byte, precision int, alt bool) string {
	upper := verb < 'a'
	var out string
	switch {
	case math.IsNaN(x):
		out = "nan"
	case math.IsInf(x, 0):
		out = "inf"
	default:
		out = finiteFloat(x, verb|32, precision, alt)
	}
	if upper {
		out = strings.ToUpper(out)
	}
	return out
}

func finiteFloat(x float64, verb byte, precision int, alt bool) string {
	if verb != 'g' {
		out := strconv.FormatFloat(x, verb, precision, 64)
		if alt && precision == 0 {
			out = withPoint(out)
		}
		return out
	}
	precision = max(precision, 1)
	digits := strconv.FormatFloat(x, 'e', precision-1, 64)
	exp, _ := strconv.Atoi(digits[strings.IndexByte(digits, 'e')+1:])
	out := digits
	if exp >= -4 && exp < precision {
		out = strconv.FormatFloat(x, 'f', precision-1-exp, 64)
	}
	if alt {
		return withPoint(out)
	}
	mantissa, tail := out, ""
	if i := strings.IndexByte(out, 'e'); i >= 0 {
		mantissa, tail = out[:i], out[i:]
	}
	if strings.IndexByte(mantissa, '.') >= 0 {
		mantissa = strings.TrimSuffix(strings.TrimRight(mantissa, "0"), ".")
	}
	return mantissa + tail
}

func withPoint(s string) string {
	if strings.IndexByte(s, '.') >= 0 {
		return s
	}
	if i := strings.IndexByte(s, 'e'); i >= 0 {
		return s[:i] + "." + s[i:]
	}
	return s + "."
}
