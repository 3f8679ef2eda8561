package host

import (
	"context"
	"time"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
)

// Glasses opens, closes and lists break-glasses for callers who name tenants by their slugs. See audit.Glass for what one
// allows, which is little.
type Glasses struct {
	Service *audit.Service
	Gate    audit.Gate
	Tenants *identity.Store
}

// tenant turns a slug into an id. A tenant that the caller cannot mean is recorded like any other miss.
func (g *Glasses) tenant(ctx context.Context, action, slug string) (string, error) {
	c, err := scope.Lenient(ctx)
	if err != nil {
		return "", err
	}
	t, missing := tenantOf(g.Tenants, c, slug)
	if missing == nil {
		return t.ID, nil
	}
	entry, err := g.Gate.Enter(ctx, audit.Request{Caller: c, Action: action, Resource: "audit", Operator: c.Tenant == ""})
	if err != nil {
		return "", err
	}
	return "", entry.EndErr(ctx, missing)
}

// BreakGlass opens a break-glass for a tenant; for an operator, who says why.
func (g *Glasses) BreakGlass(ctx context.Context, slug, reason string, d time.Duration) (audit.Glass, error) {
	id, err := g.tenant(ctx, "audit.break_glass.open", slug)
	if err != nil {
		return audit.Glass{}, err
	}
	return g.Service.BreakGlass(ctx, audit.GlassRequest{Tenant: id, Reason: reason, For: d})
}

// CloseGlass closes a tenant's open break-glass before its time; for an operator.
func (g *Glasses) CloseGlass(ctx context.Context, slug string) (audit.Glass, error) {
	id, err := g.tenant(ctx, "audit.break_glass.close", slug)
	if err != nil {
		return audit.Glass{}, err
	}
	return g.Service.CloseGlass(ctx, id)
}

// List returns a tenant's break-glasses, newest first: the caller's own, or for an operator those of the slug.
func (g *Glasses) List(ctx context.Context, slug string) ([]audit.Glass, error) {
	id, err := g.tenant(ctx, "audit.break_glass.list", slug)
	if err != nil {
		return nil, err
	}
	return g.Service.Glasses(ctx, id)
}
