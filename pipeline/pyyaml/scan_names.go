package pyyaml

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// scanDirective reads a "%YAML 1.1" or "%TAG !e! tag:..." line; other directives are skipped.
func (s *scanner) scanDirective() (token, error) {
	t := token{kind: tokDirective, start: s.at}
	s.forward(1)
	if t.value = s.take(isWord); t.value == "" || !isStop(s.char()) {
		return t, s.bad(s.at, "A directive is written %%NAME, with a space behind the name.")
	}
	var err error
	switch t.value {
	case "YAML":
		t.more = &tagParts{}
		t.more.major, err = s.scanVersion()
	case "TAG":
		t.more = &tagParts{}
		t.more.handle, t.more.major, err = s.scanTagDirective()
	default:
		s.skip(notEnd)
	}
	if err != nil {
		return t, err
	}
	t.end = s.at
	return t, s.restOfLine("directive")
}

// restOfLine skips spaces, a comment and the line break.
func (s *scanner) restOfLine(what string) error {
	s.skipSpaces()
	if s.char() == '#' {
		s.skip(notEnd)
	}
	if c := s.char(); !isEnd(c) {
		return s.bad(s.at, "Only a comment may follow the %s on its line, not %q.", what, c)
	}
	s.lineBreak()
	return nil
}

func (s *scanner) scanVersion() (string, error) {
	s.skipSpaces()
	major := s.take(isDigit)
	if major == "" || s.char() != '.' {
		return "", s.bad(s.at, "The version is written %%YAML 1.1.")
	}
	s.forward(1)
	if minor := s.take(isDigit); minor == "" || !isStop(s.char()) {
		return "", s.bad(s.at, "The version is written %%YAML 1.1.")
	}
	return strings.TrimLeft(major, "0"), nil
}

func (s *scanner) scanTagDirective() (handle, prefix string, err error) {
	s.skipSpaces()
	if handle, err = s.scanHandle(); err != nil {
		return "", "", err
	}
	if s.char() != ' ' {
		return "", "", s.bad(s.at, "A space must follow the handle of a %%TAG directive.")
	}
	s.skipSpaces()
	if prefix, err = s.scanURI(); err != nil {
		return "", "", err
	}
	if !isStop(s.char()) {
		return "", "", s.bad(s.at, "The prefix of a %%TAG directive holds the character %q.", s.char())
	}
	return handle, prefix, nil
}

// scanAnchor reads "&name" or "*name".
func (s *scanner) scanAnchor(kind tokenKind) (token, error) {
	t := token{kind: kind, start: s.at}
	s.forward(1)
	t.value = s.take(isWord)
	if c := s.char(); t.value == "" || !isGap(c) && !strings.ContainsRune("?:,]}%@`", c) {
		err := failure(ScannerError, s.file, s.at, "The name of %s is made of letters, digits, '-' and '_' alone.", kind)
		return t, err.WithHint("Put the value in quotes if it is meant to begin with '&' or '*'.")
	}
	t.end = s.at
	return t, nil
}

// noHandle marks a verbatim tag, !<...>, and the lone "!".
const noHandle = ""

func (s *scanner) scanTag() (token, error) {
	t := token{kind: tokTag, start: s.at, more: &tagParts{handle: noHandle}}
	var err error
	switch c := s.peek(1); {
	case c == '<':
		s.forward(2)
		t.value, err = s.scanURI()
		if err == nil && s.char() != '>' {
			err = s.bad(s.at, "A tag that begins with '!<' ends with '>'.")
		}
		s.forward(1)
	case isGap(c):
		t.value = "!"
		s.forward(1)
	default:
		if t.more.handle, err = s.scanTagHandle(); err == nil {
			t.value, err = s.scanURI()
		}
	}
	if c := s.char(); err == nil && !isStop(c) {
		err = s.bad(s.at, "A space must follow the tag, not %q.", c)
	}
	t.end = s.at
	return t, err
}

// scanTagHandle reads "!", "!!" or "!name!", if a second "!" follows before the next space.
func (s *scanner) scanTagHandle() (string, error) {
	for n := 1; !isStop(s.peek(n)); n++ {
		if s.peek(n) == '!' {
			return s.scanHandle()
		}
	}
	s.forward(1)
	return "!", nil
}

func (s *scanner) scanHandle() (string, error) {
	if s.char() != '!' {
		return "", s.bad(s.at, "A tag handle begins with '!'.")
	}
	n := 1
	if s.peek(1) != ' ' {
		for isWord(s.peek(n)) {
			n++
		}
		if s.peek(n) != '!' {
			s.forward(n)
			return "", s.bad(s.at, "A tag handle ends with '!' and is made of letters, digits, '-' and '_'.")
		}
		n++
	}
	handle := s.prefix(n)
	s.forward(n)
	return handle, nil
}

func isURI(c rune) bool { return isWord(c) || c != 0 && strings.ContainsRune(";/?:@&=+$,.!~*'()[]", c) }

func (s *scanner) scanURI() (string, error) {
	var b strings.Builder
	for {
		b.WriteString(s.take(isURI))
		if s.char() != '%' {
			break
		}
		text, err := s.scanURIEscapes()
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	if b.Len() == 0 {
		return "", s.bad(s.at, "The name of a tag is missing here.")
	}
	return b.String(), nil
}

func (s *scanner) scanURIEscapes() (string, error) {
	start := s.at
	var b []byte
	for s.char() == '%' {
		s.forward(1)
		n, err := strconv.ParseUint(s.prefix(2), 16, 8)
		if err != nil || !isHex(s.char()) || !isHex(s.peek(1)) {
			return "", s.bad(s.at, "A '%%' in a tag is followed by two hexadecimal digits.")
		}
		b = append(b, byte(n))
		s.forward(2)
	}
	if !utf8.Valid(b) {
		return "", s.bad(start, "The '%%' escapes of this tag are not UTF-8.")
	}
	return string(b), nil
}
