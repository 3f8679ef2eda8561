package secret

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// hot remembers heads that were checked and the values they serve, sealed, so that a run that asks for one again and again
// pays for it once. The tenant's opened key and the ciphertext are in memory anyway, so that the values beside them tell
// nobody more. A change told by the store drops the entry, within the process before the write returns; a change of the
// tenant's keys, such as their destruction, drops all the tenant has. What another process changes is told too, but nobody
// knows when: so an entry is served without a look at the store for [trusted] at most, and then its row is read again. If
// that has the very same bytes they need not be authenticated again; else it is checked against the ledger like any other.
//
// The cache is bounded; when it is full, any one entry makes room.
type hot struct {
	generation atomic.Uint64 // rises with each change told

	mu      sync.RWMutex
	entries map[target]*checked
}

// checked is a head and the version it serves, as they were read and found to be what was written.
type checked struct {
	at      atomic.Int64 // when the row was last read, in microseconds since 1970
	missing bool         // there is no such row
	head    driver.SecretRow
	v       driver.SecretVersion
	meta    Meta
	value   atomic.Pointer[sealed.Value] // opened once somebody asked for it
}

const (
	maxHot  = 16 << 10
	trusted = time.Second
)

// newHot returns a cache that hears of st's changes; without them nothing is remembered.
func newHot(st driver.Store) *hot {
	w, ok := st.(driver.Watcher)
	if !ok {
		return &hot{}
	}
	h := &hot{entries: map[target]*checked{}}
	w.Watch(h.changed)
	return h
}

func (h *hot) changed(c driver.Change) {
	switch {
	case c.Noun == driver.NounSecret:
		h.generation.Add(1)
		h.mu.Lock()
		delete(h.entries, target{c.App, c.Tenant, c.Name})
		h.mu.Unlock()
	case c.Noun == driver.NounKey:
		h.generation.Add(1)
		h.mu.Lock()
		maps.DeleteFunc(h.entries, func(t target, _ *checked) bool { return t.app == c.App && t.tenant == c.Tenant })
		h.mu.Unlock()
	case c.Noun == driver.NounEverything:
		h.generation.Add(1)
		h.mu.Lock()
		clear(h.entries)
		h.mu.Unlock()
	}
}

func (h *hot) get(t target) *checked {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.entries[t]
}

// put remembers what was read in a transaction that began when the generation was the given one, unless something changed
// since: it may have been this.
func (h *hot) put(t target, generation uint64, c *checked) {
	if h.entries == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.generation.Load() != generation {
		return
	}
	if _, have := h.entries[t]; !have && len(h.entries) >= maxHot {
		for victim := range h.entries {
			delete(h.entries, victim)
			break
		}
	}
	h.entries[t] = c
}

// fresh reports whether an entry may be served as it is.
func (c *checked) fresh(now time.Time) bool {
	age := now.UnixMicro() - c.at.Load()
	return age >= 0 && age < trusted.Microseconds()
}

// same reports whether a head and its version are, to the last byte, the ones that were checked.
func (c *checked) same(head *driver.SecretRow, v *driver.SecretVersion, missing bool) bool {
	if c.missing || missing {
		return c.missing == missing
	}
	return bytes.Equal(c.head.Mark, head.Mark) && c.head.Current == head.Current && c.head.Latest == head.Latest && c.head.Pending == head.Pending &&
		c.head.MaxVersions == head.MaxVersions && c.head.Revision == head.Revision && c.head.DueAt == head.DueAt &&
		c.head.CreatedAt == head.CreatedAt && c.head.UpdatedAt == head.UpdatedAt && c.head.ID == head.ID && c.head.Versions == head.Versions &&
		c.v.Version == v.Version && c.v.ID == v.ID && bytes.Equal(c.v.Ciphertext, v.Ciphertext) && c.v.KeyID == v.KeyID &&
		c.v.Algorithm == v.Algorithm && c.v.Destinations == v.Destinations && c.v.Metadata == v.Metadata && c.v.ExpiresAt == v.ExpiresAt &&
		c.v.Lifetime == v.Lifetime && c.v.CreatedAt == v.CreatedAt && c.v.CreatedBy == v.CreatedBy
}

// check makes the entry for a head that was found to be what was written.
func check(head driver.SecretRow, v driver.SecretVersion) (*checked, error) {
	if head.Current == 0 {
		return &checked{head: head}, nil
	}
	m, err := toMeta(head, v)
	if err != nil {
		return nil, err
	}
	return &checked{head: head, v: v, meta: m}, nil
}

// served reports whether there is a version to serve.
func (c *checked) served() bool { return !c.missing && c.head.Current != 0 }

// describe fills in what the entry says of the secret, for a caller who may change it.
func (c *checked) describe(m *Meta) {
	*m = c.meta
	if len(m.Metadata) > 0 {
		m.Metadata = maps.Clone(m.Metadata)
	}
	if len(m.Destinations) > 0 {
		m.Destinations = slices.Clone(m.Destinations)
	}
	if m.ExpiresAt != nil {
		at := *m.ExpiresAt
		m.ExpiresAt = &at
	}
}

// quick answers for the tenant's entry, else the shared one, from what was checked a moment ago; false if that takes a look
// at the store.
func (s *Service) quick(t target, now time.Time) (*Secret, bool) {
	c := s.hot.get(t)
	if c != nil && !c.served() && t.tenant != driver.Shared && c.fresh(now) {
		c = s.hot.get(target{t.app, driver.Shared, t.name})
	}
	if c == nil || !c.served() || !c.fresh(now) {
		return nil, false
	}
	v := c.value.Load()
	if v == nil {
		return nil, false
	}
	return c.secret(*v), true
}

// secret is what the entry serves, for a caller who may change it, in one allocation where nothing else is needed.
func (c *checked) secret(v sealed.Value) *Secret {
	out := &struct {
		Secret
		box [128]byte
	}{Secret: Secret{Value: v}}
	out.EncryptedValue = append(out.box[:0:len(out.box)], c.v.Ciphertext...)
	c.describe(&out.Meta)
	return &out.Secret
}

// view is what a read knows from before its transaction began.
type view struct {
	generation    uint64
	floored       bool  // floor and shared are known
	reading       bool  // what is found is committed, and may be remembered
	book          *book // where the ledger that was read is left for a write
	floor, shared int64
}

// errCold says that a read met something it had not checked before, and must begin again knowing the floors.
var errCold = errors.New("not checked yet")

// read runs fn in a read transaction about a tenant's secrets: first in the hope that everything has been checked before,
// and then, if not, with what that takes.
func (s *Service) read(ctx context.Context, t target, fn func(tx driver.Tx, vw view) error) error {
	vw := view{generation: s.hot.generation.Load()}
	err := s.st.View(ctx, func(tx driver.Tx) error { return fn(tx, vw) })
	if err != errCold { //nolint:errorlint // it is returned bare
		return err
	}
	vw = view{generation: s.hot.generation.Load(), floored: true, reading: true, floor: s.floors.of(t.app, t.tenant), shared: s.floors.of(t.app, driver.Shared)}
	return s.st.View(ctx, func(tx driver.Tx) error { return fn(tx, vw) })
}
