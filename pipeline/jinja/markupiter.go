package jinja

import (
	"strings"
	"unicode/utf8"
)

// replacement is a replacement field of str.format: {name!conversion:spec}.
type replacement struct{ name, conv, spec string }

// nextField takes the text up to the next field and the field off the front of s; field is nil if there is none before an
// escaped brace or the end. The checks come in the order of CPython's MarkupIterator_next.
func nextField(s string) (literal string, field *replacement, rest string, err error) {
	i := strings.IndexAny(s, "{}")
	if i < 0 {
		return s, nil, "", nil
	}
	c, end := s[i], i+1 == len(s)
	switch {
	case c == '}' && (end || s[i+1] != '}'):
		return "", nil, "", valueErr("Single '}' encountered in format string")
	case end:
		return "", nil, "", valueErr("Single '{' encountered in format string")
	case s[i+1] == c:
		return s[:i+1], nil, s[i+2:], nil
	}
	field, rest, err = cutField(s[i+1:])
	return s[:i], field, rest, err
}

// cutField reads a field behind its brace, as CPython's parse_field does.
func cutField(s string) (*replacement, string, error) {
	i, err := fieldName(s)
	if err != nil {
		return nil, "", err
	}
	if i == len(s) {
		return nil, "", valueErr("expected '}' before end of string")
	}
	f := &replacement{name: s[:i]}
	c, s := s[i], s[i+1:]
	if c == '}' {
		return f, s, nil
	}
	if c == '!' {
		if s == "" {
			return nil, "", valueErr("end of string while looking for conversion specifier")
		}
		_, n := utf8.DecodeRuneInString(s)
		f.conv, s = s[:n], s[n:]
		if s != "" {
			switch s[0] {
			case '}':
				return f, s[1:], nil
			case ':':
				s = s[1:]
			default:
				return nil, "", valueErr("expected ':' after conversion specifier")
			}
		}
	}
	depth := 1
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				f.spec = s[:i]
				return f, s[i+1:], nil
			}
		}
	}
	return nil, "", valueErr("unmatched '{' in format spec")
}

// fieldName finds the end of a field's name: the first }, : or ! outside of brackets, or the end of the text.
func fieldName(s string) (int, error) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			return 0, valueErr("unexpected '{' in field name")
		case '[':
			if end := strings.IndexByte(s[i+1:], ']'); end >= 0 {
				i += end // the bracket itself is passed over next
			} else {
				return len(s), nil
			}
		case '}', ':', '!':
			return i, nil
		}
	}
	return len(s), nil
}
