package pyre

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
)

// Flags are Python's flags.
type Flags uint8

// The flags of re; UNICODE is always on unless ASCII is, LOCALE is for bytes alone.
const (
	IgnoreCase Flags = 1 << iota
	Multiline
	DotAll
	Verbose
	ASCII
)

// The limits of a pattern.
const (
	MaxPattern = 64 << 10 // bytes
	maxNesting = 100      // groups inside groups
	maxRepeat  = 100_000  // of a {m,n}
	maxGroups  = 1000
)

const unlimited = math.MaxInt32

// node is a translated piece and how many characters it can match.
type node struct {
	out      string
	min, max int
	anchor   bool // a position such as ^ or \b, which cannot be repeated
	repeated bool
	atomic   bool // needs no brackets before a quantifier
}

type group struct {
	min, max int
	closed   bool
}

type parser struct {
	src    []rune
	i      int
	flags  Flags
	groups []group        // 0 is the whole match
	names  map[string]int // name -> number
	depth  int
	behind int // how many look-behinds we are inside of
	first  int // number of the first group opened inside the outermost look-behind
	global Flags
}

// fail returns Python's re.error: what, then the place in code points.
func (p *parser) fail(at int, format string, args ...any) error {
	e := fault.New(fault.Invalid, format, args...)
	line, column := 1, at+1
	for i, r := range p.src[:min(at, len(p.src))] {
		if r == '\n' {
			line, column = line+1, at-i
		}
	}
	e.Message += " at position " + strconv.Itoa(at)
	if line > 1 {
		e.Message += " (line " + strconv.Itoa(line) + ", column " + strconv.Itoa(column) + ")"
	}
	return e.WithCode("re.error")
}

func (p *parser) more() bool { return p.i < len(p.src) }

func (p *parser) at(r rune) bool {
	if p.i < len(p.src) && p.src[p.i] == r {
		p.i++
		return true
	}
	return false
}

func (p *parser) peek(off int) rune {
	if p.i+off < len(p.src) {
		return p.src[p.i+off]
	}
	return -1
}

// translated is a parsed pattern in the engine's syntax.
type translated struct {
	out    string
	min    int
	groups int
	names  map[string]int
	flags  Flags
}

func translate(pattern string, flags Flags) (*translated, error) {
	if len(pattern) > MaxPattern {
		return nil, fault.New(fault.TooLarge, "the regular expression is longer than %d bytes", MaxPattern).WithCode("re.error")
	}
	if !utf8.ValidString(pattern) {
		return nil, fault.New(fault.Invalid, "the regular expression is not valid UTF-8").WithCode("re.error")
	}
	for {
		p := &parser{src: []rune(pattern), flags: flags, global: flags, groups: []group{{}}, names: map[string]int{}}
		n, err := p.alternatives()
		if err == errVerbose {
			flags |= Verbose // (?x) was found: everything before it has to be read again
			continue
		}
		if err != nil {
			return nil, err
		}
		if p.more() {
			return nil, p.fail(p.i, "unbalanced parenthesis")
		}
		return &translated{out: p.caseless(n.out, p.global), min: n.min, groups: len(p.groups) - 1, names: p.names, flags: p.global}, nil
	}
}

func (p *parser) caseless(out string, f Flags) string {
	if f&IgnoreCase != 0 {
		return "(?i:" + out + ")"
	}
	return out
}

func (p *parser) alternatives() (node, error) {
	if p.depth++; p.depth > maxNesting {
		return node{}, fault.New(fault.TooLarge, "the regular expression nests more than %d groups", maxNesting).WithCode("re.error")
	}
	defer func() { p.depth-- }()
	out, err := p.sequence()
	if err != nil || p.peek(0) != '|' {
		return out, err
	}
	parts := []string{out.out}
	for p.at('|') {
		n, err := p.sequence()
		if err != nil {
			return n, err
		}
		parts = append(parts, n.out)
		out.min, out.max = min(out.min, n.min), max(out.max, n.max)
	}
	return node{out: "(?:" + strings.Join(parts, "|") + ")", min: out.min, max: out.max, atomic: true}, nil
}

// sequence reads items up to the end of a branch. A quantifier applies to the item before it, whatever comments and
// white space stand between.
func (p *parser) sequence() (node, error) {
	var items []node
	for p.more() && p.peek(0) != '|' && p.peek(0) != ')' {
		if p.flags&Verbose != 0 && p.skipVerbose() {
			continue
		}
		if low, high, size, ok := p.quantifier(); ok {
			at := p.i
			p.i += size
			if len(items) == 0 {
				return node{}, p.fail(at, "nothing to repeat")
			}
			n, err := p.repeat(items[len(items)-1], low, high, at)
			if err != nil {
				return n, err
			}
			items[len(items)-1] = n
			continue
		}
		n, err := p.item()
		if err != nil {
			return n, err
		}
		if n.out != "" { // comments and flags leave nothing behind
			items = append(items, n)
		}
	}
	return join(items), nil
}

