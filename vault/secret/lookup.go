package secret

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Lookup returns the secret for a name inside an action that is audited as a whole, such as a pipeline run: the tenant's
// entry, else the shared one; [Meta.Layer] says which. The action's first entry names app and tenant, so that they cannot
// be forgotten or mixed up, and it must still be open. The host notes what was found on it (audit.Pending.Note) and so
// records it with the second entry.
//
// It asks no gate: entering the action did. Errors are those of [Service.Get].
func (s *Service) Lookup(ctx context.Context, under *audit.Pending, name string) (*Secret, error) {
	t, err := s.inside(under, name)
	if err != nil {
		return nil, err
	}
	return s.lookup(ctx, t)
}

// LookupMeta is [Service.Lookup] without opening the value, for explaining which layer would answer.
func (s *Service) LookupMeta(ctx context.Context, under *audit.Pending, name string) (*Meta, error) {
	t, err := s.inside(under, name)
	if err != nil {
		return nil, err
	}
	var m Meta
	err = s.read(ctx, t, func(tx driver.Tx, vw view) error {
		c, err := s.find(ctx, tx, t, vw)
		if err == nil {
			m = c.copyMeta()
		}
		return err
	})
	if err == nil && m.Expired(s.now()) {
		err = expired(name)
	}
	if err != nil {
		return nil, err
	}
	return &m, nil
}

func (s *Service) inside(under *audit.Pending, name string) (target, error) {
	if !under.Open() {
		return target{}, fault.New(fault.Internal, "a secret was asked for outside of an audited action")
	}
	if s.ringErr != nil {
		return target{}, s.ringErr
	}
	c := under.Caller()
	if err := driver.Owner(c.App, c.Tenant); err != nil {
		return target{}, err
	}
	return target{c.App, c.Tenant, name}, nil
}
