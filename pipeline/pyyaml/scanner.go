package pyyaml

type tokenKind uint8

const (
	tokStreamEnd tokenKind = iota
	tokDirective
	tokDocumentStart
	tokDocumentEnd
	tokBlockSequenceStart
	tokBlockMappingStart
	tokBlockEnd
	tokFlowSequenceStart
	tokFlowSequenceEnd
	tokFlowMappingStart
	tokFlowMappingEnd
	tokBlockEntry
	tokFlowEntry
	tokKey
	tokValue
	tokAlias
	tokAnchor
	tokTag
	tokScalar
)

var tokenNames = [...]string{"the end of the file", "a directive", "'---'", "'...'", "a block list", "a block mapping",
	"the end of a block", "'['", "']'", "'{'", "'}'", "'-'", "','", "a key", "':'", "an alias", "an anchor", "a tag", "a scalar"}

func (k tokenKind) String() string { return tokenNames[k] }

type token struct {
	kind       tokenKind
	start, end mark
	plain      bool   // a scalar without quotes
	value      string // of a scalar, an alias, an anchor; the name of a directive; the suffix of a tag
	more       *tagParts
}

// tagParts is what few tokens have.
type tagParts struct {
	handle string // of a tag or a %TAG directive
	major  string // of a %YAML directive; the prefix of a %TAG directive
}

// kindSet is a set of kinds, one bit each.
type kindSet uint32

func kinds(list ...tokenKind) (set kindSet) {
	for _, k := range list {
		set |= 1 << k
	}
	return set
}

func (set kindSet) has(k tokenKind) bool { return set>>k&1 != 0 }

// simpleKey is a token that may turn out to be the key of a mapping, once a ":" follows on its line.
type simpleKey struct {
	token    int  // its number among all tokens
	open     bool // there is one
	required bool
	at       mark
}

// scanner turns text into tokens, by the rules of yaml/scanner.py.
type scanner struct {
	*reader
	tokens  []token
	head    int // the first of tokens that was not handed out
	taken   int // tokens handed out
	done    bool
	ready   bool // the token at the head may be handed out
	flow    int  // how many flow collections are open
	indent  int32
	indents []int32
	keyOK   bool        // a simple key may begin here
	keys    []simpleKey // by flow level
}

func (s *scanner) bad(at mark, format string, args ...any) error {
	return failure(ScannerError, s.file, at, format, args...)
}

// next returns the token at the head of the queue without taking it.
func (s *scanner) next() (token, error) {
	for !s.ready {
		more, err := s.needMore()
		if err != nil {
			return token{}, err
		}
		if !more {
			s.ready = true
			break
		}
		if err := s.fetch(); err != nil {
			return token{}, err
		}
	}
	return s.tokens[s.head], nil
}

func (s *scanner) drop() {
	s.ready = false
	s.head++
	s.taken++
	if s.head == len(s.tokens) {
		s.tokens, s.head = s.tokens[:0], 0
	}
}

func (s *scanner) needMore() (bool, error) {
	if s.done {
		return false, nil
	}
	if s.head == len(s.tokens) {
		return true, nil
	}
	if err := s.dropStaleKeys(); err != nil {
		return false, err
	}
	for i := range s.keys {
		if s.keys[i].open && s.keys[i].token == s.taken {
			return true, nil
		}
	}
	return false, nil
}

// dropStaleKeys forgets the possible keys that are too far away: a key is one line, and at most 1024 characters long.
func (s *scanner) dropStaleKeys() error {
	for i := range s.keys {
		k := &s.keys[i]
		if !k.open || k.at.line == s.at.line && s.at.index-k.at.index <= 1024 {
			continue
		}
		if k.required {
			return s.missingColon(*k)
		}
		k.open = false
	}
	return nil
}

func (s *scanner) missingColon(k simpleKey) error {
	return s.bad(k.at, "This line should be a key with a ':' behind it, because the lines around it are a mapping.")
}

func (s *scanner) saveKey() error {
	if !s.keyOK {
		return nil
	}
	required := s.flow == 0 && s.indent == s.at.column
	if err := s.forgetKey(); err != nil {
		return err
	}
	for len(s.keys) <= s.flow {
		s.keys = append(s.keys, simpleKey{})
	}
	s.keys[s.flow] = simpleKey{s.taken + len(s.tokens) - s.head, true, required, s.at}
	return nil
}

func (s *scanner) forgetKey() error {
	if k := s.key(); k != nil {
		if k.required {
			return s.missingColon(*k)
		}
		k.open = false
	}
	return nil
}

// key is the possible key of the present flow level; nil if there is none.
func (s *scanner) key() *simpleKey {
	if s.flow >= len(s.keys) || !s.keys[s.flow].open {
		return nil
	}
	return &s.keys[s.flow]
}

func (s *scanner) unwind(column int32) {
	if s.flow != 0 {
		return
	}
	for s.indent > column {
		s.indent = s.indents[len(s.indents)-1]
		s.indents = s.indents[:len(s.indents)-1]
		s.tokens = append(s.tokens, token{kind: tokBlockEnd, start: s.at, end: s.at})
	}
}

func (s *scanner) deepen(column int32) bool {
	if s.indent >= column {
		return false
	}
	s.indents = append(s.indents, s.indent)
	s.indent = column
	return true
}

// toNextToken skips spaces, comments and line breaks. A tab is not skipped: PyYAML takes none for a separator.
func (s *scanner) toNextToken() {
	if s.at.index == 0 && s.char() == byteOrder {
		s.forward(1)
	}
	for {
		s.skipSpaces()
		if s.char() == '#' {
			s.skip(notEnd)
		}
		if s.lineBreak() == "" {
			return
		}
		if s.flow == 0 {
			s.keyOK = true
		}
	}
}
