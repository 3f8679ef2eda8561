package identity

import (
	"context"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
)

// CreateUser creates a user in app. The name must be free, also of names that look the same.
func (s *Store) CreateUser(ctx context.Context, app string, n NewUser) (User, error) {
	name, err := CanonicalName(n.Name)
	if err = firstError(named(app), err, checkText("full_name", n.FullName, maxTextBytes), checkEmail(n.Email)); err != nil {
		return User{}, err
	}
	id := newID("usr")
	var made *Account
	err = s.write(ctx, func(c *change) error {
		if err := requireApp(ctx, c.Tx, app); err != nil {
			return err
		}
		c.users = append(c.users, key{app, id})
		_, err := c.Exec(ctx, "INSERT INTO auth_user (app, id, name, skeleton, full_name, email, password_hash, operator, disabled, "+
			"credential_version, home_tenant, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 1, '', ?, ?)",
			app, id, name, skeleton(name), n.FullName, n.Email, n.PasswordHash, n.Operator, c.Now(), c.Now())
		if err != nil {
			return conflict(err, "there is already a user with this name or one that looks the same")
		}
		made, err = readAccount(ctx, c.Tx, key{app, id})
		return err
	})
	if err != nil {
		return User{}, err
	}
	return made.User, nil
}

// GetUser returns a living user.
func (s *Store) GetUser(_ context.Context, app, user string) (User, error) {
	if a, ok := s.Account(app, user); ok {
		return a.User, nil
	}
	return User{}, noUser()
}

// UserByName returns the living user of that name, in any spelling.
func (s *Store) UserByName(ctx context.Context, app, name string) (User, error) {
	u, _, err := s.Credential(ctx, app, name)
	return u, err
}

// Credential returns the living user of that name with the stored password hash, "" if there is none. The hash is for
// package password only.
func (s *Store) Credential(ctx context.Context, app, name string) (u User, hash string, err error) {
	canon, err := CanonicalName(name)
	if err != nil || app == "" {
		return User{}, "", noUser()
	}
	err = s.view(ctx, func(tx *db.Tx) error {
		err := queryUsers(ctx, tx, "AND u.app = ? AND u.name = ?", []any{app, canon}, func(have User) { u = have })
		if err != nil || u.ID == "" {
			return firstError(err, noUser())
		}
		return tx.QueryRow(ctx, "SELECT password_hash FROM auth_user WHERE app = ? AND id = ?", []any{app, u.ID}, &hash)
	})
	if err != nil {
		return User{}, "", err
	}
	return u, hash, nil
}

// ListUsers returns a page of the app's living users.
func (s *Store) ListUsers(ctx context.Context, app string, p Page) (out []User, err error) {
	if err := named(app); err != nil {
		return nil, err
	}
	err = s.view(ctx, func(tx *db.Tx) error {
		return queryUsers(ctx, tx, "AND u.app = ? AND u.id > ? ORDER BY u.id LIMIT ?", []any{app, p.After, p.limit()},
			func(u User) { out = append(out, u) })
	})
	return out, err
}

// UpdateUser changes what ch names. Setting HomeTenant requires membership.
func (s *Store) UpdateUser(ctx context.Context, app, user string, ch UserChange) error {
	return s.editUser(ctx, app, user, func(c *change, a *Account) error {
		full, email, home := a.FullName, a.Email, a.HomeTenant
		if ch.FullName != nil {
			full = *ch.FullName
		}
		if ch.Email != nil {
			email = *ch.Email
		}
		if ch.HomeTenant != nil {
			home = *ch.HomeTenant
			if a.Roles(home) == 0 || home == "" {
				return noTenant()
			}
		}
		if err := firstError(checkText("full_name", full, maxTextBytes), checkEmail(email)); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "UPDATE auth_user SET full_name = ?, email = ?, home_tenant = ?, updated = ? WHERE app = ? AND id = ?",
			full, email, home, c.Now(), app, user)
		return err
	})
}

// SetUserDisabled disables a user or enables one. Disabling ends every token the user has, for good.
func (s *Store) SetUserDisabled(ctx context.Context, app, user string, disabled bool) error {
	return s.editUser(ctx, app, user, func(c *change, a *Account) error {
		version := a.CredentialVersion
		if disabled && !a.Disabled {
			version++
		}
		_, err := c.Exec(ctx, "UPDATE auth_user SET disabled = ?, credential_version = ?, updated = ? WHERE app = ? AND id = ?",
			disabled, version, c.Now(), app, user)
		return err
	})
}

// SetPasswordHash gives a user another password and ends every token the user has.
func (s *Store) SetPasswordHash(ctx context.Context, app, user, hash string) error {
	return s.editUser(ctx, app, user, func(c *change, _ *Account) error {
		_, err := c.Exec(ctx, "UPDATE auth_user SET password_hash = ?, credential_version = credential_version + 1, updated = ? "+
			"WHERE app = ? AND id = ?", hash, c.Now(), app, user)
		return err
	})
}

// ReplaceHash stores a stronger hash of the same password, if the old hash is still the stored one. Tokens live on.
func (s *Store) ReplaceHash(ctx context.Context, app, user, old, hash string) error {
	return s.editUser(ctx, app, user, func(c *change, _ *Account) error {
		n, err := c.Exec(ctx, "UPDATE auth_user SET password_hash = ? WHERE app = ? AND id = ? AND password_hash = ?",
			hash, app, user, old)
		if err == nil && n == 0 {
			return fault.New(fault.Conflict, "the password was changed meanwhile")
		}
		return err
	})
}

// EndTokens ends every token the user has: "log out everywhere".
func (s *Store) EndTokens(ctx context.Context, app, user string) error {
	return s.editUser(ctx, app, user, func(c *change, _ *Account) error {
		_, err := c.Exec(ctx, "UPDATE auth_user SET credential_version = credential_version + 1, updated = ? WHERE app = ? AND id = ?",
			c.Now(), app, user)
		return err
	})
}

// DeleteUser ends a user, the memberships and the password. The id is never given out again; the name is free for
// somebody else, to whom nothing of this user belongs.
func (s *Store) DeleteUser(ctx context.Context, app, user string) error {
	return s.editUser(ctx, app, user, func(c *change, _ *Account) error {
		if _, err := c.Exec(ctx, "DELETE FROM auth_membership WHERE app = ? AND user_id = ?", app, user); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "UPDATE auth_user SET deleted = ?, updated = ?, password_hash = '', full_name = '', email = '', "+
			"home_tenant = '', credential_version = credential_version + 1 WHERE app = ? AND id = ?", c.Now(), c.Now(), app, user)
		return err
	})
}

// editUser runs fn with the user as it is inside the transaction.
func (s *Store) editUser(ctx context.Context, app, user string, fn func(*change, *Account) error) error {
	if err := named(app, user); err != nil {
		return err
	}
	return s.write(ctx, func(c *change) error {
		k := key{app, user}
		a, err := readAccount(ctx, c.Tx, k)
		if err != nil {
			return err
		}
		if a == nil {
			return noUser()
		}
		c.users = append(c.users, k)
		return fn(c, a)
	})
}
