package source

import (
	"context"
	"errors"
	"strings"

	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// SecretReader is what [NewSecrets] needs of secret.Service.
type SecretReader interface {
	Get(ctx context.Context, key, appID string) (*secret.Secret, error)
	List(ctx context.Context, appID string, opts secret.ListOpts) ([]*secret.Meta, error)
}

// Secrets reads one tenant's own secrets in the vault, else what is shared with it: authorised and audited like any reading
// of them, also when a watch polls. Whoever calls from inside another tenant finds nothing.
type Secrets struct {
	o           options
	svc         SecretReader
	app, tenant string
	hub         *Hub
	stop        func()
}

// changed wakes the watches that a change concerns: the tenant's own secret, or the shared one that stands in for it.
func (s *Secrets) changed(c driver.Change) {
	switch {
	case c.Noun == driver.NounEverything:
		s.hub.WakeAll()
	case c.Noun == driver.NounSecret && c.App == s.app && (c.Tenant == s.tenant || c.Tenant == driver.Shared):
		s.hub.Wake(c.Name)
	}
}

// NewSecrets returns a source named "vault" over a secret service, for one tenant of one app. Neither may be empty.
func NewSecrets(svc SecretReader, app, tenant string, opts ...Option) (*Secrets, error) {
	if err := driver.Owner(app, tenant); err != nil {
		return nil, err
	}
	s := &Secrets{o: read("vault", opts), svc: svc, app: app, tenant: tenant, stop: func() {}}
	if s.o.changes == nil {
		s.hub = newHub(s.o, s.Get, s.o.poll)
		return s, nil
	}
	s.hub = newHub(s.o, s.Get, 0)
	s.stop = s.o.changes.Watch(s.changed)
	return s, nil
}

// Name returns "vault", or the name it was given.
func (s *Secrets) Name() string { return s.o.name }

// Get returns a secret. An expired one is an error (vault.ErrSecretExpired), not a missing key: what stands behind it in a
// chain must not answer in its place.
func (s *Secrets) Get(ctx context.Context, key string) (*Value, error) {
	ctx, err := s.open(ctx, key)
	if err != nil {
		return nil, err
	}
	if secret.CheckName(key) != nil {
		return nil, missing(s.o.name, key)
	}
	sec, err := s.svc.Get(ctx, key, s.app)
	if errors.Is(err, base.ErrSecretNotFound) {
		return nil, missing(s.o.name, key)
	}
	if err != nil {
		return nil, err
	}
	return (&Value{Key: key, Raw: sec.Value, Source: s.o.name, Version: sec.Version, ExpiresAt: sec.ExpiresAt, Metadata: sec.Metadata}).Clone(), nil
}

// open returns the context for a call: inside the tenant, with the user and address it had.
func (s *Secrets) open(ctx context.Context, key string) (context.Context, error) {
	if err := s.hub.Closed(); err != nil {
		return nil, err
	}
	if err := alive(ctx, s.o.name); err != nil {
		return nil, err
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	c, err := scope.Lenient(ctx)
	if err != nil {
		return nil, err
	}
	if c.App != "" && c.App != s.app || c.Tenant != "" && c.Tenant != s.tenant {
		return nil, missing(s.o.name, key)
	}
	c.App, c.Tenant = s.app, s.tenant
	return scope.WithCaller(ctx, c), nil
}

// List returns the tenant's own secrets whose names begin with prefix. Expired ones are left out.
func (s *Secrets) List(ctx context.Context, prefix string) ([]*Value, error) {
	ctx, err := s.open(ctx, "x"+prefix)
	if err != nil {
		return nil, err
	}
	out := []*Value{}
	for after, seen := "", 0; ; {
		page, err := s.svc.List(ctx, s.app, secret.ListOpts{After: after, Limit: listPage})
		if err != nil {
			return nil, err
		}
		if seen += len(page); seen > DefaultMaxList {
			return nil, tooMany(s.o.name)
		}
		for _, m := range page {
			if after = m.Key; !strings.HasPrefix(m.Key, prefix) {
				continue
			}
			v, err := s.Get(ctx, m.Key)
			if errors.Is(err, ErrKeyNotFound) || errors.Is(err, base.ErrSecretExpired) {
				continue
			}
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		if len(page) < listPage {
			return out, nil
		}
	}
}

// Watch has fn called when a secret changes, see [Source].
func (s *Secrets) Watch(ctx context.Context, key string, fn WatchFunc) error {
	return s.hub.Watch(ctx, key, fn)
}

// Close ends every watch.
func (s *Secrets) Close() error {
	s.stop()
	s.hub.Close()
	return nil
}
