package postgres

import (
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/vault/store/internal/sqlstore"
)

// Store is a vault store in a database. It is safe for concurrent use. Besides the transactions it has the documented
// methods of flags, config and overrides, which read the app from the scope.
type Store = sqlstore.Store

// Schema returns the vault's tables, for db.DB.Migrate.
func Schema() db.Schema { return sqlstore.Schema() }

// New returns a store in d, whose tables must exist: see Store.Migrate or [Schema]. Closing d is its owner's business.
func New(d *db.DB) *Store { return sqlstore.New(d) }
