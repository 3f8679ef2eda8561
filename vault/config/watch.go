package config

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// WatchCallback is told that a value changed. A nil value means that there was none, or is none any more. Values are the
// callback's own.
type WatchCallback func(ctx context.Context, key string, oldValue, newValue any)

// maxWatchers bounds the watchers of one service.
const maxWatchers = 10_000

// Watch has cb called when an entry of a key of the service's own app changes, until stop is called or the service is
// closed: the app's entry, and every tenant's own; the context has app and tenant in scope. It is for a part of the
// program that stands outside every tenant. A watch that cannot be set up is logged.
func (s *Service) Watch(key string, cb WatchCallback) (stop func()) {
	ctx, cancel := context.WithCancel(scope.WithCaller(context.Background(), scope.Caller{App: s.app}))
	if err := s.watch(ctx, scope.Caller{App: s.app}, key, cb, true); err != nil {
		s.log.Error(ctx, "a config key could not be watched", s.app, key, err)
	}
	return cancel
}

// WatchContext has cb called when what a key resolves to changes for the caller in the context's scope, until ctx ends or
// the service is closed: with a tenant, its own entry set or deleted, or the app's while it has none. Other tenants' and
// other apps' changes do not reach it.
//
// It is also called, with the same value twice, when a secret that the value refers to was written or deleted: the
// tenant's, or one the app shares.
//
// Callbacks of one watch run one after the other, on a goroutine of its own, after the write; several quick changes may
// arrive as one, from the oldest value to the newest. A panic of cb is logged and ends nothing.
func (s *Service) WatchContext(ctx context.Context, key string, cb WatchCallback) error {
	c, err := who.Of(ctx, "", s.app)
	if err != nil {
		return err
	}
	return s.watch(ctx, c, key, cb, false)
}

func (s *Service) watch(ctx context.Context, c scope.Caller, key string, cb WatchCallback, every bool) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if err := who.Owner(c); err != nil {
		return err
	}
	if s.table == nil || s.cache == nil {
		return fault.New(fault.Unsupported, "this store does not tell of changes")
	}
	if cb == nil {
		return fault.New(fault.Invalid, "there is no callback")
	}
	w := &watcher{s: s, ctx: ctx, caller: c, key: key, cb: cb, every: every, signal: make(chan struct{}, 1), pending: map[string]bool{},
		known: map[string]state{}}
	if err := s.watchers.add(w); err != nil {
		return err
	}
	// Registered first, read second: a change in between is seen twice rather than not at all.
	if err := w.learn(); err != nil {
		s.watchers.remove(w)
		return who.Unread(err, "config entry", key)
	}
	go w.run()
	return nil
}

// watchers are those of one service.
type watchers struct {
	mu     sync.Mutex
	byKey  map[watched]map[*watcher]struct{}
	n      int
	closed atomic.Bool
	done   chan struct{}
}

type watched struct{ app, key string }

func (ws *watchers) open() {
	ws.byKey, ws.done = map[watched]map[*watcher]struct{}{}, make(chan struct{})
}

func (ws *watchers) alive() bool { return !ws.closed.Load() }

func (ws *watchers) close() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.closed.Store(true)
	close(ws.done)
}

func (ws *watchers) add(w *watcher) error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	switch {
	case ws.closed.Load():
		return fault.New(fault.Unavailable, "the config service is closed")
	case ws.n >= maxWatchers:
		return fault.New(fault.Limited, "there are %d watchers; that is the most", ws.n).WithHint("end those that are not needed")
	}
	k := watched{w.caller.App, w.key}
	if ws.byKey[k] == nil {
		ws.byKey[k] = map[*watcher]struct{}{}
	}
	ws.byKey[k][w] = struct{}{}
	ws.n++
	return nil
}

func (ws *watchers) remove(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	k := watched{w.caller.App, w.key}
	if _, ok := ws.byKey[k][w]; !ok {
		return
	}
	delete(ws.byKey[k], w)
	if len(ws.byKey[k]) == 0 {
		delete(ws.byKey, k)
	}
	ws.n--
}

// wake tells the watchers whom a change concerns. It never waits for one.
func (ws *watchers) wake(c driver.Change) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.byKey[watched{c.App, c.Name}] {
		if w.every || c.Tenant == driver.Shared || c.Tenant == w.caller.Tenant {
			w.wake(c.Tenant)
		}
	}
}

// wakeForSecret tells the watchers of an app, whose values may refer to the secret. It never waits for one.
func (ws *watchers) wakeForSecret(c driver.Change) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for k, of := range ws.byKey {
		for w := range of {
			if k.app == c.App && !w.every && (c.Tenant == driver.Shared || c.Tenant == w.caller.Tenant) {
				w.wakeForSecret(c.Name)
			}
		}
	}
}

// wakeAll has every watcher look at everything, because changes may have been missed.
func (ws *watchers) wakeAll() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, of := range ws.byKey {
		for w := range of {
			w.wakeAll()
		}
	}
}

// watcher is one watch. Its goroutine reads what is new and compares it with what it told last.
type watcher struct {
	s      *Service
	ctx    context.Context
	caller scope.Caller
	key    string
	cb     WatchCallback
	every  bool // every tenant's entry by itself, not what one caller resolves
	signal chan struct{}

	mu      sync.Mutex
	pending map[string]bool // tenants that changed, of a watch on every one
	all     bool            // any tenant may have
	refs    map[string]bool // secrets that the value refers to, of a watch with a caller
	secret  bool            // one of them changed

	known map[string]state // by tenant; of the goroutine alone
}

