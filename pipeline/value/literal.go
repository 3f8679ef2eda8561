package value

import (
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"github.com/haywardhq/hayward/fault"
)

// The limits of [LiteralEval]. Python stops at the same depth of brackets.
const (
	MaxLiteralBytes = 16 << 20
	maxLiteralDepth = 200
)

// LiteralEval is Python's ast.literal_eval on text: numbers, strings, bytes, tuples (also without brackets: "1,000" is
// (1, 0)), lists, dicts, sets, set(), None, True and False. Everything else is an error with Python's exception class in
// Code (whether Python says ValueError or SyntaxError of other Python code depends on the rest of its grammar, which is
// not read here), as are the two things that are no values here: complex numbers and the ellipsis.
func LiteralEval(text string) (Value, error) {
	if len(text) > MaxLiteralBytes {
		return nil, fault.New(fault.TooLarge, "the text is longer than %d bytes", MaxLiteralBytes).WithCode("MemoryError")
	}
	text = strings.TrimLeft(text, " \t")
	if strings.IndexByte(text, 0) >= 0 {
		return nil, pyError("ValueError", "source code string cannot contain null bytes")
	}
	if strings.IndexByte(text, '\r') >= 0 { // Python's tokenizer knows one line end
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	p := &literalParser{s: text}
	if err := p.blankLines(); err != nil {
		return nil, err
	}
	v, err := p.expression()
	if err != nil {
		return nil, err
	}
	p.space(true)
	if p.i < len(p.s) {
		return nil, p.syntax("invalid syntax")
	}
	return v, nil
}

type literalParser struct {
	s     string
	i     int
	depth int // open brackets; a newline inside one is white space
}

func (p *literalParser) syntax(format string, args ...any) error {
	before := p.s[:min(p.i, len(p.s))]
	at := fault.Position{Line: 1 + strings.Count(before, "\n"), Column: StrLen(before[strings.LastIndexByte(before, '\n')+1:]) + 1}
	return pyError("SyntaxError", format, args...).At(fault.Where{Position: at})
}

func (p *literalParser) malformed() error {
	return pyError("ValueError", "malformed node or string on line %d", 1+strings.Count(p.s[:min(p.i, len(p.s))], "\n"))
}

// blankLines passes over empty lines and comments before the expression, which must not be indented after them.
func (p *literalParser) blankLines() error {
	for {
		start := p.i
		p.space(false)
		if p.peek() != '\n' {
			if start > 0 && p.i > start {
				return p.syntax("unexpected indent")
			}
			return nil
		}
		p.i++
	}
}

// space passes over white space, comments and escaped line ends; over line ends too inside brackets or when asked.
func (p *literalParser) space(lines bool) {
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == ' ' || c == '\t' || c == '\f':
			p.i++
		case c == '\n' && (lines || p.depth > 0):
			p.i++
		case c == '\\' && strings.HasPrefix(p.s[p.i+1:], "\n") && p.i+2 < len(p.s):
			p.i += 2
		case c == '#':
			for p.i < len(p.s) && p.s[p.i] != '\n' {
				p.i++
			}
		default:
			return
		}
	}
}

func (p *literalParser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *literalParser) at(c byte) bool {
	p.space(false)
	if p.peek() == c {
		p.i++
		return true
	}
	return false
}

