package jinja

import (
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

func filterCenter(r *run, a []value.Value) (value.Value, error) {
	s, err := r.softText(a[0])
	if err != nil {
		return nil, err
	}
	width, err := intArg(a[1], 80)
	if err != nil {
		return nil, err
	}
	out, err := r.pad(s, width, " ", 0.5)
	return like(a[0], out), err
}

func filterFormat(r *run, a *args) (value.Value, error) {
	if len(a.pos) == 0 {
		return nil, typeErr("do_format() missing 1 required positional argument: 'value'")
	}
	if err := a.reserved("do_format", "value"); err != nil {
		return nil, err
	}
	if len(a.pos) > 1 && len(a.kw) > 0 {
		return nil, filterArgErr("can't handle positional and keyword arguments at the same time")
	}
	format := a.pos[0]
	if _, ok := str(format); !ok {
		s, err := r.str(format)
		if err != nil {
			return nil, err
		}
		format = value.Str(s)
	}
	if len(a.kw) > 0 {
		d := &value.Dict{}
		for _, k := range a.kw {
			d.Set(k.Name, k.Value)
		}
		return r.printf(format, d)
	}
	return r.printf(format, append(value.Tuple(nil), a.pos[1:]...))
}

func filterTrim(r *run, a []value.Value) (value.Value, error) {
	s, err := r.softText(a[0])
	if err != nil {
		return nil, err
	}
	out, err := stripText(s, a[1], "strip", true, true)
	if err != nil {
		return nil, err
	}
	return like(a[0], out), r.read(len(s))
}

func filterTitle(r *run, a []value.Value) (value.Value, error) {
	s, err := r.softText(a[0])
	if err != nil {
		return nil, err
	}
	if err := r.alloc(2 * len(s)); err != nil {
		return nil, err
	}
	var b strings.Builder
	for s != "" {
		end := strings.IndexFunc(s, wordStart)
		if end < 0 {
			end = len(s)
		}
		if end > 0 {
			_, n := utf8.DecodeRuneInString(s)
			b.WriteString(value.PyUpper(s[:n]))
			b.WriteString(value.PyLower(s[n:end]))
		}
		next := strings.IndexFunc(s[end:], func(c rune) bool { return !wordStart(c) })
		if next < 0 {
			next = len(s) - end
		}
		b.WriteString(strings.ToLower(s[end : end+next]))
		s = s[end+next:]
	}
	return value.Str(b.String()), nil
}

// wordStart is what the title filter splits words at.
func wordStart(c rune) bool { return value.IsSpace(c) || strings.ContainsRune("-({[<", c) }

func filterReplace(r *run, a []value.Value) (value.Value, error) {
	count := -1
	if !value.IsNone(a[3]) {
		var err error
		if count, err = index(a[3]); err != nil {
			return nil, err
		}
	}
	var parts [3]string
	for i := range parts {
		var err error
		if parts[i], err = r.str(a[i]); err != nil {
			return nil, err
		}
	}
	if !r.autoescape {
		out, err := r.replace(parts[0], parts[1], parts[2], count)
		return value.Str(out), err
	}
	safe := isMarkup(a[0])
	if isMarkup(a[1]) || isMarkup(a[2]) && !safe {
		if !safe {
			var err error
			if parts[0], err = r.escapeText(parts[0]); err != nil {
				return nil, err
			}
		}
		safe = true
	}
	if safe && !isMarkup(a[2]) {
		var err error
		if parts[2], err = r.escapeText(parts[2]); err != nil {
			return nil, err
		}
	}
	out, err := r.replace(parts[0], parts[1], parts[2], count)
	if safe {
		return markup{text: out}, err
	}
	return value.Str(out), err
}

func filterTruncate(r *run, a []value.Value) (value.Value, error) {
	var length, end, leeway value.Value = value.Int(255), value.Str("..."), value.Int(5)
	if a[1] != nil {
		length = a[1]
	}
	if a[3] != nil {
		end = a[3]
	}
	if !value.IsNone(a[4]) {
		leeway = a[4]
	}
	endLen, err := r.atLeast("length", length, end)
	if err != nil {
		return nil, err
	}
	if _, err := r.atLeast("leeway", leeway, nil); err != nil {
		return nil, err
	}
	n, err := r.length(a[0])
	if err != nil {
		return nil, err
	}
	most, err := r.arith(tokAdd, length, leeway)
	if err != nil {
		return nil, err
	}
	if fits, err := r.order(tokLtEq, value.Int(n), most, 0); err != nil || fits {
		return a[0], err
	}
	kill, err := truthArg(a[2], false)
	if err != nil {
		return nil, err
	}
	to, err := r.arith(tokSub, length, value.Int(endLen))
	if err != nil {
		return nil, err
	}
	cut, err := r.slice(a[0], value.None, to, value.None)
	if err != nil {
		return nil, err
	}
	s, ok := str(cut)
	if !ok && !kill {
		return nil, notTruncated(a[0])
	}
	if !kill {
		if i := strings.LastIndexByte(s, ' '); i >= 0 {
			cut = like(cut, s[:i])
		}
	}
	return r.arith(tokAdd, cut, end)
}

// atLeast asserts that a number is not less than the length of end, or than 0.
func (r *run) atLeast(what string, v, end value.Value) (least int, err error) {
	if end != nil {
		if least, err = r.length(end); err != nil {
			return 0, err
		}
	}
	ok, err := r.order(tokGtEq, v, value.Int(least), 0)
	if err != nil || ok {
		return least, err
	}
	text, err := r.str(v)
	if err != nil {
		return 0, err
	}
	return 0, raise("AssertionError", "expected %s >= %d, got %s", what, least, text)
}

// notTruncated is what Python says of a part of something without words.
func notTruncated(v value.Value) error {
	if _, ok := v.(value.Bytes); ok {
		return typeErr("a bytes-like object is required, not 'str'")
	}
	return noAttribute(v, "rsplit")
}

func filterIndent(r *run, a []value.Value) (value.Value, error) {
	pad, err := r.indentation(a[1])
	if err != nil {
		return nil, err
	}
	first, err := truthArg(a[2], false)
	if err != nil {
		return nil, err
	}
	blank, err := truthArg(a[3], false)
	if err != nil {
		return nil, err
	}
	s, ok := str(a[0])
	if !ok {
		if u := asUndefined(a[0]); u != nil {
			return nil, u.fail()
		}
		if _, isList := a[0].(*value.List); isList { // which Python extends by the newline
			return nil, raise("AttributeError", "'list' object has no attribute 'splitlines'")
		}
		if seq := plain(a[0]); isSequence(seq) {
			return r.add(seq, value.Str("\n"))
		}
		return nil, badOperands("+=", a[0], value.Str(""))
	}
	if isMarkup(a[0]) && a[1] != nil && !isMarkup(a[1]) {
		if text, ok := str(a[1]); ok {
			pad = text // Markup(width) marks it safe as it is
		}
	}
	lines, err := r.lines(s+"\n", false)
	if err != nil {
		return nil, err
	}
	if err := r.reserve(len(lines)+1, len(pad)+1); err != nil {
		return nil, err
	}
	if err := r.alloc(len(s)); err != nil {
		return nil, err
	}
	var b strings.Builder
	if first {
		b.WriteString(pad)
	}
	for i, line := range lines {
		if i > 0 {
			b.WriteByte('\n')
			if blank || line != "" {
				b.WriteString(pad)
			}
		}
		b.WriteString(line)
	}
	return like(a[0], b.String()), nil
}

func (r *run) indentation(width value.Value) (string, error) {
	if s, ok := str(width); ok {
		return s, nil
	}
	n, err := intArg(width, 4)
	if err != nil {
		if u := asUndefined(width); u != nil {
			return "", u.fail()
		}
		if catchable(err, "OverflowError") {
			return "", raise("OverflowError", "cannot fit 'int' into an index-sized integer")
		}
		return "", typeErr("can't multiply sequence by non-int of type '%s'", typeName(width))
	}
	return r.repeatText(" ", max(n, 0))
}

func filterWordcount(r *run, a []value.Value) (value.Value, error) {
	s, err := r.softText(a[0])
	if err != nil {
		return nil, err
	}
	n, in := 0, false
	for _, c := range s {
		word := value.IsWord(c)
		if word && !in {
			n++
		}
		in = word
	}
	return value.Int(n), r.read(len(s))
}
