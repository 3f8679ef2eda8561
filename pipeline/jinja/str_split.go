package jinja

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

var strSplit = map[string]method{
	"split":      func(r *run, s value.Value, a *args) (value.Value, error) { return splitText(r, s, a, "split") },
	"rsplit":     func(r *run, s value.Value, a *args) (value.Value, error) { return splitText(r, s, a, "rsplit") },
	"splitlines": splitLines,
	"partition":  partition("partition", strings.Index),
	"rpartition": partition("rpartition", strings.LastIndex),
	"join":       joinText,
	"replace":    replaceText,
}

func splitText(r *run, self value.Value, a *args, name string) (value.Value, error) {
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
	s, _ := str(self)
	if err := r.read(len(s)); err != nil {
		return nil, err
	}
	sep, ok := "", false
	if !value.IsNone(got[0]) {
		if sep, ok = str(got[0]); !ok {
			return nil, typeErr("must be str or None, not %s", typeName(got[0]))
		}
		if sep == "" {
			return nil, valueErr("empty separator")
		}
	}
	if err := r.allocItems(splits(s, sep, n) * 2); err != nil {
		return nil, err
	}
	parts := splitParts(s, sep, n, name == "rsplit")
	out := make([]value.Value, len(parts))
	for i, p := range parts {
		out[i] = like(self, p)
	}
	return &value.List{Items: out}, nil
}

// splits is an upper bound of the number of parts.
func splits(s, sep string, n int) int {
	count := len(s)/2 + 1
	if sep != "" {
		count = strings.Count(s, sep) + 1
	}
	if n >= 0 {
		count = min(count, n+1)
	}
	return count
}

func splitParts(s, sep string, n int, right bool) []string {
	if n < 0 {
		n = math.MaxInt - 1
	}
	switch {
	case sep != "" && right:
		return rsplitSep(s, sep, n)
	case sep != "":
		return strings.SplitN(s, sep, min(n, len(s)+1)+1)
	case right:
		return rsplitSpace(s, n)
	case n >= len(s):
		return value.PySplit(s)
	}
	return splitSpace(s, n)
}

// splitSpace splits at white space n times; the rest keeps its end.
func splitSpace(s string, n int) []string {
	var out []string
	for s = value.PyLStrip(s); s != ""; s = value.PyLStrip(s) {
		end := strings.IndexFunc(s, value.IsSpace)
		if end < 0 || len(out) == n {
			return append(out, s)
		}
		out, s = append(out, s[:end]), s[end:]
	}
	return out
}

func rsplitSep(s, sep string, n int) []string {
	var rev []string
	for ; n > 0; n-- {
		i := strings.LastIndex(s, sep)
		if i < 0 {
			break
		}
		rev = append(rev, s[i+len(sep):])
		s = s[:i]
	}
	return reversed(append(rev, s))
}

func rsplitSpace(s string, n int) []string {
	var rev []string
	for {
		s = value.PyRStrip(s)
		if s == "" {
			return reversed(rev)
		}
		if n == 0 {
			return reversed(append(rev, s))
		}
		n--
		i := strings.LastIndexFunc(s, value.IsSpace)
		_, size := utf8.DecodeRuneInString(s[max(i, 0):])
		if i < 0 {
			size = 0
		}
		rev = append(rev, s[max(i, 0)+size:])
		s = s[:max(i, 0)]
	}
}

func reversed(list []string) []string {
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

func splitLines(r *run, self value.Value, a *args) (value.Value, error) {
	got, err := a.keywords("splitlines", "keepends")
	if err != nil {
		return nil, err
	}
	keep, err := keepEnds(got[0])
	if err != nil {
		return nil, err
	}
	s, _ := str(self)
	lines, err := r.lines(s, keep)
	if err != nil {
		return nil, err
	}
	out := make([]value.Value, len(lines))
	for i, l := range lines {
		out[i] = like(self, l)
	}
	return &value.List{Items: out}, nil
}

// keepEnds is a parameter that CPython takes for an int.
func keepEnds(v value.Value) (bool, error) {
	if v == nil {
		return false, nil
	}
	n, err := intC(v)
	return n != 0, err
}

// lines is splitlines within the limits.
func (r *run) lines(s string, keep bool) ([]string, error) {
	if err := r.read(len(s)); err != nil {
		return nil, err
	}
	lines := value.PySplitLines(s, keep)
	return lines, r.allocItems(2 * len(lines))
}

// truthArg is the truth of an optional argument.
func truthArg(v value.Value, dflt bool) (bool, error) {
	if v == nil {
		return dflt, nil
	}
	return truth(v)
}

func partition(name string, find func(s, sep string) int) method {
	return func(r *run, self value.Value, a *args) (value.Value, error) {
		if err := a.builtin(self, name, 1, 1); err != nil {
			return nil, err
		}
		sep, ok := str(a.pos[0])
		if !ok {
			return nil, typeErr("must be str, not %s", typeName(a.pos[0]))
		}
		if sep == "" {
			return nil, valueErr("empty separator")
		}
		s, _ := str(self)
		i := find(s, sep)
		left, mid, right := s, "", ""
		switch {
		case i >= 0:
			left, mid, right = s[:i], sep, s[i+len(sep):]
		case name == "rpartition":
			left, right = "", s
		}
		return value.Tuple{like(self, left), like(self, mid), like(self, right)}, r.read(len(s))
	}
}

func joinText(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "join", 1, 1); err != nil {
		return nil, err
	}
	it, err := r.iter(a.pos[0])
	if err != nil {
		if catchable(err, "TypeError") {
			err = typeErr("can only join an iterable")
		}
		return nil, err
	}
	sep, _ := str(self)
	safe := isMarkup(self)
	var out []byte
	for i := 0; ; i++ {
		v, ok, err := r.pull(it)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		text, isText := str(v)
		switch {
		case safe:
			m, err := r.escape(v)
			if err != nil {
				return nil, err
			}
			text = m.text
		case !isText:
			return nil, typeErr("sequence item %d: expected str instance, %s found", i, typeName(v))
		}
		if i > 0 {
			out = append(out, sep...)
		}
		if err := r.alloc(len(sep) + len(text)); err != nil {
			return nil, err
		}
		out = append(out, text...)
	}
	return like(self, bytesString(out)), nil
}

func replaceText(r *run, self value.Value, a *args) (value.Value, error) {
	if err := a.builtin(self, "replace", 2, 3); err != nil {
		return nil, err
	}
	old, err := textArg(a.pos[0], "replace", 1)
	if err != nil {
		return nil, err
	}
	with, err := textArg(a.pos[1], "replace", 2)
	if err != nil {
		return nil, err
	}
	n := -1
	if c := a.arg(2); c != nil {
		if n, err = index(c); err != nil {
			return nil, err
		}
	}
	if isMarkup(self) && !isMarkup(a.pos[1]) {
		if with, err = r.escapeText(with); err != nil {
			return nil, err
		}
	}
	s, _ := str(self)
	out, err := r.replace(s, old, with, n)
	return like(self, out), err
}

// replace is str.replace, counted before it is done.
func (r *run) replace(s, old, with string, n int) (string, error) {
	if err := r.read(len(s)); err != nil {
		return "", err
	}
	count := strings.Count(s, old)
	if n >= 0 {
		count = min(count, n)
	}
	if err := r.reserve(count, len(with)); err != nil {
		return "", err
	}
	if err := r.alloc(len(s)); err != nil {
		return "", err
	}
	return strings.Replace(s, old, with, n), nil
}
