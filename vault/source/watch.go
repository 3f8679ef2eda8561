package source

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// Hub keeps the watches of a source that this package does not know; its own sources have one, too. A watch reads what Get
// returns whenever it is woken or its interval has passed, compares that with what it told last, and tells what differs.
// So nothing is told that Get would not return, nothing piles up, and what one watch does says nothing about another.
type Hub struct {
	name string
	get  func(context.Context, string) (*Value, error)
	same func(a, b *Value) bool // what is not told again; default [Same]
	poll time.Duration          // 0: only when woken
	max  int
	log  *slog.Logger

	ctx  context.Context // ends with the hub
	stop context.CancelFunc

	mu    sync.Mutex
	byKey map[string]map[*watcher]struct{}
	n     int
}

// NewHub returns a hub for a source: get is its Get, and every poll (0: never) each watch looks without being woken.
func NewHub(name string, get func(ctx context.Context, key string) (*Value, error), poll time.Duration, opts ...Option) *Hub {
	o := read(name, opts)
	return newHub(o, get, poll)
}

func newHub(o options, get func(context.Context, string) (*Value, error), poll time.Duration) *Hub {
	h := &Hub{name: o.name, get: get, same: Same, poll: poll, max: o.maxWatchers, log: o.log, byKey: map[string]map[*watcher]struct{}{}}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// Close ends every watch.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stop()
}

// Closed returns an error once the hub is closed.
func (h *Hub) Closed() error {
	if h.ctx.Err() != nil {
		return closed(h.name)
	}
	return nil
}

// Wake has the watches of a key look now. It never waits for one.
func (h *Hub) Wake(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.byKey[key] {
		w.wake()
	}
}

// WakeAll has every watch look now: changes may have been missed.
func (h *Hub) WakeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, of := range h.byKey {
		for w := range of {
			w.wake()
		}
	}
}

// Watch adds a watch, see [Source].
func (h *Hub) Watch(ctx context.Context, key string, fn WatchFunc) error {
	w, err := h.start(ctx, key, fn)
	if err == nil {
		go w.run()
	}
	return err
}

// start registers a watch and learns what there is. Registered first, read second: a change in between is seen twice
// rather than not at all.
func (h *Hub) start(ctx context.Context, key string, fn WatchFunc) (*watcher, error) {
	if fn == nil {
		return nil, fault.New(fault.Invalid, "there is no function to call when the key %q changes", key)
	}
	if err := alive(ctx, h.name); err != nil {
		return nil, err
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	w := &watcher{h: h, key: key, fn: fn, signal: make(chan struct{}, 1)}
	w.ctx, w.cancel = context.WithCancel(ctx)
	w.unhook = context.AfterFunc(h.ctx, w.cancel)
	if err := h.add(w); err != nil {
		w.end()
		return nil, err
	}
	var err error
	if w.told, err = w.look(); err != nil {
		h.remove(w)
		return nil, err
	}
	return w, nil
}

func (h *Hub) add(w *watcher) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ctx.Err() != nil:
		return closed(h.name)
	case h.n >= h.max:
		return fault.New(fault.Limited, "the source %s has %d watches; that is the most", h.name, h.n).
			WithHint("end those that are not needed by cancelling their contexts")
	}
	if h.byKey[w.key] == nil {
		h.byKey[w.key] = map[*watcher]struct{}{}
	}
	h.byKey[w.key][w] = struct{}{}
	h.n++
	return nil
}

func (h *Hub) remove(w *watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.end()
	if _, ok := h.byKey[w.key][w]; !ok {
		return
	}
	delete(h.byKey[w.key], w)
	if len(h.byKey[w.key]) == 0 {
		delete(h.byKey, w.key)
	}
	h.n--
}

// Watches returns how many watches there are.
func (h *Hub) Watches() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.n
}

// watcher is one watch.
type watcher struct {
	h      *Hub
	ctx    context.Context // ends with the caller's and with the hub
	cancel context.CancelFunc
	unhook func() bool
	key    string
	fn     WatchFunc
	signal chan struct{}
	told   *Value // of the goroutine alone
}

func (w *watcher) end() {
	w.unhook()
	w.cancel()
}

func (w *watcher) wake() {
	select {
	case w.signal <- struct{}{}:
	default: // woken already
	}
}

func (w *watcher) run() {
	defer w.h.remove(w)
	var tick <-chan time.Time
	if w.h.poll > 0 {
		t := time.NewTicker(spread(w.h.poll))
		defer t.Stop()
		tick = t.C
	}
	for {
		ends, stop := w.expiry()
		select {
		case <-w.ctx.Done():
			stop()
			return
		case <-w.signal:
		case <-tick:
		case <-ends:
		}
		stop()
		w.step()
	}
}

// expiry is when the value told last ends by itself, which nobody tells of.
func (w *watcher) expiry() (ends <-chan time.Time, stop func()) {
	if w.told == nil || w.told.ExpiresAt == nil || !time.Now().Before(*w.told.ExpiresAt) {
		return nil, func() {}
	}
	t := time.NewTimer(time.Until(*w.told.ExpiresAt))
	return t.C, func() { t.Stop() }
}

// spread keeps the watches of a process from asking all at once: up to a tenth less.
func spread(d time.Duration) time.Duration {
	return d - time.Duration(rand.Int64N(int64(d)/10+1))
}

// look returns what Get returns; nil for a key that is not there.
func (w *watcher) look() (*Value, error) {
	v, err := w.h.get(w.ctx, w.key)
	if errors.Is(err, ErrKeyNotFound) {
		return nil, nil
	}
	return v, err
}

func (w *watcher) step() {
	now, err := w.look()
	if err != nil {
		if w.ctx.Err() == nil {
			w.h.log.WarnContext(w.ctx, "a watched key could not be read; it is looked at again", "source", w.h.name, "key", w.key, "error", err)
		}
		return
	}
	if w.h.same(w.told, now) || !w.may() {
		return
	}
	w.told = now
	defer func() {
		if p := recover(); p != nil {
			w.h.log.ErrorContext(w.ctx, "a watch's function panicked", "source", w.h.name, "key", w.key)
		}
	}()
	w.fn(w.ctx, w.key, now.Clone())
}

// may says whether a call may begin; under the lock, so that none begins once Close has returned.
func (w *watcher) may() bool {
	w.h.mu.Lock()
	defer w.h.mu.Unlock()
	return w.ctx.Err() == nil && w.h.ctx.Err() == nil
}
