package jinja

import (
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

// parseSpec reads a specification for a value of a class, whose format code is dflt where none is given.
func (r *run) parseSpec(s, typ string, dflt rune) (formatSpec, error) {
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
	if sp.group != 0 && s != "" && s[0] != sp.group && (s[0] == ',' || s[0] == '_') {
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
	code, _ := utf8.DecodeRuneInString(s)
	if s == "" {
		code = dflt
	}
	if sp.group != 0 && !strings.ContainsRune("defgEG%F\x00", code) && (sp.group == ',' || !strings.ContainsRune("boxX", code)) {
		return sp, valueErr("Cannot specify '%c' with '%s'.", sp.group, codeText(code))
	}
	if code >= utf8.RuneSelf {
		return sp, unknownCode(code, typ)
	}
	if s != "" {
		sp.kind = s[0]
	}
	return sp, nil
}

func unknownCode(code rune, typ string) error {
	return valueErr("Unknown format code '%s' for object of type '%s'", codeText(code), typ)
}

func codeText(code rune) string {
	if code > ' ' && code < utf8.RuneSelf {
		return string(code)
	}
	return `\x` + strconv.FormatInt(int64(code), 16)
}

// specNumber reads a width or precision, within the memory limit.
func (r *run) specNumber(s string, dflt int) (int, string, error) {
	n := 0
	for size := digitSize(s, 10); size > 0; size = digitSize(s[n:], 10) {
		n += size
	}
	if n == 0 {
		return dflt, s, nil
	}
	v, err := strconv.Atoi(asciiDigits(s[:n]))
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
	sp, err := r.parseSpec(spec, typ, 's')
	if err != nil {
		return "", err
	}
	switch {
	case sp.kind != 0 && sp.kind != 's':
		return "", unknownCode(rune(sp.kind), typ)
	case sp.sign == ' ':
		return "", valueErr("Space not allowed in string format specifier")
	case sp.sign != 0:
		return "", valueErr("Sign not allowed in string format specifier")
	case sp.noNegZero:
		return "", valueErr("Negative zero coercion (z) not allowed in string format specifier")
	case sp.alt:
		return "", valueErr("Alternate form (#) not allowed in string format specifier")
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
