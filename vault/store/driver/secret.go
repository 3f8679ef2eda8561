package driver

import "context"

// NounSecret is the noun of a [Change] of a secret.
const NounSecret = "secret"

// SecretRow is the head of a secret: which versions it has. It outlives deletion, so that a version number is never used
// twice.
type SecretRow struct {
	App, Tenant, Name string
	ID                string
	Latest            int64  // the highest version there ever was
	Current           int64  // the version that is served; 0 after deletion
	Pending           int64  // the version that is written and not served yet; 0 none
	MaxVersions       int64  // how many versions are kept; 0 the service's default
	Versions          string // JSON: each version's state; empty in rows of earlier programs (see secret)
	Revision          int64  // the tenant's revision this row was written at (see [LedgerRow]); 0 in rows of earlier programs
	DueAt             int64  // when deleted versions become due for destruction, in microseconds since 1970; 0 never
	Mark              []byte // authenticates this row and the version it serves (see keyring)
	MarkKey           string // the tenant key of Mark
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
	Lifetime          int64  // microseconds that each version lives; 0: ExpiresAt is a moment of its own
	CreatedAt         int64
	CreatedBy         string // the user id
}

// LedgerRow is a part of a tenant's ledger: which revision each head was last written at, authenticated apart from the
// heads. The root is [LedgerRoot] and holds the revision of each other part.
type LedgerRow struct {
	App, Tenant string
	Part        int64
	Revision    int64 // the tenant's revision when the part was last written
	Entries     []byte
	Mark        []byte
	MarkKey     string
}

// LedgerRoot is the number of the part that holds the others' revisions.
const LedgerRoot = -1

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
	// ListDeletedSecrets is [Secrets.ListSecrets] for those that serve no version.
	ListDeletedSecrets(ctx context.Context, app, tenant, after string, limit int) ([]SecretRow, error)
	// ListDueSecrets returns up to limit heads whose DueAt is set and not after a moment, by name.
	ListDueSecrets(ctx context.Context, app, tenant string, until int64, limit int) ([]SecretRow, error)
	// SecretVersion returns one version, or [ErrNotFound].
	SecretVersion(ctx context.Context, app, tenant, name string, version int64) (SecretVersion, error)
	// AddSecretVersion writes a version that must not exist yet (Conflict).
	AddSecretVersion(ctx context.Context, v SecretVersion) error
	// ReplaceSecretVersion gives a version that exists another ciphertext, algorithm and key. Nothing else changes.
	ReplaceSecretVersion(ctx context.Context, v SecretVersion) error
	// ListSecretVersions returns up to limit versions above the given one, in ascending order.
	ListSecretVersions(ctx context.Context, app, tenant, name string, above int64, limit int) ([]SecretVersion, error)
	// DestroySecretVersion overwrites the ciphertext of one version and removes the row. One that is not there is no error.
	DestroySecretVersion(ctx context.Context, app, tenant, name string, version int64) error
	// DeleteSecretVersions removes all versions of a secret. The head stays.
	DeleteSecretVersions(ctx context.Context, app, tenant, name string) error
	// StaleSecrets returns up to limit heads with names after the given one, by name, that are marked under another key than
	// keyID or have a version encrypted under another.
	StaleSecrets(ctx context.Context, app, tenant, keyID, after string, limit int) ([]SecretRow, error)
	// CountStaleSecrets returns how many heads [Secrets.StaleSecrets] would return from the first name on and without a limit.
	CountStaleSecrets(ctx context.Context, app, tenant, keyID string) (int64, error)

	// LockSecrets makes other transactions that call it for this owner wait for this one to end. What was read before the call
	// may be outdated after it.
	LockSecrets(ctx context.Context, app, tenant string) error
	// Ledger returns a part of a tenant's ledger, or [ErrNotFound].
	Ledger(ctx context.Context, app, tenant string, part int64) (LedgerRow, error)
	// ListLedger returns a tenant's ledger by part; the root comes first.
	ListLedger(ctx context.Context, app, tenant string) ([]LedgerRow, error)
	// PutLedger writes a part of a tenant's ledger, replacing the one there was.
	PutLedger(ctx context.Context, row LedgerRow) error
}
