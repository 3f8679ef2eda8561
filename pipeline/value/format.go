package value

import (
	"strings"
	"unicode/utf8"
)

// maxFormatWidth bounds width and precision.
const maxFormatWidth = 1 << 20

// Format is Python's format % args for a str: a tuple gives several arguments, a dict named ones ("%(name)s"), anything
// else is the one argument.
func Format(format string, args Value) (string, error) {
	return (&formatter{s: format, args: args}).all()
}

// FormatBytes is Python's format % args for bytes: %s and %b take bytes, and names are bytes.
func FormatBytes(format Bytes, args Value) (Bytes, error) {
	out, err := (&formatter{s: latin(format), args: args, bytes: true}).all()
	return unlatin(out), err
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

func (f *formatter) all() (string, error) {
	args := f.args
	if t, ok := args.(Tuple); ok {
		f.list, f.isTuple = t, true
	} else {
		f.list = []Value{args}
	}
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
	}
	if f.next < len(f.list) && !f.named && (f.isTuple || !f.isMapping(args)) {
		kind := "string"
		if f.bytes {
			kind = "bytes"
		}
		return "", pyError("TypeError", "not all arguments converted during %s formatting", kind)
	}
	return string(f.out), nil
}

// isMapping reports whether Python takes v for a mapping here: it has items by key and is no str or tuple, nor bytes in bytes.
func (f *formatter) isMapping(v Value) bool {
	switch v.(type) {
	case *Dict, *List:
		return true
	case Bytes:
		return !f.bytes
	}
	return false
}

type formatter struct {
	s       string
	i       int
	out     []byte
	args    Value
	list    []Value
	next    int
	isTuple bool
	named   bool
	bytes   bool // s is bytes, a rune for each
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
	if f.next >= len(f.list) {
		return nil, pyError("TypeError", "not enough arguments for format string")
	}
	f.next++
	return f.list[f.next-1], nil
}

func (f *formatter) directive() error {
	if f.peek() == '%' {
		f.i++
		f.out = append(f.out, '%')
		return nil
	}
	arg, err := f.key()
	if err != nil {
		return err
	}
	sp, err := f.spec()
	if err != nil {
		return err
	}
	for c := f.peek(); c == 'h' || c == 'l' || c == 'L'; c = f.peek() {
		f.i++
	}
	if f.i >= len(f.s) {
		return pyError("ValueError", "incomplete format")
	}
	verb, size := utf8.DecodeRuneInString(f.s[f.i:])
	at := StrLen(f.s[:f.i])
	f.i += size
	if arg == nil {
		if arg, err = f.take(); err != nil {
			return err
		}
	}
	if f.bytes && verb > 127 {
		return pyError("OverflowError", "character argument not in range(0x110000)")
	}
	if !strings.ContainsRune("sraduioxXeEfFgGc", verb) && !(f.bytes && verb == 'b') {
		shown := verb
		if verb < 31 || verb > 126 { // CPython's own limits
			shown = '?'
		}
		return pyError("ValueError", "unsupported format character '%c' (0x%x) at index %d", shown, verb, at)
	}
	return f.convert(byte(verb), sp, arg)
}

// key reads (name) and looks it up.
func (f *formatter) key() (Value, error) {
	if f.peek() != '(' {
		return nil, nil
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
		return nil, pyError("ValueError", "incomplete format key")
	}
	name := f.s[start:f.i]
	f.i++
	f.named, f.next = true, len(f.list) // the mapping itself is no argument any more
	d, ok := f.args.(*Dict)
	if !ok {
		return nil, pyError("TypeError", "format requires a mapping")
	}
	var at Value = Str(name)
	if f.bytes {
		at = unlatin(name)
	}
	v, ok := d.GetKey(at)
	if !ok {
		return nil, pyError("KeyError", "%s", Repr(at))
	}
	return v, nil
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
	if f.peek() == '.' && f.i < len(f.s) {
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
		i, _, kind := number(v)
		if kind != isSmall {
			return 0, pyError("TypeError", "* wants int")
		}
		n = int(i)
	} else {
		for isDigit(f.peek()) && n <= maxFormatWidth {
			n = n*10 + int(f.s[f.i]-'0')
			f.i++
		}
	}
	if n > maxFormatWidth || n < -maxFormatWidth {
		return 0, pyError("ValueError", "%s too big", what)
	}
	return n, nil
}

func (f *formatter) convert(verb byte, sp spec, v Value) error {
	if f.bytes {
		if done, err := f.convertBytes(verb, sp, v); done || err != nil {
			return err
		}
	}
	switch verb {
	case 's':
		f.text(sp, ToStr(v))
	case 'r':
		f.text(sp, Repr(v))
	case 'a':
		f.text(sp, ASCII(v))
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
			return false, pyError("TypeError", "%%b requires a bytes-like object, or an object that implements __bytes__, not '%s'", tpName(v))
		}
		f.text(sp, latin(b))
	case 'r':
		f.text(sp, ASCII(v))
	case 'c':
		return true, f.byteCharacter(sp, v)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		if _, _, kind := number(v); kind == notNumber {
			return false, pyError("TypeError", "float argument required, not %s", tpName(v))
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

// Texter is a value of another package that stands for a str, as a subclass of it would, where one character is asked for.
type Texter interface {
	StrText() (text string, ok bool)
}

func (f *formatter) character(sp spec, v Value) error {
	if t, ok := v.(Texter); ok {
		if text, ok := t.StrText(); ok {
			v = Str(text)
		}
	}
	switch v := Plain(v).(type) {
	case Str:
		if StrLen(string(v)) != 1 {
			return pyError("TypeError", "%%c requires int or char")
		}
		f.pad(sp, "", string(v), ' ')
		return nil
	case Int, Bool, *BigInt:
		n, _, kind := number(v)
		if kind == isBig || n < 0 || n > utf8.MaxRune {
			return pyError("OverflowError", "%%c arg not in range(0x110000)")
		}
		f.pad(sp, "", string(rune(n)), ' ')
		return nil
	}
	return pyError("TypeError", "%%c requires int or char")
}
