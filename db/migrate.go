package db

import (
	"context"
	"database/sql"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/haywardhq/hayward/fault"
)

// Schema is one room's migrations: numbered .sql files for goose, in the root of FS. Name is part of the table that
// remembers which of them ran, so it must never change.
type Schema struct {
	Name string
	FS   fs.FS
}

// Migrate brings the tables of each schema up to date, in the order given. A database that is newer than this program
// is refused.
func (d *DB) Migrate(ctx context.Context, schemas ...Schema) error {
	for _, s := range schemas {
		if err := d.migrate(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (d *DB) migrate(ctx context.Context, s Schema) error {
	// The writer's connection is taken; this one waits for it as any other process would.
	pool, err := sql.Open("sqlite", dsn(d.path, "_txlock=immediate"))
	if err != nil {
		return Classify(err)
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	p, err := goose.NewProvider(goose.DialectSQLite3, pool, s.FS, goose.WithTableName("schema_"+s.Name),
		goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the migrations of %s cannot be read", s.Name)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return Classify(err)
	}
	newest := int64(0)
	for _, src := range p.ListSources() {
		newest = max(newest, src.Version)
	}
	if have > newest {
		return fault.New(fault.Unavailable, "the database was written by a newer version of this program (%s is at %d, this program knows %d)",
			s.Name, have, newest).WithHint("install the newer version again, or restore a backup made with this one")
	}
	if _, err := p.Up(ctx); err != nil {
		return fault.Wrap(fault.Internal, err, "a migration of %s failed; the database is as it was before it", s.Name)
	}
	return nil
}
