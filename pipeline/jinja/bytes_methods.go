package jinja

import (
	"encoding/hex"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

var bytesMethods = map[string]method{
	"decode":       decodeBytes,
	"hex":          hexBytes,
	"fromhex":      bytesFromHex,
	"upper":        bytesMap("upper", asciiUpper),
	"lower":        bytesMap("lower", asciiLower),
	"swapcase":     bytesMap("swapcase", func(s string) string { return mapBytes(s, swapByte) }),
	"title":        bytesMap("title", asciiTitle),
	"capitalize":   bytesMap("capitalize", func(s string) string { return asciiUpper(s[:min(1, len(s))]) + asciiLower(s[min(1, len(s)):]) }),
	"isalnum":      bytesClass("isalnum", func(c byte) bool { return isAlpha(c) || isDigit(c) }),
	"isalpha":      bytesClass("isalpha", isAlpha),
	"isdigit":      bytesClass("isdigit", isDigit),
	"isspace":      bytesClass("isspace", func(c byte) bool { return strings.IndexByte(asciiSpace, c) >= 0 }),
	"isascii":      bytesIs("isascii", isASCII),
	"islower":      bytesIs("islower", func(s string) bool { return isLower(asciiOf(s)) }),
	"isupper":      bytesIs("isupper", func(s string) bool { return isUpper(asciiOf(s)) }),
	"istitle":      bytesIs("istitle", func(s string) bool { return isTitle(asciiOf(s)) }),
	"strip":        bytesStrip("strip", true, true),
	"lstrip":       bytesStrip("lstrip", true, false),
	"rstrip":       bytesStrip("rstrip", false, true),
	"removeprefix": bytesAffix("removeprefix", strings.TrimPrefix),
	"removesuffix": bytesAffix("removesuffix", strings.TrimSuffix),
	"center":       bytesPad("center", 0.5),
	"ljust":        bytesPad("ljust", 0),
	"rjust":        bytesPad("rjust", 1),
	"zfill":        bytesZfill,
	"expandtabs":   bytesExpand,
	"find":         bytesFind("find", strings.Index, false),
	"rfind":        bytesFind("rfind", strings.LastIndex, false),
	"index":        bytesFind("index", strings.Index, true),
	"rindex":       bytesFind("rindex", strings.LastIndex, true),
	"count":        bytesCount,
	"startswith":   bytesTest("startswith", strings.HasPrefix),
	"endswith":     bytesTest("endswith", strings.HasSuffix),
	"split":        bytesSplit("split"),
	"rsplit":       bytesSplit("rsplit"),
	"splitlines":   bytesLines,
	"partition":    bytesPartition("partition", strings.Index),
	"rpartition":   bytesPartition("rpartition", strings.LastIndex),
	"join":         bytesJoin,
	"replace":      bytesReplace,
	"translate":    bytesTranslate,
	"maketrans":    bytesMakeTrans,
}

func b2i(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// asciiSpace is white space among bytes.
const asciiSpace = " \t\n\r\v\f"

func isAlpha(c byte) bool        { return c|32 >= 'a' && c|32 <= 'z' }
func upperByte(c byte) byte      { return c - 32*b2i(c >= 'a' && c <= 'z') }
func lowerByte(c byte) byte      { return c + 32*b2i(c >= 'A' && c <= 'Z') }
func swapByte(c byte) byte       { return c ^ 32*b2i(isAlpha(c)) }
func asciiUpper(s string) string { return mapBytes(s, upperByte) }
func asciiLower(s string) string { return mapBytes(s, lowerByte) }

func mapBytes(s string, fn func(byte) byte) string {
	out := []byte(s)
	for i, c := range out {
		out[i] = fn(c)
	}
	return bytesString(out)
}

func asciiTitle(s string) string {
	inWord := false
	return mapBytes(s, func(c byte) byte {
		was := inWord
		if inWord = isAlpha(c); was {
			return lowerByte(c)
		}
		return upperByte(c)
	})
}

// asciiOf puts something without case in the place of bytes beyond ASCII.
func asciiOf(s string) string {
	return mapBytes(s, func(c byte) byte {
		if c >= 0x80 {
			return ' '
		}
		return c
	})
}

func bytesMap(name string, fn func(string) string) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 0, 0); err != nil {
			return nil, err
		}
		b := self.(value.Bytes)
		return value.Bytes(fn(string(b))), r.alloc(2 * len(b))
	}
}

