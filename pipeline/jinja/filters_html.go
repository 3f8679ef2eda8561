package jinja

import (
	"html"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// filterStriptags takes tags and comments out, joins white space and resolves entities.
func filterStriptags(r *run, a []value.Value) (value.Value, error) {
	s, err := r.str(a[0])
	if err != nil {
		return nil, err
	}
	if err := r.alloc(2 * len(s)); err != nil {
		return nil, err
	}
	var b strings.Builder
	for {
		start := strings.IndexByte(s, '<')
		if start < 0 {
			break
		}
		end := 0
		if strings.HasPrefix(s[start:], "<!--") {
			if end = strings.Index(s[start+4:], "-->"); end >= 0 {
				end += 7
			}
		} else if end = strings.IndexByte(s[start:], '>'); end >= 0 {
			end++
		}
		if end < 0 {
			break
		}
		b.WriteString(s[:start])
		s = s[start+end:]
	}
	b.WriteString(s)
	return value.Str(html.UnescapeString(strings.Join(value.PySplit(b.String()), " "))), nil
}

func filterXMLattr(r *run, a []value.Value) (value.Value, error) {
	d, ok := a[0].(*value.Dict)
	if !ok {
		if u := asUndefined(a[0]); u != nil {
			return nil, u.fail()
		}
		return nil, r.notMapping(a[0])
	}
	var out []string
	for k, v := range d.All() {
		if value.IsNone(v) || asUndefined(v) != nil {
			continue
		}
		name, ok := str(k)
		if !ok {
			return nil, typeErr("expected string or bytes-like object, got '%s'", typeName(k))
		}
		if strings.ContainsAny(name, " \t\n\r\f\v/>=") {
			return nil, valueErr("Invalid character in attribute name: %s", value.Repr(k))
		}
		key, err := r.escape(k)
		if err != nil {
			return nil, err
		}
		val, err := r.escape(v)
		if err != nil {
			return nil, err
		}
		out = append(out, key.text+`="`+val.text+`"`)
		if err := r.alloc(len(key.text) + len(val.text) + 4); err != nil {
			return nil, err
		}
	}
	text := strings.Join(out, " ")
	space, err := truthArg(a[1], true)
	if err != nil {
		return nil, err
	}
	if space && text != "" {
		text = " " + text
	}
	if r.autoescape {
		return markup{text: text}, nil
	}
	return value.Str(text), nil
}

// urlQuote is jinja2.utils.url_quote: for a path, or for a query with plus signs.
func (r *run) urlQuote(v value.Value, query bool) (string, error) {
	s := ""
	if b, ok := v.(value.Bytes); ok {
		s = string(b)
	} else {
		var err error
		if s, err = r.str(v); err != nil {
			return "", err
		}
	}
	if err := r.alloc(3 * len(s)); err != nil {
		return "", err
	}
	const hexUpper = "0123456789ABCDEF"
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("_.-~", c) >= 0,
			c == '/' && !query:
			out = append(out, c)
		case c == ' ' && query:
			out = append(out, '+')
		default:
			out = append(out, '%', hexUpper[c>>4], hexUpper[c&15])
		}
	}
	return string(out), nil
}

func filterUrlencode(r *run, a []value.Value) (value.Value, error) {
	src := a[0]
	if _, ok := str(src); ok {
		s, err := r.urlQuote(src, false)
		return value.Str(s), err
	}
	if d, ok := src.(*value.Dict); ok {
		src = &dictView{d: d, kind: "dict_items"}
	}
	it, err := r.iter(src)
	if _, isSelf := src.(*templateRef); isSelf { // items alone make no collections.abc.Iterable
		err = typeErr("not iterable")
	}
	if catchable(err, "TypeError") {
		s, err := r.urlQuote(src, false)
		return value.Str(s), err
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for {
		v, ok, err := r.pull(it)
		if err != nil {
			return nil, err
		}
		if !ok {
			return value.Str(strings.Join(out, "&")), nil
		}
		pair, err := r.unpack(v, 2)
		if err != nil {
			return nil, err
		}
		key, err := r.urlQuote(pair[0], true)
		if err != nil {
			return nil, err
		}
		val, err := r.urlQuote(pair[1], true)
		if err != nil {
			return nil, err
		}
		out = append(out, key+"="+val)
		if err := r.alloc(len(key) + len(val) + 1); err != nil {
			return nil, err
		}
	}
}
