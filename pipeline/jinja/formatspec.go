package jinja

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

// formatSpec is a parsed format specification of Python: [[fill]align][sign][z][#][0][width][grouping][.precision][type].
type formatSpec struct {
	fill      string
	align     byte
	sign      byte
	alt, zero bool
	noNegZero bool
	width     int
	group     byte
	precision int // -1 without one
	kind      byte
}

func (r *run) parseSpec(s, typ string) (formatSpec, error) {
	sp, whole := formatSpec{fill: " ", precision: -1}, s
	if _, n := utf8.DecodeRuneInString(s); n > 0 && len(s) > n && strings.IndexByte("<>=^", s[n]) >= 0 {
		sp.fill, sp.align, s = s[:n], s[n], s[n+1:]
	} else if s != "" && strings.IndexByte("<>=^", s[0]) >= 0 {
		sp.align, s = s[0], s[1:]
	}
	take := func(set string) byte {
		if s != "" && strings.IndexByte(set, s[0]) >= 0 {
			c := s[0]
			s = s[1:]
			return c
		}
		return 0
	}
	sp.sign = take("+- ")
	sp.noNegZero = take("z") != 0
	sp.alt = take("#") != 0
	if take("0") != 0 {
		sp.zero = true
		if sp.align == 0 {
			sp.fill, sp.align = "0", '='
		}
	}
	var err error
	if sp.width, s, err = r.specNumber(s, 0); err != nil {
		return sp, err
	}
	sp.group = take(",_")
	if sp.group != 0 && s != "" && (s[0] == ',' || s[0] == '_') {
		if s[0] == sp.group {
			return sp, valueErr("Cannot specify '%c' with '%c'.", sp.group, s[0])
		}
		return sp, valueErr("Cannot specify both ',' and '_'.")
	}
	if take(".") != 0 {
		before := s
		if sp.precision, s, err = r.specNumber(s, -1); err != nil {
			return sp, err
		}
		if s == before {
			return sp, valueErr("Format specifier missing precision")
		}
	}
	if utf8.RuneCountInString(s) > 1 {
		return sp, valueErr("Invalid format specifier '%s' for object of type '%s'", whole, typ)
	}
	if s != "" {
		sp.kind = s[0]
		if s[0] >= 0x80 {
			return sp, unknownCode(s, typ)
		}
	}
	return sp, nil
}

func unknownCode(code, typ string) error {
	return valueErr("Unknown format code '%s' for object of type '%s'", code, typ)
}

// specNumber reads a width or precision, within the memory limit.
func (r *run) specNumber(s string, dflt int) (int, string, error) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n == 0 {
		return dflt, s, nil
	}
	v, err := strconv.Atoi(s[:n])
	if err != nil {
		return 0, "", valueErr("Too many decimal digits in format string")
	}
	if v > r.mem {
		return 0, "", r.alloc(-1)
	}
	return v, s[n:], nil
}

// formatValue is Python's format(v, spec).
func (r *run) formatValue(v value.Value, spec string) (string, error) {
	if e, ok := v.(*value.Enum); ok && e.Mixin && spec != "" {
		v = e.Value
	}
	if spec == "" {
		return r.str(v)
	}
	switch x := v.(type) {
	case value.Str, markup:
		s, _ := str(v)
		return r.formatText(s, spec, typeName(v))
	case value.Bool, value.Int, *value.BigInt:
		return r.formatInt(x, spec)
	case value.Float:
		return r.formatFloat(float64(x), spec)
	case value.Date, value.DateTime:
		out := Strftime(goTime(v), spec, false)
		if d, ok := v.(value.DateTime); ok {
			out = Strftime(d.Time, spec, d.Aware)
		}
		return out, r.alloc(len(out))
	}
	return "", typeErr("unsupported format string passed to %s.__format__", typeName(v))
}

