package jinja

import (
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

var strFind = map[string]method{
	"find":       findMethod("find", strings.Index, false),
	"rfind":      findMethod("rfind", strings.LastIndex, false),
	"index":      findMethod("index", strings.Index, true),
	"rindex":     findMethod("rindex", strings.LastIndex, true),
	"count":      countText,
	"startswith": affixTest("startswith", strings.HasPrefix),
	"endswith":   affixTest("endswith", strings.HasSuffix),
}

// window is the part of s between two optional bounds; ok is false if start lies behind the end.
func window(s string, start, end value.Value) (part string, at int, ok bool, err error) {
	n := utf8.RuneCountInString(s)
	i, j, err := between(n, start, end)
	if err != nil || i > j {
		return "", i, false, err
	}
	if i == 0 && j == n {
		return s, 0, true, nil
	}
	return value.PySlice(s, i, j), i, true, nil
}

// between are two optional bounds of a sequence of length n.
func between(n int, start, end value.Value) (i, j int, err error) {
	i, j = 0, n
	if b, given, err := sliceIndex(start); err != nil {
		return 0, 0, err
	} else if given {
		i = b
	}
	if b, given, err := sliceIndex(end); err != nil {
		return 0, 0, err
	} else if given {
		j = b
	}
	if i < 0 {
		i = max(i+n, 0)
	}
	if j < 0 {
		j = max(j+n, 0)
	}
	return i, min(j, n), nil
}

func findMethod(name string, find func(s, sub string) int, must bool) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.parsed(name, 1, 3); err != nil {
			return nil, err
		}
		s, _ := str(self)
		if err := r.read(4 * len(s)); err != nil {
			return nil, err
		}
		part, at, ok, err := window(s, a.arg(1), a.arg(2))
		if err != nil {
			return nil, err
		}
		sub, isText := str(a.pos[0])
		if !isText {
			return nil, typeErr("must be str, not %s", typeName(a.pos[0]))
		}
		i := -1
		if ok {
			i = find(part, sub)
		}
		if i >= 0 {
			return value.Int(at + utf8.RuneCountInString(part[:i])), nil
		}
		if must {
			return nil, valueErr("substring not found")
		}
		return value.Int(-1), nil
	}
}

func countText(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.parsed("count", 1, 3); err != nil {
		return nil, err
	}
	s, _ := str(self)
	if err := r.read(4 * len(s)); err != nil {
		return nil, err
	}
	part, _, ok, err := window(s, a.arg(1), a.arg(2))
	if err != nil {
		return nil, err
	}
	sub, isText := str(a.pos[0])
	if !isText {
		return nil, typeErr("must be str, not %s", typeName(a.pos[0]))
	}
	if !ok {
		return value.Int(0), nil
	}
	return value.Int(strings.Count(part, sub)), nil
}

func affixTest(name string, fn func(s, part string) bool) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.parsed(name, 1, 3); err != nil {
			return nil, err
		}
		s, _ := str(self)
		if len(a.pos) > 1 {
			if err := r.read(4 * len(s)); err != nil {
				return nil, err
			}
		}
		part, _, ok, err := window(s, a.arg(1), a.arg(2))
		if err != nil {
			return nil, err
		}
		list, isTuple := plain(a.pos[0]).(value.Tuple)
		if !isTuple {
			list = value.Tuple{a.pos[0]}
		}
		for _, x := range list {
			text, isText := str(x)
			if !isText && isTuple {
				return nil, typeErr("tuple for %s must only contain str, not %s", name, typeName(x))
			}
			if !isText {
				return nil, typeErr("%s first arg must be str or a tuple of str, not %s", name, typeName(x))
			}
			if ok && fn(part, text) {
				return value.Bool(true), nil
			}
		}
		return value.Bool(false), nil
	}
}
