package flag

import (
	"sync"

	"github.com/haywardhq/hayward/vault/store/driver"
)

// Changed says what an engine dropped because it changed.
type Changed struct {
	App string // empty: every app
	Key string // of the flag; empty: any flag of the app
}

// OnChange has fn called after the engine dropped what it had of a flag, before the write that changed it returns; for a
// write of another replica, as soon as the store tells. A store that tells nothing (see driver.Watcher) never calls it. fn
// must be quick, must not use the engine and may be called from several goroutines at once. stop ends it.
func (e *Engine) OnChange(fn func(Changed)) (stop func()) { return e.hearers.add(fn) }

// hearers are who wants to hear of changes. The zero value is ready.
type hearers struct {
	mu   sync.RWMutex
	next int
	fns  map[int]func(Changed)
}

func (h *hearers) add(fn func(Changed)) (stop func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fns == nil {
		h.fns = map[int]func(Changed){}
	}
	n := h.next
	h.next++
	h.fns[n] = fn
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.fns, n)
	}
}

func (h *hearers) tell(c Changed) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, fn := range h.fns {
		fn(c)
	}
}

// changed drops what was compiled from a flag before the write that changed it returns.
func (e *Engine) changed(c driver.Change) {
	switch c.Noun {
	case driver.NounFlag:
		e.drop(c.App, c.Name)
	case driver.NounFlagSegment: // of any flag that refers to it
		e.drop(c.App, "")
	case driver.NounEverything:
		e.dropAll()
	}
}

func (e *Engine) drop(app, key string) {
	if apps := e.apps.Load(); apps != nil {
		if a := (*apps)[app]; a != nil && key != "" {
			a.drop(key)
		} else if a != nil {
			a.clear()
		}
	}
	e.hearers.tell(Changed{app, key})
}

func (e *Engine) dropAll() {
	if apps := e.apps.Load(); apps != nil {
		for _, a := range *apps {
			a.clear()
		}
	}
	e.hearers.tell(Changed{})
}
