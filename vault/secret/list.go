package secret

import (
	"context"

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

func (s *Service) list(ctx context.Context, action, appID string, opts ListOpts, shared bool) (out []*Meta, err error) {
	t, p, err := s.enter(ctx, action, "", appID, shared)
	if err != nil {
		return nil, err
	}
	limit, err := opts.limit()
	if err == nil {
		err = s.st.View(ctx, func(tx driver.Tx) error {
			out, err = s.metas(ctx, tx, t, opts.After, limit)
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

func (s *Service) metas(ctx context.Context, tx driver.Tx, t target, after string, limit int) ([]*Meta, error) {
	heads, err := tx.ListSecrets(ctx, t.app, t.tenant, after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]*Meta, 0, len(heads))
	for _, head := range heads {
		head, v, err := s.own(ctx, tx, target{t.app, t.tenant, head.Name})
		if err != nil {
			return nil, err
		}
		m, err := toMeta(head, v)
		if err != nil {
			return nil, err
		}
		out = append(out, &m)
	}
	return out, nil
}

// ListVersions returns the versions of the tenant's own secret, oldest first, without values.
func (s *Service) ListVersions(ctx context.Context, key, appID string) (out []*Version, err error) {
	t, p, err := s.enter(ctx, "secret.list_versions", key, appID, false)
	if err != nil {
		return nil, err
	}
	err = s.st.View(ctx, func(tx driver.Tx) error {
		head, _, err := s.own(ctx, tx, t)
		if err != nil {
			return err
		}
		rows, err := tx.ListSecretVersions(ctx, t.app, t.tenant, t.name, 0, manyVersions)
		for _, v := range rows {
			out = append(out, &Version{ID: v.ID, Version: v.Version, Current: v.Version == head.Current, CreatedAt: micros(v.CreatedAt),
				CreatedBy: v.CreatedBy, ExpiresAt: expiry(v.ExpiresAt)})
		}
		return err
	})
	if err := p.EndErr(ctx, err); err != nil {
		return nil, err
	}
	return out, nil
}

// manyVersions bounds the versions that are read of a secret which an earlier program wrote.
const manyVersions = 10_000
