package pipeline

import (
	"math/bits"
	"slices"

	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// state is what one run knows about its sockets and nodes. It is pooled with its run; [state.reset] clears every value, so
// that nothing of one tenant waits in the pool for another.
type state struct {
	g        *program
	slots    []slot
	tallies  []tally
	ran      []uint64    // per sender of a slot: has run since the slot was consumed
	sent     []uint64    // per sender of a slot: has sent a value since then
	sets     [3][]uint64 // nodes by priority, numbered by name; the one for deferred nodes by rank as well
	deferred []uint64    // deferred nodes, numbered by rank
	counts   [5]int
	round    [2][]uint64 // what was highest and ready when the queue was last filled
	seq      uint64      // when keyed: the place of who writes now in the sequential order
	keyed    bool        // senders may not come in that order: lazy sockets sort what arrived

	words []uint64 // all bits above in one
	start start
}

// start is what the nodes are before any input. The sockets' flags of that moment are the program's.
type start struct {
	words   []uint64
	tallies []tally
	counts  [5]int
}

// slot is one input socket during a run.
type slot struct {
	val    value.Value // single and greedy: what is there
	items  []item      // lazy: everything that came, in order of arrival; the user's first
	from   origin      // single and greedy: where val came from
	lazy   bool        // lazily variadic, in this run
	ran    int32       // lazy: distinct senders that have run
	sent   int32       // lazy: distinct senders that have sent a value; else: the bit of the last sender, plus one
	byUser bool        // lazy: the user sent something
	flags  uint8
}

type item struct {
	val value.Value
	seq uint64 // 0 for the user's; else see [state.from]
}

// origin says who wrote a socket last.
type origin uint8

const (
	fromNobody origin = iota
	fromUser
	fromSender // a value
	fromAbsent // its sender ran and produced nothing for it (Haystack's _NoOutputProduced)
)

// What a slot's flags say. A node's tally counts them, so that its priority is known without looking at its sockets.
const (
	flagValue    uint8 = 1 << iota // holds a value: the socket is ready
	flagSent                       // holds a value from another component: a trigger
	flagExecuted                   // all its senders have run
	flagUser                       // holds the user's input
)

// tally counts a node's sockets by what they still lack or hold.
type tally struct {
	visits  int32
	missing int32 // mandatory without a value
	waiting int32 // mandatory or connected, without a value
	pending int32 // with a sender that has not run
	greedy  int32 // greedy, with a value
	sent    int32 // with a value from another component
	user    int32 // with the user's input
	prio    priority
}

// priority is haystack/core/pipeline/base.py's ComponentPriority.
type priority uint8

const (
	highest priority = iota
	ready
	waiting
	blocked
	unknown
)

func (g *program) newState() *state {
	s := &state{g: g, slots: make([]slot, len(g.slots)), tallies: slices.Clone(g.start)}
	bitWords := (g.senders + 63) / 64
	s.words = make([]uint64, 2*bitWords+6*g.words)
	words := s.words
	take := func(n int) []uint64 {
		out := words[:n:n]
		words = words[n:]
		return out
	}
	s.ran, s.sent = take(bitWords), take(bitWords)
	s.sets[highest], s.sets[ready], s.sets[waiting] = take(g.words), take(g.words), take(g.words)
	s.deferred, s.round[0], s.round[1] = take(g.words), take(g.words), take(g.words)
	for i := range s.slots {
		s.slots[i].lazy, s.slots[i].flags = g.slots[i].variadic == component.Lazy, g.slots[i].flags
	}
	for i := range s.tallies {
		s.tallies[i].prio = unknown
		s.reprioritise(int32(i))
	}
	s.start = start{words: slices.Clone(s.words), tallies: slices.Clone(s.tallies), counts: s.counts}
	return s
}

// maxPooledItems is how much room of one socket the pool keeps.
const maxPooledItems = 64

// reset brings everything back to the program's starting point, whatever the run left behind.
func (s *state) reset() {
	for i := range s.slots {
		sl := &s.slots[i]
		if sl.val != nil {
			sl.val = nil
		}
		if items := sl.items; items != nil {
			if cap(items) > maxPooledItems {
				items = nil
			}
			clear(items[:cap(items)])
			sl.items = items[:0]
		}
		info := &s.g.slots[i]
		sl.from, sl.byUser, sl.ran, sl.sent = fromNobody, false, 0, 0
		sl.lazy, sl.flags = info.variadic == component.Lazy, info.flags
	}
	copy(s.tallies, s.start.tallies)
	copy(s.words, s.start.words)
	s.counts, s.seq, s.keyed = s.start.counts, 0, false
}

// setUser writes the user's input. A connected list socket takes several senders from then on, in this run only: Python
// changes the shared socket instead (validate_input).
func (s *state) setUser(i int32, v value.Value) {
	info, sl := &s.g.slots[i], &s.slots[i]
	if info.expected > 0 && info.variadic == component.Single && info.listLike {
		sl.lazy = true
	}
	if sl.lazy {
		sl.items = append(sl.items, item{val: v})
		sl.byUser = true
	} else {
		sl.val, sl.from = v, fromUser
	}
	s.touch(i)
	s.reprioritise(info.node)
}

// write delivers what a sender produced for a socket; nil means that it ran and produced nothing for it.
func (s *state) write(e *edge, v value.Value) {
	sl := &s.slots[e.slot]
	switch {
	case sl.lazy:
		if setBit(s.ran, e.bit) {
			sl.ran++
		}
		if v != nil {
			sl.items = append(sl.items, item{val: v, seq: s.from(e)})
			if setBit(s.sent, e.bit) {
				sl.sent++
			}
		}
	case v != nil:
		sl.val, sl.from, sl.sent = v, fromSender, e.bit+1
	case sl.from == fromNobody:
		sl.from, sl.sent = fromAbsent, e.bit+1
	}
	s.touch(e.slot)
	s.reprioritise(s.g.slots[e.slot].node)
}

// from is what a lazy socket remembers of a value's sender: their place, or who they are if they come in order anyway.
func (s *state) from(e *edge) uint64 {
	if s.keyed {
		return s.seq
	}
	return uint64(e.bit) + 1
}

// setBit sets a bit and reports whether it was clear.
func setBit(set []uint64, bit int32) bool {
	word, mask := &set[bit>>6], uint64(1)<<(bit&63)
	was := *word
	*word |= mask
	return was&mask == 0
}

// touch brings a slot's flags, and with them its node's tally, up to date.
func (s *state) touch(i int32) {
	info, sl := &s.g.slots[i], &s.slots[i]
	var now uint8
	if sl.lazy {
		now = lazyFlags(info, sl)
	} else {
		now = singleFlags(info, sl)
	}
	diff := now ^ sl.flags
	if diff == 0 {
		return
	}
	sl.flags = now
	t := &s.tallies[info.node]
	if diff&flagValue != 0 {
		d := delta(now&flagValue != 0)
		if info.mandatory {
			t.missing -= d
		}
		if info.mandatory || info.expected > 0 {
			t.waiting -= d
		}
		if info.variadic == component.Greedy {
			t.greedy += d
		}
	}
	if diff&flagSent != 0 {
		t.sent += delta(now&flagSent != 0)
	}
	if diff&flagExecuted != 0 {
		t.pending -= delta(now&flagExecuted != 0)
	}
	if diff&flagUser != 0 {
		t.user += delta(now&flagUser != 0)
	}
}

func delta(up bool) int32 {
	if up {
		return 1
	}
	return -1
}

func lazyFlags(info *slotInfo, sl *slot) (f uint8) {
	if len(sl.items) > 0 {
		f |= flagValue
	}
	if sl.sent > 0 {
		f |= flagSent
	}
	if sl.ran == info.expected {
		f |= flagExecuted
	}
	if sl.byUser {
		f |= flagUser
	}
	return f
}

// singleFlags also serves greedy sockets: one value is there at a time, so several senders never have all run.
func singleFlags(info *slotInfo, sl *slot) (f uint8) {
	switch sl.from {
	case fromUser:
		f |= flagValue | flagUser
	case fromSender:
		f |= flagValue | flagSent
	}
	if info.expected == 0 || (info.expected == 1 && sl.from >= fromSender) {
		f |= flagExecuted
	}
	return f
}

// priorityOf is _calculate_priority: from a node's tally alone.
func (s *state) priorityOf(i int32) priority {
	t := &s.tallies[i]
	triggered := t.sent > 0 || (t.visits == 0 && (t.user > 0 || !s.g.nodes[i].connected))
	switch {
	case t.missing > 0 || !triggered:
		return blocked
	case t.greedy > 0 && t.waiting == 0:
		return highest
	case t.pending == 0:
		return ready
	}
	return waiting
}

// reprioritise moves a node to the set of its priority.
func (s *state) reprioritise(i int32) {
	now, was := s.priorityOf(i), s.tallies[i].prio
	if now == was {
		return
	}
	s.tallies[i].prio = now
	s.move(i, was, false)
	s.move(i, now, true)
}

func (s *state) move(i int32, p priority, in bool) {
	s.counts[p] += int(delta(in))
	if p >= blocked {
		return
	}
	s.sets[p][i>>6] ^= 1 << (i & 63)
	if p == waiting {
		r := s.g.nodes[i].rank
		s.deferred[r>>6] ^= 1 << (r & 63)
	}
}

// firstOf returns the lowest number in a set, or -1.
func firstOf(set []uint64) int32 {
	for w, word := range set {
		if word != 0 {
			return int32(w<<6 + bits.TrailingZeros64(word))
		}
	}
	return -1
}

// takeFirst removes and returns the lowest number in a set from word w on, or -1; the next search may start at the word
// it returns.
func takeFirst(set []uint64, w int) (n int32, word int) {
	for ; w < len(set); w++ {
		if x := set[w]; x != 0 {
			set[w] = x & (x - 1)
			return int32(w<<6 + bits.TrailingZeros64(x)), w
		}
	}
	return -1, w
}
