package pyre

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2/v2"

	"github.com/haywardhq/hayward/fault"
)

// DefaultTimeout bounds each call unless [Timeout] says otherwise.
const DefaultTimeout = 2 * time.Second

// maxStack bounds the engine's backtracking memory, in machine words.
const maxStack = 8 << 20

// Regexp is a compiled pattern. It is safe for concurrent use.
type Regexp struct {
	pattern string
	t       *translated
	timeout time.Duration
	search  *regexp2.Regexp
	// The forms below are made when first used.
	start   func() (*regexp2.Regexp, error) // anchored at the start: match
	full    func() (*regexp2.Regexp, error) // anchored at both ends: fullmatch
	nonzero func() (*regexp2.Regexp, error) // no empty match where the search begins
}

// Option changes how [Compile] works.
type Option func(*Regexp)

// Timeout sets how long one call may take, for all its matches together. The engine looks at its clock ten times a second.
func Timeout(d time.Duration) Option { return func(r *Regexp) { r.timeout = d } }

// Compile compiles a pattern. What Python refuses is a fault.Invalid with code re.error and Python's sentence.
func Compile(pattern string, flags Flags, opts ...Option) (*Regexp, error) {
	t, err := translate(pattern, flags)
	if err != nil {
		return nil, err
	}
	r := &Regexp{pattern: pattern, t: t, timeout: DefaultTimeout}
	for _, o := range opts {
		o(r)
	}
	if r.search, err = compile(t.out); err != nil {
		return nil, err
	}
	later := func(format string) func() (*regexp2.Regexp, error) {
		return sync.OnceValues(func() (*regexp2.Regexp, error) { return compile(strings.Replace(format, "@", t.out, 1)) })
	}
	r.start, r.full, r.nonzero = later(`\A(?:@)`), later(`\A(?:@)\z`), later(`(?:@)(?!\G)`)
	return r, nil
}

// MustCompile is [Compile] for patterns that stand in the source.
func MustCompile(pattern string, flags Flags, opts ...Option) *Regexp {
	r, err := Compile(pattern, flags, opts...)
	if err != nil {
		panic(err)
	}
	return r
}

func compile(out string) (*regexp2.Regexp, error) {
	re, err := regexp2.Compile(out, regexp2.OptionMaxBacktrackingStackSize(maxStack))
	if err != nil {
		return nil, fault.Wrap(fault.Unsupported, err, "the regular expression cannot be used here").WithCode("re.error")
	}
	return re, nil
}

// String returns the pattern.
func (r *Regexp) String() string { return r.pattern }

// Groups returns how many groups capture.
func (r *Regexp) Groups() int { return r.t.groups }

// GroupIndex returns the number of a named group.
func (r *Regexp) GroupIndex(name string) (int, bool) {
	n, ok := r.t.names[name]
	return n, ok
}

// Names returns the names of the groups and their numbers.
func (r *Regexp) Names() map[string]int {
	out := make(map[string]int, len(r.t.names))
	for name, n := range r.t.names {
		out[name] = n
	}
	return out
}

// run is one call: its text, its deadline, and the engine's copies that carry it.
type run struct {
	ctx      context.Context
	r        *Regexp
	text     *text
	deadline time.Time
}

func (r *Regexp) begin(ctx context.Context, s string) *run {
	c := &run{ctx: ctx, r: r, text: newText(s), deadline: time.Now().Add(r.timeout)}
	if d, ok := ctx.Deadline(); ok && d.Before(c.deadline) {
		c.deadline = d
	}
	return c
}

// limited returns a copy of the engine that stops at the deadline.
func (c *run) limited(re *regexp2.Regexp) (*regexp2.Regexp, error) {
	if err := c.ctx.Err(); err != nil {
		return nil, canceled(err)
	}
	left := time.Until(c.deadline)
	if left <= 0 {
		return nil, c.tooLong()
	}
	limited := *re // a handle: program and pool are shared
	limited.MatchTimeout = left
	return &limited, nil
}

func canceled(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(fault.Timeout, err, "the regular expression ran out of time")
	}
	return fault.Wrap(fault.Canceled, err, "the search was canceled")
}

func (c *run) tooLong() error {
	return fault.New(fault.Timeout, "the regular expression took longer than %s", c.r.timeout).
		WithHint("a pattern with repetitions inside repetitions can take for ever; simplify it")
}

