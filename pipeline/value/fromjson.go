package value

import (
	"strings"
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
	p.s = strings.TrimPrefix(p.s, "\ufeff") // json.loads of bytes takes a byte order mark for what it is
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
