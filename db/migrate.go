package db

import (
	"context"
	"database/sql"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/haywardhq/hayward/fault"
)

// Schema is one room's migrations: numbered .sql files for goose, in the root of FS. Name is part of the table that
// remembers which of them ran, so it must never change.
type Schema struct {
	Name string
	FS   fs.FS
	// Fenced, if not "", is how the names of tables begin that get a second fence on PostgreSQL: row-level security by
	// their columns app and tenant, see [Tx.Fence]. Tables without a column tenant get none.
	Fenced string
}

var schemaName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)

func (s Schema) table() string { return "schema_" + s.Name }

// Migrate brings the tables of each schema up to date, in the order given. Of several processes that do it at once, one
// does and the others wait. A database that is newer than this program is refused.
func (d *DB) Migrate(ctx context.Context, schemas ...Schema) error {
	for _, s := range schemas {
		if !schemaName.MatchString(s.Name) {
			return fault.New(fault.Internal, "%q cannot be the name of a schema", s.Name)
		}
	}
	return d.engine.migrate(ctx, schemas)
}

// Migration is one file of a schema.
type Migration struct {
	Version int64
	Name    string    // of the file; "" for one that a newer version of this program has run
	Applied time.Time // zero: pending
}

// SchemaStatus is what was done of a schema and what is left to do.
type SchemaStatus struct {
	Schema     string
	Migrations []Migration // by version
}

// Pending returns how many migrations have not run.
func (s SchemaStatus) Pending() (n int) {
	for _, m := range s.Migrations {
		if m.Applied.IsZero() {
			n++
		}
	}
	return n
}

// Newer reports whether a newer version of this program has migrated the schema.
func (s SchemaStatus) Newer() bool {
	return slices.ContainsFunc(s.Migrations, func(m Migration) bool { return m.Name == "" })
}

// MigrationStatus returns which migrations of each schema ran and which did not. It changes nothing.
func (d *DB) MigrationStatus(ctx context.Context, schemas ...Schema) ([]SchemaStatus, error) {
	out := make([]SchemaStatus, 0, len(schemas))
	for _, s := range schemas {
		if !schemaName.MatchString(s.Name) {
			return nil, fault.New(fault.Internal, "%q cannot be the name of a schema", s.Name)
		}
		st, err := d.migrationStatus(ctx, s)
		if err != nil {
			return nil, Classify(err)
		}
		out = append(out, st)
	}
	return out, nil
}

func (d *DB) migrationStatus(ctx context.Context, s Schema) (SchemaStatus, error) {
	applied, err := d.engine.migrations(ctx, s)
	if err != nil {
		return SchemaStatus{}, err
	}
	names, err := fs.Glob(s.FS, "*.sql")
	if err != nil {
		return SchemaStatus{}, err
	}
	for _, name := range names {
		v, err := goose.NumericComponent(name)
		if err != nil {
			return SchemaStatus{}, fault.Wrap(fault.Internal, err, "the migrations of %s cannot be read", s.Name)
		}
		i := slices.IndexFunc(applied, func(m Migration) bool { return m.Version == v })
		if i < 0 {
			i, applied = len(applied), append(applied, Migration{Version: v})
		}
		applied[i].Name = path.Base(name)
	}
	slices.SortFunc(applied, func(a, b Migration) int { return int(a.Version - b.Version) })
	return SchemaStatus{s.Name, applied}, nil
}

// readMigrations reads what goose wrote down; the table exists.
func readMigrations(ctx context.Context, pool *sql.DB, s Schema) (out []Migration, err error) {
	rows, err := pool.QueryContext(ctx, "SELECT version_id, tstamp FROM "+s.table()+" WHERE version_id > 0 ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var m Migration
		if err := rows.Scan(&m.Version, &m.Applied); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

func (e *sqlite) migrations(ctx context.Context, s Schema) ([]Migration, error) {
	var n int
	if err := e.reads.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = ?", s.table()).Scan(&n); err != nil || n == 0 {
		return nil, err
	}
	return readMigrations(ctx, e.reads, s)
}

func (e *sqlite) migrate(ctx context.Context, schemas []Schema) error {
	// The writer's connection is taken; this one waits for it as any other process would.
	pool, err := sql.Open("sqlite", dsn(e.file, "_txlock=immediate"))
	if err != nil {
		return Classify(err)
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	for _, s := range schemas {
		p, err := goose.NewProvider(goose.DialectSQLite3, pool, s.FS, goose.WithTableName(s.table()), goose.WithDisableGlobalRegistry(true))
		if err != nil {
			return fault.Wrap(fault.Internal, err, "the migrations of %s cannot be read", s.Name)
		}
		if err := up(ctx, p, s); err != nil {
			return err
		}
	}
	return nil
}

// up runs what is pending, unless the database is newer.
func up(ctx context.Context, p *goose.Provider, s Schema) error {
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
