package pyre

import (
	"context"

	"github.com/dlclark/regexp2/v2"

	"github.com/haywardhq/hayward/pipeline/value"
)

// text is a subject with both ways of counting.
type text struct {
	s       string
	runes   []rune
	offsets []int // byte offset of each code point and of the end; nil when every one is a byte
}

func newText(s string) *text {
	t := &text{s: s, runes: []rune(s)}
	if len(t.runes) == len(s) {
		return t
	}
	t.offsets = make([]int, 0, len(t.runes)+1)
	for i := range s {
		t.offsets = append(t.offsets, i)
	}
	t.offsets = append(t.offsets, len(s))
	return t
}

func (t *text) offset(i int) int {
	if t.offsets == nil {
		return i
	}
	return t.offsets[i]
}

func (t *text) slice(start, end int) string { return t.s[t.offset(start):t.offset(end)] }

// Match is a match object.
type Match struct {
	r     *Regexp
	text  *text
	spans []int // start and end of each group, in code points; -1 for one that took no part
}

func newMatch(r *Regexp, t *text, v regexp2.MatchView) *Match {
	m := &Match{r: r, text: t, spans: make([]int, 2*(r.t.groups+1))}
	for g := 0; g <= r.t.groups; g++ {
		start, length, ok := v.GroupRange(g)
		if !ok {
			start, length = -1, 0
		}
		m.spans[2*g], m.spans[2*g+1] = start, start+length
	}
	return m
}

// Start returns where a group begins, in code points; -1 if it took no part.
func (m *Match) Start(group int) int { return m.spans[2*group] }

// End returns where a group ends, in code points; -1 if it took no part.
func (m *Match) End(group int) int { return m.spans[2*group+1] }

// ByteSpan returns where a group begins and ends, in bytes; -1, -1 if it took no part.
func (m *Match) ByteSpan(group int) (start, end int) {
	if m.Start(group) < 0 {
		return -1, -1
	}
	return m.text.offset(m.Start(group)), m.text.offset(m.End(group))
}

// Group returns the text of a group; ok is false if it took no part or does not exist. Group 0 is the whole match.
func (m *Match) Group(group int) (s string, ok bool) {
	if group < 0 || 2*group >= len(m.spans) || m.Start(group) < 0 {
		return "", false
	}
	return m.text.slice(m.Start(group), m.End(group)), true
}

// Named returns the text of a named group.
func (m *Match) Named(name string) (s string, ok bool) {
	n, ok := m.r.t.names[name]
	if !ok {
		return "", false
	}
	return m.Group(n)
}

// String returns the whole match.
func (m *Match) String() string {
	s, _ := m.Group(0)
	return s
}

// Values is match.groups(): None for a group that took no part.
func (m *Match) Values() value.Tuple {
	out := make(value.Tuple, m.r.t.groups)
	for g := range out {
		out[g] = value.None
		if s, ok := m.Group(g + 1); ok {
			out[g] = value.Str(s)
		}
	}
	return out
}

// FindAll is re.findall: a list of str, or of tuples when there are several groups.
func (r *Regexp) FindAll(ctx context.Context, s string) (*value.List, error) {
	out := &value.List{}
	err := r.begin(ctx, s).matches(0, func(m *Match) error {
		out.Items = append(out.Items, m.found())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (m *Match) found() value.Value {
	if m.r.t.groups < 2 {
		s, _ := m.Group(m.r.t.groups)
		return value.Str(s)
	}
	out := m.Values()
	for i := range out {
		if out[i] == value.None {
			out[i] = value.Str("")
		}
	}
	return out
}

// Split is re.split: the pieces between matches, with the groups among them (None for one that took no part). At most
// limit splits are made; 0 means all.
func (r *Regexp) Split(ctx context.Context, s string, limit int) (*value.List, error) {
	c := r.begin(ctx, s)
	out, from := &value.List{}, 0
	err := c.matches(limit, func(m *Match) error {
		out.Items = append(out.Items, value.Str(c.text.slice(from, m.Start(0))))
		out.Items = append(out.Items, m.Values()...)
		from = m.End(0)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Items = append(out.Items, value.Str(c.text.slice(from, len(c.text.runes))))
	return out, nil
}
