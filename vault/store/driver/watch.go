package driver

import "sync"

// The nouns of a [Change].
const (
	NounFlag        = "flag"
	NounFlagSegment = "flag_segment" // what was compiled from any flag of the app may have changed
	NounConfig      = "config"
	NounKey         = "key" // a tenant's keys; under [Operator] the server's own
	// NounEverything says that anything may have changed, of every app: the store may have missed changes that another
	// process made. App, Tenant and Name are empty. Whoever keeps something drops all of it.
	NounEverything = "*"
)

// Change says that a row was written or removed. It carries no value: whoever wants that reads it.
type Change struct {
	Noun              string
	App, Tenant, Name string // Tenant is [Shared] for what belongs to the whole app
}

// Watcher is a store that tells of its changes. What it keeps compiled or cached can be dropped at once.
type Watcher interface {
	// Watch has fn called after each change is durable and before the write that made it returns; with a change that another
	// process made as soon as it is known; and with [NounEverything] when some may have been missed. fn must be quick, must
	// not use the store and must not panic, and may be called from several goroutines at once. stop ends it.
	Watch(fn func(Change)) (stop func())
}

// Listeners is a [Watcher] for an implementation to embed or hold. The zero value is ready. It is safe for concurrent use.
type Listeners struct {
	mu   sync.RWMutex
	next int
	fns  map[int]func(Change)
}

// Watch adds a listener.
func (l *Listeners) Watch(fn func(Change)) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fns == nil {
		l.fns = map[int]func(Change){}
	}
	n := l.next
	l.next++
	l.fns[n] = fn
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.fns, n)
	}
}

// Tell calls every listener.
func (l *Listeners) Tell(c Change) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, fn := range l.fns {
		fn(c)
	}
}
