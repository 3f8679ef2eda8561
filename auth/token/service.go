package token

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/haywardhq/hayward/auth/internal/news"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// Service makes, checks and revokes access tokens. It is safe for concurrent use.
type Service struct {
	ring   *ring
	grants *grants
	cache  *cache
}

// Open returns a Service over d, which must have been migrated with the auth wing's schema. On first start it makes the
// signing keys. It refuses settings under which a live token could lose its key.
func Open(ctx context.Context, d *db.DB, o Options) (*Service, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Service{ring: &ring{db: d, name: newID("mem"), o: o}, cache: newCache(o.CacheSize)}
	if err := s.ring.prepare(ctx); err != nil {
		return nil, err
	}
	s.grants, err = openGrants(ctx, d, s.ring.name, s.ring.now)
	return s, err
}

// Subject is whom a token is for.
type Subject struct {
	App               string
	Tenant            string // "" for an operator only
	User              string
	Client            string // what logged in, as it calls itself; may be empty
	CredentialVersion int64
}

// Issued is a new token.
type Issued struct {
	Token   sealed.Value
	Claims  Claims
	Expires time.Duration // from now
}

// Issue opens a grant for sub and makes its access token.
func (s *Service) Issue(ctx context.Context, sub Subject) (Issued, error) {
	if sub.App == "" || sub.User == "" || sub.CredentialVersion <= 0 {
		return Issued{}, fault.New(fault.Internal, "a token needs an app, a user and a credential version")
	}
	o, now := s.ring.o, s.ring.o.Now()
	c := Claims{Issuer: o.Issuer, Audience: o.Audience, Subject: sub.User, App: sub.App, Tenant: sub.Tenant,
		Grant: newID("gr"), ID: newID("at"), CredentialVersion: sub.CredentialVersion,
		IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(o.Lifetime).Unix()}
	err := s.grants.create(ctx, grant{app: c.App, tenant: c.Tenant, id: c.Grant, user: c.Subject, client: sub.Client,
		credentialVersion: c.CredentialVersion, created: now.UnixMicro(), expires: now.Add(o.GrantLifetime).UnixMicro()})
	if err != nil {
		return Issued{}, err
	}
	payload, err := c.encode()
	if err != nil {
		return Issued{}, fault.Wrap(fault.Internal, err, "the claims cannot be written")
	}
	text, err := s.ring.set.Load().sign(payload)
	if err != nil {
		return Issued{}, fault.Wrap(fault.Internal, err, "the token cannot be signed")
	}
	return Issued{Token: sealed.NewString(text), Claims: c, Expires: time.Unix(c.Expires, 0).Sub(now)}, nil
}

func newID(kind string) string { return kind + "_" + uuid.Must(uuid.NewV7()).String() }

// RevokeGrant ends every token of a grant at once. tenant is "" for an operator's grant.
func (s *Service) RevokeGrant(ctx context.Context, app, tenant, grant string) error {
	return s.grants.revokeGrant(ctx, app, tenant, grant)
}

// RevokeToken ends one token at once, in every form its signature can be written in. c comes from [Service.Verify].
func (s *Service) RevokeToken(ctx context.Context, c Claims) error {
	return s.grants.revokeToken(ctx, c)
}

// JWKS returns the public key set (RFC 7517) for GET /.well-known/jwks.json. It is never empty and holds no private part.
func (s *Service) JWKS() []byte { return bytes.Clone(s.ring.set.Load().jwks) }

// JWKSMaxAge is how long the key set may be cached.
func (s *Service) JWKSMaxAge() time.Duration { return s.ring.o.Overlap }

// Lifetime returns how long access tokens live.
func (s *Service) Lifetime() time.Duration { return s.ring.o.Lifetime }

// Keys describes the signing keys: active, next, then retired.
func (s *Service) Keys() []KeyInfo { return slices.Clone(s.ring.set.Load().infos) }

// Rotate lets the next key sign, retires the active one and publishes a new next one. It fails with Conflict while the
// next key has not been published for the overlap.
func (s *Service) Rotate(ctx context.Context) error { return s.ring.rotate(ctx, 0) }

// RotateAfter does what [Service.Rotate] does if the active key has signed for longer than age; otherwise nothing. Any number
// of processes may call it as often as they like: one of them does it. A host calls it every few minutes.
func (s *Service) RotateAfter(ctx context.Context, age time.Duration) (rotated bool, err error) {
	i := slices.IndexFunc(s.Keys(), func(k KeyInfo) bool { return k.State == StateActive })
	if i < 0 || s.ring.now() < s.Keys()[i].Activated.UnixMicro()+age.Microseconds() {
		return false, nil
	}
	err = s.ring.rotate(ctx, age)
	if fault.Is(err, fault.Conflict) { // the next key is too fresh, or somebody else was faster: the time comes
		return false, s.ring.load(ctx)
	}
	return err == nil, err
}

// RevokeKey removes a signing key at once, with every token it signed. Another key signs from then on.
func (s *Service) RevokeKey(ctx context.Context, kid string) error { return s.ring.drop(ctx, kid) }

// Rewrap passes each signing key, as it is wrapped, and what it is bound to, to again, and stores what comes back in its
// place if that has changed: for a key wrapper whose own key is replaced.
func (s *Service) Rewrap(ctx context.Context, again func(wrapped []byte, aad string) (rewrapped []byte, changed bool, err error)) error {
	return s.ring.db.Update(ctx, func(tx *db.Tx) error {
		rows, err := readKeys(ctx, tx)
		if err != nil {
			return err
		}
		for _, k := range rows {
			wrapped, changed, err := again(k.private, aadOf(k.kid))
			if err == nil && changed {
				_, err = tx.Exec(ctx, "UPDATE auth_signing_key SET private_key = ? WHERE kid = ?", wrapped, k.kid)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Sweep forgets keys, grants and revocations whose time is over. A host calls it every few minutes.
func (s *Service) Sweep(ctx context.Context) error {
	if err := s.ring.sweep(ctx); err != nil {
		return err
	}
	return s.grants.sweep(ctx)
}

// topic is what other processes hear of.
const topic = "auth/token"

// Follow reads keys and revocations again whenever another process on the same database has written some, until ctx ends.
// Failures are told, and made up for.
func (s *Service) Follow(ctx context.Context, failed func(error)) {
	news.Follow(ctx, s.ring.db, topic, s.ring.name, s.Reload, failed)
}

// Reload reads keys and revocations again, for the case that another process has written them.
func (s *Service) Reload(ctx context.Context) error {
	if err := s.ring.load(ctx); err != nil {
		return err
	}
	return s.grants.load(ctx)
}