// expression reads one value, or a tuple without brackets.
func (p *literalParser) expression() (Value, error) {
	v, _, err := p.item()
	if err != nil {
		return nil, err
	}
	p.space(false)
	if p.peek() != ',' {
		return v, nil
	}
	out := Tuple{v}
	for p.at(',') {
		p.space(false)
		if c := p.peek(); c == 0 || c == '\n' || c == ')' {
			break
		}
		if v, _, err = p.item(); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// item reads a value with an optional sign. number tells whether it is a bare number, the only thing that a sign may
// stand before.
func (p *literalParser) item() (v Value, number bool, err error) {
	p.space(false)
	sign := p.peek()
	if sign != '+' && sign != '-' {
		return p.atom()
	}
	p.i++
	p.space(false)
	if v, number, err = p.atom(); err != nil {
		return nil, false, err
	}
	if !number {
		return nil, false, p.malformed()
	}
	if sign == '-' {
		v, err = Neg(v)
	}
	return v, false, err
}

func (p *literalParser) atom() (v Value, number bool, err error) {
	switch c := p.peek(); {
	case c == 0 && p.i >= len(p.s):
		return nil, false, p.syntax("unexpected EOF while parsing")
	case c == '(':
		return p.parenthesis()
	case c == '[':
		v, err = p.brackets(p.list)
	case c == '{':
		v, err = p.brackets(p.braces)
	case c == '"' || c == '\'':
		v, err = p.strings()
	case isDigit(c) || c == '.' && p.i+1 < len(p.s) && isDigit(p.s[p.i+1]):
		v, err = p.number()
		return v, true, err
	case c == '_' || c >= 0x80 || c|32 >= 'a' && c|32 <= 'z':
		v, err = p.word()
	case c == '+' || c == '-' || c == '~' || c == '*' || c == '.':
		err = p.malformed()
	default:
		err = p.syntax("invalid syntax")
	}
	return v, false, err
}

func (p *literalParser) brackets(read func() (Value, error)) (Value, error) {
	if p.depth++; p.depth > maxLiteralDepth {
		return nil, p.syntax("too many nested parentheses")
	}
	p.i++
	v, err := read()
	p.depth--
	return v, err
}

func (p *literalParser) parenthesis() (v Value, number bool, err error) {
	v, err = p.brackets(func() (Value, error) {
		if p.at(')') {
			return Tuple{}, nil
		}
		start := p.i
		v, n, err := p.item()
		if err != nil {
			return nil, err
		}
		if p.space(false); p.peek() == ',' {
			p.i = start
			n = false
			if v, err = p.tupleItems(); err != nil {
				return nil, err
			}
		}
		if !p.at(')') {
			return nil, p.unclosed()
		}
		number = n
		return v, nil
	})
	return v, number, err
}

// tupleItems reads the items of a tuple in brackets.
func (p *literalParser) tupleItems() (Value, error) {
	items, err := p.items(')')
	return Tuple(items), err
}

// unclosed tells text that ends from text that is wrong.
func (p *literalParser) unclosed() error {
	if p.i >= len(p.s) {
		return p.syntax("'(' was never closed")
	}
	return p.syntax("invalid syntax")
}

// items reads values between commas up to the closing bracket, which stays.
func (p *literalParser) items(end byte) ([]Value, error) {
	var out []Value
	for {
		if p.space(false); p.peek() == end {
			return out, nil
		}
		v, _, err := p.item()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		if !p.at(',') {
			return out, nil
		}
	}
}

func (p *literalParser) list() (Value, error) {
	items, err := p.items(']')
	if err != nil {
		return nil, err
	}
	if !p.at(']') {
		return nil, p.unclosed()
	}
	return &List{Items: items}, nil
}

// braces reads a dict or a set.
func (p *literalParser) braces() (Value, error) {
	if p.at('}') {
		return &Dict{}, nil
	}
	first, _, err := p.item()
	if err != nil {
		return nil, err
	}
	if p.space(false); p.peek() == ':' {
		return p.dict(first)
	}
	items := []Value{first}
	if p.at(',') {
		rest, err := p.items('}')
		if err != nil {
			return nil, err
		}
		items = append(items, rest...)
	}
	if !p.at('}') {
		return nil, p.unclosed()
	}
	s := &Set{}
	for _, v := range items {
		if !s.Add(v) {
			return nil, unhashable(v)
		}
	}
	return s, nil
}

func unhashable(v Value) error { return pyError("TypeError", "unhashable type: '%s'", tpName(v)) }

func (p *literalParser) dict(key Value) (Value, error) {
	out := &Dict{}
	var failed error // Python parses everything before it looks at a key
	for {
		if !p.at(':') {
			return nil, p.unclosed()
		}
		v, _, err := p.item()
		if err != nil {
			return nil, err
		}
		if !out.SetKey(key, v) && failed == nil {
			failed = unhashable(key)
		}
		more := p.at(',')
		if p.at('}') {
			return out, failed
		}
		if !more {
			return nil, p.unclosed()
		}
		if key, _, err = p.item(); err != nil {
			return nil, err
		}
	}
}

func (p *literalParser) word() (Value, error) {
	start := p.i
	for i, r := range p.s[p.i:] {
		if !IsWord(r) {
			break
		}
		p.i = start + i + len(string(r))
	}
	word := p.s[start:p.i]
	if c := p.peek(); (c == '"' || c == '\'') && len(word) <= 2 && word != "" {
		return p.prefixed(start, strings.ToLower(word))
	}
	switch word {
	case "None":
		return None, nil
	case "True":
		return Bool(true), nil
	case "False":
		return Bool(false), nil
	case "set":
		if p.at('(') {
			p.depth++
			defer func() { p.depth-- }()
			if p.at(')') {
				return &Set{}, nil
			}
		}
	case "":
		return nil, p.syntax("invalid character")
	}
	return nil, p.malformed()
}

func (p *literalParser) prefixed(start int, prefix string) (Value, error) {
	switch prefix {
	case "r", "b", "u", "br", "rb":
		p.i = start
		return p.strings()
	case "f", "fr", "rf":
		return nil, p.malformed()
	}
	return nil, p.syntax("invalid syntax")
}

// number reads an int or a float.
func (p *literalParser) number() (Value, error) {
	start := p.i
	if base, digits := p.base(); base != 0 {
		return p.based(base, digits)
	}
	whole, ok := p.digitRun()
	float := false
	if ok && p.peek() == '.' {
		float = true
		p.i++
		if isDigit(p.peek()) {
			_, ok = p.digitRun()
		}
	}
	if c := p.peek() | 32; ok && c == 'e' && p.exponentFollows() {
		float = true
		p.i++
		if p.peek() == '+' || p.peek() == '-' {
			p.i++
		}
		_, ok = p.digitRun()
	}
	if !ok {
		return nil, p.syntax("invalid decimal literal")
	}
	text := strings.ReplaceAll(p.s[start:p.i], "_", "")
	if c := p.peek(); c|32 == 'j' {
		return nil, p.complex()
	}
	if err := p.numberEnds("invalid decimal literal"); err != nil {
		return nil, err
	}
	if float {
		f, _ := strconv.ParseFloat(text, 64)
		return Float(f), nil
	}
	if len(whole) > 1 && whole[0] == '0' && strings.Trim(whole, "0_") != "" {
		return nil, p.syntax("leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers")
	}
	return parseDigits(text)
}

// complex refuses 1j: complex numbers are no values here.
func (p *literalParser) complex() error {
	return fault.New(fault.Unsupported, "complex numbers are not supported").WithCode("ValueError")
}

// numberEnds refuses letters right after a number.
func (p *literalParser) numberEnds(text string) error {
	for _, r := range p.s[p.i:] {
		if IsWord(r) {
			return p.syntax("%s", text)
		}
		break
	}
	return nil
}

func (p *literalParser) exponentFollows() bool {
	rest := p.s[p.i+1:]
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		rest = rest[1:]
	}
	return rest != "" && isDigit(rest[0])
}

// digitRun reads digits with single underscores between them.
func (p *literalParser) digitRun() (string, bool) {
	start := p.i
	for p.i < len(p.s) && (isDigit(p.s[p.i]) || p.s[p.i] == '_') {
		p.i++
	}
	text := p.s[start:p.i]
	ok := text == "" || isDigit(text[0]) && isDigit(text[len(text)-1]) && !strings.Contains(text, "__")
	return text, ok
}

func (p *literalParser) base() (base int, digits string) {
	if p.i+1 >= len(p.s) || p.s[p.i] != '0' {
		return 0, ""
	}
	switch p.s[p.i+1] | 32 {
	case 'x':
		return 16, "0123456789abcdef"
	case 'o':
		return 8, "01234567"
	case 'b':
		return 2, "01"
	}
	return 0, ""
}

func (p *literalParser) based(base int, digits string) (Value, error) {
	p.i += 2
	var b strings.Builder
	for p.i < len(p.s) {
		if p.s[p.i] == '_' {
			p.i++
		}
		if p.i >= len(p.s) || strings.IndexByte(digits, lowerByte(p.s[p.i])) < 0 {
			break
		}
		b.WriteByte(p.s[p.i])
		p.i++
	}
	if b.Len() == 0 || p.s[p.i-1] == '_' {
		return nil, p.syntax("invalid number in base %d", base)
	}
	if err := p.numberEnds("invalid digit in a number"); err != nil {
		return nil, err
	}
	if b.Len() > MaxIntDigits {
		return nil, tooBig()
	}
	n, _ := new(big.Int).SetString(b.String(), base)
	return NewInt(n), nil
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 32
	}
	return c
}

