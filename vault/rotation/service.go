package rotation

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Service is the rotations of the tenant in scope, for doors: each method asks the manager's gate and begins its audit entry
// on its first line. It is safe for concurrent use.
type Service struct{ m *Manager }

// NewService returns the doors' side of a manager.
func NewService(m *Manager) *Service { return &Service{m} }

// call is one call: whose rotation it is about, and its open audit entry.
type call struct {
	owner
	user string
	p    *audit.Pending
}

// enter turns the scope into arguments, and has the gate decide and record.
func (m *Manager) enter(ctx context.Context, action, key, appID string, details ...audit.Detail) (call, error) {
	c, err := who.Of(ctx, appID, m.app)
	if err != nil {
		return call{}, err
	}
	if err := driver.Owner(c.App, c.Tenant); err != nil {
		return call{}, err
	}
	if err := m.ready(); err != nil {
		return call{}, err
	}
	p, err := m.gate.Enter(ctx, audit.Request{Caller: c, Action: action, Resource: "rotation", Name: key, Details: details})
	return call{owner{c.App, c.Tenant}, c.User, p}, err
}

// RotateNow rotates a secret of the tenant in scope and returns when the new version is served: by the rotator its policy
// names, else by the one registered for its key. It needs no policy, minds neither windows nor backoff, goes on with a run
// that is under way, and ends the grace period of a former version at once. It fails with Conflict, code RotationHeld, while
// somebody else has the rotation in hand.
func (m *Manager) RotateNow(ctx context.Context, key, appID string) error {
	c, err := m.enter(ctx, "rotation.rotate_now", key, appID)
	if err != nil {
		return err
	}
	return m.rotateNow(ctx, c, key)
}

func (m *Manager) rotateNow(ctx context.Context, c call, key string) error {
	if err := secret.CheckName(key); err != nil {
		return c.p.EndErr(ctx, err)
	}
	h, err := m.claim(ctx, c.owner, key)
	if err == nil && h == nil {
		err = held(key)
	}
	if err != nil {
		return c.p.EndErr(ctx, err)
	}
	h.entry, h.by = c.p, c.user
	if err := h.at("claimed"); err != nil {
		return err
	}
	if err := h.adopt(ctx); err != nil {
		return c.p.EndErr(ctx, errors.Join(err, h.giveBack(context.WithoutCancel(ctx), 0)))
	}
	return h.attempt(ctx, true)
}

// RotateNow is [Manager.RotateNow] that returns the record of the rotation.
func (s *Service) RotateNow(ctx context.Context, key, appID string) (*Record, error) {
	c, err := s.m.enter(ctx, "rotation.rotate_now", key, appID)
	if err != nil {
		return nil, err
	}
	if err := s.m.rotateNow(ctx, c, key); err != nil {
		return nil, err
	}
	var out *Record
	err = s.m.st.View(ctx, func(tx driver.Tx) error {
		list, err := records(ctx, tx, c.owner, key, ListOpts{Limit: 1})
		if len(list) > 0 {
			out = list[0]
		}
		return err
	})
	return out, err
}

// SetPolicy creates or changes the policy of a secret of the tenant in scope, and returns it as it is kept. Beyond
// [Policy.Validate] it asks for a rotator that is known here and accepts the parameters, and for an interval that is not
// below the manager's least.
func (s *Service) SetPolicy(ctx context.Context, p *Policy) (*Policy, error) {
	if p == nil {
		return nil, fault.New(fault.Invalid, "there is no policy")
	}
	c, err := s.m.enter(ctx, "rotation.set_policy", p.SecretKey, p.AppID, audit.Detail{Key: "interval", Value: p.Interval.String()},
		audit.Detail{Key: "enabled", Value: strconv.FormatBool(p.Enabled)}, audit.Detail{Key: "rotator", Value: p.Rotator})
	if err != nil {
		return nil, err
	}
	if err := s.acceptable(c, p); err != nil {
		return nil, c.p.EndErr(ctx, err)
	}
	var saved *Policy
	err = s.m.st.Update(ctx, func(tx driver.Tx) error {
		if saved, err = putPolicy(ctx, tx, c.owner, c.user, p); err != nil {
			return err
		}
		return c.p.EndTx(ctx, tx, audit.OK, audit.Detail{Key: "next", Value: saved.NextRotationAt.Format(time.RFC3339)})
	})
	if err != nil {
		return nil, c.p.EndErr(ctx, err)
	}
	return saved, nil
}

