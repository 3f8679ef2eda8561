package catalogue

import (
	"slices"
	"sync"
	"sync/atomic"
)

// key names a pipeline of a tenant.
type key struct{ app, tenant, name string }

// cache keeps entries up to a bound. Reading takes no lock. When it is full, the tenth that was not used for longest is
// dropped: a dropped entry is compiled again when next asked for.
type cache struct {
	max     int64
	entries sync.Map // key -> *slot
	count   atomic.Int64
	clock   atomic.Int64
	evict   sync.Mutex
}

type slot struct {
	entry *Entry
	used  atomic.Int64
}

func (c *cache) get(k key) *Entry {
	v, ok := c.entries.Load(k)
	if !ok {
		return nil
	}
	s := v.(*slot)
	if now := c.clock.Load(); s.used.Load() != now {
		s.used.Store(now)
	}
	return s.entry
}

func (c *cache) put(k key, e *Entry) {
	s := &slot{entry: e}
	s.used.Store(c.clock.Add(1))
	if _, had := c.entries.Swap(k, s); !had && c.count.Add(1) > c.max {
		c.shrink()
	}
}

func (c *cache) drop(k key) {
	if _, had := c.entries.LoadAndDelete(k); had {
		c.count.Add(-1)
	}
}

func (c *cache) clear() {
	c.entries.Range(func(k, _ any) bool {
		c.drop(k.(key))
		return true
	})
}

func (c *cache) shrink() {
	if !c.evict.TryLock() {
		return
	}
	defer c.evict.Unlock()
	type aged struct {
		k    key
		used int64
	}
	var all []aged
	c.entries.Range(func(k, v any) bool {
		all = append(all, aged{k.(key), v.(*slot).used.Load()})
		return true
	})
	slices.SortFunc(all, func(a, b aged) int { return int(a.used - b.used) })
	for _, a := range all[:max(1, len(all)/10)] {
		c.drop(a.k)
	}
}
