package driver

import "context"

// KeyRow is a tenant's data key, wrapped by the root key.
type KeyRow struct {
	App, Tenant string
	ID          string
	RootID      string // the root key that wraps it
	Wrapped     []byte
	Primary     bool // new values are encrypted under it
	CreatedAt   int64
}

// RootRow lets the keyring find out whether a root key fits the data before it serves anything.
type RootRow struct {
	RootID    string
	Check     []byte
	CreatedAt int64
}

// Keys keeps wrapped keys.
type Keys interface {
	// Root returns the check row, or [ErrNotFound] in a fresh store.
	Root(ctx context.Context) (RootRow, error)
	// PutRoot writes the check row, replacing the one there was.
	PutRoot(ctx context.Context, row RootRow) error
	// HasKeys reports whether any tenant of any app has a key.
	HasKeys(ctx context.Context) (bool, error)
	// Key returns one key of a tenant, or [ErrNotFound].
	Key(ctx context.Context, app, tenant, id string) (KeyRow, error)
	// PrimaryKey returns the key for new values, or [ErrNotFound].
	PrimaryKey(ctx context.Context, app, tenant string) (KeyRow, error)
	// PutKey writes a key. A primary one takes that place from the key that had it.
	PutKey(ctx context.Context, row KeyRow) error
}
