package driver

import "context"

// FlagRow is a feature flag: its definition and its rules. Today every flag belongs to the whole app: its tenant is [Shared].
type FlagRow struct {
	App, Tenant, Name string
	ID                string
	Version           int64  // rises by one with each write
	Definition        string // JSON
	Rules             string // JSON array, in the order they are tried
	CreatedAt         int64  // microseconds since 1970
	UpdatedAt         int64
}

// FlagOverrideRow is the value a flag has for one tenant.
type FlagOverrideRow struct {
	App, Tenant, Name string
	ID                string
	Kind, Value       string // a value as vault/internal/typed writes it
	CreatedAt         int64
	UpdatedAt         int64
}

// Flags keeps feature flags. Each write is told to those who watch the store (see [Watcher]).
type Flags interface {
	// Flag returns one flag, or [ErrNotFound].
	Flag(ctx context.Context, app, tenant, name string) (FlagRow, error)
	// PutFlag writes a flag, replacing the one there was.
	PutFlag(ctx context.Context, row FlagRow) error
	// DeleteFlag removes a flag, if there is one. Overrides stay: see DeleteFlagOverridesEveryTenant.
	DeleteFlag(ctx context.Context, app, tenant, name string) error
	// ListFlags returns up to limit flags with names after the given one, by name in byte order.
	ListFlags(ctx context.Context, app, tenant, after string, limit int) ([]FlagRow, error)
	// FlagOverride returns a tenant's own value, or [ErrNotFound].
	FlagOverride(ctx context.Context, app, tenant, name string) (FlagOverrideRow, error)
	// PutFlagOverride writes a tenant's own value, replacing the one there was.
	PutFlagOverride(ctx context.Context, row FlagOverrideRow) error
	// DeleteFlagOverride removes a tenant's own value, if there is one.
	DeleteFlagOverride(ctx context.Context, app, tenant, name string) error
	// ListFlagOverridesEveryTenant returns up to limit values of a flag for tenants after the given one, by tenant in byte
	// order.
	ListFlagOverridesEveryTenant(ctx context.Context, app, name, after string, limit int) ([]FlagOverrideRow, error)
	// DeleteFlagOverridesEveryTenant removes every tenant's value of a flag.
	DeleteFlagOverridesEveryTenant(ctx context.Context, app, name string) error
}
