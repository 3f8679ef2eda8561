package pg

import (
	"strconv"
	"strings"
)

// Translate writes a statement of the subset that SQLite and PostgreSQL share as PostgreSQL wants it: placeholders become
// $1, $2 ..., x'00' becomes a bytea, and in CREATE TABLE and ALTER TABLE the column types become PostgreSQL's and the
// words STRICT and WITHOUT ROWID go. TEXT columns compare by bytes, as SQLite's do. Strings, quoted names and comments
// stay as they are; so does what it does not know.
func Translate(query string) string {
	t := translator{in: query}
	t.out.Grow(len(query) + 32)
	for t.at < len(t.in) {
		t.token()
	}
	return t.out.String()
}

type translator struct {
	in   string
	at   int
	out  strings.Builder
	args int

	depth   int
	table   bool      // the statement defines a table
	words   int       // seen outside parentheses
	first   string    // of the statement
	last    [2]string // tokens before this one, the latest first; words in upper case
	dropped bool      // a table option was dropped, and the comma after it goes, too
}

// types of columns. They stand after a column's name, or in a CAST.
var types = map[string]string{"INTEGER": "BIGINT", "INT": "BIGINT", "BLOB": "BYTEA", "REAL": "DOUBLE PRECISION", "TEXT": `TEXT COLLATE "C"`}

func (t *translator) token() {
	c := t.in[t.at]
	switch {
	case (c == 'x' || c == 'X') && t.next(1) == '\'' && t.hexLiteral():
	case isWordStart(c):
		t.word()
	case c == '\'' || c == '"' || c == '`':
		t.copy(t.quoted(c), "name")
	case c == '-' && t.next(1) == '-':
		t.out.WriteString(t.take(strings.IndexByte(t.in[t.at:], '\n')))
	case c == '/' && t.next(1) == '*':
		if n := strings.Index(t.in[t.at+2:], "*/"); n >= 0 {
			t.out.WriteString(t.take(n + 4))
		} else {
			t.out.WriteString(t.take(-1))
		}
	case c == '?':
		t.args++
		t.out.WriteString("$" + strconv.Itoa(t.args))
		t.at++
		t.saw("?")
	case c == ' ' || c == '\n' || c == '\t' || c == '\r':
		t.out.WriteByte(c)
		t.at++
	default:
		t.sign(c)
	}
}

func (t *translator) sign(c byte) {
	switch c {
	case '(':
		t.depth++
	case ')':
		t.depth--
	case ';':
		t.table, t.words, t.depth = false, 0, 0
	}
	if c == ',' && t.dropped && t.depth == 0 {
		t.at++ // it parted a dropped option from the next
		return
	}
	t.copy(t.take(1), string(c))
}

func (t *translator) word() {
	n := t.at
	for n < len(t.in) && isWordPart(t.in[n]) {
		n++
	}
	w := t.take(n - t.at)
	upper := strings.ToUpper(w)
	if t.depth == 0 {
		if t.words++; t.words == 1 {
			t.first = upper
		}
		if upper == "TABLE" && t.words <= 3 && (t.first == "CREATE" || t.first == "ALTER") {
			t.table = true
		}
		if t.table && t.first == "CREATE" && (upper == "STRICT" || upper == "WITHOUT" || upper == "ROWID") && t.afterColumns() {
			t.dropped = true
			return
		}
	}
	if name := types[upper]; name != "" && t.isType(upper) {
		t.copy(name, upper)
		return
	}
	t.copy(w, upper)
}

// afterColumns reports whether the last token closed the list of columns.
func (t *translator) afterColumns() bool { return t.last[0] == ")" || t.dropped }

// isType reports whether a word that names a type stands where a type does.
func (t *translator) isType(string) bool {
	prev, before := t.last[0], t.last[1]
	switch {
	case prev == "AS":
		return strings.HasPrefix(strings.TrimLeft(t.in[t.at:], " \n\t\r"), ")")
	case !t.table || !isName(prev):
		return false
	case t.depth == 1:
		return before == "(" || before == ","
	case t.depth == 0 && t.first == "ALTER":
		return before == "COLUMN" || before == "ADD" || prev == "TYPE"
	}
	return false
}

func isName(token string) bool { return token != "" && isWordStart(token[0]) }

// hexLiteral writes x'00ff' as a bytea, if it is one.
func (t *translator) hexLiteral() bool {
	end := strings.IndexByte(t.in[t.at+2:], '\'')
	if end < 0 || end%2 != 0 || strings.Trim(t.in[t.at+2:t.at+2+end], "0123456789abcdefABCDEF") != "" {
		return false
	}
	lit := t.take(end + 3)
	t.copy(`'\x`+lit[2:len(lit)-1]+`'::bytea`, "literal")
	return true
}

// quoted takes a string or a quoted name, in which the quote is written twice.
func (t *translator) quoted(q byte) string {
	for n := t.at + 1; n < len(t.in); n++ {
		if t.in[n] != q {
			continue
		}
		if n+1 < len(t.in) && t.in[n+1] == q {
			n++
			continue
		}
		return t.take(n + 1 - t.at)
	}
	return t.take(-1)
}

// take returns the next n bytes, all of the rest if n is negative, and goes behind them.
func (t *translator) take(n int) string {
	if n < 0 {
		n = len(t.in) - t.at
	}
	s := t.in[t.at : t.at+n]
	t.at += n
	return s
}

func (t *translator) next(n int) byte {
	if t.at+n < len(t.in) {
		return t.in[t.at+n]
	}
	return 0
}

func (t *translator) copy(text, token string) {
	t.out.WriteString(text)
	t.saw(token)
}

func (t *translator) saw(token string) {
	t.dropped = false
	t.last[1], t.last[0] = t.last[0], token
}

func isWordStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}

func isWordPart(c byte) bool { return isWordStart(c) || '0' <= c && c <= '9' || c == '$' }
