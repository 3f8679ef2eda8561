package chat

import "bytes"

// signature tells a MIME type by bytes at an offset.
type signature struct {
	offset int
	magic  string
	mime   string
}

var signatures = [...]signature{
	{0, "\xff\xd8\xff", "image/jpeg"},
	{0, "\x89PNG\r\n\x1a\n", "image/png"},
	{0, "GIF", "image/gif"},
	{0, "%PDF", "application/pdf"},
}

// GuessMIME guesses a MIME type from the first bytes of a file; "" when it knows none.
func GuessMIME(head []byte) string {
	for _, s := range signatures {
		if len(head) >= s.offset+len(s.magic) && bytes.HasPrefix(head[s.offset:], []byte(s.magic)) {
			return s.mime
		}
	}
	return ""
}
