package host

import (
	"context"

	"github.com/haywardhq/hayward/auth"
	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// People manages tenants and users on behalf of a caller: the operator those of the app, an admin the members of his own
// tenant. It puts the gate before the auth wing's stores, which know no roles.
type People struct {
	Gate  audit.Gate
	Users *auth.Service
	// InTx joins the vault's store to a transaction of the database, so that a change and its audit entry are one write.
	InTx func(*db.Tx) driver.Tx
}

// Person is a user with the roles held in the tenant that was asked about.
type Person struct {
	identity.User
	Roles []string
}

// enter is the first line of every method. about is the tenant it concerns; "" for the app as a whole.
func (p *People) enter(ctx context.Context, action, resource, name, about string) (scope.Caller, *audit.Pending, error) {
	c, err := scope.Lenient(ctx)
	if err != nil {
		return c, nil, err
	}
	r := audit.Request{Caller: c, Action: action, Resource: resource, Name: name, Operator: c.Tenant == ""}
	if about != "" {
		r.Details = []audit.Detail{{Key: "tenant", Value: about}}
	}
	entry, err := p.Gate.Enter(ctx, r)
	return c, entry, err
}

// write makes a change and completes its audit entry in one transaction.
func (p *People) write(ctx context.Context, entry *audit.Pending, fn func(*identity.Store) ([]audit.Detail, error)) error {
	var details []audit.Detail
	err := p.Users.Identity.Together(ctx, func(ids *identity.Store) (err error) {
		details, err = fn(ids)
		return err
	}, func(tx *db.Tx) error { return entry.EndTx(ctx, p.InTx(tx), audit.OK, details...) })
	if err != nil {
		return finish(ctx, entry, err)
	}
	return nil
}

// CreateTenant creates a tenant; only an operator may.
func (p *People) CreateTenant(ctx context.Context, slug, name string) (identity.Tenant, error) {
	c, entry, err := p.enter(ctx, "tenant.manage", "tenant", slug, slug)
	if err != nil {
		return identity.Tenant{}, err
	}
	var t identity.Tenant
	err = p.write(ctx, entry, func(ids *identity.Store) ([]audit.Detail, error) {
		t, err = ids.CreateTenant(ctx, c.App, slug, name)
		return nil, err
	})
	if err != nil {
		return identity.Tenant{}, err
	}
	return t, nil
}

// Tenants lists the app's tenants; only an operator may.
func (p *People) Tenants(ctx context.Context, page identity.Page) ([]identity.Tenant, error) {
	c, entry, err := p.enter(ctx, "tenant.manage", "tenant", "", "")
	if err != nil {
		return nil, err
	}
	list, err := p.Users.Identity.ListTenants(ctx, c.App, page)
	if err := finish(ctx, entry, err); err != nil {
		return nil, err
	}
	return list, nil
}

// SuspendTenant suspends a tenant or lets it go on; only an operator may.
func (p *People) SuspendTenant(ctx context.Context, slug string, suspended bool) error {
	c, entry, err := p.enter(ctx, "tenant.manage", "tenant", slug, slug)
	if err != nil {
		return err
	}
	t, err := p.tenant(c, slug)
	if err != nil {
		return finish(ctx, entry, err)
	}
	return p.write(ctx, entry, func(ids *identity.Store) ([]audit.Detail, error) {
		return nil, ids.SetTenantDisabled(ctx, c.App, t.ID, suspended)
	})
}

// tenant finds the tenant a call is about. Inside a tenant that can only be the caller's own; another one is not found.
func (p *People) tenant(c scope.Caller, slug string) (*identity.Tenant, error) {
	return tenantOf(p.Users.Identity, c, slug)
}

func tenantOf(ids *identity.Store, c scope.Caller, slug string) (*identity.Tenant, error) {
	t, ok := ids.TenantBySlug(c.App, slug)
	switch {
	case slug == "" && c.Tenant == "":
		return nil, fault.New(fault.Invalid, "the tenant is missing").At(fault.Where{Field: "tenant"}).WithHint("an operator says which tenant he means, by its slug")
	case slug == "":
		t, ok = ids.Tenant(c.App, c.Tenant)
	}
	if !ok || (c.Tenant != "" && t.ID != c.Tenant) {
		return nil, fault.New(fault.NotFound, "there is no tenant '%s'", slug).WithCode("TenantNotFound")
	}
	return t, nil
}

// NewPerson is a user to create.
type NewPerson struct {
	Name, FullName, Email string
	Password              sealed.Value
	Tenant                string   // slug; "" for the caller's own tenant, or for an operator
	Roles                 []string // in the tenant
	Operator              bool     // only an operator may create one
}

// CreateUser creates a user who is a member of a tenant, or another operator.
func (p *People) CreateUser(ctx context.Context, n NewPerson) (identity.User, error) {
	c, entry, err := p.enter(ctx, "user.manage", "user", n.Name, n.Tenant)
	if err != nil {
		return identity.User{}, err
	}
	roles, t, err := p.placeOf(c, n)
	var made identity.NewUser
	if err == nil {
		made, err = p.Users.WithPassword(ctx, identity.NewUser{Name: n.Name, FullName: n.FullName, Email: n.Email, Operator: n.Operator}, n.Password)
	}
	if err != nil {
		return identity.User{}, finish(ctx, entry, err)
	}
	var u identity.User
	err = p.write(ctx, entry, func(ids *identity.Store) ([]audit.Detail, error) {
		if u, err = ids.CreateUser(ctx, c.App, made); err != nil {
			return nil, err
		}
		if !n.Operator {
			err = ids.SetMembership(ctx, c.App, t.ID, u.ID, roles)
		}
		return []audit.Detail{{Key: "user", Value: u.ID}}, err
	})
	if err != nil {
		return identity.User{}, err
	}
	return u, nil
}

// placeOf checks, before anything is created, where the new user will stand.
func (p *People) placeOf(c scope.Caller, n NewPerson) (policy.Roles, *identity.Tenant, error) {
	if n.Operator {
		switch {
		case c.Tenant != "":
			return 0, nil, fault.New(fault.Denied, "only an operator may create an operator")
		case n.Tenant != "" || len(n.Roles) > 0:
			return 0, nil, fault.New(fault.Invalid, "an operator stands outside every tenant and holds no other role").At(fault.Where{Field: "tenant"})
		}
		return policy.Operator, nil, nil
	}
	if n.Tenant == "" && c.Tenant == "" {
		return 0, nil, fault.New(fault.Invalid, "the tenant of the new user is missing").At(fault.Where{Field: "tenant"})
	}
	roles, err := rolesOf(n.Roles)
	if err != nil {
		return 0, nil, err
	}
	t, err := p.tenant(c, n.Tenant)
	return roles, t, err
}

func rolesOf(names []string) (policy.Roles, error) {
	var out policy.Roles
	for _, n := range names {
		r, err := policy.ParseRole(n)
		if err != nil {
			return 0, err
		}
		out |= r
	}
	if out == 0 || out&^policy.TenantRoles != 0 {
		return 0, fault.New(fault.Invalid, "a member holds one or more of the roles viewer, runner, editor, admin").At(fault.Where{Field: "roles"})
	}
	return out, nil
}

// Members lists the users of a tenant.
func (p *People) Members(ctx context.Context, slug string, page identity.Page) ([]Person, error) {
	c, entry, err := p.enter(ctx, "user.read", "user", "", slug)
	if err != nil {
		return nil, err
	}
	list, err := p.members(ctx, c, slug, page)
	if err := finish(ctx, entry, err); err != nil {
		return nil, err
	}
	return list, nil
}

func (p *People) members(ctx context.Context, c scope.Caller, slug string, page identity.Page) ([]Person, error) {
	t, err := p.tenant(c, slug)
	if err != nil {
		return nil, err
	}
	members, err := p.Users.Identity.ListMembers(ctx, c.App, t.ID, page)
	out := make([]Person, len(members))
	for i, m := range members {
		out[i] = Person{m.User, m.Roles.Names()}
	}
	return out, err
}
