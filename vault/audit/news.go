package audit

import (
	"sync"

	"github.com/haywardhq/hayward/vault/store/driver"
)

// news is how the logger tells those who follow the record (the checkpointer, the sinks) which chains have grown. It never
// waits for them.
type news struct {
	mu        sync.Mutex
	followers []*follower
}

// follower collects what has grown since it last asked.
type follower struct {
	wake chan struct{} // holds one token when there are at least enough new entries

	mu     sync.Mutex
	ends   map[driver.Chain]int64
	known  map[driver.Chain]int64
	count  int64 // entries since the last take
	enough int64
}

// follow returns a follower that is woken after so many entries.
func (n *news) follow(enough int64) *follower {
	f := &follower{wake: make(chan struct{}, 1), ends: map[driver.Chain]int64{}, known: map[driver.Chain]int64{}, enough: enough}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.followers = append(n.followers[:len(n.followers):len(n.followers)], f)
	return f
}

func (n *news) leave(f *follower) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var rest []*follower
	for _, g := range n.followers {
		if g != f {
			rest = append(rest, g)
		}
	}
	n.followers = rest
}

func (n *news) tell(c driver.Chain, seq int64) {
	n.mu.Lock()
	followers := n.followers
	n.mu.Unlock()
	for _, f := range followers {
		f.tell(c, seq)
	}
}

func (f *follower) tell(c driver.Chain, seq int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	grown := int64(1)
	if known, ok := f.known[c]; ok {
		grown = max(seq-known, 0)
	}
	f.known[c] = seq
	f.ends[c] = max(f.ends[c], seq)
	if f.count += grown; f.count >= f.enough {
		select {
		case f.wake <- struct{}{}:
		default:
		}
	}
}

// take returns the chains that have grown and their ends, and starts counting anew.
func (f *follower) take() map[driver.Chain]int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.ends
	f.ends, f.count = map[driver.Chain]int64{}, 0
	return out
}

// put returns chains that were taken and could not be dealt with.
func (f *follower) put(chains map[driver.Chain]int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c, seq := range chains {
		f.ends[c] = max(f.ends[c], seq)
	}
}
