package identity

import (
	"context"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
)

// SetMembership makes a user a member of a tenant with exactly the given roles, or changes the roles. The first tenant
// becomes the user's home. An operator cannot be a member: the operator sees no tenant's secret.
func (s *Store) SetMembership(ctx context.Context, app, tenant, user string, roles policy.Roles) error {
	if err := named(app, tenant, user); err != nil {
		return err
	}
	if roles == 0 || roles&^policy.TenantRoles != 0 {
		return fault.New(fault.Invalid, "a membership cannot hold the roles %q", roles).At(fault.Where{Field: "roles"}).
			WithHint("give one or more of viewer, runner, editor, admin")
	}
	return s.editUser(ctx, app, user, func(c *change, a *Account) error {
		if a.Operator {
			return fault.New(fault.Conflict, "an operator cannot be a member of a tenant").
				WithHint("use a second user for work inside a tenant")
		}
		if t, err := readTenant(ctx, c.Tx, key{app, tenant}); err != nil || t == nil {
			return firstError(err, noTenant())
		}
		_, err := c.Exec(ctx, "INSERT INTO auth_membership (app, tenant, user_id, roles, created) VALUES (?, ?, ?, ?, ?) "+
			"ON CONFLICT (app, tenant, user_id) DO UPDATE SET roles = excluded.roles", app, tenant, user, roles.String(), c.Now())
		if err != nil || a.HomeTenant != "" {
			return err
		}
		_, err = c.Exec(ctx, "UPDATE auth_user SET home_tenant = ? WHERE app = ? AND id = ?", tenant, app, user)
		return err
	})
}

// RemoveMembership ends a user's place in a tenant. If it was the user's home, the oldest other tenant becomes it.
func (s *Store) RemoveMembership(ctx context.Context, app, tenant, user string) error {
	if err := named(app, tenant, user); err != nil {
		return err
	}
	return s.editUser(ctx, app, user, func(c *change, _ *Account) error {
		n, err := c.Exec(ctx, "DELETE FROM auth_membership WHERE app = ? AND tenant = ? AND user_id = ?", app, tenant, user)
		if err != nil {
			return err
		}
		if n == 0 {
			return noUser()
		}
		return moveHome(ctx, c, app, tenant, user)
	})
}

// moveHome gives a user whose home was tenant another one.
func moveHome(ctx context.Context, c *change, app, tenant, user string) error {
	a, err := readAccount(ctx, c.Tx, key{app, user})
	if err != nil || a == nil || a.HomeTenant != tenant {
		return err
	}
	home := ""
	if len(a.memberships) > 0 {
		home = a.memberships[0].Tenant
	}
	_, err = c.Exec(ctx, "UPDATE auth_user SET home_tenant = ? WHERE app = ? AND id = ?", home, app, user)
	return err
}

// ListMembers returns a page of the users of a tenant.
func (s *Store) ListMembers(ctx context.Context, app, tenant string, p Page) (out []Member, err error) {
	if err := named(app, tenant); err != nil {
		return nil, err
	}
	if _, ok := s.Tenant(app, tenant); !ok {
		return nil, noTenant()
	}
	err = s.view(ctx, func(tx *db.Tx) error {
		err := queryUsers(ctx, tx, "AND u.app = ? AND u.id > ? AND EXISTS (SELECT 1 FROM auth_membership m WHERE m.app = u.app AND "+
			"m.user_id = u.id AND m.tenant = ?) ORDER BY u.id LIMIT ?", []any{app, p.After, tenant, p.limit()},
			func(u User) { out = append(out, Member{User: u}) })
		if err != nil {
			return err
		}
		for i := range out {
			a, err := readAccount(ctx, tx, key{app, out[i].User.ID})
			if err != nil {
				return err
			}
			out[i].Roles = a.Roles(tenant)
		}
		return nil
	})
	return out, err
}
