package memory

import (
	"context"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Store is a vault store in memory. It is safe for concurrent use. Besides the transactions it has the documented methods
// of flags, config, overrides and rotations, which read the app from the scope.
type Store struct {
	*flags
	*configs
	*overrides
	*audits
	*rotations

	mu   sync.RWMutex
	now  func() time.Time
	data tables

	listeners driver.Listeners
}

type (
	flags     = flag.Table
	configs   = config.Table
	overrides = override.Table
	audits    = audit.Table
	rotations = rotation.Table
)

type tables struct {
	root     *driver.RootRow
	keys     map[named]driver.KeyRow
	system   map[[2]string]driver.SystemKeyRow // purpose, id
	shreds   map[named]driver.ShredRow         // the name is empty
	secrets  map[named]driver.SecretRow
	versions map[named][]driver.SecretVersion // ascending
	ledger   map[ledgerKey]driver.LedgerRow
	audit    map[driver.Chain][]driver.AuditRow
	proofs   proofs

	flags          map[named]driver.FlagRow
	flagOverrides  map[named]driver.FlagOverrideRow
	flagSegments   map[named]driver.FlagSegmentRow
	flagVersions   map[flagThing][]driver.FlagVersion // ascending
	configs        map[named]driver.ConfigRow
	configVersions map[named][]driver.ConfigVersion // ascending

	rotation rotationTables
}

// named is (app, tenant, name or id).
type named struct{ app, tenant, name string }

// New returns an empty store.
func New() *Store {
	s := &Store{now: time.Now, data: tables{
		keys:     map[named]driver.KeyRow{},
		system:   map[[2]string]driver.SystemKeyRow{},
		shreds:   map[named]driver.ShredRow{},
		secrets:  map[named]driver.SecretRow{},
		versions: map[named][]driver.SecretVersion{},
		ledger:   map[ledgerKey]driver.LedgerRow{},
		audit:    map[driver.Chain][]driver.AuditRow{},
		proofs:   newProofs(),

		flags:          map[named]driver.FlagRow{},
		flagOverrides:  map[named]driver.FlagOverrideRow{},
		flagSegments:   map[named]driver.FlagSegmentRow{},
		flagVersions:   map[flagThing][]driver.FlagVersion{},
		configs:        map[named]driver.ConfigRow{},
		configVersions: map[named][]driver.ConfigVersion{},

		rotation: newRotationTables(),
	}}
	s.flags, s.configs, s.overrides = flag.NewTable(s), config.NewTable(s), override.NewTable(s)
	s.audits = audit.NewTable(s)
	s.rotations = rotation.NewTable(s)
	return s
}

// Migrate does nothing: there are no tables to create.
func (s *Store) Migrate(context.Context) error { return nil }

// Watch has fn called with each change of flags and config, see driver.Watcher.
func (s *Store) Watch(fn func(driver.Change)) (stop func()) { return s.listeners.Watch(fn) }

// Ping does nothing: memory answers.
func (s *Store) Ping(context.Context) error { return nil }

// Close does nothing.
func (s *Store) Close() error { return nil }

// View runs fn while nobody writes.
func (s *Store) View(ctx context.Context, fn func(driver.Tx) error) error {
	if err := alive(ctx); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return fn(&tx{s: s, now: s.now().UnixMicro(), readOnly: true})
}

// Update runs fn alone. If it fails or panics, what it changed is put back.
func (s *Store) Update(ctx context.Context, fn func(driver.Tx) error) (err error) {
	if err := alive(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &tx{s: s, now: s.now().UnixMicro()}
	kept := false
	defer func() {
		if !kept {
			x.rollback()
		}
	}()
	if err := fn(x); err != nil {
		return err
	}
	kept = true
	return x.acknowledge()
}

func alive(ctx context.Context) error {
	if ctx.Err() != nil {
		return fault.Wrap(fault.Canceled, context.Cause(ctx), "the transaction was not started")
	}
	return nil
}

// tx changes the maps in place and remembers how to undo it.
type tx struct {
	s        *Store
	now      int64
	readOnly bool
	undo     []func()
	after    []afterFunc
}

type afterFunc struct {
	key any
	fn  func() error
}

func (x *tx) Now() int64 { return x.now }

func (x *tx) AfterCommit(key any, fn func() error) {
	if x.readOnly {
		panic("memory: AfterCommit in a read transaction")
	}
	for _, a := range x.after {
		if key != nil && a.key == key {
			return
		}
	}
	x.after = append(x.after, afterFunc{key, fn})
}

func (x *tx) acknowledge() error {
	for _, keyed := range [...]bool{false, true} {
		for _, a := range x.after {
			if (a.key != nil) != keyed {
				continue
			}
			if err := a.fn(); err != nil {
				return fault.Wrap(fault.Unavailable, err, "the write is stored, but could not be acknowledged")
			}
		}
	}
	return nil
}

func (x *tx) rollback() {
	for i := len(x.undo) - 1; i >= 0; i-- {
		x.undo[i]()
	}
}

// writing is the first line of each method that changes something.
func (x *tx) writing(app, tenant string) error {
	if x.readOnly {
		return fault.New(fault.Internal, "a write in a read transaction")
	}
	return driver.Args(app, tenant)
}

// changed tells the listeners once the transaction is kept.
func (x *tx) changed(noun, app, tenant, name string) {
	c := driver.Change{Noun: noun, App: app, Tenant: tenant, Name: name}
	x.AfterCommit(nil, func() error { x.s.listeners.Tell(c); return nil })
}

// set changes one entry of a map and remembers what was there.
func set[K comparable, V any](x *tx, m map[K]V, k K, v V) {
	remember(x, m, k)
	m[k] = v
}

// remove drops one entry of a map and remembers what was there.
func remove[K comparable, V any](x *tx, m map[K]V, k K) {
	remember(x, m, k)
	delete(m, k)
}

func remember[K comparable, V any](x *tx, m map[K]V, k K) {
	old, had := m[k]
	x.undo = append(x.undo, func() {
		if had {
			m[k] = old
		} else {
			delete(m, k)
		}
	})
}
