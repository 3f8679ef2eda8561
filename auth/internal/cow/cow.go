package cow

import (
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"
)

const parts = 256

// Map is a copy-on-write map. Use [New].
type Map[K comparable, V any] struct {
	seed maphash.Seed
	part [parts]atomic.Pointer[map[K]V]
	mu   sync.Mutex // writers only
}

// New returns an empty map.
func New[K comparable, V any]() *Map[K, V] { return &Map[K, V]{seed: maphash.MakeSeed()} }

func (m *Map[K, V]) of(k K) *atomic.Pointer[map[K]V] {
	return &m.part[maphash.Comparable(m.seed, k)%parts]
}

// Get returns the value of k.
func (m *Map[K, V]) Get(k K) (v V, ok bool) {
	if p := m.of(k).Load(); p != nil {
		v, ok = (*p)[k]
	}
	return v, ok
}

// Set stores v under k. A later Get in any goroutine sees it.
func (m *Map[K, V]) Set(k K, v V) { m.edit(k, func(part map[K]V) { part[k] = v }) }

// Delete removes k.
func (m *Map[K, V]) Delete(k K) { m.edit(k, func(part map[K]V) { delete(part, k) }) }

func (m *Map[K, V]) edit(k K, fn func(map[K]V)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.of(k)
	next := map[K]V{}
	if have := p.Load(); have != nil {
		next = maps.Clone(*have)
	}
	fn(next)
	p.Store(&next)
}

// Replace makes the map hold exactly what all holds.
func (m *Map[K, V]) Replace(all map[K]V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	split := make(map[*atomic.Pointer[map[K]V]]map[K]V)
	for k, v := range all {
		p := m.of(k)
		if split[p] == nil {
			split[p] = map[K]V{}
		}
		split[p][k] = v
	}
	for i := range m.part {
		p := &m.part[i]
		next := split[p]
		if next == nil {
			next = map[K]V{}
		}
		p.Store(&next)
	}
}

// DeleteFunc removes the entries for which drop reports true.
func (m *Map[K, V]) DeleteFunc(drop func(K, V) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.part {
		have := m.part[i].Load()
		if have == nil || len(*have) == 0 {
			continue
		}
		next := maps.Clone(*have)
		maps.DeleteFunc(next, drop)
		m.part[i].Store(&next)
	}
}

// Len returns the number of entries.
func (m *Map[K, V]) Len() (n int) {
	for i := range m.part {
		if p := m.part[i].Load(); p != nil {
			n += len(*p)
		}
	}
	return n
}
