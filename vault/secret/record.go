package secret

import (
	"context"
	"errors"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// record is a secret as a write works on it: its head, the state of its versions and the version it serves.
type record struct {
	head    driver.SecretRow
	list    manifest
	current driver.SecretVersion // zero if none is served

	book     book // as it was when the secret was locked
	salvaged bool // it was not what was written, and everything in it is destroyed
}

func (r *record) exists() bool { return r.head.ID != "" && len(r.list.Versions) > 0 }

// lock is load for a write: other transactions that write secrets of this owner wait until this one has ended.
func (s *Service) lock(ctx context.Context, tx driver.Tx, t target) (*record, error) {
	if err := tx.LockSecrets(ctx, t.app, t.tenant); err != nil {
		return nil, err
	}
	var b book
	r, err := s.load(ctx, tx, t, view{floored: true, floor: s.floors.of(t.app, t.tenant), book: &b})
	if err != nil {
		return nil, err
	}
	r.book = b
	return r, nil
}

// load reads a secret and checks that it is what was written. One that never was has no ID; one that was destroyed has no
// versions.
func (s *Service) load(ctx context.Context, tx driver.Tx, t target, vw view) (*record, error) {
	c, err := s.own(ctx, tx, t, vw)
	if err != nil {
		return nil, err
	}
	r := &record{head: c.head, current: c.v}
	switch {
	case c.missing:
		r.head = driver.SecretRow{App: t.app, Tenant: t.tenant, Name: t.name}
		return r, nil
	case c.head.Versions == "":
		rows, err := tx.ListSecretVersions(ctx, t.app, t.tenant, t.name, 0, manyVersions)
		r.list = oldManifest(&c.head, rows)
		return r, err
	}
	r.list, err = decodeManifest(&c.head)
	return r, err
}

// save drops the versions that are too many and writes the head.
func (s *Service) save(ctx context.Context, tx driver.Tx, r *record) error {
	if err := s.destroyLost(ctx, tx, r); err != nil {
		return err
	}
	if err := s.prune(ctx, tx, r); err != nil {
		return err
	}
	r.head.UpdatedAt = tx.Now()
	return s.rewrite(ctx, tx, r)
}

// rewrite writes the head as the record has it.
func (s *Service) rewrite(ctx context.Context, tx driver.Tx, r *record) error {
	r.head.DueAt = s.due(&r.list)
	r.head.Versions = r.list.encode()
	return s.putHead(ctx, tx, r)
}

// destroyLost destroys what was deleted and can be brought back no more.
func (s *Service) destroyLost(ctx context.Context, tx driver.Tx, r *record) error {
	for i := range r.list.Versions {
		if st := &r.list.Versions[i]; st.DeletedAt != 0 && st.Destroyed == 0 && s.lost(st, tx.Now()) {
			if err := s.destroy(ctx, tx, r, st.N); err != nil {
				return err
			}
		}
	}
	return nil
}

// prune removes the oldest versions beyond the secret's number of them. What is served, pending or kept for a while stays.
func (s *Service) prune(ctx context.Context, tx driver.Tx, r *record) error {
	excess := len(r.list.Versions) - int(s.keeps(&r.head))
	for i := 0; i < len(r.list.Versions) && excess > 0; {
		v := r.list.Versions[i]
		if v.N == r.head.Current || v.N == r.head.Pending || v.N == r.list.Restore || v.KeepUntil > tx.Now() {
			i++
			continue
		}
		if err := tx.DestroySecretVersion(ctx, r.head.App, r.head.Tenant, r.head.Name, v.N); err != nil {
			return err
		}
		r.list.Versions = slices.Delete(r.list.Versions, i, i+1)
		excess--
	}
	return nil
}

// keeps is how many versions a secret keeps.
func (s *Service) keeps(head *driver.SecretRow) int64 {
	if head.MaxVersions > 0 {
		return head.MaxVersions
	}
	return s.maxVersions
}

// due is when the first deleted version must be destroyed.
func (s *Service) due(m *manifest) (at int64) {
	for i := range m.Versions {
		v := &m.Versions[i]
		if v.DeletedAt == 0 || v.Destroyed != 0 {
			continue
		}
		if end := v.DeletedAt + s.recovery.Microseconds(); at == 0 || end < at {
			at = end
		}
	}
	return at
}

// next makes the version that follows, with everything the options leave as it was, and writes its row. like is the version
// it follows.
func (s *Service) next(ctx context.Context, tx driver.Tx, r *record, like *driver.SecretVersion, user string, value sealed.Value, in *setting) (
	v driver.SecretVersion, err error) {
	now := tx.Now()
	if !r.exists() {
		r.head.ID, r.head.CreatedAt = id.New(id.Secret).String(), now
	}
	r.head.Latest++
	v = driver.SecretVersion{App: r.head.App, Tenant: r.head.Tenant, Name: r.head.Name, Version: r.head.Latest, ID: id.New(id.Version).String(),
		CreatedAt: now, CreatedBy: user, Metadata: like.Metadata, Destinations: like.Destinations, Lifetime: like.Lifetime}
	if err := in.apply(&v); err != nil {
		return v, err
	}
	if in.hasMaxVersions {
		r.head.MaxVersions = int64(in.maxVersions)
	}
	box, err := s.ring.Seal(ctx, tx, place(&v), value)
	if err != nil {
		return v, err
	}
	v.KeyID, v.Algorithm, v.Ciphertext = box.KeyID, box.Algorithm, box.Ciphertext
	r.list.add(&v)
	return v, tx.AddSecretVersion(ctx, v)
}

// serve makes a version current.
func (r *record) serve(v driver.SecretVersion) {
	r.head.Current, r.list.Restore, r.current = v.Version, v.Version, v
}

// readable returns a version that may be read, or vault.ErrSecretNotFound.
func (s *Service) readable(ctx context.Context, tx driver.Tx, r *record, n int64) (v driver.SecretVersion, err error) {
	st := r.list.find(n)
	if !st.readable() {
		return v, noVersion(r.head.Name, n)
	}
	return s.row(ctx, tx, r, st)
}

// row is a version's row, which must be there and be the one the manifest means.
func (s *Service) row(ctx context.Context, tx driver.Tx, r *record, st *state) (driver.SecretVersion, error) {
	v, err := tx.SecretVersion(ctx, r.head.App, r.head.Tenant, r.head.Name, st.N)
	if errors.Is(err, driver.ErrNotFound) || (err == nil && v.ID != st.ID) {
		return v, fault.Wrap(fault.Internal, base.ErrTampered, "version %d of the secret %s is gone from the store", st.N, r.head.Name).
			WithHint("restore the database from its backup")
	}
	return v, err
}

func noVersion(name string, n int64) error {
	return fault.Wrap(fault.NotFound, base.ErrSecretNotFound, "the secret %s has no version %d", name, n).WithCode("SecretNotFound")
}

// moved says that a secret is not at the version its writer expected.
func moved(name string, current, expected int64) error {
	return fault.Wrap(fault.Conflict, base.ErrVersionConflict, "the secret %s is at version %d, not %d", name, current, expected).
		WithCode("VersionConflict").WithHint("read it again and decide anew")
}

func boxOf(v *driver.SecretVersion) keyring.Box {
	return keyring.Box{KeyID: v.KeyID, Algorithm: v.Algorithm, Ciphertext: v.Ciphertext}
}
