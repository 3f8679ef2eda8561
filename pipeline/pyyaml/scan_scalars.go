package pyyaml

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
)

// scanPlain reads a scalar without quotes, over several lines if they are indented.
func (s *scanner) scanPlain() token {
	t := token{kind: tokScalar, start: s.at, end: s.at, plain: true}
	indent := s.indent + 1
	var b strings.Builder
	from, end := s.pos, s.pos // what stands between them is text that b does not have yet
	fold, folded := "", false // a line break before the next word
	for s.char() != '#' {
		begin := s.pos
		s.skipPlain()
		if s.pos == begin {
			break
		}
		s.keyOK = false
		if folded {
			b.WriteString(s.text[from:end])
			b.WriteString(fold)
			from = begin
		}
		end, t.end = s.pos, s.at
		fold, folded = s.scanPlainSpaces()
		if fold == "" || s.flow == 0 && s.at.column < indent {
			break
		}
	}
	if t.value = s.text[from:end]; b.Len() > 0 {
		b.WriteString(t.value)
		t.value = b.String()
	}
	return t
}

// skipPlain moves to where a word of a plain scalar ends.
func (s *scanner) skipPlain() {
	for {
		n := s.pos
		for n < len(s.text) && ordinary[s.text[n]] {
			n++
		}
		s.leap(n - s.pos)
		c, size := s.decode(s.pos)
		if s.plainEnds(c) {
			return
		}
		s.step(c, size)
	}
}

// ordinary are the bytes that never end a plain scalar.
var ordinary = func() (set [256]bool) {
	for c := '!'; c <= '~'; c++ {
		set[c] = !strings.ContainsRune(",?:[]{}", c)
	}
	return set
}()

// plainEnds reports whether a plain scalar ends before the character that stands here.
func (s *scanner) plainEnds(c rune) bool {
	switch c {
	case ',', '?', '[', ']', '{', '}':
		return s.flow != 0
	case ':':
		after := s.peek(1)
		return isGap(after) || s.flow != 0 && strings.ContainsRune(",[]{}", after)
	}
	return isGap(c)
}

// scanPlainSpaces reads what lies between two words of a plain scalar; empty if the scalar ends here. Over a line break it
// is not what stands in the text.
func (s *scanner) scanPlainSpaces() (spaces string, folded bool) {
	begin := s.pos
	s.skipSpaces()
	if !isBreak(s.char()) {
		return s.text[begin:s.pos], false
	}
	first := s.lineBreak()
	s.keyOK = true
	if s.separator() {
		return "", true
	}
	var breaks strings.Builder
	for {
		s.skipSpaces()
		br := s.lineBreak()
		if br == "" {
			return foldBreaks(first, breaks.String()), true
		}
		breaks.WriteString(br)
		if s.separator() {
			return "", true
		}
	}
}

// foldBreaks turns one line break into a space and drops the first of several.
func foldBreaks(first, rest string) string {
	switch {
	case first != "\n":
		return first + rest
	case rest == "":
		return " "
	}
	return rest
}

func (s *scanner) scanQuoted(quote rune) (token, error) {
	t := token{kind: tokScalar, start: s.at}
	s.forward(1)
	if n := s.simpleQuoted(byte(quote)); n >= 0 {
		t.value = s.text[s.pos : s.pos+n]
		s.leap(n + 1)
		t.end = s.at
		return t, nil
	}
	var b strings.Builder
	for {
		if err := s.scanQuotedText(quote, &b, t.start); err != nil {
			return t, err
		}
		if s.char() == quote {
			break
		}
		if err := s.scanQuotedSpaces(&b, t.start); err != nil {
			return t, err
		}
	}
	s.forward(1)
	t.value, t.end = b.String(), s.at
	return t, nil
}

// simpleQuoted returns the length of a quoted text that means just what it says: ASCII on one line, without escapes; -1
// for any other.
func (s *scanner) simpleQuoted(quote byte) int {
	for i, c := range []byte(s.text[s.pos:]) {
		switch {
		case c == quote:
			if quote == '\'' && s.pos+i+1 < len(s.text) && s.text[s.pos+i+1] == quote {
				return -1
			}
			return i
		case c == '\n', c == '\r', c >= utf8.RuneSelf, c == '\\' && quote == '"':
			return -1
		}
	}
	return -1
}

