package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

func bytesStrip(name string, left, right bool) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 0, 1); err != nil {
			return nil, err
		}
		set := asciiSpace
		if v := a.arg(0); !value.IsNone(v) {
			var err error
			if set, err = bytesArg(v); err != nil {
				return nil, err
			}
		}
		b := string(self.(value.Bytes))
		in := byteSet(set)
		for left && b != "" && in[b[0]] {
			b = b[1:]
		}
		for right && b != "" && in[b[len(b)-1]] {
			b = b[:len(b)-1]
		}
		return value.Bytes(b), r.read(len(b) + len(set))
	}
}

func byteSet(s string) (in [256]bool) {
	for i := range len(s) {
		in[s[i]] = true
	}
	return in
}

func bytesAffix(name string, fn func(s, part string) string) method {
	return func(_ *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 1, 1); err != nil {
			return nil, err
		}
		part, err := bytesArg(a.pos[0])
		return value.Bytes(fn(string(self.(value.Bytes)), part)), err
	}
}

func bytesPad(name string, left float64) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 1, 2); err != nil {
			return nil, err
		}
		width, err := index(a.pos[0])
		if err != nil {
			return nil, err
		}
		fill := " "
		if v := a.arg(1); v != nil {
			b, ok := v.(value.Bytes)
			if !ok || len(b) != 1 {
				return nil, typeErr("%s() argument 2 must be a byte string of length 1, not %s", name, cName(v))
			}
			fill = string(b)
		}
		b := self.(value.Bytes)
		before, after := padding(len(b), width, left)
		if err := r.reserve(before+after+len(b), 1); err != nil {
			return nil, err
		}
		return value.Bytes(strings.Repeat(fill, before)) + b + value.Bytes(strings.Repeat(fill, after)), nil
	}
}

func bytesZfill(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "zfill", 1, 1); err != nil {
		return nil, err
	}
	width, err := index(a.pos[0])
	if err != nil {
		return nil, err
	}
	b := self.(value.Bytes)
	n := max(width-len(b), 0)
	if err := r.reserve(n, 1); err != nil {
		return nil, err
	}
	sign := value.Bytes("")
	if n > 0 && b != "" && (b[0] == '+' || b[0] == '-') {
		sign, b = b[:1], b[1:]
	}
	return sign + value.Bytes(strings.Repeat("0", n)) + b, r.alloc(len(b))
}

func bytesExpand(r *run, self value.Value, a *args) (value.Value, error) {
	size, err := tabSize(a)
	if err != nil {
		return nil, err
	}
	out, err := r.expand(latin1(string(self.(value.Bytes))), size)
	b := make([]byte, 0, len(out))
	for _, c := range out {
		b = append(b, byte(c))
	}
	return value.Bytes(b), err
}

func bytesJoin(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "join", 1, 1); err != nil {
		return nil, err
	}
	items, err := r.items(a.pos[0])
	if err != nil {
		if catchable(err, "TypeError") {
			err = typeErr("can only join an iterable")
		}
		return nil, err
	}
	sep := string(self.(value.Bytes))
	var out []byte
	for i, v := range items {
		b, ok := v.(value.Bytes)
		if !ok {
			return nil, typeErr("sequence item %d: expected a bytes-like object, %s found", i, typeName(v))
		}
		if err := r.alloc(len(sep) + len(b)); err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, sep...)
		}
		out = append(out, b...)
	}
	return value.Bytes(out), nil
}

func bytesReplace(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "replace", 2, 3); err != nil {
		return nil, err
	}
	old, err := bytesArg(a.pos[0])
	if err != nil {
		return nil, err
	}
	with, err := bytesArg(a.pos[1])
	if err != nil {
		return nil, err
	}
	n := -1
	if v := a.arg(2); v != nil {
		if n, err = index(v); err != nil {
			return nil, err
		}
	}
	b := string(self.(value.Bytes))
	if old != "" {
		out, err := r.replace(b, old, with, n)
		return value.Bytes(out), err
	}
	if n < 0 || n > len(b)+1 {
		n = len(b) + 1
	}
	if err := r.reserve(n+1, len(with)); err != nil {
		return nil, err
	}
	var out strings.Builder
	for i := range n { // between all bytes, where Go would go between characters
		out.WriteString(with)
		out.WriteString(b[i:min(i+1, len(b))])
	}
	out.WriteString(b[min(n, len(b)):])
	return value.Bytes(out.String()), r.alloc(len(b))
}

func bytesTranslate(r *run, self value.Value, a *args) (value.Value, error) {
	got, err := (&cKeywords{name: "translate", params: []string{"", "delete"}, required: 1, posOnly: 1, most: 2}).unpack(a)
	if err != nil {
		return nil, err
	}
	table := ""
	if got[0] != value.None {
		if table, err = bytesArg(got[0]); err != nil {
			return nil, err
		}
		if len(table) != 256 {
			return nil, valueErr("translation table must be 256 characters long")
		}
	}
	drop := ""
	if got[1] != nil {
		if drop, err = bytesArg(got[1]); err != nil {
			return nil, err
		}
	}
	var out []byte
	b, dropped := self.(value.Bytes), byteSet(drop)
	for i := range len(b) {
		c := b[i]
		if dropped[c] {
			continue
		}
		if table != "" {
			c = table[c]
		}
		out = append(out, c)
	}
	return value.Bytes(out), r.alloc(len(b) + len(drop))
}

func bytesMakeTrans(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "maketrans", 2, 2); err != nil {
		return nil, err
	}
	from, err := bytesArg(a.pos[0])
	if err != nil {
		return nil, err
	}
	to, err := bytesArg(a.pos[1])
	if err != nil {
		return nil, err
	}
	if len(from) != len(to) {
		return nil, valueErr("maketrans arguments must have same length")
	}
	out := make([]byte, 256)
	for i := range out {
		out[i] = byte(i)
	}
	for i := range len(from) {
		out[from[i]] = to[i]
	}
	return value.Bytes(out), r.alloc(256)
}
