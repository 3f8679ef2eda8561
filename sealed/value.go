package sealed

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/haywardhq/hayward/sealed/internal/door"
)

// Redacted is what every printing of a sealed value shows.
const Redacted = "[sealed]"

// ErrNotSerializable is returned when something tries to encode a sealed value.
var ErrNotSerializable = errors.New("a sealed value cannot be serialized")

// Value is a secret that cannot be printed. The zero Value holds nothing. Values are immutable and may be copied and
// shared between goroutines.
type Value struct {
	open  func() []byte
	dests func() []Destination
}

func init() {
	door.Open = func(v any) []byte {
		s, ok := v.(Value)
		if !ok || s.open == nil {
			return nil
		}
		return s.open()
	}
}

// New seals a copy of b, so that the caller may clear its own. The value has no destinations: where it may go is for
// its holder to decide (see [Value.For]).
func New(b []byte) Value {
	kept := slices.Clone(b)
	return Value{open: func() []byte { return slices.Clone(kept) }}
}

// NewString seals s.
func NewString(s string) Value {
	return Value{open: func() []byte { return []byte(s) }}
}

// IsZero reports whether v holds nothing at all. A value that seals the empty string is not zero.
func (v Value) IsZero() bool { return v.open == nil }

// For returns v restricted to the given destinations, replacing those it had. With none given, nothing may receive it.
func (v Value) For(dests ...Destination) Value {
	kept := slices.Clone(dests)
	if kept == nil {
		kept = []Destination{}
	}
	return Value{open: v.open, dests: func() []Destination { return kept }}
}

// Destinations returns where v may go, and whether anyone has decided that yet.
func (v Value) Destinations() (dests []Destination, decided bool) {
	if v.dests == nil {
		return nil, false
	}
	return slices.Clone(v.dests()), true
}

// Allows reports whether v may be sent to d. A value without decided destinations may go nowhere.
func (v Value) Allows(d Destination) bool {
	if v.dests == nil {
		return false
	}
	for _, have := range v.dests() {
		if have.Covers(d) {
			return true
		}
	}
	return false
}

// String returns [Redacted].
func (v Value) String() string { return Redacted }

// GoString returns [Redacted].
func (v Value) GoString() string { return Redacted }

// Format prints [Redacted] for every verb and flag.
func (v Value) Format(f fmt.State, _ rune) { io.WriteString(f, Redacted) }

// LogValue returns [Redacted].
func (v Value) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalJSON fails with [ErrNotSerializable].
func (v Value) MarshalJSON() ([]byte, error) { return nil, ErrNotSerializable }

// MarshalText fails with [ErrNotSerializable].
func (v Value) MarshalText() ([]byte, error) { return nil, ErrNotSerializable }

// MarshalBinary fails with [ErrNotSerializable].
func (v Value) MarshalBinary() ([]byte, error) { return nil, ErrNotSerializable }

// GobEncode fails with [ErrNotSerializable].
func (v Value) GobEncode() ([]byte, error) { return nil, ErrNotSerializable }
