package jinja

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

var bytesMethods = map[string]method{
	"decode":     decodeBytes,
	"hex":        hexBytes,
	"startswith": bytesTest("startswith", strings.HasPrefix),
	"endswith":   bytesTest("endswith", strings.HasSuffix),
	"upper":      bytesMap("upper", func(c byte) byte { return c - 32*b2i(c >= 'a' && c <= 'z') }),
	"lower":      bytesMap("lower", func(c byte) byte { return c + 32*b2i(c >= 'A' && c <= 'Z') }),
}

func b2i(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func bytesMap(name string, fn func(byte) byte) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 0, 0); err != nil {
			return nil, err
		}
		out := []byte(self.(value.Bytes))
		for i, c := range out {
			out[i] = fn(c)
		}
		return value.Bytes(out), r.alloc(len(out))
	}
}

func bytesTest(name string, fn func(s, part string) bool) method {
	return func(_ *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 1, 1); err != nil {
			return nil, err
		}
		part, ok := a.pos[0].(value.Bytes)
		if !ok {
			return nil, typeErr("%s first arg must be bytes or a tuple of bytes, not %s", name, typeName(a.pos[0]))
		}
		return value.Bool(fn(string(self.(value.Bytes)), string(part))), nil
	}
}

func hexBytes(r *run, self value.Value, a *args) (value.Value, error) {
	b := self.(value.Bytes)
	if err := r.alloc(2 * len(b)); err != nil {
		return nil, err
	}
	return value.Str(hex.EncodeToString([]byte(b))), a.builtin(self, "hex", 0, 0)
}

func decodeBytes(r *run, self value.Value, a *args) (value.Value, error) {
	got, err := a.bind("bytes.decode", []string{"encoding", "errors"}, 0)
	if err != nil {
		return nil, err
	}
	name, mode := "utf-8", "strict"
	for i, dst := range []*string{&name, &mode} {
		if got[i] != nil {
			if *dst, err = textArg(got[i], "decode", 0); err != nil {
				return nil, err
			}
		}
	}
	b := string(self.(value.Bytes))
	if err := r.alloc(3 * len(b)); err != nil {
		return nil, err
	}
	limit, ok := codec(name)
	switch {
	case !ok:
		return nil, raise("LookupError", "unknown encoding: %s", name)
	case limit == 0 && utf8.ValidString(b):
		return value.Str(b), nil
	case limit == 256:
		out := make([]rune, len(b))
		for i := range len(b) {
			out[i] = rune(b[i])
		}
		return value.Str(string(out)), nil
	case limit == 128 && isASCII(b):
		return value.Str(b), nil
	}
	switch mode {
	case "replace":
		return value.Str(strings.ToValidUTF8(b, "\ufffd")), nil
	case "ignore":
		return value.Str(strings.ToValidUTF8(b, "")), nil
	}
	return nil, raise("UnicodeDecodeError", "'%s' codec can't decode bytes: invalid data", name)
}
