package value

import (
	"math"
	"strings"
	"unicode/utf8"
)

// FormatArgs is what [FormatWith] asks of the arguments of a format: how they are printed and turned into numbers.
type FormatArgs interface {
	// Text is str(v), repr(v) or ascii(v) for the verbs s, r and a.
	Text(verb byte, v Value) (string, error)
	// Mapping reports whether Python takes v, as the whole of the arguments, for a mapping: whether it has items.
	Mapping(v Value) bool
	// Item is mapping[key].
	Item(mapping, key Value) (Value, error)
	// Number turns v into an Int, BigInt or Float; nil means that it is no number. whole asks for one of %x's ints,
	// that int() alone does not make.
	Number(v Value, verb byte) (Value, error)
	// Int is v if it is an int already.
	Int(v Value) (Value, bool)
	// Char is the text of %c, if v is a str.
	Char(v Value) (string, bool)
	// Class is the name of v's type in messages.
	Class(v Value) string
	// Grow is told of n bytes before they are made.
	Grow(n int) error
}

// Format is Python's format % args for a str: a tuple gives several arguments, a dict named ones ("%(name)s"), anything
// else is the one argument.
func Format(format string, args Value) (string, error) { return FormatWith(format, args, plainArgs{}) }

// FormatWith is Format with arguments of which only their owner knows what they are.
func FormatWith(format string, args Value, of FormatArgs) (string, error) {
	return (&formatter{s: format, args: args, of: of}).all()
}

// FormatBytes is Python's format % args for bytes: %s and %b take bytes, and names are bytes.
func FormatBytes(format Bytes, args Value) (Bytes, error) {
	return FormatBytesWith(format, args, plainArgs{bytes: true})
}

// FormatBytesWith is FormatBytes with arguments of which only their owner knows what they are.
func FormatBytesWith(format Bytes, args Value, of FormatArgs) (Bytes, error) {
	out, err := (&formatter{s: latin(format), args: args, of: of, bytes: true}).all()
	return unlatin(out), err
}

// plainArgs are arguments that are values of this package.
type plainArgs struct{ bytes bool }

func (plainArgs) Text(verb byte, v Value) (string, error) {
	switch verb {
	case 's':
		return ToStr(v), nil
	case 'r':
		return Repr(v), nil
	}
	return ASCII(v), nil
}

// Mapping: it has items by key and is no str or tuple, nor bytes in bytes.
func (p plainArgs) Mapping(v Value) bool {
	switch v.(type) {
	case *Dict, *List:
		return true
	case Bytes:
		return !p.bytes
	}
	return false
}

func (plainArgs) Item(mapping, key Value) (Value, error) {
	d, ok := mapping.(*Dict)
	if !ok {
		kind := "list"
		if _, ok := mapping.(Bytes); ok {
			kind = "byte"
		}
		return nil, pyError("TypeError", "%s indices must be integers or slices, not %s", kind, tpName(key))
	}
	v, ok := d.GetKey(key)
	if !ok {
		return nil, pyError("KeyError", "%s", Repr(key))
	}
	return v, nil
}

func (plainArgs) Number(v Value, verb byte) (Value, error) {
	_, _, kind := number(v)
	if kind == notNumber || kind == isFloat && strings.IndexByte("oxX", verb) >= 0 {
		return nil, nil
	}
	return Plain(v), nil
}

func (plainArgs) Int(v Value) (Value, bool) {
	_, _, kind := number(v)
	return Plain(v), kind == isSmall || kind == isBig
}

func (plainArgs) Char(v Value) (string, bool) {
	s, ok := Plain(v).(Str)
	return string(s), ok
}

func (plainArgs) Class(v Value) string { return tpName(v) }

func (plainArgs) Grow(n int) error {
	if n > MaxRepeat {
		return tooLong()
	}
	return nil
}

// latin has a rune for each byte.
func latin(b Bytes) string {
	out := make([]rune, len(b))
	for i := range len(b) {
		out[i] = rune(b[i])
	}
	return string(out)
}

func unlatin(s string) Bytes {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		out = append(out, byte(r))
	}
	return Bytes(out)
}

type formatter struct {
	s     string
	i     int
	out   []byte
	args  Value
	of    FormatArgs
	list  []Value // what is left of the arguments
	named bool    // args are a mapping
	bytes bool    // s is bytes, a rune for each
}

