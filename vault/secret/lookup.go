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
	if err == nil && s.plugins != nil {
		err = s.plugins.SecretAccess(ctx, name, "secret.lookup")
	}
	if err != nil {
		return nil, err
	}
	if t.tenant == "" || t.tenant[0] == '/' { // nothing is remembered for an owner that was not checked
		return nil, driver.Owner(t.app, t.tenant)
	}
	now := s.now()
	sec, known := s.quick(t, now)
	if !known {
		if err := driver.Owner(t.app, t.tenant); err != nil {
			return nil, err
		}
		if sec, err = s.lookupStored(ctx, t); err != nil {
			return nil, err
		}
	}
	if sec.Expired(now) {
		return nil, expired(name)
	}
	if s.metrics != nil {
		s.metrics.SecretAccessed.Inc()
	}
	return sec, nil
}

// LookupMeta is [Service.Lookup] without opening the value, for explaining which layer would answer.
func (s *Service) LookupMeta(ctx context.Context, under *audit.Pending, name string) (*Meta, error) {
	t, err := s.inside(under, name)
	if err == nil {
		err = driver.Owner(t.app, t.tenant)
	}
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
	return target{c.App, c.Tenant, name}, nil
}
