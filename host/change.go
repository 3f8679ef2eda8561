package host

import (
	"context"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/password"
	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
)

// UserChange is what changes about a user; nil fields stay.
type UserChange struct {
	Password *sealed.Value
	Disabled *bool
	Roles    []string // in the caller's tenant, or in Tenant for an operator
	Tenant   string
}

// ChangeUser changes a user, by name. An admin changes members of his own tenant, and the password and state only of
// users who are members of no other: those belong to the operator. He cannot leave the tenant without an admin; the
// operator can, but cannot disable himself. Everything is looked at before anything is changed.
func (p *People) ChangeUser(ctx context.Context, name string, ch UserChange) error {
	c, entry, err := p.enter(ctx, "user.manage", "user", name, ch.Tenant)
	if err != nil {
		return err
	}
	plan, err := p.plan(ctx, c, name, ch)
	if err != nil {
		return finish(ctx, entry, err)
	}
	hash := ""
	if ch.Password != nil {
		if hash, err = p.Users.Passwords.Hash(ctx, *ch.Password); err != nil {
			return finish(ctx, entry, err)
		}
	}
	return p.write(ctx, entry, func(ids *identity.Store) ([]audit.Detail, error) {
		return plan.details(), apply(ctx, ids, c, plan, hash)
	})
}

// change is a UserChange that may be made.
type change struct {
	UserChange
	user   identity.User
	tenant *identity.Tenant // nil when no roles change and none was named
	roles  policy.Roles
}

// details says what changed, for the record: never a password.
func (ch change) details() []audit.Detail {
	out := []audit.Detail{{Key: "user", Value: ch.user.ID}}
	if ch.roles != 0 {
		out = append(out, audit.Detail{Key: "roles", Value: ch.roles.String()})
	}
	if ch.Password != nil {
		out = append(out, audit.Detail{Key: "password", Value: "changed"})
	}
	if ch.Disabled != nil {
		out = append(out, audit.Detail{Key: "state", Value: map[bool]string{true: "disabled", false: "enabled"}[*ch.Disabled]})
	}
	return out
}

func (p *People) plan(ctx context.Context, c scope.Caller, name string, ch UserChange) (out change, err error) {
	out.UserChange = ch
	if out.user, err = p.reachable(ctx, c, name, ch.Password != nil || ch.Disabled != nil); err != nil {
		return out, err
	}
	if ch.Disabled != nil && *ch.Disabled && c.Tenant == "" && out.user.ID == c.User {
		return out, fault.New(fault.Conflict, "an operator cannot disable himself").WithCode("OwnAccount").
			WithHint("another operator can: so there is always one left")
	}
	if ch.Tenant != "" || len(ch.Roles) > 0 {
		if out.tenant, err = p.tenant(c, ch.Tenant); err != nil {
			return out, err
		}
	}
	if len(ch.Roles) > 0 {
		if out.roles, err = rolesOf(ch.Roles); err != nil {
			return out, err
		}
	}
	if ch.Password != nil {
		if err := password.CheckNew(*ch.Password); err != nil {
			return out, err
		}
	}
	return out, nil
}

// apply makes the change. Whether the tenant keeps an admin is looked at in the same transaction, so that two admins who
// demote each other at once do not both succeed.
func apply(ctx context.Context, ids *identity.Store, c scope.Caller, ch change, hash string) error {
	if disables := ch.Disabled != nil && *ch.Disabled; c.Tenant != "" && (disables || (ch.roles != 0 && !ch.roles.Has(policy.Admin))) {
		if err := keepsAdmin(ctx, ids, c, ch); err != nil {
			return err
		}
	}
	if hash != "" {
		if err := ids.SetPasswordHash(ctx, c.App, ch.user.ID, hash); err != nil {
			return err
		}
	}
	if ch.roles != 0 {
		if err := ids.SetMembership(ctx, c.App, ch.tenant.ID, ch.user.ID, ch.roles); err != nil {
			return err
		}
	}
	if ch.Disabled != nil {
		return ids.SetUserDisabled(ctx, c.App, ch.user.ID, *ch.Disabled)
	}
	return nil
}

// keepsAdmin refuses an admin's change of a user, who will be one no longer, if nobody else can manage the tenant from
// inside.
func keepsAdmin(ctx context.Context, ids *identity.Store, c scope.Caller, ch change) error {
	page := identity.Page{Limit: 1000}
	for {
		members, err := ids.ListMembers(ctx, c.App, c.Tenant, page)
		if err != nil {
			return err
		}
		for _, m := range members {
			if m.User.ID != ch.user.ID && !m.User.Disabled && m.Roles.Has(policy.Admin) {
				return nil
			}
		}
		if len(members) < page.Limit {
			break
		}
		page.After = members[len(members)-1].User.ID
	}
	return fault.New(fault.Conflict, "the tenant would be left without an admin").WithCode("LastAdmin").
		WithHint("make another user an admin first, or ask the operator")
}

// reachable finds a user the caller may change. To an admin, users of other tenants do not exist.
func (p *People) reachable(ctx context.Context, c scope.Caller, name string, whole bool) (identity.User, error) {
	missing := fault.New(fault.NotFound, "there is no user '%s'", name).WithCode("UserNotFound")
	u, err := p.Users.Identity.UserByName(ctx, c.App, name)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) { // what cannot be a name is nobody's
		return u, missing
	}
	if err != nil || c.Tenant == "" {
		return u, err
	}
	a, ok := p.Users.Identity.Account(c.App, u.ID)
	if !ok || a.Operator || a.Roles(c.Tenant) == 0 {
		return identity.User{}, missing
	}
	if whole && len(a.Memberships()) > 1 {
		return identity.User{}, fault.New(fault.Denied, "the user is a member of other tenants as well, so only an operator may change password or state")
	}
	return u, nil
}
