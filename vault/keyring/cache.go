package keyring

import "sync"

// keyName is (app, tenant, key id); the empty id is the primary key.
type keyName struct{ app, tenant, id string }

// cache is a bounded map of opened keys. When it is full, any one entry makes room: unwrapping again costs a microsecond
// and a row, so that keeping order of use on every read would cost more than it saves.
type cache struct {
	mu    sync.RWMutex
	limit int
	keys  map[keyName]*tenantKey
}

func newCache(limit int) *cache { return &cache{limit: limit, keys: map[keyName]*tenantKey{}} }

func (c *cache) get(n keyName) *tenantKey {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.keys[n]
}

func (c *cache) put(n keyName, k *tenantKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
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
	for n := range c.keys {
		if n.app == app && n.tenant == tenant {
			delete(c.keys, n)
		}
	}
}
