package driver

import "context"

// KeyRow is a tenant's data key, wrapped by the root key.
type KeyRow struct {
	App, Tenant string
	ID          string
	RootID      string // the root key that wraps it; empty once the key was overwritten
	Wrapped     []byte
	Primary     bool // new values are encrypted under it
	CreatedAt   int64
}

// RootRow lets the keyring find out whether a root key fits the data before it serves anything, and remembers how far a
// change of the root key has come.
type RootRow struct {
	RootID    string
	Check     []byte
	CreatedAt int64

	Epoch     int64  // rises with each change of the root key
	Direct    bool   // things of the server may be wrapped directly by the root key, as early versions did
	NextID    string // the root key that keys are being rewrapped under; empty outside a change
	Next      []byte // that key, wrapped by RootID
	FormerID  string // the root key before RootID, until its provider has destroyed it
	Total     int64  // keys there were to rewrap when the change began
	ChangedAt int64  // when the last change began or ended, microseconds since 1970
}

// SystemKeyRow is a key of the server itself, wrapped by the root key. It belongs to no app and no tenant.
type SystemKeyRow struct {
	Purpose, ID string
	RootID      string
	Wrapped     []byte // of a retired key: nothing is inside
	Public      []byte // the public part of a signing key
	Primary     bool   // the one in use for its purpose
	CreatedAt   int64
	RetiredAt   int64 // 0 while in use
}

// ShredRow says that a tenant's keys are being, or were, destroyed. It stays for ever: the tenant gets no new keys.
type ShredRow struct {
	App, Tenant string
	ID          string
	State       string
	Reason      string
	RequestedBy string // the user id
	RequestedAt int64  // microseconds since 1970
	Checkpoint  string // the caller's reference into the audit record
	KeyIDs      string // JSON array of the ids of the destroyed keys
	EpochBefore int64
	RootBefore  string
	Target      string // the root key that made the former one worthless
	Receipt     string // JSON; empty until all is done
}

// Keys keeps wrapped keys. Each write of a tenant's keys, of the root row and of a shred row is told to those who watch the
// store (see [Watcher]); what belongs to the server is told under [Operator].
type Keys interface {
	// Root returns the check row, or [ErrNotFound] in a fresh store.
	Root(ctx context.Context) (RootRow, error)
	// PutRoot writes the check row, replacing the one there was.
	PutRoot(ctx context.Context, row RootRow) error
	// LockRoot makes other transactions that call it wait for this one to end, so that no key is made under a root key that
	// another transaction is replacing. What was read before the call may be outdated after it.
	LockRoot(ctx context.Context) error
	// HasKeys reports whether any tenant of any app has a key.
	HasKeys(ctx context.Context) (bool, error)

	// Key returns one key of a tenant, or [ErrNotFound].
	Key(ctx context.Context, app, tenant, id string) (KeyRow, error)
	// PrimaryKey returns the key for new values, or [ErrNotFound].
	PrimaryKey(ctx context.Context, app, tenant string) (KeyRow, error)
	// PutKey writes a key. A primary one takes that place from the key that had it.
	PutKey(ctx context.Context, row KeyRow) error
	// ListKeys returns a tenant's keys by id, which is the order they were made in.
	ListKeys(ctx context.Context, app, tenant string) ([]KeyRow, error)
	// DeleteKey removes a key, if there is one.
	DeleteKey(ctx context.Context, app, tenant, id string) error
	// KeyUses returns how many versions of a tenant's secrets and keys of its audit entries are encrypted under a key.
	KeyUses(ctx context.Context, app, tenant, id string) (int64, error)
	// ListKeysEverywhere returns up to limit keys after the given one, by app, tenant and id.
	ListKeysEverywhere(ctx context.Context, after KeyRow, limit int) ([]KeyRow, error)
	// ListKeysEverywhereBut is the first limit keys that are wrapped by another root key than the given one, and not
	// overwritten.
	ListKeysEverywhereBut(ctx context.Context, rootID string, limit int) ([]KeyRow, error)
	// CountKeysEverywhere counts the keys that are not overwritten: all, and those wrapped by the given root key.
	CountKeysEverywhere(ctx context.Context, rootID string) (all, under int64, err error)

	// SystemKey returns one key of the server, or [ErrNotFound].
	SystemKey(ctx context.Context, purpose, id string) (SystemKeyRow, error)
	// PrimarySystemKey returns the key in use for a purpose, or [ErrNotFound].
	PrimarySystemKey(ctx context.Context, purpose string) (SystemKeyRow, error)
	// AddSystemKey writes a key unless its id exists or it is primary and its purpose has a primary key already; it reports
	// whether it was written.
	AddSystemKey(ctx context.Context, row SystemKeyRow) (bool, error)
	// PutSystemKey replaces a key that exists.
	PutSystemKey(ctx context.Context, row SystemKeyRow) error
	// ListSystemKeys returns every key of the server by purpose, the time it was made, and id.
	ListSystemKeys(ctx context.Context) ([]SystemKeyRow, error)

	// Shred returns what became of a tenant's keys, or [ErrNotFound] if they were never destroyed.
	Shred(ctx context.Context, app, tenant string) (ShredRow, error)
	// PutShred writes it, replacing what there was.
	PutShred(ctx context.Context, row ShredRow) error
	// ListShredsEveryTenant returns up to limit rows of an app, of tenants after the given one.
	ListShredsEveryTenant(ctx context.Context, app, after string, limit int) ([]ShredRow, error)
	// ListShredsEverywhere returns every row whose state is the given one, in any app.
	ListShredsEverywhere(ctx context.Context, state string) ([]ShredRow, error)
}
