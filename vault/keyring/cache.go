package keyring

import "sync"

// keyName is (app, tenant, key id).
type keyName struct{ app, tenant, id string }

// cache is a bounded map of opened keys. When it is full, any one entry makes room: unwrapping again costs a microsecond
// and a row, so that keeping order of use on every read would cost more than it saves.
type cache struct {
	mu    sync.RWMutex
	limit int
	keys  map[keyName]*tenantKey
	drops int64
}

func newCache(limit int) *cache { return &cache{limit: limit, keys: map[keyName]*tenantKey{}} }

func (c *cache) get(n keyName) *tenantKey {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.keys[n]
}

// generation changes with each drop. Who reads a row takes it before, and hands it to put.
func (c *cache) generation() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.drops
}

// put keeps a key, unless something was dropped since its row was read: that could have been this very key.
func (c *cache) put(n keyName, k *tenantKey, generation int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drops != generation {
		return
	}
	if _, have := c.keys[n]; !have && len(c.keys) >= c.limit {
		for victim := range c.keys {
			delete(c.keys, victim)
			break
		}
	}
	c.keys[n] = k
}

func (c *cache) forget(app, tenant string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	for n := range c.keys {
		if n.app == app && n.tenant == tenant {
			delete(c.keys, n)
		}
	}
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	clear(c.keys)
}