func (s *Service) acceptable(c call, p *Policy) error {
	if p.TenantID != "" && p.TenantID != c.tenant {
		return fault.New(fault.Invalid, "the policy names another tenant than the one in scope").WithCode("scope")
	}
	if err := p.Validate(); err != nil {
		return err
	}
	if p.Interval < s.m.minInterval {
		return fault.New(fault.Invalid, "the interval of a rotation is at least %s here", s.m.minInterval).At(fault.Where{Field: "interval"})
	}
	r, err := s.m.rotator(p.Rotator, p.SecretKey)
	if err != nil {
		return err
	}
	if check, ok := r.(Checker); ok {
		return check.CheckParams(p.Params)
	}
	if len(p.Params) > 0 && string(p.Params) != "{}" {
		return fault.New(fault.Invalid, "this rotator has no parameters").At(fault.Where{Field: "params"})
	}
	return nil
}

// GetPolicy returns the policy of a secret of the tenant in scope.
func (s *Service) GetPolicy(ctx context.Context, key, appID string) (*Policy, error) {
	c, err := s.m.enter(ctx, "rotation.get_policy", key, appID)
	if err != nil {
		return nil, err
	}
	return read(ctx, s.m, c, func(tx driver.Tx) (*Policy, error) { return readPolicy(ctx, tx, c.owner, key) })
}

// read runs a reading call and ends its audit entry.
func read[T any](ctx context.Context, m *Manager, c call, fn func(driver.Tx) (T, error)) (out T, err error) {
	err = m.st.View(ctx, func(tx driver.Tx) error {
		out, err = fn(tx)
		return err
	})
	if err := c.p.EndErr(ctx, err); err != nil {
		var none T
		return none, err
	}
	return out, nil
}

// PolicyOpts selects a page of policies.
type PolicyOpts struct {
	Limit int    // 0 means 100, most 1000
	After string // only secrets with names after this one
}

// ListPolicies returns the policies of the tenant in scope, by the secret's name.
func (s *Service) ListPolicies(ctx context.Context, appID string, opts PolicyOpts) ([]*Policy, error) {
	c, err := s.m.enter(ctx, "rotation.list_policies", "", appID)
	if err != nil {
		return nil, err
	}
	return read(ctx, s.m, c, func(tx driver.Tx) ([]*Policy, error) {
		limit, err := ListOpts{Limit: opts.Limit}.limit()
		if err != nil {
			return nil, err
		}
		rows, err := tx.ListRotationPolicies(ctx, c.app, c.tenant, opts.After, limit)
		out := make([]*Policy, 0, len(rows))
		for _, r := range rows {
			p, err := fromPolicyRow(r)
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
		return out, err
	})
}

// DeletePolicy removes the policy of a secret of the tenant in scope. A run under way is ended all the same, see
// [Service.Abandon].
func (s *Service) DeletePolicy(ctx context.Context, key, appID string) error {
	c, err := s.m.enter(ctx, "rotation.delete_policy", key, appID)
	if err != nil {
		return err
	}
	err = s.m.st.Update(ctx, func(tx driver.Tx) error {
		if err := deletePolicy(ctx, tx, c.owner, key); err != nil {
			return err
		}
		return c.p.EndTx(ctx, tx, audit.OK)
	})
	if err != nil {
		return c.p.EndErr(ctx, err)
	}
	return nil
}

// History returns the records of a secret of the tenant in scope, newest first, failures included.
func (s *Service) History(ctx context.Context, key, appID string, opts ListOpts) ([]*Record, error) {
	c, err := s.m.enter(ctx, "rotation.history", key, appID)
	if err != nil {
		return nil, err
	}
	return read(ctx, s.m, c, func(tx driver.Tx) ([]*Record, error) { return records(ctx, tx, c.owner, key, opts) })
}
