package pipeline

import (
	"cmp"
	"context"
	"errors"
	"math/bits"
	"slices"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
)

// WithConcurrency lets up to n components of the run work at the same time; 1, the default, is Haystack's sequential mode.
// Outputs, and the order in which a variadic socket receives what was sent, are those of the sequential mode however long
// each component takes. The first failure cancels the components beside it. Less than 1 is a ValueError.
//
// In a pipeline without loops and greedy sockets a component starts as soon as all its senders have run (run_async in
// haystack/core/pipeline/pipeline.py). Elsewhere order can decide what a component gets: there only those work side by
// side that are due at the same time and send nothing to each other, and one that a greedy socket woke works alone.
func WithConcurrency(n int) Option { return func(c *config) { c.concurrency, c.concurrent = n, true } }

// flight is one visit of one component in concurrent mode.
type flight struct {
	node int32
	key  uint64 // its place in the sequential order: round, then name
	env  *component.Env
	in   component.In
	step *Step // for the observer; nil without one
	out  component.Out
	err  error
	took time.Duration
	over bool
}

// crew runs components side by side. Its own goroutine, the run's, alone touches the run's state: workers only compute.
type crew struct {
	*run
	ctx     context.Context // of the workers; ends at the first failure
	cancel  context.CancelFunc
	limit   int
	running int
	landed  chan *flight
	failure error
	failed  uint64 // the key of the flight that failed

	free    bool
	arrived []uint64  // free: by node, the round of the latest sender that has run; 0 before any
	round   uint64    // free: the latest round so far
	kept    []*flight // free: what the result is made of, in the end
}

func (r *run) concurrent() error {
	c := &crew{run: r, limit: r.c.concurrency, free: r.g.free}
	c.ctx, c.cancel = context.WithCancel(r.ctx)
	defer c.cancel()
	c.landed = make(chan *flight, c.limit)
	if !c.free {
		return c.rounds()
	}
	c.arrived = make([]uint64, len(r.g.nodes))
	r.s.keyed = true
	err := c.flow()
	slices.SortFunc(c.kept, func(a, b *flight) int { return cmp.Compare(a.key, b.key) })
	for _, f := range c.kept {
		r.keep(f.node, &r.g.nodes[f.node], f.out)
	}
	if err == nil {
		r.blocked()
	}
	return err
}

// flow starts whatever has all it waits for. A component that some senders never reach waits until nothing else is left.
func (c *crew) flow() error {
	for {
		for c.failure == nil && c.running < c.limit {
			i, round := c.next()
			if i < 0 {
				break
			}
			c.start(i, round)
		}
		if c.running > 0 {
			c.land()
			continue
		}
		if c.failure != nil || c.s.counts[waiting] == 0 {
			return c.failure
		}
		c.check(firstOf(c.s.sets[waiting]), 0)
		if c.failure == nil {
			c.start(c.g.byRank[firstOf(c.s.deferred)], c.round+1)
		}
	}
}

// next finds the first ready component in the sequential order.
func (c *crew) next() (node int32, round uint64) {
	node = -1
	for w, word := range c.s.sets[ready] {
		for ; word != 0; word &= word - 1 {
			i := int32(w<<6 + bits.TrailingZeros64(word))
			if at := c.arrived[i] + 1; node < 0 || at < round {
				node, round = i, at
			}
		}
	}
	return node, round
}

func (c *crew) start(i int32, round uint64) {
	f, err := c.begin(i, round<<32|uint64(i))
	if err != nil {
		c.fail(round<<32|uint64(i), err)
		return
	}
	c.round = max(c.round, round)
	c.launch(f)
}

// land waits for one worker and commits its outputs.
func (c *crew) land() {
	f := <-c.landed
	c.running--
	if !c.arrive(f) {
		return
	}
	nd := &c.g.nodes[f.node]
	c.s.seq = f.key
	for k := range nd.edges {
		to := &c.arrived[c.g.slots[nd.edges[k].slot].node]
		*to = max(*to, f.key>>32)
	}
	if err := c.deliver(nd, f.out); err != nil {
		c.fail(f.key, err)
		return
	}
	if nd.open || f.out.Extra != nil || (c.include != nil && c.include[f.node]) {
		c.kept = append(c.kept, f)
	}
}

// rounds is [run.loop] with the components of one round side by side, as far as none of them can tell.
func (c *crew) rounds() error {
	s := c.s
	for {
		var due []int32
		urgent := 0
		for k, set := range s.sets[:waiting] {
			for w, word := range set {
				for ; word != 0; word &= word - 1 {
					due = append(due, int32(w<<6+bits.TrailingZeros64(word)))
				}
			}
			if priority(k) == highest {
				urgent = len(due)
			}
		}
		if len(due) == 0 {
			if s.counts[waiting] == 0 {
				c.blocked()
				return nil
			}
			if err := c.countCheck(firstOf(s.sets[waiting])); err != nil {
				return err
			}
			due = append(due, c.g.byRank[firstOf(s.deferred)])
		}
		if err := c.oneRound(due, urgent); err != nil {
			return err
		}
	}
}