func (r *run) formatText(s, spec, typ string) (string, error) {
	sp, err := r.parseSpec(spec, typ)
	if err != nil {
		return "", err
	}
	switch {
	case sp.kind != 0 && sp.kind != 's':
		return "", unknownCode(string(sp.kind), typ)
	case sp.sign == ' ':
		return "", valueErr("Space not allowed in string format specifier")
	case sp.sign != 0:
		return "", valueErr("Sign not allowed in string format specifier")
	case sp.noNegZero:
		return "", valueErr("Negative zero coercion (z) not allowed in string format specifier")
	case sp.alt:
		return "", valueErr("Alternate form (#) not allowed in string format specifier")
	case sp.group != 0:
		return "", valueErr("Cannot specify '%c' with 's'.", sp.group)
	case sp.align == '=' && !sp.zero:
		return "", valueErr("'=' alignment not allowed in string format specifier")
	}
	if sp.align == '=' { // from a leading zero
		sp.align = '<'
	}
	if sp.precision >= 0 {
		if err := r.read(len(s)); err != nil {
			return "", err
		}
		s = value.PySlice(s, 0, sp.precision)
	}
	return r.align(sp, "", s, '<')
}

// align pads a text; sign stays in front of the padding for '='.
func (r *run) align(sp formatSpec, sign, body string, dflt byte) (string, error) {
	how := sp.align
	if how == 0 {
		how = dflt
	}
	n := sp.width - utf8.RuneCountInString(sign) - utf8.RuneCountInString(body)
	if n <= 0 {
		return sign + body, r.alloc(len(sign) + len(body))
	}
	if err := r.reserve(n, len(sp.fill)); err != nil {
		return "", err
	}
	if err := r.alloc(len(sign) + len(body)); err != nil {
		return "", err
	}
	pad := strings.Repeat(sp.fill, n)
	switch how {
	case '<':
		return sign + body + pad, nil
	case '=':
		return sign + pad + body, nil
	case '^':
		left := len(sp.fill) * (n / 2)
		return pad[:left] + sign + body + pad[left:], nil
	}
	return pad + sign + body, nil
}

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
	sp, err := r.parseSpec(spec, typeName(v))
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
	default:
		return "", unknownCode(string(sp.kind), typeName(v))
	}
	if sp.group == ',' && base != 10 || sp.kind == 'n' && sp.group != 0 {
		return "", valueErr("Cannot specify '%c' with '%c'.", sp.group, sp.kind)
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
	return r.alignNumber(sp, sign, digits, step)
}

// alignNumber groups and pads digits.
func (r *run) alignNumber(sp formatSpec, sign, digits string, step int) (string, error) {
	if sp.group != 0 {
		if err := r.reserve(sp.width+2*len(digits), 4); err != nil {
			return "", err
		}
	}
	return r.align(sp, sign, sp.grouped(digits, step, len(sign)), '>')
}

func (r *run) formatChar(v value.Value, sp formatSpec) (string, error) {
	n, ok := smallInt(v)
	switch {
	case sp.sign != 0:
		return "", valueErr("Sign not allowed with integer format specifier 'c'")
	case sp.alt:
		return "", valueErr("Alternate form (#) not allowed with integer format specifier 'c'")
	case sp.group != 0:
		return "", valueErr("Cannot specify '%c' with 'c'.", sp.group)
	case !ok:
		return "", raise("OverflowError", "Python int too large to convert to C long")
	case n < 0 || n > utf8.MaxRune:
		return "", raise("OverflowError", "%s", "%c arg not in range(0x110000)")
	}
	return r.align(sp, "", string(rune(n)), '<')
}

// grouped puts separators between digits; with zero padding the zeros are grouped too. used is the width of the sign.
func (sp formatSpec) grouped(digits string, step, used int) string {
	if sp.group == 0 {
		return digits
	}
	tail := ""
	if i := strings.IndexAny(digits, ".e%"); i >= 0 {
		digits, tail = digits[:i], digits[i:]
	}
	if sp.fill == "0" && sp.align == '=' {
		want := sp.width - used - len(tail)
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
	return b.String() + tail
}

func (r *run) formatFloat(f float64, spec string) (string, error) {
	sp, err := r.parseSpec(spec, "float")
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
		return "", unknownCode(string(kind), "float")
	}
	body := floatBody(x, kind, precision, sp.alt) + percentSign
	if negative && sp.noNegZero && strings.Trim(body, "0.%") == "" {
		negative = false
	}
	sign := sp.signOf(negative)
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return r.align(sp, sign, body, '>')
	}
	return r.alignNumber(sp, sign, body, 3)
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
		return value.FloatRepr(x)
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