func bytesClass(name string, in func(byte) bool) method {
	return bytesIs(name, func(s string) bool {
		for i := range len(s) {
			if !in(s[i]) {
				return false
			}
		}
		return s != ""
	})
}

func bytesIs(name string, test func(string) bool) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 0, 0); err != nil {
			return nil, err
		}
		b := self.(value.Bytes)
		return value.Bool(test(string(b))), r.read(len(b))
	}
}

// bytesArg is an argument that must be bytes.
func bytesArg(v value.Value) (string, error) {
	b, ok := v.(value.Bytes)
	if !ok {
		return "", typeErr("a bytes-like object is required, not '%s'", typeName(v))
	}
	return string(b), nil
}

func decodeBytes(r *run, self value.Value, a *args) (value.Value, error) {
	encoding, mode, err := codecArgs(a, "decode")
	if err != nil {
		return nil, err
	}
	out, err := r.decodeText(string(self.(value.Bytes)), encoding, mode)
	return value.Str(out), err
}

func hexBytes(r *run, self value.Value, a *args) (value.Value, error) {
	got, err := a.keywords("hex", "sep", "bytes_per_sep")
	if err != nil {
		return nil, err
	}
	group := 1
	if got[1] != nil {
		if group, err = intC(got[1]); err != nil {
			return nil, err
		}
	}
	sep, err := hexSep(r, got[0])
	if err != nil {
		return nil, err
	}
	b := []byte(self.(value.Bytes))
	if err := r.alloc(3 * len(b)); err != nil {
		return nil, err
	}
	if sep == "" || group == 0 || len(b) == 0 {
		return value.Str(hex.EncodeToString(b)), nil
	}
	var out strings.Builder
	for i := range b {
		if i > 0 && (group > 0 && (len(b)-i)%group == 0 || group < 0 && i%-group == 0) {
			out.WriteString(sep)
		}
		out.WriteString(hexByte(b[i]))
	}
	return value.Str(out.String()), nil
}

// hexSep is what stands between groups of digits: one ASCII character.
func hexSep(r *run, v value.Value) (string, error) {
	if v == nil {
		return "", nil
	}
	n, err := r.length(v)
	if err != nil {
		return "", err
	}
	if n != 1 {
		return "", valueErr("sep must be length 1.")
	}
	sep, ok := str(v)
	if b, isBytes := v.(value.Bytes); isBytes {
		sep, ok = string(b), true
	}
	if !ok {
		return "", typeErr("sep must be str or bytes.")
	}
	if !isASCII(sep) {
		return "", valueErr("sep must be ASCII.")
	}
	return sep, nil
}

func bytesFromHex(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "fromhex", 1, 1); err != nil {
		return nil, err
	}
	s, err := strArg(a.pos[0], "fromhex", "argument")
	if err != nil {
		return nil, err
	}
	if err := r.read(len(s)); err != nil {
		return nil, err
	}
	var out []byte
	for i := 0; i < len(s); {
		if strings.IndexByte(asciiSpace, s[i]) >= 0 {
			i++
			continue
		}
		for k := range 2 {
			if i+k >= len(s) || digitOf(s[i+k]) >= 16 {
				return nil, valueErr("non-hexadecimal number found in fromhex() arg at position %d", len([]rune(s[:min(i+k, len(s))])))
			}
		}
		out = append(out, byte(digitOf(s[i])<<4|digitOf(s[i+1])))
		i += 2
	}
	return value.Bytes(out), nil
}
