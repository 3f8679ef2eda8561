package value

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
)

// JSONLimits bounds what [FromJSONLimits] reads. Zero fields take their default.
type JSONLimits struct {
	Depth int // nested lists and objects; default MaxJSONDepth
	Nodes int // values in all; default MaxJSONNodes
}

// The defaults of [JSONLimits].
const (
	MaxJSONDepth = 128
	MaxJSONNodes = 10_000_000
)

// FromJSON reads one JSON text as Python's json.loads does: objects keep their order and the last of equal keys wins,
// ints keep every digit, 1.0 stays a float, NaN, Infinity and -Infinity are floats. Lone surrogates become U+FFFD, since
// a Str is valid UTF-8. An error has Python's own text, code JSONDecodeError, and its line and column.
func FromJSON(data []byte) (Value, error) { return FromJSONLimits(data, JSONLimits{}) }

// FromJSONLimits is [FromJSON] with limits of the caller's choice.
func FromJSONLimits(data []byte, limits JSONLimits) (Value, error) {
	if limits.Depth <= 0 {
		limits.Depth = MaxJSONDepth
	}
	if limits.Nodes <= 0 {
		limits.Nodes = MaxJSONNodes
	}
	if i := invalidUTF8(data); i >= 0 {
		return nil, pyError("UnicodeDecodeError", "'utf-8' codec can't decode byte 0x%02x in position %d", data[i], i)
	}
	p := jsonParser{s: string(data), depth: limits.Depth, nodes: limits.Nodes}
	if strings.HasPrefix(p.s, "\ufeff") {
		p.s = p.s[len("\ufeff"):] // json.loads of bytes takes a byte order mark for what it is
	}
	p.space()
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if p.space(); p.i < len(p.s) {
		return nil, p.fail("Extra data", p.i)
	}
	return v, nil
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

type jsonParser struct {
	s     string
	i     int
	depth int // levels left
	nodes int // values left
}

// fail returns Python's sentence: what, then the place in code points.
func (p *jsonParser) fail(what string, at int) error {
	before := p.s[:at]
	line := 1 + strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	e := pyError("JSONDecodeError", "%s: line %d column %d (char %d)", what, line, column, utf8.RuneCountInString(before))
	return e.At(fault.Where{Position: fault.Position{Line: line, Column: column}})
}

func (p *jsonParser) tooLarge(format string, args ...any) error {
	return fault.New(fault.TooLarge, format, args...).WithCode("JSONDecodeError")
}

func (p *jsonParser) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

func (p *jsonParser) value() (Value, error) {
	if p.nodes--; p.nodes < 0 {
		return nil, p.tooLarge("the JSON text holds too many values")
	}
	if p.i >= len(p.s) {
		return nil, p.fail("Expecting value", p.i)
	}
	switch c := p.s[p.i]; {
	case c == '"':
		p.i++
		s, err := p.str()
		return Str(s), err
	case c == '{':
		return p.nested(p.object)
	case c == '[':
		return p.nested(p.array)
	case c == '-' || c >= '0' && c <= '9':
		if v, err := p.number(); v != nil || err != nil {
			return v, err
		}
	}
	return p.word()
}

func (p *jsonParser) word() (Value, error) {
	rest := p.s[p.i:]
	var word string
	var v Value
	switch rest[0] {
	case 'n':
		word, v = "null", None
	case 't':
		word, v = "true", Bool(true)
	case 'f':
		word, v = "false", Bool(false)
	case 'N':
		word, v = "NaN", Float(math.NaN())
	case 'I':
		word, v = "Infinity", Float(math.Inf(1))
	case '-':
		word, v = "-Infinity", Float(math.Inf(-1))
	}
	if word == "" || !strings.HasPrefix(rest, word) {
		return nil, p.fail("Expecting value", p.i)
	}
	p.i += len(word)
	return v, nil
}

func (p *jsonParser) nested(read func() (Value, error)) (Value, error) {
	if p.depth == 0 {
		return nil, p.tooLarge("the JSON text is nested too deeply")
	}
	p.depth--
	p.i++
	v, err := read()
	p.depth++
	return v, err
}

func (p *jsonParser) array() (Value, error) {
	out := &List{}
	if p.space(); p.at(']') {
		return out, nil
	}
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, v)
		p.space()
		if p.at(']') {
			return out, nil
		}
		if !p.at(',') {
			return nil, p.fail("Expecting ',' delimiter", p.i)
		}
		p.space()
	}
}

