package identity

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/db"
)

func queryTenants(ctx context.Context, tx *db.Tx, and string, args []any, fn func(*Tenant)) error {
	const q = "SELECT app, id, slug, name, disabled, created, updated FROM auth_tenant WHERE deleted = 0 "
	return tx.Query(ctx, q+and, args, func(scan func(...any) error) error {
		var t Tenant
		var created, updated int64
		if err := scan(&t.App, &t.ID, &t.Slug, &t.Name, &t.Disabled, &created, &updated); err != nil {
			return db.Classify(err)
		}
		t.Created, t.Updated = micros(created), micros(updated)
		fn(&t)
		return nil
	})
}

// readTenant returns nil for a tenant that is not there.
func readTenant(ctx context.Context, tx *db.Tx, k key) (found *Tenant, err error) {
	err = queryTenants(ctx, tx, "AND app = ? AND id = ?", []any{k.app, k.id}, func(t *Tenant) { found = t })
	return found, err
}

func queryUsers(ctx context.Context, tx *db.Tx, and string, args []any, fn func(User)) error {
	const q = "SELECT u.app, u.id, u.name, u.full_name, u.email, u.operator, u.disabled, u.credential_version, u.home_tenant, " +
		"u.created, u.updated FROM auth_user u WHERE u.deleted = 0 "
	return tx.Query(ctx, q+and, args, func(scan func(...any) error) error {
		var u User
		var created, updated int64
		err := scan(&u.App, &u.ID, &u.Name, &u.FullName, &u.Email, &u.Operator, &u.Disabled, &u.CredentialVersion, &u.HomeTenant,
			&created, &updated)
		if err != nil {
			return db.Classify(err)
		}
		u.Created, u.Updated = micros(created), micros(updated)
		fn(u)
		return nil
	})
}

func queryMemberships(ctx context.Context, tx *db.Tx, and string, args []any, fn func(app, user string, m Membership)) error {
	const q = "SELECT m.app, m.user_id, m.tenant, m.roles, m.created FROM auth_membership m WHERE 1 = 1 "
	return tx.Query(ctx, q+and+" ORDER BY m.created, m.tenant", args, func(scan func(...any) error) error {
		var app, user, roles string
		var m Membership
		var since int64
		if err := scan(&app, &user, &m.Tenant, &roles, &since); err != nil {
			return db.Classify(err)
		}
		r, err := policy.ParseRoles(roles)
		if err != nil {
			return err
		}
		m.Roles, m.Since = r&policy.TenantRoles, micros(since)
		fn(app, user, m)
		return nil
	})
}

// readAccount returns nil for a user who is not there.
func readAccount(ctx context.Context, tx *db.Tx, k key) (found *Account, err error) {
	err = queryUsers(ctx, tx, "AND u.app = ? AND u.id = ?", []any{k.app, k.id}, func(u User) { found = &Account{User: u} })
	if err != nil || found == nil {
		return nil, err
	}
	err = queryMemberships(ctx, tx, "AND m.app = ? AND m.user_id = ?", []any{k.app, k.id}, func(_, _ string, m Membership) {
		found.memberships = append(found.memberships, m)
	})
	return found, err
}

// one turns "no row" into the given error.
func one(err, missing error) error {
	if errors.Is(err, db.ErrNoRows) {
		return missing
	}
	return err
}
