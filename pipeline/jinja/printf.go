package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// printf is Python's text % args.
func (r *run) printf(format, a value.Value) (value.Value, error) {
	text, _ := str(format)
	if g, ok := a.(*groupTuple); ok {
		a = g.pair
	}
	out, err := value.FormatWith(text, a, &formatArgs{r: r, safe: isMarkup(format)})
	if err != nil {
		return nil, err
	}
	return like(format, out), nil
}

// printfBytes is Python's bytes % args.
func (r *run) printfBytes(format value.Bytes, a value.Value) (value.Value, error) {
	if g, ok := a.(*groupTuple); ok {
		a = g.pair
	}
	out, err := value.FormatBytesWith(format, a, &formatArgs{r: r, bytes: true})
	return out, err
}

// formatArgs are the arguments of one format. A safe one is Markup, which wraps each argument in a helper that escapes it.
type formatArgs struct {
	r           *run
	safe, bytes bool
}

// Text prints an argument within the limits.
func (f *formatArgs) Text(verb byte, v value.Value) (string, error) {
	print := f.r.repr
	if verb == 's' {
		print = f.r.str
	}
	out, err := print(v)
	if err == nil && f.safe && !(verb == 's' && isMarkup(v)) {
		out, err = f.r.escapeText(out)
	}
	if verb == 'a' {
		out = asciiOnly(out)
	}
	return out, err
}

// Mapping holds for what has __getitem__ and is no text.
func (f *formatArgs) Mapping(v value.Value) bool {
	switch v := v.(type) {
	case value.Bytes:
		return !f.bytes
	case *goFunc: // a class has items, but none that it would be asked for
		return false
	case *value.Dict, *value.List, *rangeVal, *undefined, subscripted:
		return true
	case *value.Enum:
		return v.Mixin && f.Mapping(v.Value)
	}
	return false
}

// Item is mapping[key].
func (f *formatArgs) Item(mapping, key value.Value) (value.Value, error) {
	return f.r.item(mapping, key)
}

// Number is int(v), or float(v) for the verbs of floats. Python asks a str for neither; the helper of Markup does.
func (f *formatArgs) Number(v value.Value, verb byte) (value.Value, error) {
	whole := strings.IndexByte("oxX", verb) >= 0
	if whole && f.safe {
		return nil, nil
	}
	switch n := value.Plain(v).(type) {
	case value.Int, value.Bool, *value.BigInt:
		return n, nil
	case value.Float:
		if whole {
			return nil, nil
		}
		return n, nil
	case *undefined:
		if whole {
			return nil, nil
		}
		return nil, n.fail()
	}
	if !f.safe {
		return nil, nil
	}
	if strings.IndexByte("diu", verb) >= 0 {
		return f.helperInt(v)
	}
	x, err := f.r.floatOf(v)
	return value.Float(x), err
}

// helperInt is int() of Markup's helper, whose TypeError counts as no number.
func (f *formatArgs) helperInt(v value.Value) (value.Value, error) {
	var n value.Value
	var err error
	if s, ok := str(v); ok {
		n, err = f.r.intText(s, 10)
	} else {
		n, err = f.r.intOf(v)
	}
	if catchable(err, "TypeError") {
		return nil, nil
	}
	if _, isBytes := v.(value.Bytes); (isBytes || isMarkup(v)) && catchable(err, "ValueError") {
		err = valueErr("invalid literal for int() with base 10: %s", value.Repr(v))
	}
	return n, err
}

// Int is an int itself; a helper is none.
func (f *formatArgs) Int(v value.Value) (value.Value, bool) {
	return value.Plain(v), !f.safe && isInt(v)
}

// Char is the text for %c; a helper is no str.
func (f *formatArgs) Char(v value.Value) (string, bool) {
	if f.safe {
		return "", false
	}
	return str(v)
}

// Class names an argument's type.
func (f *formatArgs) Class(v value.Value) string {
	if f.safe {
		return "_MarkupEscapeHelper"
	}
	return typeName(v)
}

// Grow counts what the format makes against the render's memory.
func (f *formatArgs) Grow(n int) error { return f.r.alloc(n) }
