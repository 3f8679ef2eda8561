package pyre

import (
	"context"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Template is a parsed replacement text.
type Template struct {
	parts []templatePart
}

type templatePart struct {
	text  string
	group int // -1 for text
}

// Template parses a replacement as re.sub does: \1, \g<1>, \g<name>, \g<0>, \n and its like, \\.
func (r *Regexp) Template(repl string) (*Template, error) {
	p := &templateParser{parser: parser{src: []rune(repl)}, r: r}
	for p.more() {
		if p.src[p.i] != '\\' {
			p.lit.WriteRune(p.src[p.i])
			p.i++
			continue
		}
		if p.i+1 >= len(p.src) {
			return nil, p.fail(p.i, "bad escape (end of pattern)")
		}
		if err := p.escape(); err != nil {
			return nil, err
		}
	}
	p.flush()
	return &Template{p.out}, nil
}

type templateParser struct {
	parser
	r   *Regexp
	lit strings.Builder
	out []templatePart
}

func (p *templateParser) flush() {
	if p.lit.Len() > 0 {
		p.out = append(p.out, templatePart{p.lit.String(), -1})
		p.lit.Reset()
	}
}

func (p *templateParser) group(n, at int) error {
	if n > p.r.t.groups {
		return p.fail(at, "invalid group reference %d", n)
	}
	p.flush()
	p.out = append(p.out, templatePart{group: n})
	return nil
}

func (p *templateParser) escape() error {
	start, c := p.i, p.src[p.i+1]
	p.i += 2
	switch {
	case c == 'g':
		return p.named()
	case c == '0':
		n := rune(0)
		for k := 0; k < 2 && p.peek(0) >= '0' && p.peek(0) <= '7'; k++ {
			n = n*8 + p.src[p.i] - '0'
			p.i++
		}
		p.lit.WriteRune(n & 0xff)
	case c >= '1' && c <= '9':
		return p.number(start, c)
	case strings.ContainsRune("abfnrtv", c):
		p.lit.WriteByte("\a\b\f\n\r\t\v"[strings.IndexRune("abfnrtv", c)])
	case c == '\\':
		p.lit.WriteByte('\\')
	case c < 128 && (c|32 >= 'a' && c|32 <= 'z'):
		return p.fail(start, `bad escape \%s`, string(c))
	default:
		p.lit.WriteRune('\\')
		p.lit.WriteRune(c)
	}
	return nil
}

func (p *templateParser) number(start int, first rune) error {
	n := int(first - '0')
	if d := p.peek(0); d >= '0' && d <= '9' {
		p.i++
		if e := p.peek(0); first <= '7' && d <= '7' && e >= '0' && e <= '7' {
			p.i++
			v := n*64 + int(d-'0')*8 + int(e-'0')
			if v > 0o377 {
				return p.fail(start, `octal escape value %s outside of range 0-0o377`, string(p.src[start:p.i]))
			}
			p.lit.WriteRune(rune(v))
			return nil
		}
		n = n*10 + int(d-'0')
	}
	return p.group(n, start+1)
}

func (p *templateParser) named() error {
	if !p.at('<') {
		return p.fail(p.i, "missing <")
	}
	at := p.i
	name, err := p.groupName('>', "group name")
	if err != nil {
		return err
	}
	if identifier(name) {
		n, ok := p.r.t.names[name]
		if !ok {
			return fault.New(fault.Invalid, "unknown group name %s", value.Repr(value.Str(name))).WithCode("IndexError")
		}
		return p.group(n, at)
	}
	n, err := strconv.Atoi(name)
	if err != nil || name[0] == '+' || name[0] == '-' {
		return p.fail(at, "bad character in group name %s", quoted(name))
	}
	return p.group(n, at)
}

// Expand returns the replacement for a match; a group that took no part is empty.
func (t *Template) Expand(m *Match) string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.group < 0 {
			b.WriteString(p.text)
			continue
		}
		s, _ := m.Group(p.group)
		b.WriteString(s)
	}
	return b.String()
}

// Sub is re.sub with a template string; at most limit matches are replaced, 0 means all.
func (r *Regexp) Sub(ctx context.Context, repl, s string, limit int) (string, error) {
	t, err := r.Template(repl)
	if err != nil {
		return "", err
	}
	return r.SubFunc(ctx, func(m *Match) (string, error) { return t.Expand(m), nil }, s, limit)
}

// SubFunc is re.sub with a function.
func (r *Regexp) SubFunc(ctx context.Context, repl func(*Match) (string, error), s string, limit int) (string, error) {
	c := r.begin(ctx, s)
	var b strings.Builder
	from := 0
	err := c.matches(limit, func(m *Match) error {
		text, err := repl(m)
		b.WriteString(c.text.slice(from, m.Start(0)))
		b.WriteString(text)
		from = m.End(0)
		return err
	})
	if err != nil {
		return "", err
	}
	b.WriteString(c.text.slice(from, len(c.text.runes)))
	return b.String(), nil
}

// Escape is re.escape.
func Escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
