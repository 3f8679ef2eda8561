package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// Chain asks several sources in order; the first that has a key answers. A source that cannot answer ends the search with
// its error: what stands behind it may hold an older or a foreign value, and whoever can break the first source could have
// it served. [Optional] marks a source that may be left out instead.
type Chain struct {
	o   options
	hub *Hub

	mu    sync.RWMutex
	links []link // by priority, lowest number first
}

type link struct {
	src      Source
	priority int
}

// NewChain returns a chain of sources, the first having precedence. They all have the priority 0.
func NewChain(sources ...Source) *Chain {
	c := &Chain{o: read("chain", nil)}
	c.hub = newHub(c.o, c.Get, 0)
	for _, s := range sources {
		c.AddSource(s, 0)
	}
	return c
}

// AddSource adds a source. A lower number is asked earlier; of one number, those added first.
func (c *Chain) AddSource(src Source, priority int) {
	if src == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.links = append(slices.Clone(c.links), link{src, priority})
	slices.SortStableFunc(c.links, func(a, b link) int { return a.priority - b.priority })
}

// Sources returns the sources in the order they are asked.
func (c *Chain) Sources() []Source {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]Source, len(c.links))
	for i, l := range c.links {
		out[i] = l.src
	}
	return out
}

// Name returns "chain(a, b)".
func (c *Chain) Name() string {
	var names []string
	for _, s := range c.Sources() {
		names = append(names, s.Name())
	}
	return "chain(" + strings.Join(names, ", ") + ")"
}

// Get returns the value of the first source that has the key.
func (c *Chain) Get(ctx context.Context, key string) (*Value, error) {
	if err := c.open(ctx, key); err != nil {
		return nil, err
	}
	for _, s := range c.Sources() {
		v, err := s.Get(ctx, key)
		if err == nil {
			return v, nil
		}
		if !errors.Is(err, ErrKeyNotFound) {
			return nil, inChain(s, err)
		}
	}
	return nil, missing(c.Name(), key)
}

func (c *Chain) open(ctx context.Context, key string) error {
	if err := c.hub.Closed(); err != nil {
		return err
	}
	if err := alive(ctx, c.o.name); err != nil {
		return err
	}
	return checkKey(key)
}

// inChain says which source of a chain could not answer; kind, code and hint stay.
func inChain(s Source, err error) error {
	f := fault.From(err)
	return (&fault.Error{Kind: f.Kind, Code: f.Code, Hint: f.Hint, Where: f.Where, Cause: err,
		Message: fmt.Sprintf("the source %s could not answer, and the ones after it were not asked", s.Name())})
}

// List merges the lists of all sources; for a key that several have, the first one's value counts.
func (c *Chain) List(ctx context.Context, prefix string) ([]*Value, error) {
	if err := c.open(ctx, "x"+prefix); err != nil {
		return nil, err
	}
	have := map[string]*Value{}
	for _, s := range c.Sources() {
		page, err := s.List(ctx, prefix)
		if err != nil {
			return nil, inChain(s, err)
		}
		for _, v := range page {
			if have[v.Key] == nil {
				have[v.Key] = v
			}
		}
	}
	out := make([]*Value, 0, len(have))
	for _, key := range slices.Sorted(maps.Keys(have)) {
		out = append(out, have[key])
	}
	return out, nil
}

// Watch has fn called when what Get returns changes: a change in a source that another hides is not told, and when the one
// that hid it goes away, its value is. A source that is added later is not watched by a watch that was there before.
func (c *Chain) Watch(ctx context.Context, key string, fn WatchFunc) error {
	w, err := c.hub.start(ctx, key, fn)
	if err != nil {
		return err
	}
	for _, s := range c.Sources() {
		err := s.Watch(w.ctx, key, func(context.Context, string, *Value) { w.wake() })
		if err != nil {
			c.hub.remove(w)
			return inChain(s, err)
		}
	}
	w.wake() // something may have changed before a source was watched
	go w.run()
	return nil
}

// Close ends every watch and closes every source.
func (c *Chain) Close() error {
	c.hub.Close()
	var errs []error
	for _, s := range c.Sources() {
		if err := s.Close(); err != nil {
			errs = append(errs, fmt.Errorf("closing the source %s: %w", s.Name(), err))
		}
	}
	return errors.Join(errs...)
}

// Optional returns src for a place in a chain where it may be left out: when it is unavailable, too slow or over its limit,
// it has no such key. Being refused, and a bad key, stay errors. Each time is logged (see WithLogger).
func Optional(src Source, opts ...Option) Source { return &optional{src, read(src.Name(), opts)} }

type optional struct {
	Source
	o options
}

func (s *optional) absent(ctx context.Context, err error) bool {
	if ctx.Err() != nil { // the caller's own time is over: nothing may be made of that
		return false
	}
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Timeout, fault.Limited:
		s.o.log.WarnContext(ctx, "a source could not answer and is left out", "source", s.Name(), "error", err)
		return true
	}
	return false
}

func (s *optional) Get(ctx context.Context, key string) (*Value, error) {
	v, err := s.Source.Get(ctx, key)
	if err != nil && s.absent(ctx, err) {
		return nil, missing(s.Name(), key)
	}
	return v, err
}

func (s *optional) List(ctx context.Context, prefix string) ([]*Value, error) {
	l, err := s.Source.List(ctx, prefix)
	if err != nil && s.absent(ctx, err) {
		return nil, nil
	}
	return l, err
}

// Watch watches the source; one that cannot be watched now is tried again every 30 s, or what WithPollInterval says.
func (s *optional) Watch(ctx context.Context, key string, fn WatchFunc) error {
	err := s.Source.Watch(ctx, key, fn)
	if err == nil || fn == nil || fault.Is(err, fault.Limited) || !s.absent(ctx, err) {
		return err // one watch too many stays one too many
	}
	go func() {
		t := time.NewTicker(s.o.poll)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			if err := s.Source.Watch(ctx, key, fn); err == nil || fault.From(err).Code == codeClosed {
				s.catchUp(ctx, key, fn)
				return
			}
		}
	}()
	return nil
}

// catchUp tells the value there is when a watch begins late: it may have changed since the caller looked.
func (s *optional) catchUp(ctx context.Context, key string, fn WatchFunc) {
	defer func() {
		if p := recover(); p != nil {
			s.o.log.ErrorContext(ctx, "a watch's function panicked", "source", s.Name(), "key", key)
		}
	}()
	if v, err := s.Source.Get(ctx, key); err == nil && ctx.Err() == nil {
		fn(ctx, key, v)
	}
}
