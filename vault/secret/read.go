package secret

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Get returns the tenant's secret, else the entry shared under that name. It fails with vault.ErrSecretNotFound or
// vault.ErrSecretExpired; an expired entry of the tenant does not fall back to a shared one.
func (s *Service) Get(ctx context.Context, key, appID string) (*Secret, error) {
	return s.get(ctx, "secret.get", key, appID, false)
}

// GetShared returns a shared entry, for an operator.
func (s *Service) GetShared(ctx context.Context, key, appID string) (*Secret, error) {
	return s.get(ctx, "secret.get_shared", key, appID, true)
}

func (s *Service) get(ctx context.Context, action, key, appID string, shared bool) (*Secret, error) {
	t, p, err := s.enter(ctx, action, key, appID, shared)
	if err != nil {
		return nil, err
	}
	sec, err := s.lookup(ctx, t)
	if err != nil {
		return nil, p.EndErr(ctx, err)
	}
	if err := p.End(ctx, audit.OK, described(&sec.Meta)...); err != nil {
		return nil, err
	}
	s.onAccess(ctx, key, t.app)
	return sec, nil
}

// described is what the audit entry says about a secret that was found.
func described(m *Meta) []audit.Detail {
	return []audit.Detail{{Key: "layer", Value: m.Layer()}, {Key: "version", Value: strconv.FormatInt(m.Version, 10)}}
}

// Layer says where the secret was found: "tenant" or "shared".
func (m *Meta) Layer() string {
	if m.Shared {
		return "shared"
	}
	return "tenant"
}

// GetMeta returns everything about the secret but its value, of an expired one too.
func (s *Service) GetMeta(ctx context.Context, key, appID string) (*Meta, error) {
	t, p, err := s.enter(ctx, "secret.get_meta", key, appID, false)
	if err != nil {
		return nil, err
	}
	var m Meta
	err = s.read(ctx, t, func(tx driver.Tx, vw view) error {
		c, err := s.find(ctx, tx, t, vw)
		if err == nil {
			c.describe(&m)
		}
		return err
	})
	if err := p.EndErr(ctx, err); err != nil {
		return nil, err
	}
	return &m, nil
}

// GetVersion returns one version of the tenant's own secret. Shared entries have no history for tenants.
func (s *Service) GetVersion(ctx context.Context, key, appID string, version int64) (*Secret, error) {
	t, p, err := s.enter(ctx, "secret.get_version", key, appID, false)
	if err != nil {
		return nil, err
	}
	sec, err := s.version(ctx, t, version)
	if err != nil {
		return nil, p.EndErr(ctx, err)
	}
	if err := p.End(ctx, audit.OK, described(&sec.Meta)...); err != nil {
		return nil, err
	}
	s.onAccess(ctx, key, t.app)
	return sec, nil
}

func (s *Service) version(ctx context.Context, t target, version int64) (sec *Secret, err error) {
	err = s.read(ctx, t, func(tx driver.Tx, vw view) error {
		r, err := s.load(ctx, tx, t, vw)
		if err != nil {
			return err
		}
		if !r.exists() {
			return notFound(t.name)
		}
		if version == r.head.Pending {
			return noVersion(t.name, version)
		}
		v, err := s.readable(ctx, tx, r, version)
		if err != nil {
			return err
		}
		sec, err = s.unseal(ctx, tx, r.head, v)
		return err
	})
	if err == nil && sec.Expired(s.now()) {
		return nil, expired(t.name)
	}
	return sec, err
}

// lookup is the tenant's entry, else the shared one, opened.
func (s *Service) lookup(ctx context.Context, t target) (sec *Secret, err error) {
	now := s.now()
	sec, known := s.quick(t, now)
	if !known {
		sec, err = s.lookupStored(ctx, t)
	}
	if err == nil && sec.Expired(now) {
		return nil, expired(t.name)
	}
	return sec, err
}

func (s *Service) lookupStored(ctx context.Context, t target) (sec *Secret, err error) {
	err = s.read(ctx, t, func(tx driver.Tx, vw view) error {
		c, err := s.find(ctx, tx, t, vw)
		if err != nil {
			return err
		}
		sec, err = s.open(ctx, tx, c)
		return err
	})
	return sec, err
}

// find returns the current version of the tenant's entry, else of the shared one.
func (s *Service) find(ctx context.Context, tx driver.Tx, t target, vw view) (*checked, error) {
	c, err := s.own(ctx, tx, t, vw)
	if err != nil {
		return nil, err
	}
	if c.served() {
		return c, nil
	}
	if t.tenant != driver.Shared {
		vw.floor = vw.shared
		if c, err = s.own(ctx, tx, target{t.app, driver.Shared, t.name}, vw); err != nil {
			return nil, err
		}
	}
	if !c.served() {
		return nil, notFound(t.name)
	}
	return c, nil
}

