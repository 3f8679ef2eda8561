package db

import "sync"

// listeners are who wants to hear of what others wrote. The zero value is ready.
type listeners struct {
	mu   sync.RWMutex
	next int
	fns  map[string]map[int]func(msg any)
}

// Listen has fn called with every message for a topic. All users of one DB share its topics. fn must be quick, must not use
// the database and must not panic. stop ends it.
func (d *DB) Listen(topic string, fn func(msg any)) (stop func()) {
	l := &d.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fns == nil {
		l.fns = map[string]map[int]func(any){}
	}
	if l.fns[topic] == nil {
		l.fns[topic] = map[int]func(any){}
	}
	n := l.next
	l.next++
	l.fns[topic][n] = fn
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.fns[topic], n)
	}
}

// Notify calls the listeners of a topic and returns when they have. A write that others must hear of calls it from
// [Tx.AfterCommit]: they then know before its Update returns.
func (d *DB) Notify(topic string, msg any) {
	d.listeners.mu.RLock()
	defer d.listeners.mu.RUnlock()
	for _, fn := range d.listeners.fns[topic] {
		fn(msg)
	}
}
