package jinja

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf8Codec encodes as it is; decoding finds the wrong bytes that CPython finds.
func utf8Codec(mark string) *codec { return &codec{name: "utf-8", mark: mark, decode: decodeUTF8} }

func decodeUTF8(b string) (rune, int, string) {
	lead, size := b[0], 0
	switch {
	case lead < 0x80:
		return rune(lead), 1, ""
	case lead < 0xc2 || lead > 0xf4:
		return 0, 1, "invalid start byte"
	case lead < 0xe0:
		size = 2
	case lead < 0xf0:
		size = 3
	default:
		size = 4
	}
	for i := 1; i < size; i++ {
		if i == len(b) {
			return 0, len(b), "unexpected end of data"
		}
		low, high := byte(0x80), byte(0xbf)
		if i == 1 {
			switch lead {
			case 0xe0:
				low = 0xa0
			case 0xed:
				high = 0x9f
			case 0xf0:
				low = 0x90
			case 0xf4:
				high = 0x8f
			}
		}
		if b[i] < low || b[i] > high {
			return 0, i, "invalid continuation byte"
		}
	}
	c, n := utf8.DecodeRuneInString(b)
	return c, n, ""
}

// wideCodec is one of UTF-16 and UTF-32. Without an order in its name it is little-endian and begins with a mark.
func wideCodec(name string) *codec {
	size, order := 2, binary.AppendByteOrder(binary.LittleEndian)
	if strings.HasPrefix(name, "utf_32") {
		size = 4
	}
	if strings.HasSuffix(name, "_be") {
		order = binary.BigEndian
	}
	c := wide(size, order)
	if len(name) == len("utf_16") {
		mark, _ := c.encode(nil, 0xfeff)
		c.mark = string(mark)
	}
	return c
}

func wide(size int, order binary.AppendByteOrder) *codec {
	end := "-be"
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		end = "-le"
	}
	if size == 4 {
		return &codec{name: "utf-32" + end,
			encode: func(dst []byte, c rune) ([]byte, bool) { return order.AppendUint32(dst, uint32(c)), true },
			decode: decode32(order.(binary.ByteOrder))}
	}
	return &codec{name: "utf-16" + end,
		encode: func(dst []byte, c rune) ([]byte, bool) {
			for _, u := range utf16.AppendRune(nil, c) {
				dst = order.AppendUint16(dst, u)
			}
			return dst, true
		},
		decode: decode16(order.(binary.ByteOrder))}
}

// marked is the codec for bytes that may begin with a mark, and where their text begins: the mark says their order.
func (c *codec) marked(b string) (*codec, int) {
	switch {
	case c.mark == "":
		return c, 0
	case strings.HasPrefix(b, c.mark):
		return c, len(c.mark)
	case c.name == "utf-16-le" && strings.HasPrefix(b, "\xfe\xff"):
		return wide(2, binary.BigEndian), 2
	case c.name == "utf-32-le" && strings.HasPrefix(b, "\x00\x00\xfe\xff"):
		return wide(4, binary.BigEndian), 4
	}
	return c, 0
}

func decode16(order binary.ByteOrder) func(b string) (rune, int, string) {
	return func(b string) (rune, int, string) {
		if len(b) < 2 {
			return 0, len(b), "truncated data"
		}
		c := rune(order.Uint16([]byte(b[:2])))
		switch {
		case !utf16.IsSurrogate(c):
			return c, 2, ""
		case c >= 0xdc00:
			return 0, 2, "illegal encoding"
		case len(b) < 4:
			return 0, len(b), "unexpected end of data"
		}
		pair := utf16.DecodeRune(c, rune(order.Uint16([]byte(b[2:4]))))
		if pair == utf8.RuneError {
			return 0, 2, "illegal UTF-16 surrogate"
		}
		return pair, 4, ""
	}
}

func decode32(order binary.ByteOrder) func(b string) (rune, int, string) {
	return func(b string) (rune, int, string) {
		if len(b) < 4 {
			return 0, len(b), "truncated data"
		}
		switch c := order.Uint32([]byte(b[:4])); {
		case c >= 0xd800 && c < 0xe000:
			return 0, 4, "code point in surrogate code point range(0xd800, 0xe000)"
		case c > utf8.MaxRune:
			return 0, 4, "code point not in range(0x110000)"
		default:
			return rune(c), 4, ""
		}
	}
}
