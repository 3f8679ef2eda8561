package jinja

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

// codec is an encoding of text.
type codec struct {
	name   string // in messages
	mark   string // the bytes that encoding begins with and decoding passes over
	encode func(dst []byte, c rune) ([]byte, bool)
	refuse string // why a character cannot be encoded
	// decode reads the first character. A reason says that the first n bytes are none. A negative character is none either,
	// without being wrong.
	decode func(b string) (c rune, n int, reason string)
}

// normalCodec is how Python writes the name of an encoding (_Py_normalize_encoding, which goes before
// encodings.normalize_encoding).
func normalCodec(name string) string {
	var b strings.Builder
	gap := false
	for _, c := range name {
		if c != '.' && (c >= utf8.RuneSelf || !value.IsAlnum(c)) {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('_')
		}
		gap = false
		b.WriteRune(c)
	}
	return strings.ToLower(b.String())
}

// findCodec is codecs.lookup for text; use is what Python advises to call for other codecs.
func findCodec(name, use string) (*codec, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return nil, valueErr("embedded null character")
	}
	normal := normalCodec(name)
	for _, known := range []string{codecAlias(normal), codecAlias(strings.ReplaceAll(normal, ".", "_")), normal} {
		switch c := codecNamed(known); {
		case c != nil:
			return c, nil
		case codecOfBytes(known):
			return nil, raise("LookupError", "'%s' is not a text encoding; use %s to handle arbitrary codecs", name, use)
		case known == "undefined":
			return nil, raise("UnicodeError", "undefined encoding")
		case codecLeftOut(known):
			return nil, unsupported(0, "the encoding %s is not supported: take a Unicode or single-byte one", known)
		}
	}
	return nil, raise("LookupError", "unknown encoding: %s", name)
}

func codecNamed(name string) *codec {
	switch name {
	case "":
		return nil
	case "utf_8":
		return utf8Codec("")
	case "utf_8_sig":
		return utf8Codec("\xef\xbb\xbf")
	case "ascii":
		return byteCodec("ascii", 128)
	case "latin_1", "charmap":
		return byteCodec("latin-1", 256)
	case "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be":
		return wideCodec(name)
	case "unicode_escape":
		return escapeCodec()
	case "raw_unicode_escape":
		return rawEscapeCodec()
	}
	if table, more := charmap(name); table != "" {
		return tableCodec([]rune(table), []rune(more))
	}
	return nil
}

// encodeText is str.encode.
func (r *run) encodeText(s, encoding, mode string) (out []byte, err error) {
	c, err := findCodec(encoding, "codecs.encode()")
	if err != nil {
		return nil, err
	}
	defer func() { err = wrapped(err, encoding, "encoding") }()
	if err := r.alloc(8 + 4*len(s)); err != nil {
		return nil, err
	}
	if c.encode == nil {
		return []byte(c.mark + s), nil
	}
	out = []byte(c.mark)
	runes := []rune(s)
	for i := 0; i < len(runes); i++ {
		next, ok := c.encode(out, runes[i])
		if ok {
			out = next
			continue
		}
		end := i + 1
		for end < len(runes) {
			if _, ok := c.encode(nil, runes[end]); ok {
				break
			}
			end++
		}
		longest := 12 // of what stands for a character
		if mode == "namereplace" {
			longest = 96
		}
		if err := r.reserve(end-i, longest); err != nil {
			return nil, err
		}
		if out, err = c.encodeInstead(out, runes, i, end, mode); err != nil {
			return nil, err
		}
		i = end - 1
	}
	return out, nil
}

// wrapped is an error of a codec that Python finds through its registry of codecs, which says so.
func wrapped(err error, encoding, what string) error {
	switch normalCodec(encoding) {
	case "utf_8", "utf8", "utf_16", "utf16", "utf_32", "utf32", "ascii", "us_ascii", "latin1", "latin_1", "iso_8859_1", "iso8859_1":
		return err
	}
	if !catchable(err, "LookupError", "TypeError", "UnicodeError") {
		return err
	}
	var e *pyErr
	if !errors.As(err, &e) {
		return err
	}
	return raise(e.class, "%s with '%s' codec failed (%s: %s)", what, encoding, e.class, e.msg)
}

// encodeInstead writes what an error mode puts in the place of characters that cannot be encoded.
func (c *codec) encodeInstead(out []byte, s []rune, at, end int, mode string) ([]byte, error) {
	var text []byte
	for _, x := range s[at:end] {
		switch mode {
		case "ignore":
		case "replace":
			text = append(text, '?')
		case "xmlcharrefreplace":
			text = append(strconv.AppendInt(append(text, "&#"...), int64(x), 10), ';')
		case "backslashreplace":
			text = append(text, asciiEscape(x)...)
		case "namereplace":
			if name, ok := value.RuneName(x); ok {
				text = append(append(append(text, `\N{`...), name...), '}')
			} else {
				text = append(text, asciiEscape(x)...)
			}
		case "strict", "surrogateescape", "surrogatepass":
			return nil, c.encodeErr(s, at, end)
		default:
			return nil, raise("LookupError", "unknown error handler name '%s'", mode)
		}
	}
	for _, x := range text {
		next, ok := c.encode(out, rune(x))
		if !ok {
			return nil, c.encodeErr(s, at, end)
		}
		out = next
	}
	return out, nil
}

