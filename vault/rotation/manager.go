package rotation

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Actor is the user id under which rotations run by themselves, inside the tenant of their policy.
const Actor = "system/rotation-manager"

// Manager rotates secrets: by itself once started, and on demand. It is safe for concurrent use, and any number of them, in
// any number of processes, may work on one store.
type Manager struct {
	st      driver.Store // nil if the store given is not of this wing
	secrets *secret.Service
	app     string
	gate    audit.Gate
	audit   *audit.Logger
	log     *slog.Logger
	holder  string

	check       time.Duration
	lease       time.Duration
	stepTimeout time.Duration
	minInterval time.Duration
	backoff     backoff
	slots       chan struct{} // one per rotation at a time

	mu     sync.RWMutex
	byKey  map[string]Staged
	byKind map[string]Staged
	warned map[string]bool // keys whose rotator is not here, said once

	kept keeper

	metrics *metrics.Collector // nil: nothing is counted

	loop struct {
		sync.Mutex
		cancel context.CancelFunc
		done   chan struct{}
	}

	// probe, in tests, is asked at each point between two effects, and ends the attempt there as a crash would.
	probe func(point string) error
}

// Option changes a manager.
type Option func(*Manager)

// ManagerOption is the documented name of [Option].
type ManagerOption = Option

// WithAppID sets the app of RotateNow calls that name none. What runs by itself is not limited to it.
func WithAppID(appID string) Option { return func(m *Manager) { m.app = appID } }

// WithCheckInterval sets how often the manager looks for what is due; the default is a minute.
func WithCheckInterval(d time.Duration) Option { return func(m *Manager) { set(&m.check, d) } }

// WithLogger sets where failures go besides the history; the default is nowhere.
func WithLogger(l *slog.Logger) Option {
	return func(m *Manager) {
		if l != nil {
			m.log = l
		}
	}
}

// WithGate sets who decides whether a caller may use [Manager.RotateNow] and [Service]. Without it, whoever is inside a
// tenant may everything with that tenant's own rotations (see audit.TenantOnly).
func WithGate(g audit.Gate) Option { return func(m *Manager) { m.gate = g } }

// WithAudit sets who records what runs by itself. No gate is asked for it: whoever set the policy was. The default writes
// into the same store.
func WithAudit(l *audit.Logger) Option { return func(m *Manager) { m.audit = l } }

// WithLease sets how long a rotation stays in the hands of a process that has stopped moving; the default is 30 seconds. It
// is renewed all the while a step runs.
func WithLease(d time.Duration) Option { return func(m *Manager) { set(&m.lease, d) } }

// WithStepTimeout sets how long a step may take; the default is a minute.
func WithStepTimeout(d time.Duration) Option { return func(m *Manager) { set(&m.stepTimeout, d) } }

// WithMinInterval sets the shortest interval that [Service.SetPolicy] accepts; the default is a minute.
func WithMinInterval(d time.Duration) Option { return func(m *Manager) { set(&m.minInterval, d) } }

// WithConcurrency sets how many rotations this manager runs by itself at a time; the default is 4.
func WithConcurrency(n int) Option {
	return func(m *Manager) {
		if n > 0 {
			m.slots = make(chan struct{}, n)
		}
	}
}

// WithMetrics has rotations whose new value is served counted. The default is nothing.
func WithMetrics(c *metrics.Collector) Option { return func(m *Manager) { m.metrics = c } }

// WithBackoff sets how long the manager waits after a failure: base, doubled with each failure of a step in a row, at most
// limit, and of that a random part between half and all. The defaults are 10 seconds and an hour.
func WithBackoff(base, limit time.Duration) Option {
	return func(m *Manager) {
		if base > 0 && limit >= base {
			m.backoff = backoff{base, limit}
		}
	}
}

func set(to *time.Duration, d time.Duration) {
	if d > 0 {
		*to = d
	}
}

// NewManager returns a manager for the policies in st, which must be a store of this wing, and the secrets of svc, which
// must be kept in the same store: a step and its version are one transaction.
func NewManager(st Store, svc *secret.Service, opts ...Option) *Manager {
	m := &Manager{secrets: svc, log: slog.New(slog.DiscardHandler), holder: id.New(id.Rotation).String(), check: time.Minute,
		lease: 30 * time.Second, stepTimeout: time.Minute, minInterval: time.Minute, backoff: backoff{10 * time.Second, time.Hour},
		slots: make(chan struct{}, 4), byKey: map[string]Staged{}, byKind: builtin(), warned: map[string]bool{}}
	if t, ok := st.(interface{ rotationTable() *Table }); ok {
		m.st = t.rotationTable().st
	}
	for _, o := range opts {
		o(m)
	}
	if m.audit == nil && m.st != nil {
		m.audit = audit.NewLogger(m.st)
	}
	if m.gate == nil {
		m.gate = audit.NewGate(m.audit, nil)
	}
	return m
}

// ready refuses what this manager cannot do at all.
func (m *Manager) ready() error {
	switch {
	case m.st == nil:
		return fault.New(fault.Unsupported, "the policies of this store cannot be worked on from here").
			WithHint("use a store of vault/store")
	case m.secrets == nil:
		return fault.New(fault.Internal, "the rotation manager has no secret service")
	}
	return nil
}

// RegisterRotator sets the function that rotates the secret of this name, of every tenant, unless a policy names a kind of
// rotator.
func (m *Manager) RegisterRotator(secretKey string, fn Rotator) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if fn == nil {
		delete(m.byKey, secretKey)
		return
	}
	m.byKey[secretKey] = simple{fn}
}

// RegisterStaged is [Manager.RegisterRotator] for a rotator in steps.
func (m *Manager) RegisterStaged(secretKey string, r Staged) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byKey[secretKey] = r
}

// RegisterKind sets the rotator that policies name as kind. There from the start are random-password and random-token.
func (m *Manager) RegisterKind(kind string, r Staged) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byKind[kind] = r
}

// Kinds returns the kinds of rotators that policies can name.
func (m *Manager) Kinds() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Sorted(maps.Keys(m.byKind))
}

// rotator returns what rotates a secret.
func (m *Manager) rotator(kind, key string) (Staged, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if kind != "" {
		if r := m.byKind[kind]; r != nil {
			return r, nil
		}
		return nil, fault.New(fault.Unsupported, "there is no kind of rotator %s here", kind).WithCode("RotatorMissing").
			At(fault.Where{Field: "rotator"}).WithHint("the kinds are %s", strings.Join(slices.Sorted(maps.Keys(m.byKind)), ", "))
	}
	if r := m.byKey[key]; r != nil {
		return r, nil
	}
	return nil, fault.New(fault.Unsupported, "no rotator is registered for the secret %s", key).WithCode("RotatorMissing").
		WithHint("name a kind of rotator in its policy, or register one with RegisterRotator")
}
