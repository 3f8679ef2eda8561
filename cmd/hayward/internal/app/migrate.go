package app

import (
	"context"
	"errors"

	"github.com/haywardhq/hayward/db"
)

// Migrations brings a database up to date, or with status alone changes nothing, and returns what was done and what is left.
// An SQLite database is claimed by its data directory; a PostgreSQL database may be in use: writers wait while it is migrated.
func Migrations(ctx context.Context, s Settings, statusOnly bool) (out []db.SchemaStatus, err error) {
	v := newVault(s)
	defer func() { err = errors.Join(err, v.Close()) }()
	if s.Postgres != nil {
		v.DB, err = db.OpenPostgres(ctx, *s.Postgres)
	} else {
		err = v.openDatabase(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	if !statusOnly {
		if err := v.DB.Migrate(ctx, Schemas()...); err != nil {
			return nil, err
		}
	}
	return v.DB.MigrationStatus(ctx, Schemas()...)
}
