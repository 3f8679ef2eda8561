package pyyaml

import "unicode/utf8"

// reader holds the text as characters, with a 0 after the last one, and counts lines and columns.
type reader struct {
	file string
	text []rune
	at   mark
}

// newReader decodes UTF-8 and refuses the characters PyYAML refuses (yaml/reader.py).
func newReader(src []byte, file string) (*reader, error) {
	r := &reader{file: file, text: make([]rune, 0, len(src)+1)}
	for i := 0; i < len(src); {
		c, n := utf8.DecodeRune(src[i:])
		if c == utf8.RuneError && n == 1 {
			return nil, r.placed(ReaderError, "The file is not UTF-8: the byte 0x%02x stands here.", src[i])
		}
		if !printable(c) {
			return nil, r.placed(ReaderError,
				"The character U+%04X is not allowed in YAML; write it as an escape in a double-quoted string.", c)
		}
		r.text = append(r.text, c)
		i += n
	}
	r.text = append(r.text, 0)
	return r, nil
}

// placed makes an error about the place behind all characters read so far.
func (r *reader) placed(class Class, format string, args ...any) error {
	r.text = append(r.text, 0)
	for r.at.index < len(r.text)-1 {
		r.forward(1)
	}
	return failure(class, r.file, r.at, format, args...)
}

func printable(c rune) bool {
	switch {
	case c == '\t', c == '\n', c == '\r', c == 0x85:
		return true
	case c < ' ':
		return false
	}
	return c <= '~' || c >= 0xa0 && c <= 0xd7ff || c >= 0xe000 && c <= 0xfffd || c >= 0x10000
}

// peek returns the character n places ahead, 0 at the end and beyond it.
func (r *reader) peek(n int) rune {
	if i := r.at.index + n; i < len(r.text) {
		return r.text[i]
	}
	return 0
}

// prefix returns the next n characters.
func (r *reader) prefix(n int) string {
	return string(r.text[r.at.index:min(r.at.index+n, len(r.text)-1)])
}

// forward moves n characters on.
func (r *reader) forward(n int) {
	for ; n > 0 && r.at.index < len(r.text)-1; n-- {
		c := r.text[r.at.index]
		r.at.index++
		switch {
		case c == '\n', c == 0x85, c == 0x2028, c == 0x2029, c == '\r' && r.text[r.at.index] != '\n':
			r.at.line++
			r.at.column = 0
		case c != 0xfeff:
			r.at.column++
		}
	}
}

// skip moves over all characters for which the test holds.
func (r *reader) skip(test func(rune) bool) {
	for test(r.peek(0)) {
		r.forward(1)
	}
}

// take returns the characters for which the test holds and moves behind them.
func (r *reader) take(test func(rune) bool) string {
	n := 0
	for test(r.peek(n)) {
		n++
	}
	s := r.prefix(n)
	r.forward(n)
	return s
}

// lineBreak moves over one line break and returns what it counts as; empty if there is none.
func (r *reader) lineBreak() string {
	switch c := r.peek(0); c {
	case '\r', '\n', 0x85:
		if c == '\r' && r.peek(1) == '\n' {
			r.forward(1)
		}
		r.forward(1)
		return "\n"
	case 0x2028, 0x2029:
		r.forward(1)
		return string(c)
	}
	return ""
}

// The sorts of characters. End counts as a break, as the zero behind the text does in PyYAML.
func isSpace(c rune) bool { return c == ' ' }
func isBlank(c rune) bool { return c == ' ' || c == '\t' }
func isBreak(c rune) bool { return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029 }
func isEnd(c rune) bool   { return c == 0 || isBreak(c) }
func notEnd(c rune) bool  { return !isEnd(c) }
func isGap(c rune) bool   { return isBlank(c) || isEnd(c) } // what may follow an indicator
func isStop(c rune) bool  { return c == ' ' || isEnd(c) }   // what may follow a tag or a directive: no tab
func isDigit(c rune) bool { return c >= '0' && c <= '9' }
func isWord(c rune) bool {
	return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_'
}
func isHex(c rune) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// separator reports whether a document marker, "---" or "...", stands here.
func (r *reader) separator() bool {
	c := r.peek(0)
	return (c == '-' || c == '.') && r.peek(1) == c && r.peek(2) == c && isGap(r.peek(3))
}
