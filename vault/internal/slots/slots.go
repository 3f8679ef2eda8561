// Package slots is a cache of a fixed size for values that belong to an app, a tenant and a name. Reading takes no lock and
// allocates nothing; a newer value evicts an older one that fell into the same slot; a change of a name drops what is
// kept of it for every tenant at once. It knows no noun.
package slots

import (
	"hash/maphash"
	"sync/atomic"
)

// Key says what a value is for.
type Key struct{ App, Tenant, Name string }

const (
	size = 4096 // values kept at most; a power of two
	gens = 1024 // groups of names that change together
)

// Cache keeps values. Make one with [New]. It is safe for concurrent use.
type Cache[V any] struct {
	seed  maphash.Seed
	slots [size]atomic.Pointer[entry[V]]
	gens  [gens]atomic.Uint64
}

type entry[V any] struct {
	key   Key
	gen   uint64
	value V
}

// New returns an empty cache.
func New[V any]() *Cache[V] { return &Cache[V]{seed: maphash.MakeSeed()} }

// name hashes what belongs to every tenant alike, all adds the tenant.
func (c *Cache[V]) name(app, name string) uint64 {
	return maphash.String(c.seed, name)*0x9e3779b97f4a7c15 + maphash.String(c.seed, app)
}

func (c *Cache[V]) all(name uint64, tenant string) uint64 {
	return (name ^ maphash.String(c.seed, tenant)) * 0x9e3779b97f4a7c15 >> 20
}

// Get returns a value that was put and has not changed since.
func (c *Cache[V]) Get(k Key) (v V, ok bool) {
	h := c.name(k.App, k.Name)
	e := c.slots[c.all(h, k.Tenant)%size].Load()
	if e == nil || e.gen != c.gens[h%gens].Load() || e.key != k {
		return v, false
	}
	return e.value, true
}

// Begin must be called before a value is read from where it comes from; what it returns goes to Put.
func (c *Cache[V]) Begin(k Key) uint64 { return c.gens[c.name(k.App, k.Name)%gens].Load() }

// Put keeps a value that was read after Begin. If its name changed meanwhile, Get will not return it.
func (c *Cache[V]) Put(k Key, begun uint64, v V) {
	h := c.name(k.App, k.Name)
	c.slots[c.all(h, k.Tenant)%size].Store(&entry[V]{k, begun, v})
}

// Changed drops what is kept of a name of an app, for every tenant.
func (c *Cache[V]) Changed(app, name string) { c.gens[c.name(app, name)%gens].Add(1) }

// Clear drops everything.
func (c *Cache[V]) Clear() {
	for i := range c.gens {
		c.gens[i].Add(1)
	}
}