// state is what was told last.
type state struct {
	value any
	there bool
}

func (w *watcher) wake(tenant string) {
	if w.every {
		w.mu.Lock()
		w.pending[tenant] = true
		w.mu.Unlock()
	}
	w.ring()
}

func (w *watcher) wakeAll() {
	w.mu.Lock()
	w.all = true
	w.mu.Unlock()
	w.ring()
}

func (w *watcher) wakeForSecret(name string) {
	w.mu.Lock()
	refers := w.refs[name]
	w.secret = w.secret || refers
	w.mu.Unlock()
	if refers {
		w.ring()
	}
}

// takeSecret reports whether a secret changed that the value refers to.
func (w *watcher) takeSecret() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed := w.secret
	w.secret = false
	return changed
}

// remember notes what was told last.
func (w *watcher) remember(tenant string, now state) {
	if w.known[tenant] = now; !now.there {
		delete(w.known, tenant)
	}
	if !w.every {
		w.mu.Lock()
		w.refs = refsIn(now.value, nil)
		w.mu.Unlock()
	}
}

func (w *watcher) ring() {
	select {
	case w.signal <- struct{}{}:
	default: // woken already
	}
}

func (w *watcher) run() {
	defer w.s.watchers.remove(w)
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-w.s.watchers.done:
			return
		case <-w.signal:
			w.look()
		}
	}
}

// learn remembers what there is before anything changes.
func (w *watcher) learn() error {
	return w.s.table.st.View(w.ctx, func(tx driver.Tx) error {
		if !w.every {
			return w.learnOne(tx, w.caller.Tenant)
		}
		all, err := ListEveryTenant(w.ctx, tx, w.caller.App, w.key)
		if err != nil {
			return err
		}
		for _, e := range all {
			w.known[e.TenantID] = state{e.Value, true}
		}
		return w.learnOne(tx, driver.Shared)
	})
}

func (w *watcher) learnOne(tx driver.Tx, tenant string) error {
	now, err := w.read(tx, tenant)
	if err == nil && now.there {
		w.remember(tenant, now)
	}
	return err
}

func (w *watcher) read(tx driver.Tx, tenant string) (state, error) {
	var e *Entry
	var err error
	if w.every {
		e, err = Read(w.ctx, tx, Owner{w.caller.App, tenant}, w.key)
	} else {
		e, err = ReadFor(w.ctx, tx, w.caller.App, tenant, w.key)
	}
	if fault.Is(err, fault.NotFound) {
		return state{}, nil
	}
	if err != nil {
		return state{}, err
	}
	return state{e.Value, true}, nil
}

// look reads everything that may have changed, and tells what did.
func (w *watcher) look() {
	tenants, secret := []string{w.caller.Tenant}, w.takeSecret()
	if w.every {
		tenants = w.take()
	}
	for _, tenant := range tenants {
		var now state
		err := w.s.table.st.View(w.ctx, func(tx driver.Tx) (err error) {
			now, err = w.read(tx, tenant)
			return err
		})
		if err != nil {
			w.unread(err)
			continue
		}
		w.tell(tenant, now, secret)
	}
}

// take returns the tenants to look at: those that changed, or, when any may have, those that have or had an entry.
func (w *watcher) take() []string {
	w.mu.Lock()
	which, all := w.pending, w.all
	w.pending, w.all = map[string]bool{}, false
	w.mu.Unlock()
	if all {
		for t := range w.known {
			which[t] = true
		}
		which[driver.Shared] = true
		err := w.s.table.st.View(w.ctx, func(tx driver.Tx) error {
			now, err := ListEveryTenant(w.ctx, tx, w.caller.App, w.key)
			for _, e := range now {
				which[e.TenantID] = true
			}
			return err
		})
		if err != nil {
			w.unread(err)
		}
	}
	return slices.Collect(maps.Keys(which))
}

// unread logs what is then told with the next change.
func (w *watcher) unread(err error) {
	if w.ctx.Err() == nil {
		w.s.log.Error(w.ctx, "a config value that changed could not be read for its watcher", w.caller.App, w.key, err)
	}
}

func (w *watcher) tell(tenant string, now state, secret bool) {
	before := w.known[tenant]
	if before.there == now.there && same(before.value, now.value) && !secret {
		return
	}
	w.remember(tenant, now)
	if w.ctx.Err() != nil || !w.s.watchers.alive() {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			w.s.log.Error(w.ctx, "a config watcher panicked", w.caller.App, w.key, fault.New(fault.Internal, "panic: %v", p))
		}
	}()
	w.cb(w.context(tenant), w.key, typed.Clone(before.value), typed.Clone(now.value))
}

// same compares values of one Go type; a number that changed its type has changed.
func same(a, b any) bool { return fmt.Sprintf("%T", a) == fmt.Sprintf("%T", b) && typed.Equal(a, b) }

// context is the watch's own, with the tenant that a change of a watch on every one is about.
func (w *watcher) context(tenant string) context.Context {
	if !w.every || tenant == driver.Shared {
		return w.ctx
	}
	return scope.WithCaller(w.ctx, scope.Caller{App: w.caller.App, Tenant: tenant})
}