// strings reads one or more string literals side by side.
func (p *literalParser) strings() (Value, error) {
	var all []byte
	isBytes := false
	for n := 0; ; n++ {
		start := p.i
		prefix := p.stringPrefix()
		if c := p.peek(); c != '"' && c != '\'' {
			p.i = start
			break
		}
		b := strings.IndexByte(prefix, 'b') >= 0
		if n > 0 && b != isBytes {
			return nil, p.syntax("cannot mix bytes and nonbytes literals")
		}
		isBytes = b
		var err error
		if all, err = p.oneString(all, b, strings.IndexByte(prefix, 'r') >= 0); err != nil {
			return nil, err
		}
		p.space(false)
	}
	if isBytes {
		return Bytes(all), nil
	}
	return Str(all), nil
}

// stringPrefix reads the letters before a quote.
func (p *literalParser) stringPrefix() string {
	start := p.i
	for p.i < len(p.s) && p.i-start < 2 && strings.IndexByte("rbuRBU", p.s[p.i]) >= 0 {
		p.i++
	}
	switch prefix := strings.ToLower(p.s[start:p.i]); prefix {
	case "", "r", "b", "u", "br", "rb":
		return prefix
	}
	p.i = start
	return ""
}

func (p *literalParser) oneString(dst []byte, isBytes, raw bool) ([]byte, error) {
	quote := p.s[p.i : p.i+1]
	if strings.HasPrefix(p.s[p.i:], strings.Repeat(quote, 3)) {
		quote = p.s[p.i : p.i+3]
	}
	p.i += len(quote)
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case strings.HasPrefix(p.s[p.i:], quote):
			p.i += len(quote)
			return dst, nil
		case c == '\n' && len(quote) == 1:
			return nil, p.syntax("unterminated string literal")
		case c >= 0x80 && isBytes:
			return nil, p.syntax("bytes can only contain ASCII literal characters")
		case c == '\\' && p.i+1 < len(p.s):
			var err error
			if dst, err = p.escape(dst, isBytes, raw); err != nil {
				return nil, err
			}
		default:
			dst = append(dst, c)
			p.i++
		}
	}
	return nil, p.syntax("unterminated string literal")
}

