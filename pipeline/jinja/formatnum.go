package jinja

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

func (sp formatSpec) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case sp.sign == '+':
		return "+"
	case sp.sign == ' ':
		return " "
	}
	return ""
}

func (r *run) formatInt(v value.Value, spec string) (string, error) {
	sp, err := r.parseSpec(spec, typeName(v), 'd')
	if err != nil {
		return "", err
	}
	if strings.IndexByte("eEfFgG%", sp.kind) >= 0 && sp.kind != 0 {
		f, _, err := toFloat(v)
		if err != nil {
			return "", err
		}
		return r.floatSpec(f, sp)
	}
	n, _ := bigInt(v)
	switch {
	case sp.kind != 0 && strings.IndexByte("bcdnoxX", sp.kind) < 0:
		return "", unknownCode(rune(sp.kind), typeName(v))
	case sp.precision >= 0:
		return "", valueErr("Precision not allowed in integer format specifier")
	case sp.noNegZero:
		return "", valueErr("Negative zero coercion (z) not allowed in integer format specifier")
	}
	base, prefix, step := 10, "", 3
	switch sp.kind {
	case 0, 'd', 'n':
	case 'b':
		base, prefix, step = 2, "0b", 4
	case 'o':
		base, prefix, step = 8, "0o", 4
	case 'x':
		base, prefix, step = 16, "0x", 4
	case 'X':
		base, prefix, step = 16, "0X", 4
	case 'c':
		return r.formatChar(v, sp)
	}
	if base == 10 {
		if err := r.digits(v); err != nil {
			return "", err
		}
	}
	digits := n.Text(base)
	digits = strings.TrimPrefix(digits, "-")
	if sp.kind == 'X' {
		digits = strings.ToUpper(digits)
	}
	sign := sp.signOf(n.Sign() < 0)
	if sp.alt {
		sign += prefix
	}
	return r.alignNumber(sp, sign, digits, "", step)
}

// alignNumber groups and pads digits; tail is what follows them and is not grouped.
func (r *run) alignNumber(sp formatSpec, sign, digits, tail string, step int) (string, error) {
	if sp.group != 0 {
		if err := r.reserve(sp.width+2*len(digits), 4); err != nil {
			return "", err
		}
	}
	return r.align(sp, sign, sp.grouped(digits, step, len(sign)+len(tail))+tail, '>')
}

func (r *run) formatChar(v value.Value, sp formatSpec) (string, error) {
	n, ok := smallInt(v)
	switch {
	case sp.sign != 0:
		return "", valueErr("Sign not allowed with integer format specifier 'c'")
	case sp.alt:
		return "", valueErr("Alternate form (#) not allowed with integer format specifier 'c'")
	case !ok:
		return "", raise("OverflowError", "Python int too large to convert to C long")
	case n < 0 || n > utf8.MaxRune:
		return "", raise("OverflowError", "%s", "%c arg not in range(0x110000)")
	}
	return r.align(sp, "", string(rune(n)), '>')
}

// grouped puts separators between digits; with zero padding the zeros are grouped too. used is the width of what is beside them.
func (sp formatSpec) grouped(digits string, step, used int) string {
	if sp.group == 0 {
		return digits
	}
	if sp.fill == "0" && sp.align == '=' {
		want := sp.width - used
		if need := want * step / (step + 1); need > len(digits) {
			digits = strings.Repeat("0", need-len(digits)) + digits
		}
		for len(digits)+(len(digits)-1)/step < want {
			digits = "0" + digits
		}
	}
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%step == 0 {
			b.WriteByte(sp.group)
		}
		b.WriteRune(c)
	}
	return b.String()
}

func (r *run) formatFloat(f float64, spec string) (string, error) {
	sp, err := r.parseSpec(spec, "float", 0)
	if err != nil {
		return "", err
	}
	return r.floatSpec(f, sp)
}

func (r *run) floatSpec(f float64, sp formatSpec) (string, error) {
	kind, precision, percentSign := sp.kind, sp.precision, ""
	if precision > 1<<16 {
		if err := r.reserve(precision, 2); err != nil {
			return "", err
		}
	}
	negative := math.Signbit(f) && !math.IsNaN(f)
	x := math.Abs(f)
	switch kind {
	case 0, 'e', 'E', 'f', 'F', 'g', 'G':
	case 'n':
		kind = 'g'
	case '%':
		kind, percentSign, x = 'f', "%", x*100
	default:
		return "", unknownCode(rune(kind), "float")
	}
	body := floatBody(x, kind, precision, sp.alt) + percentSign
	if negative && sp.noNegZero && strings.Trim(body, "0.%") == "" {
		negative = false
	}
	sign := sp.signOf(negative)
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return r.align(sp, sign, body, '>')
	}
	whole := len(body)
	if i := strings.IndexAny(body, ".eE%"); i >= 0 {
		whole = i
	}
	return r.alignNumber(sp, sign, body[:whole], body[whole:], 3)
}

// floatBody prints a float that is not negative. Without a type it is repr, or with a precision like g but with at least
// one digit behind the point.
func floatBody(x float64, kind byte, precision int, alt bool) string {
	if kind != 0 {
		if precision < 0 {
			precision = 6
		}
		return value.FormatFloat(x, kind, precision, alt)
	}
	if precision < 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		out := value.FloatRepr(x)
		if i := strings.IndexByte(out, 'e'); alt && i > 0 && !strings.Contains(out, ".") {
			out = out[:i] + "." + out[i:]
		}
		return out
	}
	precision = max(precision, 1)
	exp := 0
	if x != 0 {
		e := strconv.FormatFloat(x, 'e', precision-1, 64)
		exp, _ = strconv.Atoi(e[strings.IndexByte(e, 'e')+1:])
	}
	if exp >= -4 && exp < precision-1 || x == 0 && precision > 1 {
		out := value.FormatFloat(x, 'g', precision, alt)
		if !strings.ContainsAny(out, ".e") {
			out += ".0"
		}
		return out
	}
	if exp >= -4 && exp < precision { // no room for a digit behind the point
		mantissa := strconv.FormatFloat(x, 'e', precision-1, 64)
		i := strings.IndexByte(mantissa, 'e')
		head := strings.TrimSuffix(strings.TrimRight(mantissa[:i], "0"), ".")
		if !strings.Contains(mantissa[:i], ".") {
			head = mantissa[:i]
		}
		return head + mantissa[i:]
	}
	return value.FormatFloat(x, 'g', precision, alt)
}
