package driver

import "context"

// SecretRow is the head of a secret: which versions it has. It outlives deletion, so that a version number is never used
// twice.
type SecretRow struct {
	App, Tenant, Name string
	ID                string
	Latest            int64  // the highest version there ever was
	Current           int64  // the version that is served; 0 after deletion
	Mark              []byte // authenticates this row and the version it serves (see keyring)
	CreatedAt         int64  // microseconds since 1970
	UpdatedAt         int64
}

// SecretVersion is one version of a secret, encrypted.
type SecretVersion struct {
	App, Tenant, Name string
	Version           int64
	ID                string
	KeyID             string // the tenant key it is encrypted under
	Algorithm         string
	Ciphertext        []byte
	Destinations      string // JSON array of origins, as bound into the ciphertext
	Metadata          string // JSON object of strings, likewise
	ExpiresAt         int64  // microseconds since 1970; 0 never
	CreatedAt         int64
	CreatedBy         string // the user id
}

// Secrets keeps secrets. Every method is about one app and one tenant.
type Secrets interface {
	// Secret returns the head of a secret, or [ErrNotFound]. A deleted secret's head is found too (Current is 0).
	Secret(ctx context.Context, app, tenant, name string) (SecretRow, error)
	// CurrentSecret returns the head of a secret and the version it serves, in one step. The version is the zero value if
	// the head serves none, or one that is not there.
	CurrentSecret(ctx context.Context, app, tenant, name string) (SecretRow, SecretVersion, error)
	// PutSecret writes the head of a secret, replacing the one there was.
	PutSecret(ctx context.Context, row SecretRow) error
	// ListSecrets returns up to limit heads with names after the given one, by name in byte order, without deleted ones.
	ListSecrets(ctx context.Context, app, tenant, after string, limit int) ([]SecretRow, error)
	// SecretVersion returns one version, or [ErrNotFound].
	SecretVersion(ctx context.Context, app, tenant, name string, version int64) (SecretVersion, error)
	// AddSecretVersion writes a version that must not exist yet (Conflict).
	AddSecretVersion(ctx context.Context, v SecretVersion) error
	// ListSecretVersions returns up to limit versions above the given one, in ascending order.
	ListSecretVersions(ctx context.Context, app, tenant, name string, above int64, limit int) ([]SecretVersion, error)
	// DeleteSecretVersions removes all versions of a secret. The head stays.
	DeleteSecretVersions(ctx context.Context, app, tenant, name string) error
}