// escape reads from a backslash on.
func (p *literalParser) escape(dst []byte, isBytes, raw bool) ([]byte, error) {
	c := p.s[p.i+1]
	if raw {
		p.i += 2
		if c >= 0x80 { // the rest of the character follows as it is
			p.i--
			return append(dst, '\\'), nil
		}
		return append(dst, '\\', c), nil
	}
	if k := strings.IndexByte("\\'\"abfnrtv", c); k >= 0 {
		p.i += 2
		return append(dst, "\\'\"\a\b\f\n\r\t\v"[k]), nil
	}
	switch {
	case c == '\n':
		p.i += 2
		return dst, nil
	case c >= '0' && c <= '7':
		return p.octal(dst, isBytes), nil
	case c == 'x':
		return p.hex(dst, 2, isBytes)
	case c == 'u' && !isBytes:
		return p.hex(dst, 4, false)
	case c == 'U' && !isBytes:
		return p.hex(dst, 8, false)
	case c == 'N' && !isBytes:
		return p.named(dst)
	}
	p.i++
	return append(dst, '\\'), nil // an unknown escape keeps its backslash
}

func (p *literalParser) octal(dst []byte, isBytes bool) []byte {
	p.i++
	n := rune(0)
	for k := 0; k < 3 && p.peek() >= '0' && p.peek() <= '7' && p.i < len(p.s); k++ {
		n = n*8 + rune(p.s[p.i]-'0')
		p.i++
	}
	if isBytes {
		return append(dst, byte(n))
	}
	return append(dst, string(n)...)
}

func (p *literalParser) hex(dst []byte, digits int, isBytes bool) ([]byte, error) {
	start := p.i + 2
	end := min(start+digits, len(p.s))
	n, err := strconv.ParseUint(p.s[start:end], 16, 32)
	if err != nil || end-start < digits || n > unicode.MaxRune {
		if isBytes {
			return nil, pyError("SyntaxError", `invalid \x escape`)
		}
		return nil, p.syntax("(unicode error) 'unicodeescape' codec can't decode bytes: truncated escape or illegal character")
	}
	p.i = end
	if isBytes {
		return append(dst, byte(n)), nil
	}
	return append(dst, string(rune(n))...), nil // half a surrogate pair becomes U+FFFD
}

// named reads \N{LATIN SMALL LETTER A}.
func (p *literalParser) named(dst []byte) ([]byte, error) {
	rest := p.s[p.i+2:]
	end := strings.IndexByte(rest, '}')
	if !strings.HasPrefix(rest, "{") || end < 2 {
		return nil, p.syntax("(unicode error) 'unicodeescape' codec can't decode bytes: malformed \\N character escape")
	}
	r, ok := RuneByName(rest[1:end])
	if !ok {
		return nil, p.syntax("(unicode error) 'unicodeescape' codec can't decode bytes: unknown Unicode character name")
	}
	p.i += 2 + end + 1
	return append(dst, string(r)...), nil
}
