package source

import (
	"context"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// BreakerOptions configures a [Breaker]. The zero value of each field means its default.
type BreakerOptions struct {
	Failures int           // so many in a row open the circuit; default 5
	OpenFor  time.Duration // how long nothing is asked then; default 30 s
}

// Breaker stops asking a source that fails, so that callers need not wait for it and it may recover. The states:
//
//	closed ── Failures in a row ──▶ open ── OpenFor passes ──▶ half open: one call tries
//	   ▲                             ▲                            │
//	   └────────── it answers ───────┼────────────────────────────┤
//	                                 └────── it fails ────────────┘
//
// A failure is what says that the source is not well: Unavailable, Timeout, Limited, Internal. That it has no such key or
// refuses is an answer; that the caller went away says nothing.
type Breaker struct {
	Source
	o BreakerOptions

	mu     sync.Mutex
	failed int
	until  time.Time // open until then; zero: closed
	trying bool      // half open, and somebody tries
}

// NewBreaker returns a breaker before src. It has src's name, and watches go to src itself, which polls at its own pace.
func NewBreaker(src Source, o BreakerOptions) *Breaker {
	if o.Failures <= 0 {
		o.Failures = 5
	}
	if o.OpenFor <= 0 {
		o.OpenFor = 30 * time.Second
	}
	return &Breaker{Source: src, o: o}
}

// Get asks the source, or fails at once with the code "CircuitOpen" (Unavailable).
func (b *Breaker) Get(ctx context.Context, key string) (*Value, error) {
	return guarded(ctx, b, func() (*Value, error) { return b.Source.Get(ctx, key) })
}

// List asks the source, or fails at once.
func (b *Breaker) List(ctx context.Context, prefix string) ([]*Value, error) {
	return guarded(ctx, b, func() ([]*Value, error) { return b.Source.List(ctx, prefix) })
}

func guarded[T any](ctx context.Context, b *Breaker, ask func() (T, error)) (out T, err error) {
	if err := b.enter(); err != nil {
		return out, err
	}
	answered := false
	defer func() {
		if !answered {
			b.leave(false, true) // a panic goes on its way
		}
	}()
	out, err = ask()
	answered = true
	b.leave(ctx.Err() != nil && err != nil, broken(err))
	return out, err
}

func broken(err error) bool {
	if err == nil {
		return false
	}
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Timeout, fault.Limited, fault.Internal:
		return true
	}
	return false
}

func (b *Breaker) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return nil
	}
	if wait := time.Until(b.until); wait > 0 || b.trying {
		return fault.New(fault.Unavailable, "the source %s failed %d times in a row and is not asked for now", b.Name(), b.failed).
			WithCode("CircuitOpen").WithHint("it is tried again after %s", b.o.OpenFor)
	}
	b.trying = true
	return nil
}

func (b *Breaker) leave(unknown, failure bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
	switch {
	case unknown:
	case !failure:
		b.failed, b.until = 0, time.Time{}
	default:
		if b.failed++; b.failed >= b.o.Failures {
			b.until = time.Now().Add(b.o.OpenFor)
		}
	}
}

// State returns "closed", "open" or "half-open".
func (b *Breaker) State() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.until.IsZero():
		return "closed"
	case time.Now().Before(b.until):
		return "open"
	}
	return "half-open"
}
