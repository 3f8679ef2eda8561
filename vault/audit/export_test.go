package audit

import (
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
