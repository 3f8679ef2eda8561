package auth

import (
	"context"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/limit"
	"github.com/haywardhq/hayward/auth/password"
	"github.com/haywardhq/hayward/auth/token"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// Schema returns the migrations of the whole wing.
func Schema() db.Schema { return identity.Schema() }

// Config is what [Open] needs. Recorder and the required fields of Token must be set; the rest has defaults.
type Config struct {
	Recorder Recorder
	Token    token.Options
	Identity identity.Options
	Password password.Options
	Limit    limit.Options
	Login    limit.LoginOptions
}

// Service logs in and authenticates. The rooms behind it are open to the host, which manages tenants, users and keys
// through them. It is safe for concurrent use.
type Service struct {
	Identity  *identity.Store
	Tokens    *token.Service
	Passwords *password.Hasher
	Limiter   *limit.Limiter // also for the limits of other routes
	throttle  *limit.Login
	recorder  Recorder
}

// Open returns a Service over d, which must have been migrated with [Schema].
func Open(ctx context.Context, d *db.DB, c Config) (*Service, error) {
	if c.Recorder == nil {
		return nil, fault.New(fault.Invalid, "logins need a recorder for their audit events")
	}
	hasher, err := password.New(c.Password)
	if err != nil {
		return nil, err
	}
	ids, err := identity.Open(ctx, d, c.Identity)
	if err != nil {
		return nil, err
	}
	tokens, err := token.Open(ctx, d, c.Token)
	if err != nil {
		return nil, err
	}
	l := limit.New(c.Limit)
	return &Service{Identity: ids, Tokens: tokens, Passwords: hasher, Limiter: l, throttle: limit.NewLogin(l, c.Login),
		recorder: c.Recorder}, nil
}

// CreateUser creates a user with a password. A zero password creates a user who cannot log in yet.
func (s *Service) CreateUser(ctx context.Context, app string, n identity.NewUser, pw sealed.Value) (identity.User, error) {
	n, err := s.WithPassword(ctx, n, pw)
	if err != nil {
		return identity.User{}, err
	}
	return s.Identity.CreateUser(ctx, app, n)
}

// WithPassword returns n with the hash of a password, unless that is zero. Hashing takes long on purpose: it is done before
// a transaction, not in one.
func (s *Service) WithPassword(ctx context.Context, n identity.NewUser, pw sealed.Value) (identity.NewUser, error) {
	var err error
	if !pw.IsZero() {
		if n.PasswordHash, err = s.Passwords.Hash(ctx, pw); err != nil {
			return n, err
		}
	}
	if n.PasswordHash != "" {
		err = password.Check(n.PasswordHash)
	}
	return n, err
}

// SetPassword gives a user another password and ends every token the user has.
func (s *Service) SetPassword(ctx context.Context, app, user string, pw sealed.Value) error {
	if _, err := s.Identity.GetUser(ctx, app, user); err != nil {
		return err
	}
	hash, err := s.Passwords.Hash(ctx, pw)
	if err != nil {
		return err
	}
	return s.Identity.SetPasswordHash(ctx, app, user, hash)
}

// Sweep forgets what has expired: tokens, keys, counts. A host calls it about once a minute.
func (s *Service) Sweep(ctx context.Context) error {
	s.Limiter.Sweep()
	return s.Tokens.Sweep(ctx)
}

const maxUserAgent = 256

func (s *Service) record(ctx context.Context, e Event) error {
	if len(e.UserAgent) > maxUserAgent {
		e.UserAgent = e.UserAgent[:maxUserAgent]
	}
	if err := s.recorder.Record(ctx, e); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the audit cannot be written, so nothing was done").
			WithHint("try again later")
	}
	return nil
}