func (s *scanner) scanQuotedText(quote rune, b *strings.Builder, start mark) error {
	double := quote == '"'
	for {
		b.WriteString(s.take(func(c rune) bool { return c != '\'' && c != '"' && c != '\\' && !isGap(c) }))
		switch c := s.char(); {
		case !double && c == '\'' && s.peek(1) == '\'':
			b.WriteByte('\'')
			s.forward(2)
		case double && c == '\'', !double && (c == '"' || c == '\\'):
			b.WriteRune(c)
			s.forward(1)
		case double && c == '\\':
			if err := s.scanEscape(b, start); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// escapes maps the character behind a backslash to what it stands for (YAML 1.1, section 5.6).
var escapes = map[rune]rune{'0': 0, 'a': 7, 'b': 8, 't': 9, '\t': 9, 'n': 10, 'v': 11, 'f': 12, 'r': 13, 'e': 27, ' ': ' ', '"': '"',
	'\\': '\\', '/': '/', 'N': 0x85, '_': 0xa0, 'L': 0x2028, 'P': 0x2029}

func (s *scanner) scanEscape(b *strings.Builder, start mark) error {
	at := s.at
	s.forward(1)
	c := s.char()
	if r, ok := escapes[c]; ok {
		b.WriteRune(r)
		s.forward(1)
		return nil
	}
	switch {
	case c == 'x':
		return s.scanCode(b, 2, at)
	case c == 'u':
		return s.scanCode(b, 4, at)
	case c == 'U':
		return s.scanCode(b, 8, at)
	case isBreak(c):
		s.lineBreak()
		breaks, err := s.scanQuotedBreaks(start)
		b.WriteString(breaks)
		return err
	}
	return failure(ScannerError, s.file, at, "%q is not an escape in a double-quoted string.", "\\"+string(c)).
		WithHint(`Write \\ for a backslash, or use single quotes.`)
}

// scanCode reads the digits of \x, \u or \U. The two halves of a surrogate pair become one character; Python keeps
// them apart, as text that cannot be encoded.
func (s *scanner) scanCode(b *strings.Builder, digits int, at mark) error {
	s.forward(1)
	code, ok := s.hexCode(digits)
	if !ok {
		return s.bad(at, "This escape needs %d hexadecimal digits.", digits)
	}
	if utf16.IsSurrogate(code) && s.char() == '\\' && s.peek(1) == 'u' {
		s.forward(2)
		low, _ := s.hexCode(4)
		code = utf16.DecodeRune(code, low)
		if code == 0xfffd {
			code = 0xd800
		}
	}
	if utf16.IsSurrogate(code) || code > 0x10ffff {
		err := failure(ScannerError, s.file, at, "This escape does not stand for a character.")
		err.Kind = fault.Unsupported // Python keeps half a pair, and fails when the text is used
		return err
	}
	b.WriteRune(code)
	return nil
}

func (s *scanner) hexCode(digits int) (rune, bool) {
	for i := range digits {
		if !isHex(s.peek(i)) {
			return 0, false
		}
	}
	n, _ := strconv.ParseUint(s.prefix(digits), 16, 32)
	s.forward(digits)
	return rune(min(n, 0x110000)), true
}

func (s *scanner) scanQuotedSpaces(b *strings.Builder, start mark) error {
	blanks := s.take(isBlank)
	c := s.char()
	if c == 0 {
		return s.bad(start, "The string that begins here has no closing quote.")
	}
	if !isBreak(c) {
		b.WriteString(blanks)
		return nil
	}
	first := s.lineBreak()
	breaks, err := s.scanQuotedBreaks(start)
	b.WriteString(foldBreaks(first, breaks))
	return err
}

func (s *scanner) scanQuotedBreaks(start mark) (string, error) {
	var b strings.Builder
	for {
		if s.separator() {
			return "", s.bad(start, "The string that begins here is cut by a document marker on line %d.", s.at.line+1)
		}
		s.skip(isBlank)
		br := s.lineBreak()
		if br == "" {
			return b.String(), nil
		}
		b.WriteString(br)
	}
}
