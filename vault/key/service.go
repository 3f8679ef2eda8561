package key

import (
	"context"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// The actions a gate is asked for.
const (
	ActionList       = "key.list"
	ActionRotate     = "key.rotate"
	ActionRotateRoot = "key.rotate_root"
	ActionShred      = "key.shred"
	ActionReceipts   = "key.receipts"
)

// Owner says whose keys a call is about. The zero value is the caller's own tenant; everything else is an operator's.
type Owner struct {
	App      string // the app; default the service's or the scope's, which it may not contradict
	Tenant   string // a tenant; default the caller's
	Shared   bool   // the entries that an app shares with all its tenants
	Operator bool   // what is outside every tenant, such as personal fields of the operators' own record
}

// Key is what may be said of a key.
type Key struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	Primary   bool      `json:"primary"` // new values are encrypted under it
	RootID    string    `json:"root_id"` // the root key that wraps it
	Uses      int64     `json:"uses"`    // versions of secrets encrypted under it
}

// Service does what people ask of keys. It is safe for concurrent use.
type Service struct {
	st         driver.Store
	ring       *keyring.Ring
	gate       audit.Gate
	app        string
	checkpoint func(context.Context) (string, error)
}

// Option changes a service.
type Option func(*Service)

// WithAppID sets the app of calls that name none. It must agree with the app in scope, if there is one.
func WithAppID(appID string) Option { return func(s *Service) { s.app = appID } }

// WithGate sets who authorises and records. Without it the rule is audit.TenantOnly, and the entries go into the same store.
func WithGate(g audit.Gate) Option { return func(s *Service) { s.gate = g } }

// WithCheckpoint has receipts say where the audit record stood: fn is asked before anything is destroyed, after the entry
// that says so was written, and answers in the audit's own terms.
func WithCheckpoint(fn func(context.Context) (string, error)) Option {
	return func(s *Service) { s.checkpoint = fn }
}

// NewService returns a service over a keyring that was opened for st.
func NewService(st driver.Store, ring *keyring.Ring, opts ...Option) *Service {
	s := &Service{st: st, ring: ring, checkpoint: func(context.Context) (string, error) { return "", nil }}
	for _, o := range opts {
		o(s)
	}
	if s.gate == nil {
		s.gate = audit.NewGate(audit.NewLogger(st), nil)
	}
	return s
}

// enter is the first line of every method about one owner: it turns the scope into arguments, and has the gate decide and
// record.
func (s *Service) enter(ctx context.Context, action string, o Owner, operator bool) (app, tenant string, p *audit.Pending, err error) {
	caller, err := who.Of(ctx, o.App, s.app)
	if err != nil {
		return "", "", nil, err
	}
	tenant, foreign, err := o.of(caller)
	if err != nil {
		return "", "", nil, err
	}
	r := audit.Request{Caller: caller, Action: action, Resource: "key", Operator: operator || foreign}
	if foreign {
		r.Details = []audit.Detail{{Key: "tenant", Value: tenant}}
	}
	p, err = s.gate.Enter(ctx, r)
	return caller.App, tenant, p, err
}

// of returns the owner's tenant, and whether it is another than the caller's.
func (o Owner) of(caller scope.Caller) (tenant string, foreign bool, err error) {
	named := 0
	for _, is := range [...]bool{o.Tenant != "", o.Shared, o.Operator} {
		if is {
			named++
		}
	}
	switch {
	case named > 1:
		return "", false, fault.New(fault.Invalid, "keys belong to a tenant, to the shared entries or to the operator, and to one of them only")
	case o.Shared:
		return driver.Shared, true, nil
	case o.Operator:
		return driver.Operator, true, nil
	case o.Tenant == "" || o.Tenant == caller.Tenant:
		return caller.Tenant, false, driver.Owner(caller.App, caller.Tenant)
	}
	return o.Tenant, true, driver.Owner(caller.App, o.Tenant)
}

// server is the first line of every method about the server's own keys.
func (s *Service) server(ctx context.Context, action, appID string) (app string, p *audit.Pending, err error) {
	caller, err := who.Of(ctx, appID, s.app)
	if err != nil {
		return "", nil, err
	}
	p, err = s.gate.Enter(ctx, audit.Request{Caller: caller, Action: action, Resource: "key", Operator: true})
	return caller.App, p, err
}

// List returns an owner's keys, oldest first.
func (s *Service) List(ctx context.Context, o Owner) (keys []Key, err error) {
	app, tenant, p, err := s.enter(ctx, ActionList, o, false)
	if err != nil {
		return nil, err
	}
	err = s.st.View(ctx, func(tx driver.Tx) error {
		rows, err := tx.ListKeys(ctx, app, tenant)
		if err != nil {
			return err
		}
		for _, row := range rows {
			n, err := tx.KeyUses(ctx, app, tenant, row.ID)
			if err != nil {
				return err
			}
			keys = append(keys, Key{row.ID, time.UnixMicro(row.CreatedAt).UTC(), row.Primary, row.RootID, n})
		}
		return nil
	})
	if err := p.EndErr(ctx, err); err != nil {
		return nil, err
	}
	return keys, nil
}

// RotateTenant gives an owner a new primary key and returns its id. What was encrypted before stays readable; encrypting it
// again is for the rooms that keep it.
func (s *Service) RotateTenant(ctx context.Context, o Owner) (id string, err error) {
	app, tenant, p, err := s.enter(ctx, ActionRotate, o, false)
	if err != nil {
		return "", err
	}
	err = s.st.Update(ctx, func(tx driver.Tx) error {
		if id, err = s.ring.RotateTenant(ctx, tx, app, tenant); err != nil {
			return err
		}
		return p.EndTx(ctx, tx, audit.OK, audit.Detail{Key: "key", Value: id})
	})
	if err != nil {
		return "", p.EndErr(ctx, err)
	}
	return id, nil
}

// RotateRoot changes the root key, or finishes a change that is under way, and returns when it is done: with as many
// transactions as there are keys, divided by 64. The server goes on serving meanwhile, and [Service.Root] says how far it is.
func (s *Service) RotateRoot(ctx context.Context) (keyring.Progress, error) {
	_, p, err := s.server(ctx, ActionRotateRoot, "")
	if err != nil {
		return keyring.Progress{}, err
	}
	progress, err := s.ring.RotateRoot(ctx)
	if err == nil {
		p.Note(audit.Detail{Key: "epoch", Value: strconv.FormatInt(progress.Epoch, 10)}, audit.Detail{Key: "root", Value: progress.RootID})
	}
	if err := p.EndErr(ctx, err); err != nil {
		return keyring.Progress{}, err
	}
	return progress, nil
}

// Root says which root key is in use, and how far a change of it has come.
func (s *Service) Root(ctx context.Context) (keyring.Progress, error) {
	_, p, err := s.server(ctx, ActionList, "")
	if err != nil {
		return keyring.Progress{}, err
	}
	progress, err := s.ring.Progress(ctx)
	return progress, p.EndErr(ctx, err)
}
