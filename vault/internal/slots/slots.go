package slots

import (
	"hash/maphash"
	"math/rand/v2"
	"sync/atomic"
)

// Key says what a value is for.
type Key struct{ App, Tenant, Name string }

const (
	sets = 1024 // sets of places; a power of two
	ways = 4    // places of a set: so many values that collide are kept side by side
	gens = 1024 // groups of names that change together
)

// Cache keeps values. Make one with [New]. It is safe for concurrent use.
type Cache[V any] struct {
	seed maphash.Seed
	sets [sets][ways]atomic.Pointer[entry[V]]
	gens [gens]atomic.Uint64
}

type entry[V any] struct {
	key   Key
	gen   uint64
	value V
}

// New returns an empty cache.
func New[V any]() *Cache[V] { return &Cache[V]{seed: maphash.MakeSeed()} }

// name hashes what belongs to every tenant alike; set adds the tenant.
func (c *Cache[V]) name(app, name string) uint64 {
	return maphash.String(c.seed, name)*0x9e3779b97f4a7c15 + maphash.String(c.seed, app)
}

func (c *Cache[V]) set(name uint64, tenant string) *[ways]atomic.Pointer[entry[V]] {
	return &c.sets[(name^maphash.String(c.seed, tenant))*0x9e3779b97f4a7c15>>20%sets]
}

// Get returns a value that was put and has not changed since.
func (c *Cache[V]) Get(k Key) (v V, ok bool) {
	h := c.name(k.App, k.Name)
	gen, set := c.gens[h%gens].Load(), c.set(h, k.Tenant)
	for i := range set {
		if e := set[i].Load(); e != nil && e.gen == gen && e.key == k {
			return e.value, true
		}
	}
	return v, false
}

// Begin must be called before a value is read from where it comes from; what it returns goes to Put.
func (c *Cache[V]) Begin(k Key) uint64 { return c.gens[c.name(k.App, k.Name)%gens].Load() }

// Put keeps a value that was read after Begin. If its name changed meanwhile, Get will not return it.
func (c *Cache[V]) Put(k Key, begun uint64, v V) {
	h := c.name(k.App, k.Name)
	set := c.set(h, k.Tenant)
	place := &set[rand.IntN(ways)]
	for i := range set {
		if e := set[i].Load(); e == nil || e.key == k || e.gen != c.gens[c.name(e.key.App, e.key.Name)%gens].Load() {
			place = &set[i] // empty, its own, or of no use any more
			break
		}
	}
	place.Store(&entry[V]{k, begun, v})
}

// Changed drops what is kept of a name of an app, for every tenant.
func (c *Cache[V]) Changed(app, name string) { c.gens[c.name(app, name)%gens].Add(1) }

// Clear drops everything.
func (c *Cache[V]) Clear() {
	for i := range c.gens {
		c.gens[i].Add(1)
	}
}
