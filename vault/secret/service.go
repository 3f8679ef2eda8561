package secret

import (
	"context"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Encryption is what has a keyring: a *keyring.Ring, or the documented *crypto.Encryptor.
type Encryption interface {
	Ring() (*keyring.Ring, error)
}

// Service keeps secrets on behalf of the caller in a context's scope. It is safe for concurrent use.
type Service struct {
	st      driver.Store
	ring    *keyring.Ring
	ringErr error // without a key every method fails: nothing is ever kept in plain text
	gate    audit.Gate
	app     string
	maxSize int

	maxVersions int64
	recovery    time.Duration
	hot         *hot
	floors      *floors

	now      func() time.Time
	onAccess func(ctx context.Context, key, appID string)
	onMutate func(ctx context.Context, action, key, appID string)
	plugins  Plugins            // nil: nobody
	metrics  *metrics.Collector // nil: nothing is counted
}

// Option changes a service.
type Option func(*Service)

// WithAppID sets the app of calls that name none. It must agree with the app in scope, if there is one.
func WithAppID(appID string) Option { return func(s *Service) { s.app = appID } }

// WithGate sets who authorises and records. Without it, whoever is inside a tenant may do everything to that tenant's own
// secrets, and the entries go into the same store (see audit.TenantOnly).
func WithGate(g audit.Gate) Option { return func(s *Service) { s.gate = g } }

// WithMaxSize sets the most bytes a value may have; the default is 64 KiB.
func WithMaxSize(n int) Option { return func(s *Service) { s.maxSize = n } }

// WithMaxVersions sets how many versions a secret keeps unless it says otherwise ([WithKeepVersions]); the default is 10, as
// in OpenBao's KV version 2, the most [MaxVersions]. The oldest go first, and never what is served, pending or kept for a
// while after a rotation.
func WithMaxVersions(n int) Option {
	return func(s *Service) { s.maxVersions = int64(min(max(n, 1), MaxVersions)) }
}

// WithRecoveryWindow sets how long what was deleted can be undeleted; the default is 30 days. Afterwards it is
// destroyed, by the next write of the secret or by [Service.Sweep]. Zero or less makes every deletion a destruction.
func WithRecoveryWindow(d time.Duration) Option { return func(s *Service) { s.recovery = d } }

// WithClock sets the clock that expiry is measured by; the default is time.Now.
func WithClock(now func() time.Time) Option { return func(s *Service) { s.now = now } }

// WithOnAccess has fn called after each value that is handed out.
func WithOnAccess(fn func(ctx context.Context, key, appID string)) Option {
	return func(s *Service) { s.onAccess = fn }
}

// WithOnMutate has fn called after each "set" and "delete" that is kept.
func WithOnMutate(fn func(ctx context.Context, action, key, appID string)) Option {
	return func(s *Service) { s.onMutate = fn }
}

// NewService returns a service that keeps secrets in st, encrypted by enc. A missing enc makes every call fail.
func NewService(st driver.Store, enc Encryption, opts ...Option) *Service {
	s := &Service{st: st, hot: newHot(st), floors: newFloors(), maxSize: DefaultMaxSize, maxVersions: DefaultVersions, recovery: DefaultRecovery, now: time.Now,
		onAccess: func(context.Context, string, string) {}, onMutate: func(context.Context, string, string, string) {}}
	if enc == nil {
		enc = (*keyring.Ring)(nil)
	}
	s.ring, s.ringErr = enc.Ring()
	for _, o := range opts {
		o(s)
	}
	if s.gate == nil {
		s.gate = audit.NewGate(audit.NewLogger(st), nil)
	}
	s.observe()
	return s
}

// SetOption changes one call of [Service.Set].
type SetOption func(*setting)

type setting struct {
	metadata       map[string]string
	hasMetadata    bool
	expires        int64
	hasExpires     bool
	lifetime       time.Duration
	hasLifetime    bool
	destinations   []sealed.Destination
	hasDests       bool
	expected       int64
	hasExpected    bool
	maxVersions    int
	hasMaxVersions bool
	createdBy      string
}

func settings(opts []SetOption) (in setting) {
	for _, o := range opts {
		o(&in)
	}
	return in
}

// WithMetadata sets what is noted beside the value, in place of what was noted before. It is not encrypted.
func WithMetadata(m map[string]string) SetOption {
	return func(s *setting) { s.metadata, s.hasMetadata = m, true }
}

// WithExpiresAt sets the moment the value stops being served. The zero time means never. It ends a [WithLifetime].
func WithExpiresAt(t time.Time) SetOption {
	return func(s *setting) {
		s.hasExpires, s.expires, s.hasLifetime = true, 0, false
		if !t.IsZero() {
			s.expires = t.UnixMicro()
		}
	}
}

// WithLifetime sets how long the value is served, and each later version of the secret that says nothing else. Zero ends
// that: the value does not expire.
func WithLifetime(d time.Duration) SetOption {
	return func(s *setting) { s.lifetime, s.hasLifetime, s.hasExpires = d, true, false }
}

// WithKeepVersions sets how many versions this secret keeps from now on; 0 means the service's default ([WithMaxVersions]).
func WithKeepVersions(n int) SetOption {
	return func(s *setting) { s.maxVersions, s.hasMaxVersions = n, true }
}

// WithCreatedBy notes who made a version that is written by [Service.Stage]. The other calls note the caller.
func WithCreatedBy(user string) SetOption { return func(s *setting) { s.createdBy = user } }

// WithDestinations sets who may receive the value, in place of who might before. With none given, a tenant's secret goes to
// the documented host of the component that asks for it; a shared entry must have at least one.
func WithDestinations(dests ...sealed.Destination) SetOption {
	return func(s *setting) { s.destinations, s.hasDests = dests, true }
}

// WithExpectedVersion makes Set fail with vault.ErrVersionConflict unless this is the version served now; 0 means that
// there must be none.
func WithExpectedVersion(n int64) SetOption {
	return func(s *setting) { s.expected, s.hasExpected = n, true }
}

// target is the owner of what a call is about.
type target struct {
	app, tenant, name string
}

// enter is the first line of every method: it turns the scope into arguments, and has the gate decide and record.
func (s *Service) enter(ctx context.Context, action, name, appID string, shared bool) (target, *audit.Pending, error) {
	caller, err := scope.Lenient(ctx)
	if err != nil {
		return target{}, nil, err
	}
	if caller.App, err = s.appOf(caller, appID); err != nil {
		return target{}, nil, err
	}
	p, err := s.gate.Enter(ctx, audit.Request{Caller: caller, Action: action, Resource: "secret", Name: name, Operator: shared})
	if err != nil {
		return target{}, nil, err
	}
	t := target{app: caller.App, tenant: caller.Tenant, name: name}
	if shared {
		t.tenant = driver.Shared
	}
	if s.ringErr != nil {
		return t, nil, p.EndErr(ctx, s.ringErr)
	}
	if s.plugins != nil {
		if err := s.plugins.SecretAccess(ctx, name, action); err != nil {
			return t, nil, p.EndErr(ctx, err)
		}
	}
	return t, p, nil
}

// appOf is the app a call is about: the argument, else the service's, else the scope's; they may not disagree.
func (s *Service) appOf(caller scope.Caller, arg string) (string, error) {
	app := caller.App
	for _, other := range [...]string{s.app, arg} {
		if other == "" || other == app {
			continue
		}
		if caller.App != "" {
			return "", fault.New(fault.Invalid,
				"this call is about the app %s, but the app in scope is another", audit.Display(other)).WithCode("scope").
				WithHint("set the scope once, at the door, with scope.WithScope")
		}
		app = other
	}
	return app, nil
}
