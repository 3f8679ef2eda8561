package pg

import "strings"

// SQLite keeps any character in a text; PostgreSQL refuses U+0000. So U+0000 is written as U+0001 U+0001, and U+0001 as
// U+0001 U+0002. Byte order stays what it was: whatever is greater than U+0001 is greater than both.
const (
	mark     = '\x01'
	wasZero  = "\x01\x01"
	wasMark  = "\x01\x02"
	unusual  = "\x00\x01"
	markText = "\x01"
)

func escapeText(s string) string {
	if !strings.ContainsAny(s, unusual) {
		return s
	}
	return strings.NewReplacer("\x00", wasZero, markText, wasMark).Replace(s)
}

// unescapeText also reads what others wrote: a lone mark stays as it is.
func unescapeText(s string) string {
	if strings.IndexByte(s, mark) < 0 {
		return s
	}
	return strings.NewReplacer(wasZero, "\x00", wasMark, markText).Replace(s)
}

// Text reads a text that came another way than in a row, such as the payload of a notification.
func Text(s string) string { return unescapeText(s) }
