package jinja

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

// textMethod wraps a method without arguments that turns text into text of the same kind.
func textMethod(name string, fn func(string) string) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 0, 0); err != nil {
			return nil, err
		}
		s, _ := str(self)
		if err := r.alloc(2 * len(s)); err != nil {
			return nil, err
		}
		return like(self, fn(s)), nil
	}
}

var strCase = map[string]method{
	"upper":      textMethod("upper", value.PyUpper),
	"lower":      textMethod("lower", value.PyLower),
	"title":      textMethod("title", value.PyTitle),
	"capitalize": textMethod("capitalize", value.PyCapitalize),
	"swapcase":   textMethod("swapcase", swapCase),
	"casefold":   textMethod("casefold", caseFold),
}

func swapCase(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsUpper(r):
			b.WriteString(value.PyLower(string(r)))
		case unicode.IsLower(r):
			b.WriteString(value.PyUpper(string(r)))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// caseFold is lower case with the one fold that matters in practice, of the sharp s.
func caseFold(s string) string {
	return strings.NewReplacer("ß", "ss", "ẞ", "ss", "ς", "σ").Replace(value.PyLower(s))
}

// textArg returns an argument that must be text; n is its position, 0 if it is the only one.
func textArg(v value.Value, fn string, n int) (string, error) {
	if n > 0 {
		return strArg(v, fn, "argument "+strconv.Itoa(n))
	}
	return strArg(v, fn, "argument")
}

func stripMethod(name string, left, right bool) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 0, 1); err != nil {
			return nil, err
		}
		s, _ := str(self)
		out, err := stripText(s, a.arg(0), name, left, right)
		if err != nil {
			return nil, err
		}
		return like(self, out), r.read(len(s))
	}
}

func stripText(s string, chars value.Value, name string, left, right bool) (string, error) {
	in := value.IsSpace
	if !value.IsNone(chars) {
		set, ok := str(chars)
		if !ok {
			return "", typeErr("%s arg must be None or str", name)
		}
		if len(set) > 256 {
			set = set[:256]
		}
		in = func(r rune) bool { return strings.ContainsRune(set, r) }
	}
	if left {
		s = strings.TrimLeftFunc(s, in)
	}
	if right {
		s = strings.TrimRightFunc(s, in)
	}
	return s, nil
}

var strStrip = map[string]method{
	"strip":        stripMethod("strip", true, true),
	"lstrip":       stripMethod("lstrip", true, false),
	"rstrip":       stripMethod("rstrip", false, true),
	"removeprefix": affix("removeprefix", strings.TrimPrefix),
	"removesuffix": affix("removesuffix", strings.TrimSuffix),
}

func affix(name string, fn func(s, part string) string) method {
	return func(_ *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 1, 1); err != nil {
			return nil, err
		}
		part, err := textArg(a.pos[0], name, 0)
		if err != nil {
			return nil, err
		}
		s, _ := str(self)
		return like(self, fn(s, part)), nil
	}
}

var strPad = map[string]method{
	"center":     padMethod("center", 0.5),
	"ljust":      padMethod("ljust", 0),
	"rjust":      padMethod("rjust", 1),
	"zfill":      zfill,
	"expandtabs": expandTabs,
}

// padMethod fills text up to a width; left is the share of the filling that goes before it.
func padMethod(name string, left float64) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 1, 2); err != nil {
			return nil, err
		}
		width, err := index(a.pos[0])
		if err != nil {
			return nil, err
		}
		fill := " "
		if f := a.arg(1); f != nil {
			text, ok := str(f)
			if !ok {
				return nil, typeErr("The fill character must be a unicode character, not %s", typeName(f))
			}
			if utf8.RuneCountInString(text) != 1 {
				return nil, typeErr("The fill character must be exactly one character long")
			}
			fill = text
		}
		s, _ := str(self)
		out, err := r.pad(s, width, fill, left)
		return like(self, out), err
	}
}

func (r *run) pad(s string, width int, fill string, left float64) (string, error) {
	if err := r.read(len(s)); err != nil {
		return "", err
	}
	have := utf8.RuneCountInString(s)
	if width <= have {
		return s, nil
	}
	n := width - have
	if err := r.reserve(n, len(fill)); err != nil {
		return "", err
	}
	if err := r.alloc(len(s)); err != nil {
		return "", err
	}
	before, after := padding(have, width, left)
	return strings.Repeat(fill, before) + s + strings.Repeat(fill, after), nil
}

// padding is how much goes before and after what has a width already.
func padding(have, width int, left float64) (before, after int) {
	n := max(width-have, 0)
	switch left {
	case 1:
		before = n
	case 0.5: // as Python rounds: the odd one goes left if the width is odd
		before = n/2 + n&width&1
	}
	return before, n - before
}

// reserve counts n times size bytes.
func (r *run) reserve(n, size int) error {
	if size > 0 && n > r.mem/size {
		return r.alloc(-1)
	}
	return r.alloc(n * size)
}

func zfill(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "zfill", 1, 1); err != nil {
		return nil, err
	}
	width, err := index(a.pos[0])
	if err != nil {
		return nil, err
	}
	s, _ := str(self)
	sign := ""
	if s != "" && (s[0] == '+' || s[0] == '-') {
		sign, s = s[:1], s[1:]
	}
	out, err := r.pad(s, width-len(sign), "0", 1)
	return like(self, sign+out), err
}

func expandTabs(r *run, self value.Value, a *args) (value.Value, error) {
	size, err := tabSize(a)
	if err != nil {
		return nil, err
	}
	s, _ := str(self)
	out, err := r.expand(s, size)
	return like(self, out), err
}

func tabSize(a *args) (int, error) {
	got, err := a.keywords("expandtabs", "tabsize")
	if err != nil || got[0] == nil {
		return 8, err
	}
	return intC(got[0])
}

// intC is a parameter that is an int in C.
func intC(v value.Value) (int, error) {
	n, err := index(v)
	switch {
	case catchable(err, "OverflowError"):
		return 0, raise("OverflowError", "Python int too large to convert to C int")
	case n > math.MaxInt32:
		return 0, raise("OverflowError", "signed integer is greater than maximum")
	case n < math.MinInt32:
		return 0, raise("OverflowError", "signed integer is less than minimum")
	}
	return n, err
}

func (r *run) expand(s string, size int) (string, error) {
	if err := r.reserve(strings.Count(s, "\t"), max(size, 0)); err != nil {
		return "", err
	}
	if err := r.alloc(len(s)); err != nil {
		return "", err
	}
	var b strings.Builder
	col := 0
	for _, c := range s {
		switch c {
		case '\t':
			if size > 0 {
				n := size - col%size
				b.WriteString(strings.Repeat(" ", n))
				col += n
			}
		case '\n', '\r':
			b.WriteRune(c)
			col = 0
		default:
			b.WriteRune(c)
			col++
		}
	}
	return b.String(), nil
}
