package pyre

import (
	"errors"
	"strconv"
	"strings"
	"unicode"

	"github.com/haywardhq/hayward/fault"
)

// errVerbose makes the parser start again with the Verbose flag.
var errVerbose = errors.New("pyre: verbose")

// group reads from an opening parenthesis on.
func (p *parser) group() (node, error) {
	open := p.i
	p.i++
	if !p.at('?') {
		return p.capture("", open)
	}
	if !p.more() {
		return node{}, p.fail(p.i, "unexpected end of pattern")
	}
	r := p.src[p.i]
	p.i++
	switch r {
	case ':':
		return p.plain("(?:", open)
	case '>':
		return p.plain("(?>", open)
	case '=':
		return p.look("(?=", open, false)
	case '!':
		return p.look("(?!", open, false)
	case '<':
		return p.lookBehind(open)
	case 'P':
		return p.named(open)
	case '#':
		for p.more() && p.peek(0) != ')' {
			p.i++
		}
		if !p.at(')') {
			return node{}, p.fail(open, "missing ), unterminated comment")
		}
		return node{}, nil
	case '(':
		return p.conditional(open)
	}
	if r == '-' || strings.ContainsRune("aiLmsux", r) {
		p.i--
		return p.inlineFlags(open)
	}
	return node{}, p.fail(open+1, "unknown extension ?%s", string(r))
}

func (p *parser) close(open int) error {
	if !p.at(')') {
		return p.fail(open, "missing ), unterminated subpattern")
	}
	return nil
}

// plain reads the body of a group that captures nothing.
func (p *parser) plain(prefix string, open int) (node, error) {
	saved := p.flags
	n, err := p.alternatives()
	p.flags = saved
	if err != nil {
		return n, err
	}
	if err := p.close(open); err != nil {
		return n, err
	}
	return node{out: prefix + n.out + ")", min: n.min, max: n.max, atomic: true}, nil
}

func (p *parser) capture(name string, open int) (node, error) {
	if len(p.groups) > maxGroups {
		return node{}, fault.New(fault.TooLarge, "the regular expression has more than %d groups", maxGroups).WithCode("re.error")
	}
	number := len(p.groups)
	p.groups = append(p.groups, group{})
	if name != "" {
		p.names[name] = number
	}
	n, err := p.plain("(", open)
	if err != nil {
		return n, err
	}
	p.groups[number] = group{min: n.min, max: n.max, closed: true}
	return n, nil
}

func (p *parser) look(prefix string, open int, behind bool) (node, error) {
	if behind {
		if p.behind == 0 {
			p.first = len(p.groups)
		}
		p.behind++
		defer func() { p.behind-- }()
	}
	n, err := p.plain(prefix, open)
	if err != nil {
		return n, err
	}
	if behind && n.min != n.max {
		return n, fault.New(fault.Invalid, "look-behind requires fixed-width pattern").WithCode("re.error")
	}
	n.min, n.max = 0, 0
	return n, nil
}

func (p *parser) lookBehind(open int) (node, error) {
	switch {
	case p.at('='):
		return p.look("(?<=", open, true)
	case p.at('!'):
		return p.look("(?<!", open, true)
	case !p.more():
		return node{}, p.fail(p.i, "unexpected end of pattern")
	}
	return node{}, p.fail(open+1, "unknown extension ?<%s", string(p.src[p.i]))
}

// named reads (?P<name>...) and (?P=name).
func (p *parser) named(open int) (node, error) {
	switch {
	case p.at('<'):
		at := p.i
		name, err := p.groupName('>', "group name")
		if err != nil {
			return node{}, err
		}
		if !identifier(name) {
			return node{}, p.fail(at, "bad character in group name %s", quoted(name))
		}
		if old, ok := p.names[name]; ok {
			return node{}, p.fail(at, "redefinition of group name %s as group %d; was group %d", quoted(name), len(p.groups), old)
		}
		return p.capture(name, open)
	case p.at('='):
		at := p.i
		name, err := p.groupName(')', "group name")
		if err != nil {
			return node{}, err
		}
		if !identifier(name) {
			return node{}, p.fail(at, "bad character in group name %s", quoted(name))
		}
		number, ok := p.names[name]
		if !ok {
			return node{}, p.fail(at, "unknown group name %s", quoted(name))
		}
		return p.reference(number, at)
	case !p.more():
		return node{}, p.fail(p.i, "unexpected end of pattern")
	}
	return node{}, p.fail(open+1, "unknown extension ?P%s", string(p.src[p.i]))
}

func quoted(s string) string { return "'" + s + "'" }

func (p *parser) groupName(end rune, what string) (string, error) {
	start := p.i
	for p.more() && p.src[p.i] != end {
		p.i++
	}
	if !p.more() {
		if p.i == start {
			return "", p.fail(start, "missing %s", what)
		}
		return "", p.fail(start, "missing %s, unterminated name", string(end))
	}
	name := string(p.src[start:p.i])
	p.i++
	if name == "" {
		return "", p.fail(start, "missing %s", what)
	}
	return name, nil
}

func identifier(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.In(r, unicode.Nd, unicode.Nl, unicode.Mn, unicode.Mc)) {
			return false
		}
	}
	return s != ""
}

func (p *parser) reference(number, at int) (node, error) {
	if !p.groups[number].closed {
		return node{}, p.fail(at, "cannot refer to an open group")
	}
	if p.behind > 0 && number >= p.first {
		return node{}, p.fail(p.i, "cannot refer to group defined in the same lookbehind subpattern")
	}
	g := p.groups[number]
	return node{out: `\k<` + strconv.Itoa(number) + ">", min: g.min, max: g.max, atomic: true}, nil
}

// conditional reads (?(1)yes|no).
func (p *parser) conditional(open int) (node, error) {
	at := p.i
	name, err := p.groupName(')', "group name")
	if err != nil {
		return node{}, err
	}
	number, err := p.groupID(name, at)
	if err != nil {
		return node{}, err
	}
	if p.behind > 0 && number >= p.first {
		return node{}, p.fail(p.i, "cannot refer to group defined in the same lookbehind subpattern")
	}
	yes, err := p.sequence()
	if err != nil {
		return node{}, err
	}
	no := node{}
	if p.at('|') {
		if no, err = p.sequence(); err != nil {
			return no, err
		}
		if p.peek(0) == '|' {
			return no, p.fail(p.i, "conditional backref with more than two branches")
		}
	}
	if err := p.close(open); err != nil {
		return node{}, err
	}
	out := "(?(" + strconv.Itoa(number) + ")(?:" + yes.out + ")|(?:" + no.out + "))"
	return node{out: out, min: min(yes.min, no.min), max: max(yes.max, no.max), atomic: true}, nil
}

func (p *parser) groupID(name string, at int) (int, error) {
	if identifier(name) {
		number, ok := p.names[name]
		if !ok {
			return 0, p.fail(at, "unknown group name %s", quoted(name))
		}
		return number, nil
	}
	number, err := strconv.Atoi(name)
	switch {
	case err != nil || name[0] == '+' || name[0] == '-':
		return 0, p.fail(at, "bad character in group name %s", quoted(name))
	case number == 0:
		return 0, p.fail(at, "bad group number")
	case number >= len(p.groups):
		return 0, p.fail(at, "invalid group reference %d", number)
	}
	return number, nil
}
