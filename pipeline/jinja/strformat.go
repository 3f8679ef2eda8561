package jinja

import (
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// strFormatter is the sandbox's str.format: string.Formatter with attributes and items looked up as templates do.
type strFormatter struct {
	r    *run
	pos  []value.Value
	kw   func(name string) (value.Value, bool)
	auto int // next automatic field; -1 once fields are numbered by hand
	safe bool
}

func formatMethod(r *run, self value.Value, a *args) (value.Value, error) {
	return r.format(self, a.pos, func(name string) (value.Value, bool) {
		for _, k := range a.kw {
			if k.Name == name {
				return k.Value, true
			}
		}
		return nil, false
	})
}

func formatMapMethod(r *run, self value.Value, a *args) (value.Value, error) {
	if len(a.kw) > 0 {
		return nil, typeErr("format_map() takes no keyword arguments")
	}
	if len(a.pos) != 1 {
		return nil, typeErr("format_map() takes exactly one argument (%d given)", len(a.pos))
	}
	return r.format(self, nil, func(name string) (value.Value, bool) {
		v, err := r.item(a.pos[0], value.Str(name))
		return v, err == nil
	})
}

func (r *run) format(self value.Value, pos []value.Value, kw func(string) (value.Value, bool)) (value.Value, error) {
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
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			out = append(out, s...)
			break
		}
		out = append(out, s[:i]...)
		if i+1 < len(s) && s[i+1] == s[i] {
			out, s = append(out, s[i]), s[i+2:]
			continue
		}
		if s[i] == '}' {
			return "", valueErr("Single '}' encountered in format string")
		}
		field, rest, err := cutField(s[i+1:])
		if err != nil {
			return "", err
		}
		text, err := f.field(field, level)
		if err != nil {
			return "", err
		}
		out, s = append(out, text...), rest
		if err := f.r.alloc(len(text)); err != nil {
			return "", err
		}
	}
	return bytesString(out), f.r.alloc(len(out))
}

// cutField takes the text up to the brace that closes a field.
func cutField(s string) (field, rest string, err error) {
	depth, bracket, spec := 1, false, false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '[' && depth == 1 && !spec:
			bracket = true
		case c == ']':
			bracket = false
		case bracket:
		case c == ':':
			spec = true
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return s[:i], s[i+1:], nil
			}
		}
	}
	if s == "" {
		return "", "", valueErr("Single '{' encountered in format string")
	}
	if spec {
		return "", "", valueErr("unmatched '{' in format spec")
	}
	return "", "", valueErr("expected '}' before end of string")
}

// splitField cuts a field into name, conversion and format.
func splitField(s string) (name, conv, spec string, err error) {
	bracket := false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case bracket:
		case c == '{':
			return "", "", "", valueErr("unexpected '{' in field name")
		case c == ':':
			return s[:i], "", s[i+1:], nil
		case c == '!':
			return splitConversion(s[:i], s[i+1:])
		}
	}
	return s, "", "", nil
}

func splitConversion(name, s string) (string, string, string, error) {
	if s == "" {
		return "", "", "", valueErr("unmatched '{' in format spec")
	}
	conv, rest := s[:1], s[1:]
	if rest != "" && rest[0] != ':' {
		return "", "", "", valueErr("expected ':' after conversion specifier")
	}
	return name, conv, strings.TrimPrefix(rest, ":"), nil
}

func (f *strFormatter) field(s string, level int) (string, error) {
	name, conv, spec, err := splitField(s)
	if err != nil {
		return "", err
	}
	v, err := f.lookup(name)
	if err != nil {
		return "", err
	}
	if v, err = f.convert(v, conv); err != nil {
		return "", err
	}
	if spec, err = f.expand(spec, level-1); err != nil {
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
	end := strings.IndexAny(name, ".[")
	if end < 0 {
		end = len(name)
	}
	v, err := f.first(name[:end])
	if err != nil {
		return nil, err
	}
	for rest := name[end:]; rest != ""; {
		if v, rest, err = f.follow(v, rest); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (f *strFormatter) first(name string) (value.Value, error) {
	if name == "" {
		if f.auto < 0 {
			return nil, valueErr("cannot switch from manual field specification to automatic field numbering")
		}
		f.auto++
		return f.position(f.auto - 1)
	}
	n, err := strconv.Atoi(name)
	if err != nil || name[0] == '-' || name[0] == '+' {
		v, ok := f.kw(name)
		if !ok {
			return nil, raise("KeyError", "%s", quote(name))
		}
		return v, nil
	}
	if f.auto > 0 {
		return nil, valueErr("cannot switch from manual field specification to automatic field numbering")
	}
	f.auto = -1
	return f.position(n)
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
	if n, err := strconv.Atoi(key); err == nil && key[0] != '-' && key[0] != '+' {
		arg = value.Int(n)
	}
	got, err := f.r.getitem(v, arg)
	return got, rest[end+1:], err
}