func join(items []node) node {
	var b strings.Builder
	var all node
	for _, n := range items {
		b.WriteString(n.out)
		all.min, all.max = add(all.min, n.min), add(all.max, n.max)
	}
	all.out = b.String()
	return all
}

// quantifier looks for one, without consuming it.
func (p *parser) quantifier() (low, high, size int, ok bool) {
	switch p.peek(0) {
	case '*':
		return 0, unlimited, 1, true
	case '+':
		return 1, unlimited, 1, true
	case '?':
		return 0, 1, 1, true
	case '{':
		return p.braces()
	}
	return 0, 0, 0, false
}

func add(a, b int) int { return min(a+b, unlimited) }

func mul(a, b int) int {
	if a != 0 && b > unlimited/a {
		return unlimited
	}
	return a * b
}

func (p *parser) skipVerbose() bool {
	switch p.peek(0) {
	case ' ', '\t', '\n', '\r', '\v', '\f':
		p.i++
		return true
	case '#':
		for p.more() && p.peek(0) != '\n' {
			p.i++
		}
		return true
	}
	return false
}

func (p *parser) item() (node, error) {
	r := p.src[p.i]
	switch r {
	case '\\':
		return p.escape()
	case '[':
		return p.class()
	case '(':
		return p.group()
	case '.':
		p.i++
		if p.flags&DotAll != 0 {
			return one(`[\s\S]`), nil
		}
		return one(`[^\n]`), nil
	case '^':
		p.i++
		if p.flags&Multiline != 0 {
			return node{out: "(?m:^)", anchor: true}, nil
		}
		return node{out: `\A`, anchor: true}, nil
	case '$':
		p.i++
		if p.flags&Multiline != 0 {
			return node{out: "(?m:$)", anchor: true}, nil
		}
		return node{out: `\Z`, anchor: true}, nil
	}
	p.i++
	return one(literal(r)), nil
}

func one(out string) node { return node{out: out, min: 1, max: 1, atomic: true} }

// literal escapes what the engine would read as syntax.
func literal(r rune) string {
	if strings.ContainsRune(`\*+?|{}[]()^$.# -`, r) {
		return `\` + string(r)
	}
	if r < ' ' {
		return `\x` + string("0123456789abcdef"[r>>4]) + string("0123456789abcdef"[r&15])
	}
	return string(r)
}

// braces reads {m}, {m,}, {,n} or {m,n} without consuming it; size is its length. Anything else is literal text.
func (p *parser) braces() (low, high, size int, ok bool) {
	j := p.i + 1
	number := func() (int, bool) {
		start, n := j, 0
		for j < len(p.src) && p.src[j] >= '0' && p.src[j] <= '9' {
			n = min(n*10+int(p.src[j]-'0'), unlimited)
			j++
		}
		return n, j > start
	}
	low, hasLow := number()
	high, hasHigh := low, hasLow
	if j < len(p.src) && p.src[j] == ',' {
		j++
		if high, hasHigh = number(); !hasHigh {
			high = unlimited
		}
	} else if !hasLow {
		return 0, 0, 0, false // {} and {x
	}
	if j >= len(p.src) || p.src[j] != '}' {
		return 0, 0, 0, false
	}
	return low, high, j + 1 - p.i, true
}

func (p *parser) repeat(n node, low, high, at int) (node, error) {
	switch {
	case high < low:
		return n, p.fail(at+1, "min repeat greater than max repeat")
	case n.anchor:
		return n, p.fail(at, "nothing to repeat")
	case n.repeated:
		return n, p.fail(at, "multiple repeat")
	case low > maxRepeat || high > maxRepeat && high != unlimited:
		return n, fault.New(fault.TooLarge, "the repetition number is larger than %d", maxRepeat).WithCode("OverflowError")
	}
	body := n.out
	if !n.atomic {
		body = "(?:" + body + ")"
	}
	count := "{" + strconv.Itoa(low) + "," + strconv.Itoa(high) + "}"
	switch {
	case low == 0 && high == 1:
		count = "?"
	case high == unlimited && low == 0:
		count = "*"
	case high == unlimited && low == 1:
		count = "+"
	case high == unlimited:
		count = "{" + strconv.Itoa(low) + ",}"
	}
	out := node{out: body + count, min: mul(n.min, low), max: mul(n.max, high), repeated: true}
	if p.at('?') {
		out.out += "?"
	} else if p.at('+') {
		out.out = "(?>" + out.out + ")"
	}
	return out, nil
}
