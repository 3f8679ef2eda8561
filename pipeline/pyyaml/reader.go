package pyyaml

import "unicode/utf8"

// reader walks through the text, a character at a time, and counts lines and columns.
type reader struct {
	file string
	text string // values are cut out of it
	pos  int    // in bytes
	at   mark
}

// byteOrder is the byte order mark, which takes no column.
const byteOrder = 0xfeff

// newReader checks UTF-8 and refuses the characters PyYAML refuses (yaml/reader.py).
func newReader(src []byte, file string) (*reader, error) {
	r := &reader{file: file, text: string(src)}
	for i := 0; i < len(r.text); {
		if c := r.text[i]; c >= ' ' && c <= '~' || c == '\n' {
			i++
			continue
		}
		c, n := utf8.DecodeRuneInString(r.text[i:])
		if c == utf8.RuneError && n == 1 {
			return nil, r.placed(i, "The file is not UTF-8: the byte 0x%02x stands here.", src[i])
		}
		if !printable(c) {
			return nil, r.placed(i, "The character U+%04X is not allowed in YAML; write it as an escape in a double-quoted string.", c)
		}
		i += n
	}
	return r, nil
}

// placed makes an error about the place behind the first n bytes.
func (r *reader) placed(n int, format string, args ...any) error {
	r.text = r.text[:n]
	for r.pos < n {
		r.forward(1)
	}
	return failure(ReaderError, r.file, r.at, format, args...)
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

// char returns the character that stands here, 0 at the end.
func (r *reader) char() rune {
	if r.pos < len(r.text) && r.text[r.pos] < utf8.RuneSelf {
		return rune(r.text[r.pos])
	}
	return r.wide()
}

func (r *reader) wide() rune {
	c, _ := r.decode(r.pos)
	return c
}

// decode returns the character at a byte and its length, 0 and 0 at the end.
func (r *reader) decode(i int) (rune, int) {
	switch {
	case i >= len(r.text):
		return 0, 0
	case r.text[i] < utf8.RuneSelf:
		return rune(r.text[i]), 1
	}
	return utf8.DecodeRuneInString(r.text[i:])
}

// peek returns the character n places ahead, 0 at the end and beyond it.
func (r *reader) peek(n int) rune {
	c, _ := r.decode(r.ahead(n))
	return c
}

// ahead is the byte at which the character n places ahead begins.
func (r *reader) ahead(n int) int {
	i := r.pos
	for ; n > 0 && i < len(r.text); n-- {
		_, size := r.decode(i)
		i += size
	}
	return i
}

// prefix returns the next n characters.
func (r *reader) prefix(n int) string { return r.text[r.pos:r.ahead(n)] }

// forward moves n characters on.
func (r *reader) forward(n int) {
	for ; n > 0 && r.pos < len(r.text); n-- {
		c, size := r.decode(r.pos)
		if !isBreak(c) || c == '\r' && r.pos+1 < len(r.text) && r.text[r.pos+1] == '\n' {
			r.step(c, size)
			continue
		}
		r.pos += size
		r.at.index++
		r.at.line++
		r.at.column = 0
	}
}

// step moves over one character that ends no line.
func (r *reader) step(c rune, size int) {
	r.pos += size
	r.at.index++
	if c != byteOrder {
		r.at.column++
	}
}

// leap moves over n characters of ASCII that end no line.
func (r *reader) leap(n int) {
	r.pos += n
	r.at.index += int32(n)
	r.at.column += int32(n)
}

// skip moves over all characters for which the test holds. None of them may end a line.
func (r *reader) skip(test func(rune) bool) {
	for {
		c, size := r.decode(r.pos)
		if !test(c) {
			return
		}
		r.step(c, size)
	}
}

func (r *reader) skipSpaces() {
	n := 0
	for r.pos+n < len(r.text) && r.text[r.pos+n] == ' ' {
		n++
	}
	r.leap(n)
}

// take returns the characters for which the test holds and moves behind them.
func (r *reader) take(test func(rune) bool) string {
	begin := r.pos
	r.skip(test)
	return r.text[begin:r.pos]
}

// lineBreak moves over one line break and returns what it counts as; empty if there is none.
func (r *reader) lineBreak() string {
	switch c := r.char(); c {
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
	c := r.char()
	return (c == '-' || c == '.') && r.peek(1) == c && r.peek(2) == c && isGap(r.peek(3))
}
