package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

// every holds if text is not empty and all of its characters are in a class.
func every(name string, in func(rune) bool) method {
	return textTest(name, func(s string) bool {
		for _, r := range s {
			if !in(r) {
				return false
			}
		}
		return s != ""
	})
}

func textTest(name string, test func(string) bool) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 0, 0); err != nil {
			return nil, err
		}
		s, _ := str(self)
		return value.Bool(test(s)), r.read(len(s))
	}
}

var strClass = map[string]method{
	"isalpha":      every("isalpha", unicode.IsLetter),
	"isdigit":      every("isdigit", func(r rune) bool { return unicode.Is(unicode.Nd, r) || superscript(r) }),
	"isdecimal":    every("isdecimal", func(r rune) bool { return unicode.Is(unicode.Nd, r) }),
	"isnumeric":    every("isnumeric", unicode.IsNumber),
	"isalnum":      every("isalnum", value.IsAlnum),
	"isspace":      every("isspace", value.IsSpace),
	"isascii":      textTest("isascii", isASCII),
	"isprintable":  textTest("isprintable", func(s string) bool { return strings.IndexFunc(s, notPrintable) < 0 }),
	"isidentifier": textTest("isidentifier", isIdentifier),
	"isupper":      textTest("isupper", isUpper),
	"islower":      textTest("islower", isLower),
	"istitle":      textTest("istitle", isTitle),
}

func notPrintable(r rune) bool { return !value.Printable(r) }

// superscript is a digit that is no decimal (Numeric_Type=Digit).
func superscript(r rune) bool {
	return r == 0xb2 || r == 0xb3 || r == 0xb9 || r == 0x2070 || r >= 0x2074 && r <= 0x2079 || r >= 0x2080 && r <= 0x2089 ||
		r >= 0x2460 && r <= 0x2468
}

// cased is Python's notion for isupper and islower: at least one cased letter and none of the other case.
func cased(s string, want, other func(rune) bool) bool {
	found := false
	for _, r := range s {
		if other(r) || unicode.IsTitle(r) {
			return false
		}
		found = found || want(r)
	}
	return found
}

func isUpper(s string) bool { return cased(s, unicode.IsUpper, unicode.IsLower) }
func isLower(s string) bool { return cased(s, unicode.IsLower, unicode.IsUpper) }

func isTitle(s string) bool {
	found, inWord := false, false
	for _, r := range s {
		switch {
		case unicode.IsUpper(r) || unicode.IsTitle(r):
			if inWord {
				return false
			}
			inWord, found = true, true
		case unicode.IsLower(r):
			if !inWord {
				return false
			}
			found = true
		default:
			inWord = false
		}
	}
	return found
}

var strOther = map[string]method{
	"format":     formatMethod,
	"format_map": formatMapMethod,
	"encode":     encode,
	"translate":  translate,
	"maketrans":  makeTrans,
}

func encode(r *run, self value.Value, a *args) (value.Value, error) {
	encoding, mode, err := codecArgs(a, "encode")
	if err != nil {
		return nil, err
	}
	s, _ := str(self)
	out, err := r.encodeText(s, encoding, mode)
	return value.Bytes(out), err
}

// codecArgs are the arguments of encode and decode.
func codecArgs(a *args, fn string) (encoding, mode string, err error) {
	got, err := a.keywords(fn, "encoding", "errors")
	if err != nil {
		return "", "", err
	}
	encoding, mode = "utf-8", "strict"
	if got[0] != nil {
		if encoding, err = strArg(got[0], fn, "argument 'encoding'"); err != nil {
			return "", "", err
		}
	}
	if got[1] != nil {
		mode, err = strArg(got[1], fn, "argument 'errors'")
	}
	return encoding, mode, err
}

func translate(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "translate", 1, 1); err != nil {
		return nil, err
	}
	s, _ := str(self)
	var out []byte
	for _, c := range s {
		v, err := r.item(a.pos[0], value.Int(c))
		switch {
		case err == nil:
		case catchable(err, "KeyError", "IndexError", "LookupError"):
			v = value.Int(c)
		default:
			return nil, err
		}
		text, isText := str(v)
		n, isNum := smallInt(v)
		switch {
		case isText:
		case isNum:
			text = string(rune(n))
		case v == value.None:
			text = ""
		default:
			return nil, typeErr("character mapping must return integer, None or str")
		}
		if err := r.alloc(len(text)); err != nil {
			return nil, err
		}
		out = append(out, text...)
	}
	return like(self, bytesString(out)), r.read(8 * len(s))
}

func makeTrans(r *run, _ value.Value, a *args) (value.Value, error) {
	if err := a.function("str.maketrans", "maketrans", 1, 3); err != nil {
		return nil, err
	}
	d := &value.Dict{}
	if len(a.pos) == 1 {
		src, ok := a.pos[0].(*value.Dict)
		if !ok {
			return nil, typeErr("if you give only one argument to maketrans it must be a dict")
		}
		for k, v := range src.All() {
			if s, ok := str(k); ok {
				if utf8.RuneCountInString(s) != 1 {
					return nil, valueErr("string keys in translate table must be of length 1")
				}
				c, _ := utf8.DecodeRuneInString(s)
				k = value.Int(c)
			}
			d.SetKey(k, v)
		}
		return d, r.allocItems(3 * d.Len())
	}
	var list [3][]rune
	for _, i := range []int{1, 2, 0} {
		if i >= len(a.pos) {
			continue
		}
		s, isText := str(a.pos[i])
		switch {
		case !isText && i == 0:
			return nil, typeErr("first maketrans argument must be a string if there is a second argument")
		case !isText:
			return nil, typeErr("maketrans() argument %d must be str, not %s", i+1, cName(a.pos[i]))
		}
		if err := r.allocItems(3 * len(s)); err != nil {
			return nil, err
		}
		list[i] = []rune(s)
	}
	if len(list[0]) != len(list[1]) {
		return nil, valueErr("the first two maketrans arguments must have equal length")
	}
	for i, c := range list[0] {
		d.SetKey(value.Int(c), value.Int(list[1][i]))
	}
	for _, c := range list[2] {
		d.SetKey(value.Int(c), value.None)
	}
	return d, nil
}
