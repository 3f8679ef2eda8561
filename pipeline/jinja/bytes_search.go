package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// subBytes is what bytes are searched for: bytes, or one byte as an int.
func subBytes(v value.Value) (string, error) {
	if b, ok := v.(value.Bytes); ok {
		return string(b), nil
	}
	if !isInt(v) {
		return "", typeErr("argument should be integer or bytes-like object, not '%s'", typeName(v))
	}
	n, ok := smallInt(v)
	if !ok || n < 0 || n > 255 {
		return "", valueErr("byte must be in range(0, 256)")
	}
	return string([]byte{byte(n)}), nil
}

// bytesWindow is window for bytes.
func bytesWindow(b string, start, end value.Value) (part string, at int, ok bool, err error) {
	i, j, err := between(len(b), start, end)
	if err != nil || i > j {
		return "", i, false, err
	}
	return b[i:j], i, true, nil
}

func bytesFind(name string, find func(s, sub string) int, must bool) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		part, sub, at, ok, err := searched(r, self, a, name)
		if err != nil {
			return nil, err
		}
		i := -1
		if ok {
			i = find(part, sub)
		}
		if i >= 0 {
			return value.Int(at + i), nil
		}
		if must {
			return nil, valueErr("subsection not found")
		}
		return value.Int(-1), nil
	}
}

// searched reads the arguments of a search.
func searched(r *run, self value.Value, a *args, name string) (part, sub string, at int, ok bool, err error) {
	if err = a.parsed(name, 1, 3); err != nil {
		return
	}
	b := string(self.(value.Bytes))
	if part, at, ok, err = bytesWindow(b, a.arg(1), a.arg(2)); err != nil {
		return
	}
	if sub, err = subBytes(a.pos[0]); err == nil {
		err = r.read(4 * len(b))
	}
	return
}

func bytesCount(r *run, self value.Value, a *args) (value.Value, error) {
	part, sub, _, ok, err := searched(r, self, a, "count")
	if err != nil || !ok {
		return value.Int(0), err
	}
	if sub == "" {
		return value.Int(len(part) + 1), nil
	}
	return value.Int(strings.Count(part, sub)), nil
}

func bytesTest(name string, fn func(s, part string) bool) method {
	return func(_ *run, self value.Value, a *args) (value.Value, error) {
		if err := a.parsed(name, 1, 3); err != nil {
			return nil, err
		}
		part, _, ok, err := bytesWindow(string(self.(value.Bytes)), a.arg(1), a.arg(2))
		if err != nil {
			return nil, err
		}
		list, isTuple := a.pos[0].(value.Tuple)
		if !isTuple {
			list = value.Tuple{a.pos[0]}
		}
		for _, v := range list {
			b, isBytes := v.(value.Bytes)
			switch {
			case !isBytes && isTuple:
				return nil, typeErr("a bytes-like object is required, not '%s'", typeName(v))
			case !isBytes:
				return nil, typeErr("%s first arg must be bytes or a tuple of bytes, not %s", name, typeName(v))
			case ok && fn(part, string(b)):
				return value.Bool(true), nil
			}
		}
		return value.Bool(false), nil
	}
}

func bytesPartition(name string, find func(s, sep string) int) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 1, 1); err != nil {
			return nil, err
		}
		sep, err := bytesArg(a.pos[0])
		if err != nil {
			return nil, err
		}
		if sep == "" {
			return nil, valueErr("empty separator")
		}
		b := string(self.(value.Bytes))
		i := find(b, sep)
		out := value.Tuple{self, value.Bytes(""), value.Bytes("")}
		switch {
		case i >= 0:
			out = value.Tuple{value.Bytes(b[:i]), value.Bytes(sep), value.Bytes(b[i+len(sep):])}
		case name == "rpartition":
			out[0], out[2] = out[2], out[0]
		}
		return out, r.read(len(b))
	}
}

func bytesSplit(name string) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		got, err := a.keywords(name, "sep", "maxsplit")
		if err != nil {
			return nil, err
		}
		n := -1
		if got[1] != nil {
			if n, err = index(got[1]); err != nil {
				return nil, err
			}
		}
		b, sep := string(self.(value.Bytes)), ""
		if !value.IsNone(got[0]) {
			if sep, err = bytesArg(got[0]); err != nil {
				return nil, err
			}
			if sep == "" {
				return nil, valueErr("empty separator")
			}
		}
		if err := r.allocItems(splits(b, sep, n) * 2); err != nil {
			return nil, err
		}
		if err := r.read(len(b)); err != nil {
			return nil, err
		}
		return bytesList(splitBytes(b, sep, n, name == "rsplit")), nil
	}
}

// splitBytes splits as text is split, but at the white space of ASCII alone.
func splitBytes(b, sep string, n int, right bool) []string {
	if sep != "" {
		return splitParts(b, sep, n, right)
	}
	text := []rune(latin1(b))
	for i, c := range text { // the characters that are white space only in text
		if c >= 0x80 || c < ' ' && strings.IndexByte(asciiSpace, byte(c)) < 0 {
			text[i] = bytePlace + c
		}
	}
	parts := splitParts(string(text), "", n, right)
	for i, p := range parts {
		var out []byte
		for _, c := range p {
			out = append(out, byte(c))
		}
		parts[i] = string(out)
	}
	return parts
}

// bytePlace is where bytes lie, in Unicode's private part, that must not count as white space. It is a multiple of 256.
const bytePlace = 0xf000

func latin1(b string) string {
	out := make([]rune, len(b))
	for i := range len(b) {
		out[i] = rune(b[i])
	}
	return string(out)
}

func bytesList(parts []string) value.Value {
	out := make([]value.Value, len(parts))
	for i, p := range parts {
		out[i] = value.Bytes(p)
	}
	return &value.List{Items: out}
}

func bytesLines(r *run, self value.Value, a *args) (value.Value, error) {
	got, err := a.keywords("splitlines", "keepends")
	if err != nil {
		return nil, err
	}
	keep, err := keepEnds(got[0])
	if err != nil {
		return nil, err
	}
	b := string(self.(value.Bytes))
	var lines []string
	for b != "" {
		end, next := len(b), len(b)
		if i := strings.IndexAny(b, "\r\n"); i >= 0 {
			end, next = i, i+1
			if b[i] == '\r' && strings.HasPrefix(b[next:], "\n") {
				next++
			}
		}
		if keep {
			end = next
		}
		lines, b = append(lines, b[:end]), b[next:]
		if err := r.allocItems(2); err != nil {
			return nil, err
		}
	}
	return bytesList(lines), r.read(len(self.(value.Bytes)))
}
