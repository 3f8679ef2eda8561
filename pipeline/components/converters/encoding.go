package converters

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"

	"github.com/haywardhq/hayward/fault"
)

const bom = "\ufeff"

// decode is Python's bytes.decode(name) with strict errors. Names are Python's, in any spelling it accepts.
func decode(data []byte, name string) (string, error) {
	switch n := normalize(name); n {
	case "utf_8", "utf8", "u8", "utf", "cp65001", "utf_8_sig":
		if !utf8.Valid(data) {
			return "", undecodable(name)
		}
		if n == "utf_8_sig" {
			return strings.TrimPrefix(string(data), bom), nil
		}
		return string(data), nil
	case "ascii", "us_ascii", "646":
		for _, b := range data {
			if b >= 0x80 {
				return "", undecodable(name)
			}
		}
		return string(data), nil
	default:
		enc, err := lookup(n)
		if err != nil {
			return "", err
		}
		return decodeStrict(data, enc, name)
	}
}

func normalize(name string) string {
	return strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(name))
}

func undecodable(name string) error {
	return fault.New(fault.Invalid, "the bytes are not %s", name).WithCode("UnicodeDecodeError")
}

func lookup(name string) (encoding.Encoding, error) {
	switch name {
	case "latin_1", "latin1", "l1", "iso8859_1", "iso_8859_1", "8859", "cp819": // HTML's latin1 is windows-1252, Python's is not
		return charmap.ISO8859_1, nil
	case "utf_16", "utf16", "u16":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), nil
	case "utf_16_le", "utf_16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), nil
	case "utf_16_be", "utf_16be":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), nil
	case "cp437", "437", "ibm437":
		return charmap.CodePage437, nil
	case "cp850", "850", "ibm850":
		return charmap.CodePage850, nil
	case "mac_roman", "macroman", "macintosh":
		return charmap.Macintosh, nil
	}
	for _, spelled := range []string{name, strings.ReplaceAll(name, "_", "-"), strings.Replace(name, "cp", "windows-", 1),
		strings.Replace(name, "iso8859_", "iso-8859-", 1)} {
		if enc, err := htmlindex.Get(spelled); err == nil {
			return enc, nil
		}
	}
	return nil, fault.New(fault.Invalid, "unknown encoding: %s", name).WithCode("LookupError")
}

// decodeStrict refuses what the decoder could only replace.
func decodeStrict(data []byte, enc encoding.Encoding, name string) (string, error) {
	out, err := enc.NewDecoder().Bytes(data)
	if err != nil {
		return "", undecodable(name)
	}
	text := string(out)
	if strings.ContainsRune(text, utf8.RuneError) {
		return "", undecodable(name)
	}
	return text, nil
}
