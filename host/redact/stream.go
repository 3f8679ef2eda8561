package redact

import "strings"

// Stream redacts text that arrives in pieces: it holds back the end of what came as long as that could be the beginning
// of a value. It is for one goroutine.
type Stream struct {
	set  *Set
	held string
}

// NewStream returns a stream that looks for what is in s, also for what is added later.
func NewStream(s *Set) *Stream { return &Stream{set: s} }

// Next takes a piece and returns what may be passed on now.
func (st *Stream) Next(piece string) string {
	text := st.set.String(st.held + piece)
	cut := len(text) - st.set.undecided(text)
	st.held = text[cut:]
	return text[:cut]
}

// Rest returns what was held back, at the end of the stream.
func (st *Stream) Rest() string {
	out := st.set.String(st.held)
	st.held = ""
	return out
}

// undecided is the length of the longest end of text that a value begins with.
func (s *Set) undecided(text string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	longest := 0
	for _, v := range s.variants {
		for n := min(len(v)-1, len(text)); n > longest; n-- {
			if strings.HasSuffix(text, v[:n]) {
				longest = n
				break
			}
		}
	}
	return longest
}