func (p *jsonParser) object() (Value, error) {
	out := &Dict{}
	if p.space(); p.at('}') {
		return out, nil
	}
	for {
		if !p.at('"') {
			return nil, p.fail("Expecting property name enclosed in double quotes", p.i)
		}
		key, err := p.str()
		if err != nil {
			return nil, err
		}
		if p.space(); !p.at(':') {
			return nil, p.fail("Expecting ':' delimiter", p.i)
		}
		p.space()
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out.Set(key, v)
		p.space()
		if p.at('}') {
			return out, nil
		}
		if !p.at(',') {
			return nil, p.fail("Expecting ',' delimiter", p.i)
		}
		p.space()
	}
}

// at consumes c if it is next.
func (p *jsonParser) at(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

// number returns nil and no error for a '-' that begins no number.
func (p *jsonParser) number() (Value, error) {
	start, i := p.i, p.i
	if p.s[i] == '-' {
		i++
	}
	switch {
	case i < len(p.s) && p.s[i] == '0':
		i++
	case i < len(p.s) && p.s[i] >= '1' && p.s[i] <= '9':
		i = p.digits(i)
	default:
		return nil, nil
	}
	end := i
	if i+1 < len(p.s) && p.s[i] == '.' && isDigit(p.s[i+1]) {
		end = p.digits(i + 1)
	}
	end = p.exponent(end)
	p.i = end
	if end == i {
		return parseDigits(p.s[start:end])
	}
	f, _ := strconv.ParseFloat(p.s[start:end], 64) // out of range gives an infinity, as in Python
	return Float(f), nil
}

func (p *jsonParser) exponent(i int) int {
	if i >= len(p.s) || p.s[i] != 'e' && p.s[i] != 'E' {
		return i
	}
	j := i + 1
	if j < len(p.s) && (p.s[j] == '+' || p.s[j] == '-') {
		j++
	}
	if j < len(p.s) && isDigit(p.s[j]) {
		return p.digits(j)
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (p *jsonParser) digits(i int) int {
	for i < len(p.s) && isDigit(p.s[i]) {
		i++
	}
	return i
}

// str reads a string whose opening quote is consumed.
func (p *jsonParser) str() (string, error) {
	start := p.i
	for p.i < len(p.s) { // the common case: nothing to unescape
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return p.s[start : p.i-1], nil
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			return "", p.fail("Invalid control character at", p.i)
		}
		p.i++
	}
	return "", p.fail("Unterminated string starting at", start-1)
}

func (p *jsonParser) escaped(start int) (string, error) {
	buf := append(make([]byte, 0, 2*(p.i-start)+16), p.s[start:p.i]...)
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case c == '"':
			p.i++
			return string(buf), nil
		case c < ' ':
			return "", p.fail("Invalid control character at", p.i)
		case c != '\\':
			buf = append(buf, c)
			p.i++
			continue
		}
		if p.i++; p.i >= len(p.s) {
			break
		}
		esc := p.s[p.i]
		if esc == 'u' {
			r, err := p.unicodeEscape()
			if err != nil {
				return "", err
			}
			buf = utf8.AppendRune(buf, r)
			continue
		}
		k := strings.IndexByte(`"\/bfnrt`, esc)
		if k < 0 {
			return "", p.fail(`Invalid \escape`, p.i-1)
		}
		buf = append(buf, "\"\\/\b\f\n\r\t"[k])
		p.i++
	}
	return "", p.fail("Unterminated string starting at", start-1)
}

// unicodeEscape reads from the 'u' on, and the second half of a surrogate pair.
func (p *jsonParser) unicodeEscape() (rune, error) {
	r, ok := p.hex4(p.i + 1)
	if !ok {
		return 0, p.fail(`Invalid \uXXXX escape`, p.i)
	}
	p.i += 5
	if utf16.IsSurrogate(r) && strings.HasPrefix(p.s[p.i:], `\u`) {
		if low, ok := p.hex4(p.i + 2); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				p.i += 6
				return pair, nil
			}
		}
	}
	return r, nil // AppendRune writes U+FFFD for half a pair
}

func (p *jsonParser) hex4(i int) (rune, bool) {
	if i+4 > len(p.s) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.s[i : i+4]) {
		k := strings.IndexByte("0123456789abcdef", c|0x20)
		if k < 0 || c < '0' {
			return 0, false
		}
		r = r<<4 | rune(k)
	}
	return r, true
}
