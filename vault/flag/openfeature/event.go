package openfeature

import (
	"maps"
	"slices"
	"sync"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/flag"
)

// events carries changes from the engine, which must not wait, to the client, which may be slow or not listening. What
// waits is a set of keys, so it is bounded by the flags there are.
type events struct {
	out chan of.Event

	mu      sync.Mutex
	pending map[string]bool
	any     bool          // any flag may have changed
	signal  chan struct{} // something is pending
	done    chan struct{} // nil: not started
	ended   chan struct{}
	unhook  func()
}

func newEvents() *events {
	return &events{out: make(chan of.Event), pending: map[string]bool{}, signal: make(chan struct{}, 1)}
}

// start listens to an engine, for one app or with "" for all. Starting twice is starting once.
func (e *events) start(engine *flag.Engine, app string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.done != nil {
		return
	}
	e.done, e.ended = make(chan struct{}), make(chan struct{})
	e.unhook = engine.OnChange(func(c flag.Changed) {
		if app == "" || c.App == "" || c.App == app {
			e.note(c.Key)
		}
	})
	go e.run(e.done, e.ended)
}

func (e *events) stop() {
	e.mu.Lock()
	done, ended, unhook := e.done, e.ended, e.unhook
	e.done, e.any = nil, false
	clear(e.pending)
	e.mu.Unlock()
	if done != nil {
		unhook()
		close(done)
		<-ended
	}
}

// note runs inside a write: it only writes down.
func (e *events) note(key string) {
	e.mu.Lock()
	if key == "" {
		e.any = true
	} else {
		e.pending[key] = true
	}
	e.mu.Unlock()
	select {
	case e.signal <- struct{}{}:
	default: // woken already
	}
}

func (e *events) run(done, ended chan struct{}) {
	defer close(ended)
	for {
		select {
		case <-done:
			return
		case <-e.signal:
		}
		event, something := e.take()
		if !something {
			continue
		}
		select {
		case <-done:
			return
		case e.out <- event:
		}
	}
}

// take makes one event of all that changed since the last.
func (e *events) take() (of.Event, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.pending) == 0 && !e.any {
		return of.Event{}, false
	}
	details := of.ProviderEventDetails{Message: "flags changed", FlagChanges: slices.Sorted(maps.Keys(e.pending))}
	if e.any {
		details = of.ProviderEventDetails{Message: "any flag may have changed"}
	}
	e.any = false
	clear(e.pending)
	return of.Event{ProviderName: Name, EventType: of.ProviderConfigChange, ProviderEventDetails: details}, true
}

func messageOf(err error) string { return fault.From(err).Message }
