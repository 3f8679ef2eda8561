package pyyaml

import "strings"

// scanBlockScalar reads a literal (|) or folded (>) scalar.
func (s *scanner) scanBlockScalar(style rune) (token, error) {
	t := token{kind: tokScalar, start: s.at}
	s.forward(1)
	chomp, increment, err := s.scanBlockHeader()
	if err == nil {
		err = s.restOfLine("block scalar's header")
	}
	if err != nil {
		return t, err
	}
	indent := max(int(s.indent)+1, 1)
	breaks := ""
	if increment == 0 {
		var widest int
		breaks, widest = s.scanBlockIndent()
		indent = max(indent, widest)
	} else {
		indent += increment - 1
		breaks = s.scanBlockBreaks(indent)
	}
	text, last, rest := s.scanBlockLines(indent, breaks, style == '>')
	if chomp != '-' {
		text += last
	}
	if chomp == '+' {
		text += rest
	}
	t.value, t.end = text, s.at
	return t, nil
}

// scanBlockLines returns the lines, the last line break and the empty lines behind it.
func (s *scanner) scanBlockLines(indent int, breaks string, folded bool) (text, last, rest string) {
	var b strings.Builder
	for int(s.at.column) == indent && s.char() != 0 {
		b.WriteString(breaks)
		flush := !isBlank(s.char())
		b.WriteString(s.take(notEnd))
		last = s.lineBreak()
		breaks = s.scanBlockBreaks(indent)
		if int(s.at.column) != indent || s.char() == 0 {
			break
		}
		switch {
		case !folded || last != "\n" || !flush || isBlank(s.char()):
			b.WriteString(last)
		case breaks == "":
			b.WriteByte(' ')
		}
	}
	return b.String(), last, breaks
}

// scanBlockHeader reads the chomping and indentation indicators behind | or >, in either order.
func (s *scanner) scanBlockHeader() (chomp rune, increment int, err error) {
	for range 2 {
		switch c := s.char(); {
		case (c == '+' || c == '-') && chomp == 0:
			chomp = c
			s.forward(1)
		case isDigit(c) && increment == 0:
			if increment = int(c - '0'); increment == 0 {
				return 0, 0, s.bad(s.at, "The indentation of a block scalar is a digit from 1 to 9.")
			}
			s.forward(1)
		}
	}
	if c := s.char(); !isStop(c) {
		return 0, 0, s.bad(s.at, "A block scalar begins on the line below; %q cannot stand behind its '|' or '>'.", c)
	}
	return chomp, increment, nil
}

// scanBlockIndent skips the empty lines in front of the text and returns them and the widest indentation met.
func (s *scanner) scanBlockIndent() (string, int) {
	var b strings.Builder
	widest := 0
	for {
		if s.char() == ' ' {
			s.forward(1)
			widest = max(widest, int(s.at.column))
			continue
		}
		br := s.lineBreak()
		if br == "" {
			return b.String(), widest
		}
		b.WriteString(br)
	}
}

func (s *scanner) scanBlockBreaks(indent int) string {
	var b strings.Builder
	for {
		for int(s.at.column) < indent && s.char() == ' ' {
			s.forward(1)
		}
		br := s.lineBreak()
		if br == "" {
			return b.String()
		}
		b.WriteString(br)
	}
}
