package pyre

import (
	"unicode"
)

var flagLetters = map[rune]Flags{'i': IgnoreCase, 'm': Multiline, 's': DotAll, 'x': Verbose, 'a': ASCII, 'u': 0}

// inlineFlags reads (?im), (?im:...) and (?-i:...).
func (p *parser) inlineFlags(open int) (node, error) {
	on, off, unicodeSet, asciiSet := Flags(0), Flags(0), false, false
	for p.more() {
		f, ok := flagLetters[p.src[p.i]]
		if !ok {
			break
		}
		unicodeSet = unicodeSet || p.src[p.i] == 'u'
		asciiSet = asciiSet || p.src[p.i] == 'a'
		on |= f
		p.i++
	}
	if p.peek(0) == 'L' {
		return node{}, p.fail(p.i+1, "bad inline flags: cannot use 'L' flag with a str pattern")
	}
	if unicodeSet && asciiSet {
		return node{}, p.fail(p.i, "bad inline flags: flags 'a', 'u' and 'L' are incompatible")
	}
	if p.at(')') {
		return p.globalFlags(on, open)
	}
	if p.at('-') {
		start := p.i
		for p.more() {
			f, ok := flagLetters[p.src[p.i]]
			if !ok {
				break
			}
			if p.src[p.i] == 'a' || p.src[p.i] == 'u' {
				return node{}, p.fail(p.i, "bad inline flags: cannot turn off flags 'a', 'u' and 'L'")
			}
			off |= f
			p.i++
		}
		if p.i == start {
			return node{}, p.badFlag("missing flag")
		}
		if on&off != 0 {
			return node{}, p.fail(p.i, "bad inline flags: flag turned on and off")
		}
	}
	if !p.at(':') {
		if off != 0 {
			return node{}, p.badFlag("missing :")
		}
		return node{}, p.badFlag("missing -, : or )")
	}
	return p.scoped(on, off, unicodeSet, open)
}

func (p *parser) badFlag(missing string) error {
	if !p.more() {
		return p.fail(p.i, "%s", missing)
	}
	if unicode.IsLetter(p.src[p.i]) {
		return p.fail(p.i, "unknown flag")
	}
	return p.fail(p.i, "%s", missing)
}

// globalFlags takes (?im), which Python allows at the start of the pattern alone.
func (p *parser) globalFlags(on Flags, open int) (node, error) {
	if open != 0 {
		if !p.onlyFlagsBefore(open) {
			return node{}, p.fail(open, "global flags not at the start of the expression")
		}
	}
	if on&Verbose != 0 && p.flags&Verbose == 0 {
		return node{}, errVerbose
	}
	p.flags |= on
	p.global |= on
	return node{}, nil
}

// onlyFlagsBefore reports whether nothing but space of a verbose pattern stands before the group.
func (p *parser) onlyFlagsBefore(open int) bool {
	q := parser{src: p.src[:open]}
	for q.more() {
		if p.flags&Verbose == 0 || !q.skipVerbose() {
			return false
		}
	}
	return true
}

func (p *parser) scoped(on, off Flags, unicodeSet bool, open int) (node, error) {
	saved := p.flags
	p.flags = p.flags&^off | on
	if unicodeSet {
		p.flags &^= ASCII
	}
	prefix := "(?:"
	switch {
	case on&IgnoreCase != 0:
		prefix = "(?i:"
	case off&IgnoreCase != 0:
		prefix = "(?-i:"
	}
	n, err := p.plainWith(prefix, open)
	p.flags = saved
	return n, err
}

// plainWith is plain for a body whose flags are set already.
func (p *parser) plainWith(prefix string, open int) (node, error) {
	n, err := p.alternatives()
	if err != nil {
		return n, err
	}
	if err := p.close(open); err != nil {
		return n, err
	}
	return node{out: prefix + n.out + ")", min: n.min, max: n.max, atomic: true}, nil
}
