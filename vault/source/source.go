package source

import (
	"bytes"
	"context"
	"maps"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// ErrKeyNotFound is returned for a key that a source does not have. It is a fault of the kind NotFound.
var ErrKeyNotFound error = fault.New(fault.NotFound, "no such key").WithCode("KeyNotFound")

// Value is a value and where it came from. It is the caller's own copy.
type Value struct {
	Key       string            `json:"key"`
	Raw       sealed.Value      `json:"-"`                    // decision 10: sealed, where the documented API has a string
	Source    string            `json:"source"`               // the name of the source that has it
	Version   int64             `json:"version,omitempty"`    // grows with each change, where the source counts; else 0
	ExpiresAt *time.Time        `json:"expires_at,omitempty"` // nil: never, as far as the source knows
	Metadata  map[string]string `json:"metadata,omitempty"`
}

// WatchFunc is told that a value changed; nil means that there is none any more. The context is the watch's own.
type WatchFunc func(ctx context.Context, key string, val *Value)

// Source is a place where values come from. It is safe for concurrent use.
type Source interface {
	// Name returns the source's name for people and for [Value.Source].
	Name() string

	// Get returns the value of a key, or [ErrKeyNotFound]. Any other error means that the source could not answer: it says
	// nothing about whether there is such a key.
	Get(ctx context.Context, key string) (*Value, error)

	// List returns the values whose keys begin with prefix, by key in byte order.
	List(ctx context.Context, prefix string) ([]*Value, error)

	// Watch has fn called when what Get returns for a key changes, until ctx ends or the source is closed. It returns at
	// once; a source that cannot change returns nil and never calls. Calls of one watch come one after the other on a
	// goroutine of its own, after the change; several quick changes may arrive as one. The value there is when the watch
	// begins is not told. A panic of fn is logged and ends nothing; fn may use the source, and close it.
	Watch(ctx context.Context, key string, fn WatchFunc) error

	// Close ends every watch and releases what the source holds. No call of a watch begins after it returns; it does not
	// wait for one that runs, so that such a call may close the source itself. Closing twice is no error.
	Close() error
}

// missing is [ErrKeyNotFound] with names. Keys are names, not secrets.
func missing(source, key string) error {
	return fault.Wrap(fault.NotFound, ErrKeyNotFound, "the source %s has no key %q", source, key).WithCode("KeyNotFound")
}

const codeClosed = "SourceClosed"

func closed(source string) error {
	return fault.New(fault.Unavailable, "the source %s is closed", source).WithCode(codeClosed)
}

func alive(ctx context.Context, source string) error {
	if ctx.Err() == nil {
		return nil
	}
	kind := fault.Canceled
	if ctx.Err() == context.DeadlineExceeded {
		kind = fault.Timeout
	}
	return fault.Wrap(kind, ctx.Err(), "the source %s was not asked", source)
}

// maxKey is the longest key in bytes.
const maxKey = 1024

func checkKey(key string) error {
	switch {
	case key == "":
		return fault.New(fault.Invalid, "the key is empty").At(fault.Where{Field: "key"})
	case len(key) > maxKey:
		return fault.New(fault.Invalid, "the key is longer than %d bytes", maxKey).At(fault.Where{Field: "key"})
	}
	for i := range len(key) {
		if key[i] < 0x20 || key[i] == 0x7f {
			return fault.New(fault.Invalid, "the key holds a control character").At(fault.Where{Field: "key"})
		}
	}
	return nil
}

// CheckKey refuses what can be a key of no source: the empty string, control characters, more than 1024 bytes.
func CheckKey(key string) error { return checkKey(key) }

// Clone returns a copy that shares nothing that can be changed.
func (v *Value) Clone() *Value {
	if v == nil {
		return nil
	}
	c := *v
	c.Metadata = maps.Clone(v.Metadata)
	if v.ExpiresAt != nil {
		t := *v.ExpiresAt
		c.ExpiresAt = &t
	}
	return &c
}

// Same reports whether two values are the same in everything but their keys. nil is the value of a key that is not there.
func Same(a, b *Value) bool {
	return (a == nil || b == nil || a.Version == b.Version) && sameButVersion(a, b)
}

// sameButVersion is for a source whose version is a time: whoever writes all files anew when one changes, as Kubernetes does, has
// not changed the others.
func sameButVersion(a, b *Value) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Source != b.Source || !maps.Equal(a.Metadata, b.Metadata) || !sameTime(a.ExpiresAt, b.ExpiresAt) {
		return false
	}
	x, y := reveal.Inside(a.Raw), reveal.Inside(b.Raw)
	defer clear(x)
	defer clear(y)
	return bytes.Equal(x, y) && a.Raw.IsZero() == b.Raw.IsZero()
}

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// size is what a value takes in a cache, in bytes.
func size(v *Value) int {
	b := reveal.Inside(v.Raw)
	defer clear(b)
	n := len(b) + len(v.Key) + len(v.Source) + 128
	for k, m := range v.Metadata {
		n += len(k) + len(m)
	}
	return n
}
