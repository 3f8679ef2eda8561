package jinja

import (
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// shown stands for an argument of a format, so that it is printed within the limits.
type shown struct {
	internal
	r      *run
	v      value.Value
	escape bool
}

// Class returns the class of the value it stands for, for messages.
func (s *shown) Class() string { return typeName(s.v) }

// Repr returns the value's repr; what goes wrong is kept for later.
func (s *shown) Repr() string { return s.text(s.r.repr) }

// PyStr returns the value's text.
func (s *shown) PyStr() string { return s.text(s.r.str) }

// StrText lets %c take markup; a value that is to be escaped is no str.
func (s *shown) StrText() (string, bool) {
	if s.escape {
		return "", false
	}
	return str(s.v)
}

func (s *shown) text(print func(value.Value) (string, error)) string {
	if s.r.failed != nil {
		return ""
	}
	out, err := print(s.v)
	if err == nil && s.escape && !isMarkup(s.v) {
		out, err = s.r.escapeText(out)
	}
	s.r.failed = err
	return out
}

// showable wraps what value.Format would print itself without a limit.
func (r *run) showable(v value.Value, escape bool) value.Value {
	switch v := v.(type) {
	case value.Int, value.Float, value.Bool, *value.BigInt:
		return v
	case value.Str:
		if !escape {
			return v
		}
	}
	return &shown{r: r, v: v, escape: escape}
}

// printf is Python's text % args.
func (r *run) printf(format, a value.Value) (value.Value, error) {
	text, _ := str(format)
	escape := isMarkup(format)
	if err := r.formatWidths(text, a); err != nil {
		return nil, err
	}
	var wrapped value.Value
	switch v := a.(type) {
	case value.Tuple:
		out := make(value.Tuple, len(v))
		for i, x := range v {
			out[i] = r.showable(x, escape)
		}
		wrapped = out
	case *value.Dict:
		out := &value.Dict{}
		for k, x := range v.All() {
			out.SetKey(k, r.showable(x, escape))
		}
		wrapped = out
		if !named(text) { // one value, printed whole
			wrapped = value.Tuple{r.showable(v, escape)}
			if !directives(text) {
				return like(format, percent(text)), r.alloc(len(text))
			}
		}
	case *value.List, value.Bytes, *undefined, *rangeVal:
		if named(text) {
			_, err := r.item(v, value.Str("")) // as a mapping it has no such item
			return nil, err
		}
		wrapped = value.Tuple{r.showable(v, escape)}
		if !directives(text) {
			return like(format, percent(text)), r.alloc(len(text))
		}
	default:
		wrapped = value.Tuple{r.showable(v, escape)}
	}
	r.failed = nil
	out, err := value.Format(text, wrapped)
	if r.failed != nil {
		err, r.failed = r.failed, nil
	}
	if err != nil {
		return nil, numberless(err, a)
	}
	return like(format, out), r.alloc(len(out))
}

// numberless is the error of an undefined value that was asked for a number.
func numberless(err error, a value.Value) error {
	if !strings.Contains(err.Error(), "real number") {
		return err
	}
	list, ok := a.(value.Tuple)
	if !ok {
		list = value.Tuple{a}
	}
	for _, v := range list {
		if u := asUndefined(v); u != nil {
			return u.fail()
		}
	}
	return err
}

// scanFormat calls visit for the text behind each percent sign that is not doubled.
func scanFormat(s string, visit func(rest string)) {
	for i := 0; i+1 < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		i++
		if s[i] != '%' {
			visit(s[i:])
		}
	}
}

func named(s string) bool {
	found := false
	scanFormat(s, func(rest string) { found = found || rest[0] == '(' })
	return found
}

func directives(s string) bool {
	found := false
	scanFormat(s, func(string) { found = true })
	return found || len(s) > 0 && s[len(s)-1] == '%' && !doubledEnd(s)
}

func doubledEnd(s string) bool {
	n := 0
	for i := len(s) - 1; i >= 0 && s[i] == '%'; i-- {
		n++
	}
	return n%2 == 0
}

func percent(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		out = append(out, s[i])
		if s[i] == '%' {
			i++
		}
	}
	return string(out)
}

// formatWidths counts the widths and precisions of a format before anything is made of them.
func (r *run) formatWidths(s string, a value.Value) error {
	total, star := 0, false
	tooLong := false
	scanFormat(s, func(rest string) {
		if rest[0] == '(' {
			if i := strings.IndexByte(rest, ')'); i > 0 {
				rest = rest[i+1:]
			}
		}
		rest = strings.TrimLeft(rest, "#0- +")
		for i, c := range rest {
			star = star || c == '*'
			if c != '.' && c != '*' && (c < '0' || c > '9') {
				rest = rest[:i]
				break
			}
		}
		for _, digits := range strings.Split(rest, ".") {
			n, err := strconv.Atoi(strings.Trim(digits, "*"))
			if err != nil && strings.Trim(digits, "*") != "" || n > r.mem-total {
				tooLong = true
				return
			}
			total += n
		}
	})
	if tooLong {
		return r.alloc(-1)
	}
	if t, ok := a.(value.Tuple); ok && star { // widths given as "*"
		for _, v := range t {
			if n, ok := smallInt(v); ok && (n > int64(r.mem) || n < -int64(r.mem)) {
				return r.alloc(-1)
			}
		}
	}
	return r.read(total + len(s))
}
