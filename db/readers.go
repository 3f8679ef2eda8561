package db

import (
	"context"
	"sync"
	"time"
)

// readers is a bounded set of connections for reading, opened as they are needed.
type readers struct {
	engine  engine
	slots   chan struct{} // one per connection that is in use
	closing <-chan struct{}

	mu   sync.Mutex
	free []*session // the last one used is the first one reused: its cache is warm
	shut bool
}

func (r *readers) take(ctx context.Context) (*session, error) {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, Classify(ctx.Err())
	case <-r.closing:
		return nil, errClosed()
	}
	s, err := r.reuse()
	for err == nil && s != nil && !r.engine.fresh(ctx, s) {
		_ = s.close()
		s, err = r.reuse()
	}
	if s == nil && err == nil {
		s, err = r.engine.reader(ctx)
	}
	if err != nil {
		<-r.slots
		return nil, Classify(err)
	}
	return s, nil
}

func (r *readers) reuse() (*session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shut {
		return nil, errClosed()
	}
	n := len(r.free)
	if n == 0 {
		return nil, nil
	}
	s := r.free[n-1]
	r.free = r.free[:n-1]
	return s, nil
}

// give takes a session back; one that is not whole is closed instead.
func (r *readers) give(s *session, whole bool) {
	r.mu.Lock()
	if whole = whole && !r.shut; whole {
		s.used = time.Now()
		r.free = append(r.free, s)
	}
	r.mu.Unlock()
	if !whole {
		_ = s.close()
	}
	<-r.slots
}

// close closes what is free; what is in use closes when it is given back.
func (r *readers) close() {
	r.mu.Lock()
	free := r.free
	r.free, r.shut = nil, true
	r.mu.Unlock()
	for _, s := range free {
		_ = s.close()
	}
}