func (c *run) failed(err error) error {
	if err := c.ctx.Err(); err != nil {
		return canceled(err)
	}
	if errors.Is(err, regexp2.ErrBacktrackingStackLimit) {
		return fault.New(fault.Limited, "the regular expression needs too much memory on this text")
	}
	return c.tooLong()
}

// find searches from a position in code points; nil when there is no match.
func (c *run) find(re *regexp2.Regexp, from int) (*Match, error) {
	limited, err := c.limited(re)
	if err != nil {
		return nil, err
	}
	var out *Match
	err = limited.FindRunesMatches(c.text.runes, from, func(v regexp2.MatchView) bool {
		out = newMatch(c.r, c.text, v)
		return false
	})
	if err != nil {
		return nil, c.failed(err)
	}
	return out, nil
}

// each yields the matches from left to right as Python's finditer does: after an empty match it looks for one that is
// not empty at the same place.
func (c *run) each(limit int, yield func(*Match) error) error {
	from, empty := 0, false
	for n := 0; limit <= 0 || n < limit; n++ {
		re := c.r.search
		if empty {
			var err error
			if re, err = c.r.nonzero(); err != nil {
				return err
			}
		}
		m, err := c.find(re, from)
		if err != nil || m == nil {
			return err
		}
		if err := yield(m); err != nil {
			return err
		}
		from, empty = m.End(0), m.Start(0) == m.End(0)
	}
	return nil
}

// views is each for patterns that match no empty text: one pass of the engine, without an object for each match.
func (c *run) views(yield func(regexp2.MatchView) (bool, error)) error {
	limited, err := c.limited(c.r.search)
	if err != nil {
		return err
	}
	n := 0
	var stop error
	err = limited.FindRunesMatches(c.text.runes, 0, func(v regexp2.MatchView) bool {
		if n++; n%256 == 0 { // the engine's own limit is for each match alone
			if _, stop = c.limited(c.r.search); stop != nil {
				return false
			}
		}
		var more bool
		more, stop = yield(v)
		return more && stop == nil
	})
	if err != nil {
		return c.failed(err)
	}
	return stop
}

func (c *run) eachFast(limit int, yield func(*Match) error) error {
	n := 0
	return c.views(func(v regexp2.MatchView) (bool, error) {
		n++
		return limit <= 0 || n < limit, yield(newMatch(c.r, c.text, v))
	})
}

func (c *run) matches(limit int, yield func(*Match) error) error {
	if c.r.t.min > 0 {
		return c.eachFast(limit, yield)
	}
	return c.each(limit, yield)
}

// Search is re.search: the first match anywhere, or nil.
func (r *Regexp) Search(ctx context.Context, s string) (*Match, error) {
	return r.begin(ctx, s).find(r.search, 0)
}

// Match is re.match: a match at the start, or nil.
func (r *Regexp) Match(ctx context.Context, s string) (*Match, error) {
	return r.anchored(ctx, r.start, s)
}

// FullMatch is re.fullmatch: a match of the whole text, or nil.
func (r *Regexp) FullMatch(ctx context.Context, s string) (*Match, error) {
	return r.anchored(ctx, r.full, s)
}

func (r *Regexp) anchored(ctx context.Context, form func() (*regexp2.Regexp, error), s string) (*Match, error) {
	re, err := form()
	if err != nil {
		return nil, err
	}
	return r.begin(ctx, s).find(re, 0)
}

// FindIter is re.finditer.
func (r *Regexp) FindIter(ctx context.Context, s string) ([]*Match, error) {
	var out []*Match
	err := r.begin(ctx, s).matches(math.MaxInt, func(m *Match) error {
		out = append(out, m)
		return nil
	})
	return out, err
}

// FindStrings is re.findall for patterns of at most one group: the group, or the whole match when there is none. It is
// the fast way to tokens.
func (r *Regexp) FindStrings(ctx context.Context, s string) ([]string, error) {
	group := min(r.t.groups, 1)
	c := r.begin(ctx, s)
	var out []string
	if r.t.min > 0 {
		err := c.views(func(v regexp2.MatchView) (bool, error) {
			start, length, _ := v.GroupRange(group)
			out = append(out, c.text.slice(start, start+length))
			return true, nil
		})
		return out, err
	}
	err := c.each(0, func(m *Match) error {
		text, _ := m.Group(group)
		out = append(out, text)
		return nil
	})
	return out, err
}
