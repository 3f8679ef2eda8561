package source

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// CacheOptions bounds a [Cache]. The zero value of each field means its default.
type CacheOptions struct {
	TTL           time.Duration // how long a value is served without asking; default 1 min
	NegativeTTL   time.Duration // the same for a key that is not there; default 5 s, below 0 never
	StaleIfError  time.Duration // how long past its TTL a value is served when the source cannot answer; default 0: never
	MaxEntries    int           // default 10,000
	MaxBytes      int           // of values, keys and what is noted beside them; default 16 MiB
	MaxValueBytes int           // a larger value is not kept; default 64 KiB
}

func (o CacheOptions) withDefaults() CacheOptions {
	def := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	if o.TTL <= 0 {
		o.TTL = time.Minute
	}
	if o.NegativeTTL == 0 {
		o.NegativeTTL = 5 * time.Second
	}
	def(&o.MaxEntries, 10_000)
	def(&o.MaxBytes, 16<<20)
	def(&o.MaxValueBytes, 64<<10)
	return o
}

// Cache keeps what a source answered, within bounds of count, bytes and time; a value is never served past its own expiry.
// Several callers who ask for one key at the same time ask the source once. A watch drops what is kept of its key before it
// is told, so that Get and the watch never disagree. Lists are not kept.
//
// What is kept is kept for whoever holds the cache: put it behind [Tenants], or before one tenant's part, never before a
// source that answers by who is calling.
type Cache struct {
	src Source
	o   CacheOptions

	mu      sync.RWMutex
	entries map[string]*cached
	bytes   int
	flights map[string]*flight

	clock        atomic.Int64 // counts uses, for finding what was not used
	hits, misses atomic.Int64
}

type cached struct {
	value *Value // nil: there is no such key
	at    time.Time
	size  int
	used  atomic.Int64
}

// flight is one question that several callers wait for.
type flight struct {
	done  chan struct{}
	value *Value
	err   error
	n     int // who waits
	stop  context.CancelFunc
}

// NewCache returns a cache before src. It has src's name.
func NewCache(src Source, o CacheOptions) *Cache {
	return &Cache{src: src, o: o.withDefaults(), entries: map[string]*cached{}, flights: map[string]*flight{}}
}

// Name returns the source's name.
func (c *Cache) Name() string { return c.src.Name() }

// Get returns what is kept, else asks the source.
func (c *Cache) Get(ctx context.Context, key string) (*Value, error) {
	if err := alive(ctx, c.Name()); err != nil {
		return nil, err
	}
	c.mu.RLock()
	e := c.entries[key]
	c.mu.RUnlock()
	now := time.Now()
	if e != nil && c.fresh(e, now) {
		e.used.Store(c.clock.Add(1))
		c.hits.Add(1)
		return c.answer(e.value, key)
	}
	c.misses.Add(1)
	v, err := c.ask(ctx, key)
	if err != nil && c.usable(e, now, err) {
		return e.value.Clone(), nil
	}
	return v, err
}

func (c *Cache) answer(v *Value, key string) (*Value, error) {
	if v == nil {
		return nil, missing(c.Name(), key)
	}
	return v.Clone(), nil
}

func (c *Cache) fresh(e *cached, now time.Time) bool {
	if e.value == nil {
		return now.Sub(e.at) < c.o.NegativeTTL
	}
	return now.Sub(e.at) < c.o.TTL && (e.value.ExpiresAt == nil || now.Before(*e.value.ExpiresAt))
}

// usable says whether an old value may stand in for a source that cannot answer. That it refuses, or has no such key any
// more, is an answer.
func (c *Cache) usable(e *cached, now time.Time, err error) bool {
	if e == nil || e.value == nil || now.Sub(e.at) >= c.o.TTL+c.o.StaleIfError {
		return false
	}
	if e.value.ExpiresAt != nil && !now.Before(*e.value.ExpiresAt) {
		return false
	}
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Timeout, fault.Limited, fault.Internal:
		return true
	}
	return false
}