func (c *codec) encodeErr(s []rune, at, end int) error {
	if end == at+1 {
		return raise("UnicodeEncodeError", "'%s' codec can't encode character '%s' in position %d: %s", c.name, asciiEscape(s[at]), at, c.refuse)
	}
	return raise("UnicodeEncodeError", "'%s' codec can't encode characters in position %d-%d: %s", c.name, at, end-1, c.refuse)
}

// decodeText is bytes.decode.
func (r *run) decodeText(b, encoding, mode string) (text string, err error) {
	c, err := findCodec(encoding, "codecs.decode()")
	if err != nil {
		return "", err
	}
	defer func() { err = wrapped(err, encoding, "decoding") }()
	if err := r.alloc(3 * len(b)); err != nil {
		return "", err
	}
	c, i := c.marked(b)
	if c.name == "utf-8" { // whose positions Python counts from behind the mark
		b, i = b[i:], 0
		if utf8.ValidString(b) {
			return b, nil
		}
	}
	var out []byte
	for i < len(b) {
		if strings.HasPrefix(b[i:], `\N{`) && c.name == "unicodeescape" { // all names are looked through
			if err := r.spend(1 << 18); err != nil {
				return "", err
			}
		}
		x, n, reason := c.decode(b[i:])
		switch {
		case reason != "":
			text, err := c.decodeInstead(b, i, i+n, mode, reason)
			if err != nil {
				return "", err
			}
			out = append(out, text...)
		case x >= 0xd800 && x < 0xe000:
			return "", unsupported(0, "half a surrogate pair in decoded text is not supported")
		case x >= 0:
			out = utf8.AppendRune(out, x)
		}
		i += n
	}
	return string(out), r.alloc(len(out))
}

// decodeInstead is what an error mode puts in the place of bytes that are no character.
func (c *codec) decodeInstead(b string, at, end int, mode, reason string) (string, error) {
	switch mode {
	case "ignore":
		return "", nil
	case "replace":
		return "\ufffd", nil
	case "backslashreplace":
		var text string
		for i := at; i < end; i++ {
			text += `\x` + hexByte(b[i])
		}
		return text, nil
	case "xmlcharrefreplace", "namereplace":
		return "", typeErr("don't know how to handle UnicodeDecodeError in error callback")
	case "surrogateescape", "surrogatepass":
		return "", unsupported(0, "the error mode %s is not supported: half a surrogate pair is no text here", mode)
	case "strict":
	default:
		return "", raise("LookupError", "unknown error handler name '%s'", mode)
	}
	if end == at+1 {
		return "", raise("UnicodeDecodeError", "'%s' codec can't decode byte 0x%s in position %d: %s", c.name, hexByte(b[at]), at, reason)
	}
	return "", raise("UnicodeDecodeError", "'%s' codec can't decode bytes in position %d-%d: %s", c.name, at, end-1, reason)
}

func hexByte(c byte) string {
	return string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15])
}

// byteCodec holds the first characters of Unicode, one byte each.
func byteCodec(name string, limit rune) *codec {
	why := "ordinal not in range(" + strconv.Itoa(int(limit)) + ")"
	return &codec{name: name, refuse: why,
		encode: func(dst []byte, c rune) ([]byte, bool) { return append(dst, byte(c)), c < limit },
		decode: func(b string) (rune, int, string) {
			if rune(b[0]) >= limit {
				return 0, 1, why
			}
			return rune(b[0]), 1, ""
		}}
}

// tableCodec is a single-byte encoding; pairs are characters that share a byte with another, and that byte.
func tableCodec(table, pairs []rune) *codec {
	const none, why = '\ufffe', "character maps to <undefined>"
	back := make(map[rune]byte, len(table))
	for i := len(table) - 1; i >= 0; i-- {
		if table[i] != none {
			back[table[i]] = byte(i)
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		back[pairs[i]] = byte(pairs[i+1])
	}
	return &codec{name: "charmap", refuse: why,
		encode: func(dst []byte, c rune) ([]byte, bool) {
			b, ok := back[c]
			return append(dst, b), ok
		},
		decode: func(b string) (rune, int, string) {
			if table[b[0]] == none {
				return 0, 1, why
			}
			return table[b[0]], 1, ""
		}}
}
