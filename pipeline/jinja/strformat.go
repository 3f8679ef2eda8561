package jinja

import (
	"math"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// strFormatter is the sandbox's str.format: string.Formatter with attributes and items looked up as templates do.
type strFormatter struct {
	r    *run
	pos  []value.Value
	kw   func(name string) (value.Value, error)
	auto int // next automatic field; -1 once fields are numbered by hand
	safe bool
}

func formatMethod(r *run, self value.Value, a *args) (value.Value, error) {
	return r.format(self, a.pos, func(name string) (value.Value, error) {
		for _, k := range a.kw {
			if k.Name == name {
				return k.Value, nil
			}
		}
		return nil, raise("KeyError", "%s", quote(name))
	})
}

func formatMapMethod(r *run, self value.Value, a *args) (value.Value, error) {
	if len(a.kw) > 0 {
		return nil, typeErr("format_map() takes no keyword arguments")
	}
	if len(a.pos) != 1 {
		return nil, typeErr("format_map() takes exactly one argument (%d given)", len(a.pos))
	}
	return r.format(self, nil, func(name string) (value.Value, error) { return r.item(a.pos[0], value.Str(name)) })
}

func (r *run) format(self value.Value, pos []value.Value, kw func(string) (value.Value, error)) (value.Value, error) {
	text, _ := str(self)
	f := &strFormatter{r: r, pos: pos, kw: kw, safe: isMarkup(self)}
	out, err := f.expand(text, 2)
	if err != nil {
		return nil, err
	}
	return like(self, out), nil
}

// expand formats a text; level is how deep replacement fields may still nest.
func (f *strFormatter) expand(s string, level int) (string, error) {
	if level < 0 {
		return "", valueErr("Max string recursion exceeded")
	}
	var out []byte
	for s != "" {
		literal, field, rest, err := nextField(s)
		if err != nil {
			return "", err
		}
		out, s = append(out, literal...), rest
		if field == nil {
			continue
		}
		text, err := f.field(field, level)
		if err != nil {
			return "", err
		}
		out = append(out, text...)
		if err := f.r.alloc(len(text)); err != nil {
			return "", err
		}
	}
	return bytesString(out), f.r.alloc(len(out))
}

func (f *strFormatter) field(p *replacement, level int) (string, error) {
	v, err := f.lookup(p.name)
	if err != nil {
		return "", err
	}
	if v, err = f.convert(v, p.conv); err != nil {
		return "", err
	}
	spec, err := f.expand(p.spec, level-1)
	if err != nil {
		return "", err
	}
	if f.safe && isMarkup(v) {
		if spec != "" {
			return "", valueErr("Unsupported format specification for Markup.")
		}
		text, _ := str(v)
		return text, nil
	}
	text, err := f.r.formatValue(v, spec)
	if err != nil || !f.safe {
		return text, err
	}
	return f.r.escapeText(text)
}

func (f *strFormatter) convert(v value.Value, conv string) (value.Value, error) {
	switch conv {
	case "":
		return v, nil
	case "s":
		s, err := f.r.str(v)
		return value.Str(s), err
	case "r":
		s, err := f.r.repr(v)
		return value.Str(s), err
	case "a":
		s, err := f.r.repr(v)
		return value.Str(asciiOnly(s)), err
	}
	return nil, valueErr("Unknown conversion specifier %s", conv)
}

func asciiOnly(s string) string {
	if isASCII(s) {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		if c < 0x80 {
			b.WriteRune(c)
		} else {
			b.WriteString(asciiEscape(c))
		}
	}
	return b.String()
}

// lookup finds the value that a field name means: "0.attr[key]", "name", or the next one.
func (f *strFormatter) lookup(name string) (value.Value, error) {
	v, err := f.first(name)
	if err != nil {
		return nil, err
	}
	for rest := name[firstEnd(name):]; rest != ""; {
		if v, rest, err = f.follow(v, rest); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// firstEnd is where the first part of a field name ends.
func firstEnd(name string) int {
	if end := strings.IndexAny(name, ".["); end >= 0 {
		return end
	}
	return len(name)
}

// first finds what the first part of a name means. Only a name that is nothing else counts for automatic numbering.
func (f *strFormatter) first(name string) (value.Value, error) {
	digits := isDigits(name)
	switch {
	case name == "" && f.auto < 0, digits && f.auto > 0:
		return nil, valueErr("cannot switch from manual field specification to automatic field numbering")
	case name == "":
		f.auto++
		return f.position(f.auto - 1)
	case digits:
		f.auto = -1
	}
	name = name[:firstEnd(name)]
	n, isNumber, err := fieldNumber(name)
	if err != nil {
		return nil, err
	}
	if isNumber {
		return f.position(n)
	}
	return f.kw(name)
}

// isDigits is str.isdigit.
func isDigits(s string) bool {
	for _, c := range s {
		if _, ok := value.DigitValue(c); !ok && !superscript(c) {
			return false
		}
	}
	return s != ""
}

// fieldNumber reads a part that is all decimal digits.
func fieldNumber(s string) (n int, ok bool, err error) {
	for _, c := range s {
		d, ok := value.DigitValue(c)
		if !ok {
			return 0, false, nil
		}
		if n > (math.MaxInt-int(d))/10 {
			return 0, false, valueErr("Too many decimal digits in format string")
		}
		n = n*10 + int(d)
	}
	return n, s != "", nil
}

func (f *strFormatter) position(i int) (value.Value, error) {
	if i >= len(f.pos) {
		return nil, raise("IndexError", "tuple index out of range")
	}
	return f.pos[i], nil
}

// follow goes one attribute or item further.
func (f *strFormatter) follow(v value.Value, rest string) (value.Value, string, error) {
	if rest[0] == '.' {
		end := strings.IndexAny(rest[1:], ".[")
		if end < 0 {
			end = len(rest) - 1
		}
		name := rest[1 : 1+end]
		if name == "" {
			return nil, "", valueErr("Empty attribute in format string")
		}
		got, err := f.r.getattr(v, name)
		return got, rest[1+end:], err
	}
	if rest[0] != '[' {
		return nil, "", valueErr("Only '.' or '[' may follow ']' in format field specifier")
	}
	end := strings.IndexByte(rest, ']')
	if end < 0 {
		return nil, "", valueErr("Missing ']' in format string")
	}
	key := rest[1:end]
	if key == "" {
		return nil, "", valueErr("Empty attribute in format string")
	}
	var arg value.Value = value.Str(key)
	n, isNumber, err := fieldNumber(key)
	if err != nil {
		return nil, "", err
	}
	if isNumber {
		arg = value.Int(n)
	}
	got, err := f.r.getitem(v, arg)
	return got, rest[end+1:], err
}