// own returns exactly this owner's entry, or that there is none, after making sure that it is what was written last.
func (s *Service) own(ctx context.Context, tx driver.Tx, t target, vw view) (*checked, error) {
	head, v, err := tx.CurrentSecret(ctx, t.app, t.tenant, t.name)
	missing := errors.Is(err, driver.ErrNotFound)
	if err != nil && !missing {
		return nil, err
	}
	if !vw.floored {
		if c := s.hot.get(t); c != nil && c.same(&head, &v, missing) {
			c.at.Store(s.now().UnixMicro())
			return c, nil
		}
		return nil, errCold
	}
	b, err := s.verify(ctx, tx, t, &head, &v, missing, vw.floor)
	if err != nil {
		return nil, err
	}
	if vw.book != nil {
		*vw.book = b
	}
	if missing {
		c := &checked{missing: true}
		s.remember(t, vw, c)
		return c, nil
	}
	c, err := check(head, v)
	if err != nil {
		return nil, err
	}
	s.remember(t, vw, c)
	return c, nil
}

// remember keeps what a read found; what a write reads may never be committed.
func (s *Service) remember(t target, vw view, c *checked) {
	if vw.reading {
		c.at.Store(s.now().UnixMicro())
		s.hot.put(t, vw.generation, c)
	}
}

// verify makes sure of the mark that binds a head to the version it serves, and of the head's place in the ledger.
func (s *Service) verify(ctx context.Context, tx driver.Tx, t target, head *driver.SecretRow, v *driver.SecretVersion, missing bool, floor int64) (book, error) {
	switch {
	case missing:
	case head.Current != 0 && v.Version != head.Current:
		return book{}, fault.Wrap(fault.Internal, base.ErrTampered, "the current version of the secret %s is gone", t.name).
			WithHint("restore the database from its backup, or delete the secret and set it again")
	default:
		if err := s.ring.CheckMark(ctx, tx, markPlace(*head, v.Ciphertext), head.Mark); err != nil {
			return book{}, err
		}
	}
	return s.checkLedger(ctx, tx, t, head.Revision, floor)
}

// markPlace is what the high-water mark of a secret authenticates: which versions there ever were, what became of each, and
// which is served, with the very bytes of that version. A version put back in place of a later one does not fit it.
func markPlace(head driver.SecretRow, ciphertext []byte) keyring.Place {
	sum := sha256.Sum256(ciphertext)
	format, size := "hayward/secret-mark/2", 80+len(head.ID)+len(head.Versions)
	bound := canon.Text(make([]byte, 0, size+len(sum)), head.ID)
	bound = canon.Int(bound, head.Current)
	bound = canon.Int(bound, head.CreatedAt)
	bound = canon.Int(bound, head.UpdatedAt)
	if head.Versions == "" { // written by a program that kept no manifest
		format = "hayward/secret-mark/1"
	} else {
		bound = canon.Int(bound, head.Pending)
		bound = canon.Int(bound, head.MaxVersions)
		bound = canon.Int(bound, head.Revision)
		bound = canon.Int(bound, head.DueAt)
		bound = canon.Text(bound, head.Versions)
	}
	return keyring.Place{Format: format, App: head.App, Tenant: head.Tenant, Name: head.Name, Version: head.Latest,
		Bound: append(bound, sum[:]...)}
}

// place is what a version's ciphertext is bound to, besides its name: nothing of the row can be changed without it. A
// version without a lifetime has the form of the first format, so that what earlier programs wrote opens.
func place(v *driver.SecretVersion) keyring.Place {
	b := make([]byte, 0, 48+len(v.ID)+len(v.Destinations)+len(v.Metadata)+len(v.CreatedBy))
	b = canon.Text(b, v.ID)
	b = canon.Text(b, v.Destinations)
	b = canon.Text(b, v.Metadata)
	b = canon.Int(b, v.ExpiresAt)
	b = canon.Int(b, v.CreatedAt)
	b = canon.Text(b, v.CreatedBy)
	format := "hayward/secret/1"
	if v.Lifetime != 0 {
		b, format = canon.Int(b, v.Lifetime), "hayward/secret/2"
	}
	return keyring.Place{Format: format, App: v.App, Tenant: v.Tenant, Name: v.Name, Version: v.Version, Bound: b}
}

// open decrypts the version a secret serves.
func (s *Service) open(ctx context.Context, tx driver.Tx, c *checked) (*Secret, error) {
	value, err := s.ring.Unseal(ctx, tx, place(&c.v), boxOf(&c.v))
	if err != nil {
		return nil, err
	}
	if len(c.meta.Destinations) > 0 {
		value = value.For(c.meta.Destinations...)
	}
	c.value.Store(&value)
	return c.secret(value), nil
}

// unseal decrypts any version.
func (s *Service) unseal(ctx context.Context, tx driver.Tx, head driver.SecretRow, v driver.SecretVersion) (*Secret, error) {
	value, err := s.ring.Unseal(ctx, tx, place(&v), boxOf(&v))
	if err != nil {
		return nil, err
	}
	m, err := toMeta(head, v)
	if err != nil {
		return nil, err
	}
	if len(m.Destinations) > 0 {
		value = value.For(m.Destinations...)
	}
	return &Secret{Meta: m, Value: value, EncryptedValue: v.Ciphertext}, nil
}
