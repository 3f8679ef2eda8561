package identity

import (
	"context"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
)

// EnsureApp returns the app of that slug, creating it if need be. A server calls it at start with "default".
func (s *Store) EnsureApp(ctx context.Context, slug string) (App, error) {
	if err := CheckSlug(slug); err != nil {
		return App{}, err
	}
	app, err := s.AppBySlug(ctx, slug)
	if !fault.Is(err, fault.NotFound) {
		return app, err
	}
	err = s.write(ctx, func(c *change) error {
		_, err := c.Exec(ctx, "INSERT INTO auth_app (id, slug, created) VALUES (?, ?, ?)", newID("app"), slug, c.Now())
		return err
	})
	if err != nil && !fault.Is(err, fault.Conflict) { // a conflict: somebody else was faster, which is as good
		return App{}, err
	}
	return s.AppBySlug(ctx, slug)
}

// AppBySlug returns the app of that slug.
func (s *Store) AppBySlug(ctx context.Context, slug string) (App, error) {
	app := App{Slug: slug}
	var created int64
	err := s.view(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, "SELECT id, created FROM auth_app WHERE slug = ?", []any{slug}, &app.ID, &created)
	})
	if err != nil {
		return App{}, one(err, noApp())
	}
	app.Created = micros(created)
	return app, nil
}

// CreateTenant creates a tenant in app. The slug must be free and not reserved; an empty name means the slug.
func (s *Store) CreateTenant(ctx context.Context, app, slug, name string) (Tenant, error) {
	if name == "" {
		name = slug
	}
	if err := firstError(named(app), s.checkNewSlug(slug), checkText("name", name, maxTextBytes)); err != nil {
		return Tenant{}, err
	}
	id := newID("ten")
	var made *Tenant
	err := s.write(ctx, func(c *change) error {
		if err := requireApp(ctx, c.Tx, app); err != nil {
			return err
		}
		c.tenants = append(c.tenants, key{app, id})
		_, err := c.Exec(ctx, "INSERT INTO auth_tenant (app, id, slug, name, disabled, created, updated) VALUES (?, ?, ?, ?, 0, ?, ?)",
			app, id, slug, name, c.Now(), c.Now())
		if err != nil {
			return conflict(err, "there is already a tenant with the slug %q", slug)
		}
		made, err = readTenant(ctx, c.Tx, key{app, id})
		return err
	})
	if err != nil {
		return Tenant{}, err
	}
	return *made, nil
}

func requireApp(ctx context.Context, tx *db.Tx, app string) error {
	var n int
	return one(tx.QueryRow(ctx, "SELECT 1 FROM auth_app WHERE id = ?", []any{app}, &n), noApp())
}

// GetTenant returns a living tenant.
func (s *Store) GetTenant(_ context.Context, app, tenant string) (Tenant, error) {
	if t, ok := s.Tenant(app, tenant); ok {
		return *t, nil
	}
	return Tenant{}, noTenant()
}

// ListTenants returns a page of the app's living tenants.
func (s *Store) ListTenants(ctx context.Context, app string, p Page) (out []Tenant, err error) {
	if err := named(app); err != nil {
		return nil, err
	}
	err = s.view(ctx, func(tx *db.Tx) error {
		return queryTenants(ctx, tx, "AND app = ? AND id > ? ORDER BY id LIMIT ?", []any{app, p.After, p.limit()},
			func(t *Tenant) { out = append(out, *t) })
	})
	return out, err
}

// SetTenantDisabled suspends a tenant or lets it go on. Tokens for it are refused at once, and work again afterwards.
func (s *Store) SetTenantDisabled(ctx context.Context, app, tenant string, disabled bool) error {
	return s.editTenant(ctx, app, tenant, func(c *change) error {
		_, err := c.Exec(ctx, "UPDATE auth_tenant SET disabled = ?, updated = ? WHERE app = ? AND id = ?",
			disabled, c.Now(), app, tenant)
		return err
	})
}

// DeleteTenant ends a tenant and its memberships. Its id is never given out again; its slug is free for another tenant,
// to which nothing of this one belongs. What the tenant owned elsewhere is not this room's to delete.
func (s *Store) DeleteTenant(ctx context.Context, app, tenant string) error {
	return s.editTenant(ctx, app, tenant, func(c *change) error {
		err := queryMemberships(ctx, c.Tx, "AND m.app = ? AND m.tenant = ?", []any{app, tenant}, func(_, user string, _ Membership) {
			c.users = append(c.users, key{app, user})
		})
		if err != nil {
			return err
		}
		if _, err := c.Exec(ctx, "DELETE FROM auth_membership WHERE app = ? AND tenant = ?", app, tenant); err != nil {
			return err
		}
		for _, k := range c.users {
			if err := moveHome(ctx, c, app, tenant, k.id); err != nil {
				return err
			}
		}
		_, err = c.Exec(ctx, "UPDATE auth_tenant SET deleted = ?, updated = ? WHERE app = ? AND id = ?", c.Now(), c.Now(), app, tenant)
		return err
	})
}

// editTenant runs fn if the tenant is there.
func (s *Store) editTenant(ctx context.Context, app, tenant string, fn func(*change) error) error {
	if err := named(app, tenant); err != nil {
		return err
	}
	return s.write(ctx, func(c *change) error {
		k := key{app, tenant}
		t, err := readTenant(ctx, c.Tx, k)
		if err != nil {
			return err
		}
		if t == nil {
			return noTenant()
		}
		c.tenants = append(c.tenants, k)
		return fn(c)
	})
}

// conflict gives a broken unique index its sentence.
func conflict(err error, format string, args ...any) error {
	if fault.Is(err, fault.Conflict) {
		return fault.New(fault.Conflict, format, args...).WithHint("choose another one") // the database's words say no more
	}
	return err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
