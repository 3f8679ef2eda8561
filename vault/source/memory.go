package source

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// Memory is a source of values that the program sets itself. Versions grow with each change of anything, so that a key that
// is deleted and set again has changed.
type Memory struct {
	o   options
	hub *Hub

	mu   sync.RWMutex
	last int64
	data map[string]*Value
}

// NewMemory returns an empty source named "memory".
func NewMemory(opts ...Option) *Memory {
	m := &Memory{o: read("memory", opts), data: map[string]*Value{}}
	m.hub = newHub(m.o, m.Get, 0)
	return m
}

// Name returns "memory", or the name it was given.
func (m *Memory) Name() string { return m.o.name }

// Set sets the value of a key. Watches are told afterwards, on goroutines of their own; what one does cannot reach the
// caller. The error, which the documented API does not have, is for a bad key, a value too large or a closed source.
func (m *Memory) Set(ctx context.Context, key, raw string) error {
	if int64(len(raw)) > m.o.maxSize {
		return tooLarge(m.o.name, key, m.o.maxSize)
	}
	return m.SetValue(ctx, Value{Key: key, Raw: sealed.NewString(raw)})
}

// SetValue sets a whole value; its source and version are filled in.
func (m *Memory) SetValue(ctx context.Context, v Value) error {
	if err := m.open(ctx, v.Key); err != nil {
		return err
	}
	kept := v.Clone()
	kept.Source = m.o.name
	m.mu.Lock()
	m.last++
	kept.Version = m.last
	m.data[v.Key] = kept
	m.mu.Unlock()
	m.hub.Wake(v.Key)
	return nil
}

// Delete removes a key, if it is there.
func (m *Memory) Delete(ctx context.Context, key string) error {
	if err := m.open(ctx, key); err != nil {
		return err
	}
	m.mu.Lock()
	delete(m.data, key)
	m.mu.Unlock()
	m.hub.Wake(key)
	return nil
}

func (m *Memory) open(ctx context.Context, key string) error {
	if err := m.hub.Closed(); err != nil {
		return err
	}
	if err := alive(ctx, m.o.name); err != nil {
		return err
	}
	return checkKey(key)
}

// Get returns a copy of the value of a key. A value whose ExpiresAt has passed is not there.
func (m *Memory) Get(ctx context.Context, key string) (*Value, error) {
	if err := m.open(ctx, key); err != nil {
		return nil, err
	}
	m.mu.RLock()
	v := m.data[key]
	m.mu.RUnlock()
	if v == nil || v.expired() {
		return nil, missing(m.o.name, key)
	}
	return v.Clone(), nil
}

func (v *Value) expired() bool { return v.ExpiresAt != nil && !time.Now().Before(*v.ExpiresAt) }

// List returns copies of the values whose keys begin with prefix.
func (m *Memory) List(ctx context.Context, prefix string) ([]*Value, error) {
	if err := m.open(ctx, "x"+prefix); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := []*Value{}
	for _, key := range slices.Sorted(maps.Keys(m.data)) {
		if v := m.data[key]; strings.HasPrefix(key, prefix) && !v.expired() {
			out = append(out, v.Clone())
		}
	}
	return out, nil
}

// Watch has fn called when a key changes, see [Source].
func (m *Memory) Watch(ctx context.Context, key string, fn WatchFunc) error {
	return m.hub.Watch(ctx, key, fn)
}

// Close ends every watch; the values are forgotten.
func (m *Memory) Close() error {
	m.hub.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.data)
	return nil
}

func tooLarge(source, key string, most int64) error {
	return fault.New(fault.TooLarge, "the value of %q in the source %s has more than %d bytes", key, source, most).
		WithHint("a secret is small; the limit can be raised with source.WithMaxSize")
}
