package host

import (
	"sync"

	"github.com/haywardhq/hayward/fault"
)

// slots bounds how many runs there are at the same time, in the process and per tenant, so that one tenant cannot take
// every connection and all memory.
type slots struct {
	mu        sync.Mutex
	max, each int
	total     int
	tenants   map[[2]string]int
}

func newSlots(max, each int) *slots {
	return &slots{max: max, each: each, tenants: map[[2]string]int{}}
}

// busy is a refusal that says when to try again.
type busy struct{ fault *fault.Error }

// Error says what is busy.
func (b busy) Error() string { return b.fault.Error() }

// Unwrap makes it the fault it is.
func (b busy) Unwrap() error { return b.fault }

// RetryAfterSeconds is how long to wait.
func (busy) RetryAfterSeconds() int { return 1 }

// take returns a func that gives the slot back, or a Limited fault.
func (s *slots) take(app, tenant string) (func(), error) {
	k := [2]string{app, tenant}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.tenants[k] >= s.each:
		return nil, busy{fault.New(fault.Limited, "%d runs are under way already for this tenant", s.each).
			WithHint("try again when one has ended")}
	case s.total >= s.max:
		return nil, busy{fault.New(fault.Limited, "the server runs as many pipelines as it may").WithHint("try again in a moment")}
	}
	s.total++
	s.tenants[k]++
	return func() { s.give(k) }, nil
}

func (s *slots) give(k [2]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.tenants[k]--; s.tenants[k] == 0 {
		delete(s.tenants, k)
	}
}