// oneRound runs what is due, the first urgent ones alone, and commits in order.
func (c *crew) oneRound(due []int32, urgent int) error {
	flights := make([]*flight, 0, len(due))
	committed := 0
	for {
		for n := len(flights); c.failure == nil && n < len(due) && c.running < c.limit && c.alone(due, committed, n, urgent); n++ {
			c.check(due[n], uint64(n+1))
			if c.failure != nil {
				break
			}
			f, err := c.begin(due[n], uint64(n+1))
			if err != nil {
				c.fail(uint64(n+1), err)
				break
			}
			flights = append(flights, f)
			c.launch(f)
		}
		if c.running == 0 {
			return c.failure
		}
		(<-c.landed).over = true
		c.running--
		for ; committed < len(flights) && flights[committed].over; committed++ {
			c.commit(flights[committed])
		}
		if c.failure == nil && committed == len(due) {
			return nil
		}
		if c.failure == nil {
			c.overtaken(flights[committed:])
		}
	}
}

// overtaken looks for a failure among those that have to wait for others to be committed.
func (c *crew) overtaken(flights []*flight) {
	for _, f := range flights {
		if f.over && f.err != nil {
			c.arrive(f)
			return
		}
	}
}

// alone reports whether the n-th of a round may start while those from committed on are still under way.
func (c *crew) alone(due []int32, committed, n, urgent int) bool {
	if committed == n {
		return true
	}
	if committed < urgent || n < urgent {
		return false
	}
	for _, i := range due[committed:n] {
		for k := range c.g.nodes[i].edges {
			if c.g.slots[c.g.nodes[i].edges[k].slot].node == due[n] {
				return false
			}
		}
	}
	return true
}

func (c *crew) commit(f *flight) {
	if !c.arrive(f) {
		return
	}
	nd := &c.g.nodes[f.node]
	if err := c.deliver(nd, f.out); err != nil {
		c.fail(f.key, err)
		return
	}
	c.s.reprioritise(f.node)
	c.keep(f.node, nd, f.out)
}

// begin is the first half of [run.step]: everything until the component itself. The inputs are consumed here.
func (c *crew) begin(i int32, key uint64) (*flight, error) {
	nd := &c.g.nodes[i]
	f := &flight{node: i, key: key}
	var err error
	if f.in, f.env, err = c.prepare(i, nd); err != nil {
		return nil, err
	}
	c.s.tallies[i].visits++
	c.s.reprioritise(i)
	if o := &c.c.observer; o.Before != nil || o.After != nil {
		f.step = &Step{Component: nd.name, Type: nd.typ, Visit: f.env.Visit(), Inputs: f.in, Sockets: nd.spec.Inputs, Declared: nd.spec.Outputs}
		if o.Before != nil {
			o.Before(f.step)
		}
	}
	return f, nil
}

func (c *crew) launch(f *flight) {
	c.running++
	go func() {
		var begin time.Time
		if f.step != nil {
			begin = f.env.Now()
		}
		f.out, f.err = c.timed(c.ctx, &c.g.nodes[f.node], f.env, f.in)
		if f.step != nil {
			f.took = f.env.Now().Sub(begin)
		}
		c.landed <- f
	}()
}

// arrive tells the observer, and says whether the flight has outputs to commit.
func (c *crew) arrive(f *flight) bool {
	if f.step != nil {
		f.step.Outputs, f.step.Err, f.step.Took = f.out, f.err, f.took
		if c.c.observer.After != nil {
			c.c.observer.After(f.step)
		}
		f.step = nil
	}
	nd := &c.g.nodes[f.node]
	switch {
	case f.err != nil:
		if c.failure == nil || !endedBySibling(f.err) {
			c.fail(f.key, c.run.failed(nd, f.err))
		}
	case c.failure != nil:
	case len(f.out.Values) != len(nd.spec.Outputs):
		c.fail(f.key, wrongOutputs(nd, len(f.out.Values)))
	default:
		return true
	}
	return false
}

// endedBySibling reports whether an error that came after a failure is only its consequence.
func endedBySibling(err error) bool {
	return errors.Is(err, context.Canceled) || fault.Is(err, fault.Canceled)
}

// check is [run.countCheck].
func (c *crew) check(i int32, key uint64) {
	if err := c.countCheck(i); err != nil {
		c.fail(key, err)
	}
}

// fail ends the run. Of several failures the first in the sequential order counts, as far as they were not stopped before.
func (c *crew) fail(key uint64, err error) {
	if c.failure == nil || key < c.failed {
		c.failure, c.failed = err, key
	}
	c.cancel()
}

// oneAtATime makes a listener safe for components that stream side by side.
func oneAtATime(emit func(StreamEvent) error) func(StreamEvent) error {
	var mu sync.Mutex
	return func(ev StreamEvent) error {
		mu.Lock()
		defer mu.Unlock()
		return emit(ev)
	}
}
