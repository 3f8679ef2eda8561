package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

// lexer cuts a source into tokens (jinja2/lexer.py). Comments and whitespace inside tags are dropped.
type lexer struct {
	src    string
	opt    *Options
	pos    int
	line   int
	tokens []token
	open   []byte // closing brackets still expected inside a tag
	// lineStart tells whether the text at pos begins a line, for lstrip_blocks.
	lineStart bool
}

// lex returns the tokens of a source and, if it is wrong somewhere, the error, which belongs to the last token.
func lex(src string, opt *Options) ([]token, error) {
	src = normalizeNewlines(src)
	if !opt.KeepTrailingNewline {
		src = strings.TrimSuffix(src, "\n")
	}
	l := &lexer{src: src, opt: opt, line: 1, lineStart: true, tokens: make([]token, 0, min(len(src)/4+2, 64))}
	for l.pos < len(l.src) {
		if err := l.root(); err != nil {
			l.emit(token{kind: tokBad, line: l.line})
			return l.tokens, err
		}
	}
	end := token{kind: tokEOF, line: 1}
	if n := len(l.tokens); n > 0 {
		end.line = l.tokens[n-1].line
	}
	l.emit(end)
	return l.tokens, nil
}

func (l *lexer) emit(t token) { l.tokens = append(l.tokens, t) }

func (l *lexer) rest() string { return l.src[l.pos:] }

// advance moves n bytes on and counts lines.
func (l *lexer) advance(n int) {
	part := l.src[l.pos : l.pos+n]
	l.line += strings.Count(part, "\n")
	l.pos += n
	if n > 0 {
		l.lineStart = part[n-1] == '\n'
	}
}

// root takes template text up to the next tag, then the tag.
func (l *lexer) root() error {
	at := nextTag(l.rest())
	if at < 0 {
		l.data(l.rest())
		l.advance(len(l.rest()))
		return nil
	}
	text, tag := l.src[l.pos:l.pos+at], l.src[l.pos+at:]
	sign := byte(0)
	if len(tag) > 2 && (tag[2] == '-' || tag[2] == '+') {
		sign = tag[2]
	}
	l.data(l.stripBefore(text, sign, tag[1] == '{'))
	wasLineStart := l.lineStart
	l.advance(at)
	if at == 0 {
		l.lineStart = wasLineStart
	}
	open := 2
	if sign != 0 {
		open = 3
	}
	switch tag[1] {
	case '#':
		return l.comment(open)
	case '{':
		return l.tag(open, tokVarBegin, tokVarEnd, "}}")
	}
	if n := rawBegin(tag); n > 0 {
		return l.raw(n)
	}
	return l.tag(open, tokBlockBegin, tokBlockEnd, "%}")
}

func nextTag(s string) int {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '{')
		if i < 0 || from+i+1 >= len(s) {
			return -1
		}
		from += i
		if c := s[from+1]; c == '{' || c == '%' || c == '#' {
			return from
		}
		from++
	}
}

func (l *lexer) data(text string) {
	if text != "" {
		l.emit(token{kind: tokData, line: l.line, text: text})
	}
}

// stripBefore applies the sign of a tag, or lstrip_blocks, to the text before it.
func (l *lexer) stripBefore(text string, sign byte, variable bool) string {
	if sign == '-' {
		return strings.TrimRightFunc(text, value.IsSpace)
	}
	if sign == '+' || !l.opt.LstripBlocks || variable {
		return text
	}
	at := strings.LastIndexByte(text, '\n') + 1
	if (at > 0 || l.lineStart) && at < len(text) && strings.TrimFunc(text[at:], value.IsSpace) == "" {
		return text[:at]
	}
	return text
}

// closing matches an end of a tag: "-%}" with the space behind it, "+%}", or "%}" with one newline if blocks are
// trimmed. It returns the length, or 0.
func (l *lexer) closing(s, end string, plus, trim bool) int {
	switch {
	case strings.HasPrefix(s, "-"+end):
		return 1 + len(end) + spaces(s[1+len(end):])
	case plus && strings.HasPrefix(s, "+"+end):
		return 1 + len(end)
	case strings.HasPrefix(s, end):
		if trim && strings.HasPrefix(s[len(end):], "\n") {
			return len(end) + 1
		}
		return len(end)
	}
	return 0
}

func (l *lexer) comment(open int) error {
	start := l.line
	l.advance(open)
	for i := 0; ; i++ {
		j := strings.IndexAny(l.rest()[i:], "#-+")
		if j < 0 {
			if len(l.rest()) == 0 {
				return nil // Jinja ends quietly when nothing follows the opening
			}
			return syntaxErr(start, "Missing end of comment tag")
		}
		i += j
		if n := l.closing(l.rest()[i:], "#}", true, l.opt.TrimBlocks); n > 0 {
			l.advance(i + n)
			return nil
		}
	}
}

