package limit

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	shards        = 64
	overflowSlots = 1 << 14 // shared buckets for new keys while the table is full; 128 KiB
	sweepEvery    = int64(time.Second)
)

// DefaultMaxKeys bounds a Limiter whose options name no bound: about 40 MiB at the most.
const DefaultMaxKeys = 1_000_000

// Options configures [New]. The zero value of each field is usable.
type Options struct {
	MaxKeys int              // live keys at the most; default [DefaultMaxKeys]
	Now     func() time.Time // the clock; default time.Now
}

// Limiter counts in memory. It is safe for concurrent use.
type Limiter struct {
	seed     maphash.Seed
	now      func() time.Time
	start    time.Time
	perShard int
	shard    [shards]shard
	over     struct {
		mu  sync.Mutex
		tat [overflowSlots]int64
	}
}

// shard holds, per key, the theoretical arrival time (TAT): the moment, in nanoseconds since the Limiter's start, at
// which the key's quota is whole again.
type shard struct {
	mu    sync.Mutex
	tat   map[uint64]int64
	swept int64
	_     [40]byte // keeps two shards' locks off one cache line
}

// New returns an empty Limiter.
func New(o Options) *Limiter {
	if o.MaxKeys <= 0 {
		o.MaxKeys = DefaultMaxKeys
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &Limiter{seed: maphash.MakeSeed(), now: o.Now, start: o.Now(), perShard: max(1, o.MaxKeys/shards)}
	for i := range l.shard {
		l.shard[i].tat = make(map[uint64]int64)
	}
	return l
}

// clock returns nanoseconds since the start, at least 1, so that a TAT of 0 always means "never".
func (l *Limiter) clock() int64 { return 1 + max(0, int64(l.now().Sub(l.start))) }

// Take spends one unit of key's quota under rate, or refuses and spends nothing.
func (l *Limiter) Take(key Key, rate Rate) Decision { return l.take(l.clock(), key, rate, true) }

// Peek answers as [Limiter.Take] would, and spends nothing.
func (l *Limiter) Peek(key Key, rate Rate) Decision { return l.take(l.clock(), key, rate, false) }

func (l *Limiter) take(now int64, key Key, rate Rate, spend bool) Decision {
	rate = rate.valid()
	s := &l.shard[key.fine%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	tat, known := s.tat[key.fine]
	if !known && !s.room(now, l.perShard) {
		return l.takeShared(now, key, rate, spend)
	}
	next, d := decide(now, tat, rate)
	if spend && d.Allowed {
		s.tat[key.fine] = next
	}
	return d
}

// takeShared counts a key that found no room in the bucket of its network or kind.
func (l *Limiter) takeShared(now int64, key Key, rate Rate, spend bool) Decision {
	l.over.mu.Lock()
	defer l.over.mu.Unlock()
	slot := &l.over.tat[key.coarse%overflowSlots]
	next, d := decide(now, *slot, rate)
	if spend && d.Allowed {
		*slot = next
	}
	d.Shared = true
	return d
}

// Refund gives back one unit that [Limiter.Take] spent. Giving back what was never spent has no effect beyond a whole
// quota.
func (l *Limiter) Refund(key Key, rate Rate) {
	rate = rate.valid()
	s := &l.shard[key.fine%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if tat, known := s.tat[key.fine]; known {
		s.tat[key.fine] = max(0, tat-rate.interval())
		return
	}
	l.over.mu.Lock()
	defer l.over.mu.Unlock()
	slot := &l.over.tat[key.coarse%overflowSlots]
	*slot = max(0, *slot-rate.interval())
}

// room reports whether a new key fits. A full shard is swept at most once a second, and only of keys whose quota is
// whole: they are the same as keys never seen.
func (s *shard) room(now int64, bound int) bool {
	if len(s.tat) < bound {
		return true
	}
	if s.swept == 0 || now-s.swept >= sweepEvery {
		s.sweep(now)
	}
	return len(s.tat) < bound
}

func (s *shard) sweep(now int64) {
	s.swept = now
	for k, tat := range s.tat {
		if tat <= now {
			delete(s.tat, k)
		}
	}
}

// Sweep forgets every key whose quota is whole. A host calls it about once a minute; correctness does not depend on it.
func (l *Limiter) Sweep() {
	now := l.clock()
	for i := range l.shard {
		s := &l.shard[i]
		s.mu.Lock()
		s.sweep(now)
		s.mu.Unlock()
	}
}

// Len returns how many keys are held.
func (l *Limiter) Len() (n int) {
	for i := range l.shard {
		s := &l.shard[i]
		s.mu.Lock()
		n += len(s.tat)
		s.mu.Unlock()
	}
	return n
}
