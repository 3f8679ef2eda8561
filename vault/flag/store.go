package flag

import (
	"context"
)

// Store keeps flags. The stores of this wing have these methods (see [Table]); an engine takes any that do. What a Get or a
// Delete does not find is an error that errors.Is vault.ErrFlagNotFound or vault.ErrOverrideNotFound.
type Store interface {
	// DefineFlag creates a flag or changes its definition; the rules stay.
	DefineFlag(ctx context.Context, f *Definition) error
	// GetFlagDefinition returns a flag's definition.
	GetFlagDefinition(ctx context.Context, key, appID string) (*Definition, error)
	// ListFlagDefinitions returns an app's flags by key.
	ListFlagDefinitions(ctx context.Context, appID string, opts ListOpts) ([]*Definition, error)
	// DeleteFlagDefinition removes a flag, its rules and every tenant's own value.
	DeleteFlagDefinition(ctx context.Context, key, appID string) error
	// SetFlagRules replaces a flag's rules.
	SetFlagRules(ctx context.Context, key, appID string, rules []*Rule) error
	// GetFlagRules returns a flag's rules by priority, equal ones in the order given.
	GetFlagRules(ctx context.Context, key, appID string) ([]*Rule, error)
	// SetFlagTenantOverride sets the value a flag has for one tenant.
	SetFlagTenantOverride(ctx context.Context, key, appID, tenantID string, value any) error
	// GetFlagTenantOverride returns the value a flag has for one tenant.
	GetFlagTenantOverride(ctx context.Context, key, appID, tenantID string) (any, error)
	// DeleteFlagTenantOverride removes the value a flag has for one tenant.
	DeleteFlagTenantOverride(ctx context.Context, key, appID, tenantID string) error
	// ListFlagTenantOverrides returns the values a flag has for tenants, by tenant.
	ListFlagTenantOverrides(ctx context.Context, key, appID string) ([]*TenantOverride, error)
}