func (f *formatter) all() (string, error) {
	if t, ok := f.args.(Tuple); ok {
		f.list = t
	} else {
		f.list, f.named = []Value{f.args}, f.of.Mapping(f.args)
	}
	counted := 0
	for f.i < len(f.s) {
		end := strings.IndexByte(f.s[f.i:], '%')
		if end < 0 {
			f.out = append(f.out, f.s[f.i:]...)
			break
		}
		f.out = append(f.out, f.s[f.i:f.i+end]...)
		f.i += end + 1
		if err := f.directive(); err != nil {
			return "", err
		}
		if len(f.out) > MaxRepeat {
			return "", tooLong()
		}
		if err := f.of.Grow(len(f.out) - counted); err != nil {
			return "", err
		}
		counted = len(f.out)
	}
	if len(f.list) > 0 && !f.named {
		kind := "string"
		if f.bytes {
			kind = "bytes"
		}
		return "", pyError("TypeError", "not all arguments converted during %s formatting", kind)
	}
	return string(f.out), nil
}

type spec struct {
	minus, plus, space, zero, alt bool
	width                         int
	precision                     int // -1 without one
}

func (f *formatter) peek() byte {
	if f.i < len(f.s) {
		return f.s[f.i]
	}
	return 0
}

func (f *formatter) take() (Value, error) {
	if len(f.list) == 0 {
		return nil, pyError("TypeError", "not enough arguments for format string")
	}
	v := f.list[0]
	f.list = f.list[1:]
	return v, nil
}

func (f *formatter) directive() error {
	if f.peek() == '%' {
		f.i++
		f.out = append(f.out, '%')
		return nil
	}
	if err := f.key(); err != nil {
		return err
	}
	sp, err := f.spec()
	if err != nil {
		return err
	}
	if c := f.peek(); c == 'h' || c == 'l' || c == 'L' {
		f.i++
	}
	if f.i >= len(f.s) {
		return pyError("ValueError", "incomplete format")
	}
	verb, size := utf8.DecodeRuneInString(f.s[f.i:])
	at := f.i
	f.i += size
	arg, err := f.take()
	if err != nil {
		return err
	}
	if f.bytes && verb > 127 {
		return pyError("OverflowError", "character argument not in range(0x110000)")
	}
	if !strings.ContainsRune("sraduioxXeEfFgGc", verb) && !(f.bytes && verb == 'b') {
		shown := verb
		if verb < 31 || verb > 126 { // CPython's own limits
			shown = '?'
		}
		return pyError("ValueError", "unsupported format character '%c' (0x%x) at index %d", shown, verb, StrLen(f.s[:at]))
	}
	return f.convert(byte(verb), sp, arg)
}

// key reads (name) and makes what it names the one argument.
func (f *formatter) key() error {
	if f.peek() != '(' {
		return nil
	}
	if !f.named {
		return pyError("TypeError", "format requires a mapping")
	}
	start, depth := f.i+1, 0
	for ; f.i < len(f.s); f.i++ {
		if f.s[f.i] == '(' {
			depth++
		} else if f.s[f.i] == ')' {
			if depth--; depth == 0 {
				break
			}
		}
	}
	if f.i >= len(f.s) {
		return pyError("ValueError", "incomplete format key")
	}
	var at Value = Str(f.s[start:f.i])
	if f.bytes {
		at = unlatin(f.s[start:f.i])
	}
	f.i++
	v, err := f.of.Item(f.args, at)
	f.list = []Value{v}
	return err
}

func (f *formatter) spec() (spec, error) {
	sp := spec{precision: -1}
	for ; ; f.i++ {
		switch f.peek() {
		case '-':
			sp.minus = true
			continue
		case '+':
			sp.plus = true
			continue
		case ' ':
			sp.space = true
			continue
		case '0':
			sp.zero = true
			continue
		case '#':
			sp.alt = true
			continue
		}
		break
	}
	var err error
	if sp.width, err = f.size("width"); err != nil {
		return sp, err
	}
	if sp.width < 0 {
		sp.minus, sp.width = true, -sp.width
	}
	if f.peek() == '.' {
		f.i++
		if sp.precision, err = f.size("precision"); err != nil {
			return sp, err
		}
		sp.precision = max(sp.precision, 0)
	}
	return sp, nil
}

// size reads a width or a precision: digits, or * for the next argument.
func (f *formatter) size(what string) (int, error) {
	n := 0
	if f.peek() == '*' {
		f.i++
		v, err := f.take()
		if err != nil {
			return 0, err
		}
		whole, ok := f.of.Int(v)
		if !ok {
			return 0, pyError("TypeError", "* wants int")
		}
		i, _, kind := number(whole)
		if kind == isBig || kind == isSmall && what == "precision" && int64(int32(i)) != i {
			return 0, pyError("OverflowError", "Python int too large to convert to C %s", map[string]string{"width": "ssize_t",
				"precision": "int"}[what])
		}
		n = int(i)
	} else {
		most := math.MaxInt
		if what == "precision" {
			most = math.MaxInt32
		}
		for ; isDigit(f.peek()); f.i++ {
			d := int(f.s[f.i] - '0')
			if n > (most-d)/10 {
				return 0, pyError("ValueError", "%s too big", what)
			}
			n = n*10 + d
		}
	}
	return n, f.of.Grow(max(n, -n, 0)) // the least int has no opposite
}

