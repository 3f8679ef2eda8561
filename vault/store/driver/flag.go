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
	Version           int64  // rises by one with each write
	Kind, Value       string // a value as vault/internal/typed writes it
	CreatedAt         int64
	UpdatedAt         int64
}

// FlagSegmentRow is a named list of conditions that rules refer to. Its tenant is [Shared], as a flag's is.
type FlagSegmentRow struct {
	App, Tenant, Name string
	ID                string
	Version           int64  // rises by one with each write
	Definition        string // JSON
	CreatedAt         int64  // microseconds since 1970
	UpdatedAt         int64
}

// Kinds of a [FlagVersion].
const (
	FlagKindFlag     = "flag"
	FlagKindSegment  = "segment"
	FlagKindOverride = "override"
)

// FlagVersion is one version of a flag, of a segment or of a tenant's own value, and who made it. Versions outlive what they
// are of, so that a number is never used twice.
type FlagVersion struct {
	App, Tenant, Kind, Name string
	Version                 int64
	ID                      string
	Action                  string // what made it: "define", "set_rules", "delete", ...
	Body                    string // what it was; "" for a deletion
	CreatedAt               int64  // microseconds since 1970
	CreatedBy               string // the user id
}

// Flags keeps feature flags. Each write of a flag, a segment or an override is told to those who watch the store (see
// [Watcher]).
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
	// FlagSegment returns one segment, or [ErrNotFound].
	FlagSegment(ctx context.Context, app, tenant, name string) (FlagSegmentRow, error)
	// PutFlagSegment writes a segment, replacing the one there was.
	PutFlagSegment(ctx context.Context, row FlagSegmentRow) error
	// DeleteFlagSegment removes a segment, if there is one.
	DeleteFlagSegment(ctx context.Context, app, tenant, name string) error
	// ListFlagSegments returns up to limit segments with names after the given one, by name in byte order.
	ListFlagSegments(ctx context.Context, app, tenant, after string, limit int) ([]FlagSegmentRow, error)
	// AddFlagVersion writes a version that must not exist yet (Conflict).
	AddFlagVersion(ctx context.Context, v FlagVersion) error
	// FlagVersion returns one version, or [ErrNotFound].
	FlagVersion(ctx context.Context, app, tenant, kind, name string, version int64) (FlagVersion, error)
	// LatestFlagVersion returns the version with the highest number, or [ErrNotFound].
	LatestFlagVersion(ctx context.Context, app, tenant, kind, name string) (FlagVersion, error)
	// ListFlagVersions returns up to limit versions above the given one, in ascending order.
	ListFlagVersions(ctx context.Context, app, tenant, kind, name string, above int64, limit int) ([]FlagVersion, error)
	// DeleteFlagVersions removes the versions up to and including one.
	DeleteFlagVersions(ctx context.Context, app, tenant, kind, name string, upTo int64) error
}
