package secret

import (
	"context"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Owner names whose secret a call is about, for rooms that have authorised and recorded what they do already: it comes
// from their own rows, never from a context. Tenant is driver.Shared for what an app shares.
type Owner struct {
	App, Tenant string
}

func (o Owner) target(name string) (target, error) {
	check := driver.Owner
	if o.Tenant == driver.Shared {
		check = func(app, _ string) error { return driver.App(app) }
	}
	return target{o.App, o.Tenant, name}, check(o.App, o.Tenant)
}

// owned is the first line of the calls that run in a transaction of their caller's.
func (s *Service) owned(o Owner, name string) (target, error) {
	if s.ringErr != nil {
		return target{}, s.ringErr
	}
	t, err := o.target(name)
	if err != nil {
		return t, err
	}
	return t, CheckName(name)
}

// Stage writes a version that is pending: kept, but not served until [Service.Promote]. It returns the version's number.
// It asks no gate and records nothing: it is for a room that has done both, such as rotation, and that changes its own rows
// in the same transaction.
//
// What the options leave out is as in the version that is served: metadata and destinations, and, other than in
// [Service.Set], the expiry. A moment set with [WithExpiresAt] stays that moment, since a new value does not lengthen what
// an owner limited; with [WithLifetime] each version lives that long from when it is staged.
//
// It fails with vault.ErrSecretNotFound if nothing is served, unless [WithExpectedVersion](0) says that this is to be the
// first version; with vault.ErrSecretExpired if what is served has expired and the options set no other expiry; with
// vault.ErrVersionConflict if another version is pending.
func (s *Service) Stage(ctx context.Context, tx driver.Tx, o Owner, name string, v sealed.Value, opts ...SetOption) (version int64, err error) {
	t, err := s.owned(o, name)
	if err != nil {
		return 0, err
	}
	in := settings(opts)
	if err := in.check(s.now().UnixMicro()); err != nil {
		return 0, err
	}
	r, err := s.lock(ctx, tx, t)
	if err != nil {
		return 0, err
	}
	if err := s.stageable(r, &in); err != nil {
		return 0, err
	}
	next, err := s.next(ctx, tx, r, &r.current, in.createdBy, v, &in)
	if err != nil {
		return 0, err
	}
	if err := s.checkSize(len(next.Ciphertext) - overhead); err != nil {
		return 0, err
	}
	r.head.Pending = next.Version
	return next.Version, s.save(ctx, tx, r)
}

// overhead is how much longer a ciphertext of keyring.Algorithm is than its value: nonce and tag.
const overhead = 12 + 16

func (s *Service) stageable(r *record, in *setting) error {
	first := in.hasExpected && in.expected == 0
	switch {
	case in.hasExpected && in.expected != r.head.Current:
		return moved(r.head.Name, r.head.Current, in.expected)
	case r.head.Current == 0 && !first:
		return notFound(r.head.Name)
	case r.head.Pending != 0:
		return fault.Wrap(fault.Conflict, base.ErrVersionConflict, "version %d of the secret %s is pending already", r.head.Pending, r.head.Name).
			WithCode("VersionPending").WithHint("promote or discard it first")
	}
	if !in.hasExpires && !in.hasLifetime && r.current.Lifetime == 0 {
		in.hasExpires, in.expires = true, r.current.ExpiresAt
	}
	if in.hasExpires && in.expires != 0 && in.expires <= s.now().UnixMicro() {
		return expired(r.head.Name)
	}
	return nil
}

// PromoteOption changes one call of [Service.Promote].
type PromoteOption func(*promotion)

type promotion struct{ grace time.Duration }

// WithGrace keeps the version that was served before readable by its number at least that long, also when the secret has
// more versions than it keeps.
func WithGrace(d time.Duration) PromoteOption { return func(p *promotion) { p.grace = d } }

// Promote serves a pending version from now on. It asks no gate and records nothing, see [Service.Stage]. The version that
// was served stays readable by its number; it is removed when the secret has more versions than it keeps, not before the
// end of [WithGrace].
//
// It fails with vault.ErrSecretNotFound if that version is not pending, and with vault.ErrVersionConflict unless
// expectedCurrent is the version served until now (0: none).
func (s *Service) Promote(ctx context.Context, tx driver.Tx, o Owner, name string, version, expectedCurrent int64, opts ...PromoteOption) error {
	var p promotion
	for _, opt := range opts {
		opt(&p)
	}
	r, err := s.pending(ctx, tx, o, name, version)
	if err != nil {
		return err
	}
	if r.head.Current != expectedCurrent {
		return moved(name, r.head.Current, expectedCurrent)
	}
	v, err := s.readable(ctx, tx, r, version)
	if err != nil {
		return err
	}
	if former := r.list.find(r.head.Current); former != nil && p.grace > 0 {
		former.KeepUntil = tx.Now() + p.grace.Microseconds()
	}
	r.head.Pending = 0
	r.serve(v)
	if err := s.save(ctx, tx, r); err != nil {
		return err
	}
	tx.AfterCommit(nil, func() error { s.onMutate(ctx, "promote", name, o.App); return nil })
	return nil
}

// Discard destroys a pending version. Its number is not used again. It asks no gate and records nothing, see
// [Service.Stage]. It fails with vault.ErrSecretNotFound if that version is not pending.
func (s *Service) Discard(ctx context.Context, tx driver.Tx, o Owner, name string, version int64) error {
	r, err := s.pending(ctx, tx, o, name, version)
	if err != nil {
		return err
	}
	r.head.Pending = 0
	if err := s.destroy(ctx, tx, r, version); err != nil {
		return err
	}
	return s.save(ctx, tx, r)
}

// pending loads a secret whose pending version is the given one.
func (s *Service) pending(ctx context.Context, tx driver.Tx, o Owner, name string, version int64) (*record, error) {
	t, err := s.owned(o, name)
	if err != nil {
		return nil, err
	}
	r, err := s.lock(ctx, tx, t)
	if err != nil {
		return nil, err
	}
	if version == 0 || r.head.Pending != version {
		return nil, fault.Wrap(fault.NotFound, base.ErrSecretNotFound, "the secret %s has no pending version %d", name, version).
			WithCode("SecretNotFound")
	}
	return r, nil
}

// destroy removes a version's ciphertext for good and notes when.
func (s *Service) destroy(ctx context.Context, tx driver.Tx, r *record, version int64) error {
	if err := tx.DestroySecretVersion(ctx, r.head.App, r.head.Tenant, r.head.Name, version); err != nil {
		return err
	}
	if st := r.list.find(version); st != nil {
		st.Destroyed = tx.Now()
	}
	return nil
}

// inside is the view of a read in a transaction that somebody else began: what it finds may not be committed, and it may
// have begun before what this process has seen since.
var inside = view{floored: true}

// ReadVersion opens one version inside a transaction, a pending one too. It asks no gate and records nothing, see
// [Service.Stage]. The value may go where its destinations say, as with [Service.Get]. It fails with vault.ErrSecretNotFound
// for a version that is not there, deleted or destroyed. It reads expired versions: what was changed elsewhere must be
// possible to change back.
func (s *Service) ReadVersion(ctx context.Context, tx driver.Tx, o Owner, name string, version int64) (sealed.Value, error) {
	t, err := s.owned(o, name)
	if err != nil {
		return sealed.Value{}, err
	}
	r, err := s.load(ctx, tx, t, inside)
	if err != nil {
		return sealed.Value{}, err
	}
	v, err := s.readable(ctx, tx, r, version)
	if err != nil {
		return sealed.Value{}, err
	}
	sec, err := s.unseal(ctx, tx, r.head, v)
	if err != nil {
		return sealed.Value{}, err
	}
	return sec.Value, nil
}

// Current opens the version that is served, of exactly this owner: a tenant's own secret does not fall back to a shared
// one. It asks no gate and records nothing, see [Service.Stage]. It fails with vault.ErrSecretNotFound or
// vault.ErrSecretExpired.
func (s *Service) Current(ctx context.Context, tx driver.Tx, o Owner, name string) (*Secret, error) {
	t, err := s.owned(o, name)
	if err != nil {
		return nil, err
	}
	c, err := s.own(ctx, tx, t, inside)
	if err != nil {
		return nil, err
	}
	if !c.served() {
		return nil, notFound(name)
	}
	sec, err := s.open(ctx, tx, c)
	if err == nil && sec.Expired(s.now()) {
		return nil, expired(name)
	}
	return sec, err
}

// Pending returns the number of the version that waits to be promoted, 0 if there is none. It asks no gate and records
// nothing, see [Service.Stage].
func (s *Service) Pending(ctx context.Context, tx driver.Tx, o Owner, name string) (version int64, err error) {
	t, err := s.owned(o, name)
	if err != nil {
		return 0, err
	}
	r, err := s.load(ctx, tx, t, inside)
	if err != nil {
		return 0, err
	}
	return r.head.Pending, nil
}
