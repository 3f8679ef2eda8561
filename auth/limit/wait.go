package limit

import (
	"errors"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// Wait is the part of an error that says when to try again. Doors turn it into Retry-After.
type Wait struct{ After time.Duration }

// Error returns nothing: the sentence belongs to the fault around it.
func (w *Wait) Error() string { return "" }

// RetryAfter returns how long err asks its receiver to wait, and whether it asks at all.
func RetryAfter(err error) (time.Duration, bool) {
	var w *Wait
	if errors.As(err, &w) {
		return w.After, true
	}
	return 0, false
}

// Refuse returns an error of the given kind (Limited or Unavailable) that asks to wait for after.
func Refuse(kind fault.Kind, after time.Duration, format string, args ...any) *fault.Error {
	return fault.Wrap(kind, &Wait{After: after}, format, args...).WithHint("try again in %d s", max(1, Seconds(after)))
}
