package pyyaml

import "strings"

// fetch adds at least one token to the queue.
func (s *scanner) fetch() error {
	s.toNextToken()
	if err := s.dropStaleKeys(); err != nil {
		return err
	}
	s.unwind(s.at.column)
	c := s.char()
	switch {
	case c == 0:
		return s.fetchEnd()
	case c == '%' && s.at.column == 0:
		return s.fetchDirective()
	case (c == '-' || c == '.') && s.at.column == 0 && s.separator():
		return s.fetchSeparator(c)
	}
	if kind, ok := flowIndicator(c); ok {
		return s.fetchFlow(kind)
	}
	if c >= 'a' && c <= 'z' { // most scalars; no indicator is a letter
		return s.fetchKeyable(0)
	}
	gap := isGap(s.peek(1))
	switch {
	case c == '-' && gap:
		return s.fetchEntry()
	case c == '?' && (s.flow != 0 || gap):
		return s.fetchKey()
	case c == ':' && (s.flow != 0 || gap):
		return s.fetchValue()
	case c == '*', c == '&', c == '!', c == '\'', c == '"':
		return s.fetchKeyable(c)
	case (c == '|' || c == '>') && s.flow == 0:
		return s.fetchBlockScalar(c)
	case s.plainStarts(c):
		return s.fetchKeyable(0)
	}
	return s.cannotStart(c)
}

func (s *scanner) cannotStart(c rune) error {
	err := failure(ScannerError, s.file, s.at, "No value can begin with the character %q.", c)
	if c == '\t' {
		return err.WithHint("Use spaces, not tabs, to indent and after ':' and '-'.")
	}
	return err.WithHint("Put the value in quotes.")
}

func (s *scanner) plainStarts(c rune) bool {
	if !isGap(c) && !strings.ContainsRune("-?:,[]{}#&*!|>'\"%@`", c) {
		return true
	}
	return !isGap(s.peek(1)) && (c == '-' || s.flow == 0 && (c == '?' || c == ':'))
}

func flowIndicator(c rune) (tokenKind, bool) {
	switch c {
	case '[':
		return tokFlowSequenceStart, true
	case ']':
		return tokFlowSequenceEnd, true
	case '{':
		return tokFlowMappingStart, true
	case '}':
		return tokFlowMappingEnd, true
	case ',':
		return tokFlowEntry, true
	}
	return 0, false
}

// add queues a token of n characters and moves behind it.
func (s *scanner) add(kind tokenKind, n int) {
	start := s.at
	s.forward(n)
	s.tokens = append(s.tokens, token{kind: kind, start: start, end: s.at})
}

func (s *scanner) fetchEnd() error {
	s.unwind(-1)
	if err := s.forgetKey(); err != nil {
		return err
	}
	s.keyOK, s.keys, s.done = false, nil, true
	s.add(tokStreamEnd, 0)
	return nil
}

func (s *scanner) fetchSeparator(c rune) error {
	s.unwind(-1)
	if err := s.forgetKey(); err != nil {
		return err
	}
	s.keyOK = false
	if c == '-' {
		s.add(tokDocumentStart, 3)
	} else {
		s.add(tokDocumentEnd, 3)
	}
	return nil
}

func (s *scanner) fetchFlow(kind tokenKind) error {
	switch kind {
	case tokFlowSequenceStart, tokFlowMappingStart:
		if err := s.saveKey(); err != nil {
			return err
		}
		s.flow++
		s.keyOK = true
	case tokFlowEntry:
		s.keyOK = true
		if err := s.forgetKey(); err != nil {
			return err
		}
	default:
		if err := s.forgetKey(); err != nil {
			return err
		}
		s.flow--
		s.keyOK = false
	}
	s.add(kind, 1)
	return nil
}

// openBlock checks that a block collection may begin here and queues its start.
func (s *scanner) openBlock(kind tokenKind, what string) error {
	if s.flow != 0 {
		return nil
	}
	if !s.keyOK {
		return s.bad(s.at, "%s cannot stand here. Put the value in quotes, or begin a new line.", what)
	}
	if s.deepen(s.at.column) {
		s.add(kind, 0)
	}
	return nil
}

func (s *scanner) fetchEntry() error {
	if err := s.openBlock(tokBlockSequenceStart, "A list item ('- ')"); err != nil {
		return err
	}
	s.keyOK = true
	if err := s.forgetKey(); err != nil {
		return err
	}
	s.add(tokBlockEntry, 1)
	return nil
}

func (s *scanner) fetchKey() error {
	if err := s.openBlock(tokBlockMappingStart, "A key ('? ')"); err != nil {
		return err
	}
	s.keyOK = s.flow == 0
	if err := s.forgetKey(); err != nil {
		return err
	}
	s.add(tokKey, 1)
	return nil
}

func (s *scanner) fetchValue() error {
	if k := s.key(); k != nil {
		k.open = false
		s.insertKey(*k)
		s.keyOK = false
	} else {
		if err := s.openBlock(tokBlockMappingStart, "A mapping value (':')"); err != nil {
			return err
		}
		s.keyOK = s.flow == 0
		if err := s.forgetKey(); err != nil {
			return err
		}
	}
	s.add(tokValue, 1)
	return nil
}

// insertKey puts the tokens that open a mapping in front of a token that proves to be a key.
func (s *scanner) insertKey(k simpleKey) {
	at := s.head + k.token - s.taken
	s.insert(at, token{kind: tokKey, start: k.at, end: k.at})
	if s.flow == 0 && s.deepen(k.at.column) {
		s.insert(at, token{kind: tokBlockMappingStart, start: k.at, end: k.at})
	}
}

func (s *scanner) insert(at int, t token) {
	s.tokens = append(s.tokens, t)
	copy(s.tokens[at+1:], s.tokens[at:])
	s.tokens[at] = t
}

// fetchKeyable queues a token that may be a key: an alias, an anchor, a tag, a quoted or (for 0) a plain scalar.
func (s *scanner) fetchKeyable(c rune) error {
	if err := s.saveKey(); err != nil {
		return err
	}
	s.keyOK = false
	var t token
	var err error
	switch c {
	case '*':
		t, err = s.scanAnchor(tokAlias)
	case '&':
		t, err = s.scanAnchor(tokAnchor)
	case '!':
		t, err = s.scanTag()
	case '\'', '"':
		t, err = s.scanQuoted(c)
	default:
		t = s.scanPlain()
	}
	s.tokens = append(s.tokens, t)
	return err
}

func (s *scanner) fetchBlockScalar(style rune) error {
	s.keyOK = true
	if err := s.forgetKey(); err != nil {
		return err
	}
	t, err := s.scanBlockScalar(style)
	s.tokens = append(s.tokens, t)
	return err
}

func (s *scanner) fetchDirective() error {
	s.unwind(-1)
	if err := s.forgetKey(); err != nil {
		return err
	}
	s.keyOK = false
	t, err := s.scanDirective()
	s.tokens = append(s.tokens, t)
	return err
}