// ask joins the question that is under way for a key, or starts one. A question goes on as long as anybody waits for it.
func (c *Cache) ask(ctx context.Context, key string) (*Value, error) {
	c.mu.Lock()
	f := c.flights[key]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		var own context.Context
		own, f.stop = context.WithCancel(context.WithoutCancel(ctx))
		c.flights[key] = f
		go c.fly(own, key, f)
	}
	f.n++
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.value.Clone(), f.err
	case <-ctx.Done():
		c.leave(key, f)
		return nil, alive(ctx, c.Name())
	}
}

func (c *Cache) leave(key string, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.n--; f.n == 0 {
		f.stop()
		if c.flights[key] == f {
			delete(c.flights, key) // whoever comes now asks anew
		}
	}
}

func (c *Cache) fly(ctx context.Context, key string, f *flight) {
	defer close(f.done)
	defer f.stop()
	begun := time.Now()
	f.err = fault.New(fault.Internal, "the source %s panicked", c.Name())
	defer func() {
		if p := recover(); p != nil {
			f.value = nil
		}
		c.land(key, f, begun)
	}()
	f.value, f.err = c.src.Get(ctx, key)
}

func (c *Cache) land(key string, f *flight, begun time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[key] != f {
		return // the key changed while this was under way, or nobody waits any more: the answer is not kept
	}
	delete(c.flights, key)
	switch {
	case f.err == nil:
		c.put(key, f.value.Clone(), begun)
	case errors.Is(f.err, ErrKeyNotFound):
		c.drop(key)
		if c.o.NegativeTTL > 0 {
			c.put(key, nil, begun)
		}
	case !c.usable(c.entries[key], begun, f.err):
		c.drop(key)
	}
}

// put keeps a value and makes room for it.
func (c *Cache) put(key string, v *Value, at time.Time) {
	c.drop(key)
	n := len(key) + 128
	if v != nil {
		n = size(v)
	}
	if n > c.o.MaxValueBytes || n > c.o.MaxBytes {
		return
	}
	for len(c.entries) >= c.o.MaxEntries || c.bytes+n > c.o.MaxBytes {
		c.evict()
	}
	e := &cached{value: v, at: at, size: n}
	e.used.Store(c.clock.Add(1))
	c.entries[key] = e
	c.bytes += n
}

func (c *Cache) drop(key string) {
	if e := c.entries[key]; e != nil {
		c.bytes -= e.size
		delete(c.entries, key)
	}
}

// evict drops what was not used for longest among a few; a map's order is a lottery already.
func (c *Cache) evict() {
	worst, used, looked := "", int64(0), 0
	for key, e := range c.entries {
		if u := e.used.Load(); looked == 0 || u < used {
			worst, used = key, u
		}
		if looked++; looked == 16 {
			break
		}
	}
	c.drop(worst)
}

// Forget drops what is kept of a key; an answer that is under way is not kept either.
func (c *Cache) Forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(key)
	delete(c.flights, key) // whoever asks from now on asks anew
}

// CacheStats says how a cache does.
type CacheStats struct {
	Entries, Bytes int
	Hits, Misses   int64
}

// Stats returns the cache's counts.
func (c *Cache) Stats() CacheStats {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return CacheStats{len(c.entries), c.bytes, c.hits.Load(), c.misses.Load()}
}

// List asks the source.
func (c *Cache) List(ctx context.Context, prefix string) ([]*Value, error) {
	return c.src.List(ctx, prefix)
}

// Watch watches the source.
func (c *Cache) Watch(ctx context.Context, key string, fn WatchFunc) error {
	if fn == nil {
		return c.src.Watch(ctx, key, nil)
	}
	return c.src.Watch(ctx, key, func(ctx context.Context, key string, v *Value) {
		c.Forget(key)
		fn(ctx, key, v)
	})
}

// Close forgets everything and closes the source.
func (c *Cache) Close() error {
	c.mu.Lock()
	clear(c.entries)
	c.bytes = 0
	clear(c.flights)
	c.mu.Unlock()
	return c.src.Close()
}
