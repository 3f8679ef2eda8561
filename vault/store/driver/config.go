package driver

import "context"

// ConfigRow is the head of a config entry: which versions it has. The entry of the whole app has the tenant [Shared]; a
// tenant's own is an override of it. The head outlives deletion, so that a version number is never used twice.
type ConfigRow struct {
	App, Tenant, Name string
	ID                string
	Latest            int64  // the highest version there ever was
	Current           int64  // the version that is served; 0 after deletion
	Schema            string // of a shared head: the JSON Schema every value of this name must fit; "" none
	CreatedAt         int64  // microseconds since 1970
	UpdatedAt         int64
}

// ConfigVersion is one version of a config entry.
type ConfigVersion struct {
	App, Tenant, Name string
	Version           int64
	ID                string
	Kind, Value       string // a value as vault/internal/typed writes it
	ValueType         string // the type as callers see it
	Description       string
	Metadata          string // JSON object of strings
	CreatedAt         int64
	CreatedBy         string // the user id
}

// Configs keeps config entries and overrides of them. Each write is told to those who watch the store (see [Watcher]).
type Configs interface {
	// Config returns the head of an entry and the version it serves, or [ErrNotFound]. The version is the zero value after
	// deletion.
	Config(ctx context.Context, app, tenant, name string) (ConfigRow, ConfigVersion, error)
	// PutConfig writes the head of an entry, replacing the one there was.
	PutConfig(ctx context.Context, row ConfigRow) error
	// ListConfigs returns up to limit heads with names after the given one, by name in byte order, without deleted ones.
	ListConfigs(ctx context.Context, app, tenant, after string, limit int) ([]ConfigRow, error)
	// ListConfigsEveryTenant returns up to limit heads of one name, of tenants after the given one, by tenant in byte order,
	// without deleted ones. The shared head is not among them.
	ListConfigsEveryTenant(ctx context.Context, app, name, after string, limit int) ([]ConfigRow, error)
	// ConfigVersion returns one version, or [ErrNotFound].
	ConfigVersion(ctx context.Context, app, tenant, name string, version int64) (ConfigVersion, error)
	// AddConfigVersion writes a version that must not exist yet (Conflict).
	AddConfigVersion(ctx context.Context, v ConfigVersion) error
	// ListConfigVersions returns up to limit versions above the given one, in ascending order.
	ListConfigVersions(ctx context.Context, app, tenant, name string, above int64, limit int) ([]ConfigVersion, error)
	// DeleteConfigVersions removes the versions up to and including one. The head stays.
	DeleteConfigVersions(ctx context.Context, app, tenant, name string, upTo int64) error
}
