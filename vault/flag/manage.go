package flag

import (
	"context"
	"strconv"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// enter is the first line of every method that manages: it turns the scope into arguments, and has the gate decide and
// record.
func (s *Service) enter(ctx context.Context, action, key string, operator bool, details ...audit.Detail) (scope.Caller, *audit.Pending, error) {
	c, err := who.Of(ctx, "", s.app)
	if err != nil {
		return c, nil, err
	}
	if s.table == nil || s.gate == nil {
		return c, nil, fault.New(fault.Unsupported, "the flags of this store cannot be managed from here").
			WithHint("use the methods of the store itself")
	}
	p, err := s.gate.Enter(ctx, audit.Request{Caller: c, Action: action, Resource: "flag", Name: key, Operator: operator, Details: details})
	return c, p, err
}

// by is who writes, with the end of the audit entry in the transaction of the write.
func by(c scope.Caller, p *audit.Pending, opts []WriteOption) author {
	end := func(ctx context.Context, tx driver.Tx) error { return p.EndTx(ctx, tx, audit.OK) }
	return author{app: c.App, user: c.User, also: end}.with(opts)
}

func atVersion(n int64) audit.Detail {
	return audit.Detail{Key: "version", Value: strconv.FormatInt(n, 10)}
}

// done ends an entry whose write failed; after a write that went well it was ended already.
func done(ctx context.Context, p *audit.Pending, err error) error {
	if err != nil {
		return p.EndErr(ctx, err)
	}
	return nil
}

// Define creates a flag or changes its definition, for an operator. f.AppID may be empty.
func (s *Service) Define(ctx context.Context, f *Definition, opts ...WriteOption) error {
	if f == nil {
		return fault.New(fault.Invalid, "there is no definition")
	}
	c, p, err := s.enter(ctx, "flag.define", f.Key, true, audit.Detail{Key: "enabled", Value: strconv.FormatBool(f.Enabled)})
	if err != nil {
		return err
	}
	if f.AppID != "" && f.AppID != c.App {
		return p.EndErr(ctx, fault.New(fault.Invalid, "the definition names another app than the call").WithCode("scope"))
	}
	return done(ctx, p, s.table.define(ctx, by(c, p, opts), f))
}

// SetEnabled switches a flag on or off, for an operator. The next evaluation in this process sees it, and that of another
// replica as soon as the store has told it (over PostgreSQL within a second).
func (s *Service) SetEnabled(ctx context.Context, key string, enabled bool, opts ...WriteOption) error {
	c, p, err := s.enter(ctx, "flag.set_enabled", key, true, audit.Detail{Key: "enabled", Value: strconv.FormatBool(enabled)})
	if err != nil {
		return err
	}
	return done(ctx, p, s.table.setEnabled(ctx, by(c, p, opts), key, enabled))
}

// SetRules replaces a flag's rules, for an operator.
func (s *Service) SetRules(ctx context.Context, key string, rules []*Rule, opts ...WriteOption) error {
	c, p, err := s.enter(ctx, "flag.set_rules", key, true, audit.Detail{Key: "rules", Value: strconv.Itoa(len(rules))})
	if err != nil {
		return err
	}
	return done(ctx, p, s.table.setRules(ctx, by(c, p, opts), key, rules))
}

// Delete removes a flag, its rules and every tenant's own value, for an operator.
func (s *Service) Delete(ctx context.Context, key string, opts ...WriteOption) error {
	c, p, err := s.enter(ctx, "flag.delete", key, true)
	if err != nil {
		return err
	}
	return done(ctx, p, s.table.delete(ctx, by(c, p, opts), key))
}

// Get returns a flag's definition and rules, for an operator: they name other tenants.
func (s *Service) Get(ctx context.Context, key string) (*Definition, []*Rule, error) {
	c, p, err := s.enter(ctx, "flag.get", key, true)
	if err != nil {
		return nil, nil, err
	}
	asApp := scope.WithCaller(ctx, scope.Caller{App: c.App})
	d, err := s.table.GetFlagDefinition(asApp, key, c.App)
	var rules []*Rule
	if err == nil {
		rules, err = s.table.GetFlagRules(asApp, key, c.App)
	}
	if err := p.EndErr(ctx, err); err != nil {
		return nil, nil, err
	}
	return d, rules, nil
}

// List returns the app's flags by key, for an operator.
func (s *Service) List(ctx context.Context, opts ListOpts) ([]*Definition, error) {
	c, p, err := s.enter(ctx, "flag.list", "", true)
	if err != nil {
		return nil, err
	}
	out, err := s.table.ListFlagDefinitions(scope.WithCaller(ctx, scope.Caller{App: c.App}), c.App, opts)
	if err := p.EndErr(ctx, err); err != nil {
		return nil, err
	}
	return out, nil
}

// Rollback makes a flag what it was at a version, for an operator: its definition, its rules, and whether it was on. That is
// a new version. A flag that was deleted comes back, without the values of tenants.
func (s *Service) Rollback(ctx context.Context, key string, to int64, opts ...WriteOption) (*Definition, error) {
	c, p, err := s.enter(ctx, "flag.rollback", key, true, atVersion(to))
	if err != nil {
		return nil, err
	}
	d, err := s.table.rollback(ctx, by(c, p, opts), key, to)
	return d, done(ctx, p, err)
}

// History returns a flag's versions, oldest first, for an operator; also those of a flag that was deleted.
func (s *Service) History(ctx context.Context, key string) ([]*Revision, error) {
	c, p, err := s.enter(ctx, "flag.history", key, true)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, p, func(tx driver.Tx) ([]*Revision, error) { return theFlag(c.App, key).revisions(ctx, tx, notFound(key)) })
}

// GetVersion returns what a flag was at a version, for an operator.
func (s *Service) GetVersion(ctx context.Context, key string, n int64) (d *Definition, rules []*Rule, err error) {
	c, p, err := s.enter(ctx, "flag.get_version", key, true, atVersion(n))
	if err != nil {
		return nil, nil, err
	}
	d, err = read(ctx, s, p, func(tx driver.Tx) (*Definition, error) {
		row, err := restored(ctx, tx, c.App, key, n)
		if err != nil {
			return nil, err
		}
		if rules, err = decodeRules(row); err != nil {
			return nil, err
		}
		return decodeDefinition(row)
	})
	if err != nil {
		return nil, nil, err
	}
	return d, rules, nil
}

// read runs a reading call and ends its audit entry.
func read[T any](ctx context.Context, s *Service, p *audit.Pending, fn func(driver.Tx) (T, error)) (out T, err error) {
	err = s.table.st.View(ctx, func(tx driver.Tx) error {
		out, err = fn(tx)
		return err
	})
	if err := p.EndErr(ctx, err); err != nil {
		var none T
		return none, err
	}
	return out, nil
}
