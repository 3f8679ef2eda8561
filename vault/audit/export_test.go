package audit

import (
	"context"
	"testing"

	"github.com/haywardhq/hayward/vault/scope"
)

// Compact tidies a head file at once.
func Compact(t *testing.T, h *Heads) {
	t.Helper()
	m, _ := h.mark()
	if err := h.compact(m); err != nil {
		t.Fatal(err)
	}
}

// Begun is an action whose first entry a test does not need.
func (l *Logger) Begun(caller scope.Caller, ev Event) (*Pending, error) {
	return &Pending{l: l, caller: caller, ev: ev, id: "vaudit_test"}, nil
}

// Tidy makes the database sync and drops from the head file what it then has.
func Tidy(ctx context.Context, l *Logger) error { return l.tidy(ctx) }

// AppendDetails is the stored form of details.
func AppendDetails(d []Detail) []byte { return appendDetails(nil, d) }

// Carried is how many entries the head file carries, and its size.
func Carried(h *Heads) (entries int, size int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.carried, h.size
}

// Break takes the file away, as a disk that fails does, and returns what gives it back.
func Break(h *Heads) (mend func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	file := h.file
	h.file = nil
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.file = file
	}
}
