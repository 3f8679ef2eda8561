package secret

import (
	"context"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// List returns the tenant's own secrets by name, without values. Expired ones are listed too.
func (s *Service) List(ctx context.Context, appID string, opts ListOpts) ([]*Meta, error) {
	return s.list(ctx, "secret.list", appID, opts, false)
}

// ListShared returns the entries shared with every tenant of the app, for an operator.
func (s *Service) ListShared(ctx context.Context, appID string, opts ListOpts) ([]*Meta, error) {
	return s.list(ctx, "secret.list_shared", appID, opts, true)
}

func (s *Service) list(ctx context.Context, action, appID string, opts ListOpts, shared bool) ([]*Meta, error) {
	return s.page(ctx, action, appID, opts, shared, s.metas)
}

// pageOf reads one page of a list.
type pageOf func(ctx context.Context, tx driver.Tx, t target, after string, limit int, vw view) ([]*Meta, error)

func (s *Service) page(ctx context.Context, action, appID string, opts ListOpts, shared bool, read pageOf) (out []*Meta, err error) {
	t, p, err := s.enter(ctx, action, "", appID, shared)
	if err != nil {
		return nil, err
	}
	limit, err := opts.limit()
	if err == nil {
		err = s.read(ctx, t, func(tx driver.Tx, vw view) error {
			out, err = read(ctx, tx, t, opts.After, limit, vw)
			return err
		})
	}
	if err := p.EndErr(ctx, err); err != nil {
		return nil, err
	}
	return out, nil
}

func (o ListOpts) limit() (int, error) {
	switch {
	case o.Limit == 0:
		return 100, nil
	case o.Limit < 0 || o.Limit > 1000:
		return 0, fault.New(fault.Invalid,
			"a page of the secret list has 1 to 1000 entries, not %d", o.Limit).At(fault.Where{Field: "limit"})
	}
	return o.Limit, nil
}

func (s *Service) metas(ctx context.Context, tx driver.Tx, t target, after string, limit int, vw view) ([]*Meta, error) {
	heads, err := tx.ListSecrets(ctx, t.app, t.tenant, after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]*Meta, 0, len(heads))
	for _, head := range heads {
		c, err := s.own(ctx, tx, target{t.app, t.tenant, head.Name}, vw)
		if err != nil {
			return nil, err
		}
		m := new(Meta)
		c.describe(m)
		out = append(out, m)
	}
	return out, nil
}

func (s *Service) listDeleted(ctx context.Context, action, appID string, opts ListOpts, shared bool) ([]*Meta, error) {
	return s.page(ctx, action, appID, opts, shared, s.deletedMetas)
}

// deletedMetas goes on until the page is full: secrets that were destroyed, or only staged, are not part of it.
func (s *Service) deletedMetas(ctx context.Context, tx driver.Tx, t target, after string, limit int, vw view) (out []*Meta, err error) {
	for len(out) < limit {
		heads, err := tx.ListDeletedSecrets(ctx, t.app, t.tenant, after, limit)
		if err != nil || len(heads) == 0 {
			return out, err
		}
		for _, head := range heads {
			after = head.Name
			m, err := s.deletedMeta(ctx, tx, target{t.app, t.tenant, head.Name}, vw)
			if err != nil {
				return nil, err
			}
			if m != nil && len(out) < limit {
				out = append(out, m)
			}
		}
	}
	return out, nil
}

// deletedMeta describes a secret that can be brought back; nil for one that cannot.
func (s *Service) deletedMeta(ctx context.Context, tx driver.Tx, t target, vw view) (*Meta, error) {
	r, err := s.load(ctx, tx, t, vw)
	if err != nil {
		return nil, err
	}
	st := r.list.find(r.list.Restore)
	if st == nil || st.DeletedAt == 0 || st.Destroyed != 0 || s.lost(st, tx.Now()) {
		return nil, nil
	}
	v, err := s.row(ctx, tx, r, st)
	if err != nil {
		return nil, err
	}
	m, err := toMeta(r.head, v)
	m.DeletedAt = moment(st.DeletedAt)
	return &m, err
}

// ListVersions returns the versions of the tenant's own secret that can be read, oldest first, without values. See
// [Service.History] for all there were.
func (s *Service) ListVersions(ctx context.Context, key, appID string) ([]*Version, error) {
	h, err := s.history(ctx, "secret.list_versions", key, appID, false)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(h.Versions, func(v *Version) bool { return v.State != StateCurrent && v.State != StateSuperseded }), nil
}

// manyVersions bounds the versions that are read of a secret which an earlier program wrote.
const manyVersions = 10_000