// rawBegin matches "{% raw %}" with its signs and returns its length, or 0.
func rawBegin(s string) int {
	i := 2
	if len(s) > 2 && (s[2] == '-' || s[2] == '+') {
		i = 3
	}
	i += spaces(s[i:])
	if !strings.HasPrefix(s[i:], "raw") {
		return 0
	}
	i += 3
	i += spaces(s[i:])
	switch {
	case strings.HasPrefix(s[i:], "-%}"):
		return i + 3 + spaces(s[i+3:])
	case strings.HasPrefix(s[i:], "%}"):
		return i + 2
	}
	return 0
}

// raw takes the text up to "{% endraw %}".
func (l *lexer) raw(n int) error {
	l.advance(n)
	rest := l.rest()
	for i := 0; ; {
		j := strings.Index(rest[i:], "{%")
		if j < 0 {
			if rest == "" {
				return nil
			}
			return syntaxErr(l.line, "Missing end of raw directive")
		}
		i += j
		k, sign := i+2, byte(0)
		if k < len(rest) && (rest[k] == '-' || rest[k] == '+') {
			sign = rest[k]
			k++
		}
		k += spaces(rest[k:])
		if strings.HasPrefix(rest[k:], "endraw") {
			k += 6
			k += spaces(rest[k:])
			if m := l.closing(rest[k:], "%}", true, l.opt.TrimBlocks); m > 0 {
				l.data(l.stripBefore(rest[:i], sign, false))
				l.advance(k + m)
				return nil
			}
		}
		i += 2
	}
}

// tag takes the tokens of one tag. An end inside brackets is not an end.
func (l *lexer) tag(open int, begin, end tokenKind, endText string) error {
	l.emit(token{kind: begin, line: l.line})
	l.advance(open)
	l.open = l.open[:0]
	for l.pos < len(l.src) {
		if len(l.open) == 0 {
			block := end == tokBlockEnd
			if n := l.closing(l.rest(), endText, block, block && l.opt.TrimBlocks); n > 0 {
				l.emit(token{kind: end, line: l.line})
				l.advance(n)
				return nil
			}
		}
		if err := l.inside(); err != nil {
			return err
		}
	}
	return nil
}

// inside takes one token inside a tag.
func (l *lexer) inside() error {
	s := l.rest()
	if n := spaces(s); n > 0 {
		l.advance(n)
		return nil
	}
	c := s[0]
	switch {
	case c >= '0' && c <= '9', c >= utf8.RuneSelf && !l.afterDot() && floatEnd(s) > 0:
		return l.number(s)
	case c == '"' || c == '\'':
		if n := stringEnd(s); n > 0 {
			return l.str(s[:n])
		}
		return l.unexpected()
	}
	if n := nameEnd(s); n > 0 {
		if !isIdentifier(s[:n]) {
			return syntaxErr(l.line, "Invalid character in identifier")
		}
		l.emit(token{kind: tokName, line: l.line, text: s[:n]})
		l.advance(n)
		return nil
	}
	return l.operator(s)
}

func (l *lexer) unexpected() error {
	r, _ := utf8.DecodeRuneInString(l.rest())
	return syntaxErr(l.line, "unexpected char %s at %d", quote(string(r)), utf8.RuneCountInString(l.src[:l.pos]))
}

func (l *lexer) operator(s string) error {
	for _, op := range operatorAt {
		if !strings.HasPrefix(s, op.text) {
			continue
		}
		if err := l.balance(s[0]); err != nil {
			return err
		}
		l.emit(token{kind: op.kind, line: l.line, text: op.text})
		l.advance(len(op.text))
		return nil
	}
	return l.unexpected()
}

func (l *lexer) balance(c byte) error {
	switch c {
	case '{':
		l.open = append(l.open, '}')
	case '(':
		l.open = append(l.open, ')')
	case '[':
		l.open = append(l.open, ']')
	case '}', ')', ']':
		if len(l.open) == 0 {
			return syntaxErr(l.line, "unexpected '%c'", c)
		}
		want := l.open[len(l.open)-1]
		l.open = l.open[:len(l.open)-1]
		if want != c {
			return syntaxErr(l.line, "unexpected '%c', expected '%c'", c, want)
		}
	}
	return nil
}

func (l *lexer) str(s string) error {
	text, err := unescape(normalizeNewlines(s[1:len(s)-1]), l.line)
	if err != nil {
		return err
	}
	l.emit(token{kind: tokString, line: l.line, text: text, val: value.Str(text)})
	l.advance(len(s))
	return nil
}

// stringEnd returns the length of the string literal at the start of s, or 0.
func stringEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return 0
}

// spaces returns the length of the whitespace at the start of s.
func spaces(s string) int {
	for i, r := range s {
		if !value.IsSpace(r) {
			return i
		}
	}
	return len(s)
}

func nameEnd(s string) int {
	for i, r := range s {
		if !isWordRune(r) {
			return i
		}
	}
	return len(s)
}

func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	return unicode.In(r, unicode.L, unicode.N, unicode.Mn, unicode.Mc, unicode.Pc)
}

// isIdentifier is Python's str.isidentifier.
func isIdentifier(s string) bool {
	for i, r := range s {
		if r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r) {
			continue
		}
		if i == 0 || !unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc) {
			return false
		}
	}
	return s != ""
}