func (f *formatter) convert(verb byte, sp spec, v Value) error {
	if f.bytes {
		if done, err := f.convertBytes(verb, sp, v); done || err != nil {
			return err
		}
	}
	switch verb {
	case 's', 'r', 'a':
		text, err := f.of.Text(verb, v)
		if err != nil {
			return err
		}
		f.text(sp, text)
	case 'c':
		return f.character(sp, v)
	case 'd', 'i', 'u', 'o', 'x', 'X':
		return f.integer(verb, sp, v)
	default:
		return f.float(verb, sp, v)
	}
	return nil
}

// convertBytes does what is otherwise in bytes.
func (f *formatter) convertBytes(verb byte, sp spec, v Value) (done bool, err error) {
	switch verb {
	case 's', 'b':
		b, ok := Plain(v).(Bytes)
		if !ok {
			return false, pyError("TypeError", "%%b requires a bytes-like object, or an object that implements __bytes__, not '%s'",
				f.of.Class(v))
		}
		f.text(sp, latin(b))
	case 'r', 'a':
		text, err := f.of.Text('a', v)
		if err != nil {
			return false, err
		}
		f.text(sp, text)
	case 'c':
		return true, f.byteCharacter(sp, v)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		if n, err := f.of.Number(v, verb); n == nil || err != nil { // whatever went wrong
			return false, pyError("TypeError", "float argument required, not %s", f.of.Class(v))
		}
		return false, nil
	default:
		return false, nil
	}
	return true, nil
}

func (f *formatter) byteCharacter(sp spec, v Value) error {
	switch v := Plain(v).(type) {
	case Bytes:
		if len(v) == 1 {
			f.pad(sp, "", latin(v), ' ')
			return nil
		}
	case Int, Bool, *BigInt:
		n, _, kind := number(v)
		if kind == isBig || n < 0 || n > 255 {
			return pyError("OverflowError", "%%c arg not in range(256)")
		}
		f.pad(sp, "", string(rune(n)), ' ')
		return nil
	}
	return pyError("TypeError", "%%c requires an integer in range(256) or a single byte")
}

// ASCII is Python's ascii(v): repr with everything beyond ASCII escaped.
func ASCII(v Value) string {
	s := Repr(v)
	if isASCII(s) {
		return s
	}
	var out []byte
	for _, r := range s {
		if r < utf8.RuneSelf {
			out = append(out, byte(r))
		} else {
			out = appendRuneEscape(out, r)
		}
	}
	return string(out)
}

func (f *formatter) text(sp spec, s string) {
	if sp.precision >= 0 {
		s = PySlice(s, 0, sp.precision)
	}
	f.pad(sp, "", s, ' ')
}

// pad writes sign and body, filled to the width.
func (f *formatter) pad(sp spec, sign, body string, fill byte) {
	n := sp.width - StrLen(sign) - StrLen(body)
	blanks := strings.Repeat(string(fill), max(n, 0))
	switch {
	case sp.minus:
		f.out = append(append(append(f.out, sign...), body...), strings.Repeat(" ", max(n, 0))...)
	case fill == '0':
		f.out = append(append(append(f.out, sign...), blanks...), body...)
	default:
		f.out = append(append(append(f.out, blanks...), sign...), body...)
	}
}

func (sp spec) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case sp.plus:
		return "+"
	case sp.space:
		return " "
	}
	return ""
}

func (sp spec) fill() byte {
	if sp.zero && !sp.minus {
		return '0'
	}
	return ' '
}

func (f *formatter) character(sp spec, v Value) error {
	if text, ok := f.of.Char(v); ok {
		if StrLen(text) != 1 {
			return pyError("TypeError", "%%c requires int or char")
		}
		f.pad(sp, "", text, ' ')
		return nil
	}
	if whole, ok := f.of.Int(v); ok {
		n, _, kind := number(whole)
		if kind == isBig || n < 0 || n > utf8.MaxRune {
			return pyError("OverflowError", "%%c arg not in range(0x110000)")
		}
		f.pad(sp, "", string(rune(n)), ' ')
		return nil
	}
	return pyError("TypeError", "%%c requires int or char")
}
