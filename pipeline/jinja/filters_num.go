package jinja

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

func filterAbs(r *run, a []value.Value) (value.Value, error) {
	v := a[0]
	if u := asUndefined(v); u != nil {
		return nil, typeErr("bad operand type for abs(): '%s'", typeName(v))
	}
	switch n := value.Plain(v).(type) {
	case value.Float:
		return value.Float(math.Abs(float64(n))), nil
	case value.Int, value.Bool, *value.BigInt:
		b, _ := bigInt(n)
		return intOf(new(big.Int).Abs(b)), nil
	}
	return nil, typeErr("bad operand type for abs(): '%s'", typeName(v))
}

// floatOf is Python's float(v).
func (r *run) floatOf(v value.Value) (float64, error) {
	if f, ok, err := toFloat(v); ok {
		return f, err
	}
	if u := asUndefined(v); u != nil {
		return 0, u.fail()
	}
	s, ok := str(v)
	if b, isBytes := v.(value.Bytes); isBytes {
		s, ok = string(b), isASCII(string(b))
		if !ok {
			return 0, valueErr("could not convert string to float: %s", value.Repr(v))
		}
	}
	if !ok {
		return 0, typeErr("float() argument must be a string or a real number, not '%s'", typeName(v))
	}
	if err := r.read(len(s)); err != nil {
		return 0, err
	}
	f, ok := parseFloat(s)
	if !ok {
		return 0, valueErr("could not convert string to float: %s", value.Repr(v))
	}
	return f, nil
}

// parseFloat reads what Python's float() reads from text.
func parseFloat(s string) (float64, bool) {
	s = value.PyStrip(s)
	if !isASCII(s) {
		s = asciiDigits(s)
	}
	body := strings.ToLower(strings.TrimLeft(s, "+-"))
	switch body {
	case "inf", "infinity", "nan":
		f, err := strconv.ParseFloat(s, 64)
		if body == "nan" {
			f, err = math.NaN(), nil
		}
		return f, err == nil && len(s)-len(body) <= 1
	}
	if strings.ContainsAny(body, "xpin") || strings.HasPrefix(body, "_") {
		return 0, false
	}
	clean := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] == '_' {
			if i == 0 || i+1 == len(s) || !isDigit(s[i-1]) || !isDigit(s[i+1]) {
				return 0, false
			}
			continue
		}
		clean = append(clean, s[i])
	}
	f, err := strconv.ParseFloat(string(clean), 64)
	return f, err == nil || isRange(err)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// asciiDigits turns digits of every script into ASCII.
func asciiDigits(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(func(c rune) rune {
		if d, ok := value.DigitValue(c); ok {
			return rune('0' + d)
		}
		return c
	}, s)
}

func filterFloat(r *run, a []value.Value) (value.Value, error) {
	f, err := r.floatOf(a[0])
	if catchable(err, "TypeError", "ValueError") {
		if a[1] == nil {
			return value.Float(0), nil
		}
		return a[1], nil
	}
	return value.Float(f), err
}

func filterInt(r *run, a []value.Value) (value.Value, error) {
	dflt, base := a[1], 10
	if dflt == nil {
		dflt = value.Int(0)
	}
	v, err := func() (value.Value, error) {
		s, ok := str(a[0])
		if !ok {
			return r.intOf(a[0])
		}
		if a[2] != nil {
			var err error
			if base, err = index(a[2]); catchable(err, "OverflowError") {
				err = valueErr("int() base must be >= 2 and <= 36, or 0")
			}
			if err != nil {
				return nil, err
			}
		}
		return r.intText(s, base)
	}()
	if err == nil || !catchable(err, "TypeError", "ValueError") {
		return v, err
	}
	f, err := r.floatOf(a[0])
	if err == nil {
		v, err = floatToInt(f)
	}
	if catchable(err, "TypeError", "ValueError", "OverflowError") {
		return dflt, nil
	}
	return v, err
}

// intOf is Python's int(v) for what is not text.
func (r *run) intOf(v value.Value) (value.Value, error) {
	if n, ok := bigInt(v); ok {
		return intOf(n), nil
	}
	if f, ok := v.(value.Float); ok {
		return floatToInt(float64(f))
	}
	if u := asUndefined(v); u != nil {
		return nil, u.fail()
	}
	if b, ok := v.(value.Bytes); ok {
		return r.intText(string(b), 10)
	}
	return nil, typeErr("int() argument must be a string, a bytes-like object or a real number, not '%s'", typeName(v))
}

// intText is Python's int(text, base).
func (r *run) intText(s string, base int) (value.Value, error) {
	if err := r.read(len(s)); err != nil {
		return nil, err
	}
	if base == 10 {
		return value.ParseInt(s)
	}
	if base != 0 && (base < 2 || base > 36) {
		return nil, valueErr("int() base must be >= 2 and <= 36, or 0")
	}
	bad := valueErr("invalid literal for int() with base %d: %s", base, quote(s))
	body := asciiDigits(value.PyStrip(s))
	sign := ""
	if body != "" && (body[0] == '+' || body[0] == '-') {
		sign, body = body[:1], body[1:]
	}
	if len(body) > 1 && body[0] == '0' {
		if p := map[byte]int{'b': 2, 'o': 8, 'x': 16}[body[1]|0x20]; p > 0 && (base == p || base == 0) {
			base, body = p, strings.TrimPrefix(body[2:], "_")
		}
	}
	if base == 0 {
		base = 10
		if len(body) > 1 && body[0] == '0' && strings.Trim(body, "0_") != "" {
			return nil, bad
		}
	}
	if len(body) > 4*maxIntDigits || runEnd(body, base) != len(body) || body == "" {
		return nil, bad
	}
	n, ok := new(big.Int).SetString(sign+strings.ReplaceAll(body, "_", ""), base)
	if !ok {
		return nil, bad
	}
	return intOf(n), nil
}
