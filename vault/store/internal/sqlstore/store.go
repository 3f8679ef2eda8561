package sqlstore

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/override"
	"github.com/haywardhq/hayward/vault/rotation"
	"github.com/haywardhq/hayward/vault/store/driver"
)

//go:embed migrations/*.sql
var files embed.FS

// Schema returns the vault's tables, for db.DB.Migrate.
func Schema() db.Schema {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic("sqlstore: the migrations are not embedded: " + err.Error())
	}
	return db.Schema{Name: "vault", FS: sub, Fenced: "vault_"}
}

// Store is a vault store in a database. It is safe for concurrent use. Besides the transactions it has the documented
// methods of flags, config, overrides and rotations, which read the app from the scope.
type Store struct {
	*flags
	*configs
	*overrides
	*audits
	*rotations

	db *db.DB
}

type (
	flags     = flag.Table
	configs   = config.Table
	overrides = override.Table
	audits    = audit.Table
	rotations = rotation.Table
)

// New returns a store in d, whose tables must exist: see [Store.Migrate] or [Schema]. Closing d is its owner's business.
func New(d *db.DB) *Store {
	s := &Store{db: d}
	s.flags, s.configs, s.overrides = flag.NewTable(s), config.NewTable(s), override.NewTable(s)
	s.audits = audit.NewTable(s)
	s.rotations = rotation.NewTable(s)
	return s
}

// Migrate creates the vault's tables or brings them up to date.
func (s *Store) Migrate(ctx context.Context) error { return s.db.Migrate(ctx, Schema()) }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// View runs fn in a read transaction.
func (s *Store) View(ctx context.Context, fn func(driver.Tx) error) error {
	return s.db.View(ctx, func(t *db.Tx) error { return fn(s.In(t)) })
}

// Update runs fn in the write transaction and returns once it is on disk.
func (s *Store) Update(ctx context.Context, fn func(driver.Tx) error) error {
	return s.db.Update(ctx, func(t *db.Tx) error { return fn(s.In(t)) })
}

// UpdateRelaxed implements driver.Relaxer.
func (s *Store) UpdateRelaxed(ctx context.Context, fn func(driver.Tx) error) error {
	return s.db.UpdateRelaxed(ctx, func(t *db.Tx) error { return fn(s.In(t)) })
}

// StartRelaxed implements driver.Relaxer.
func (s *Store) StartRelaxed(ctx context.Context, fn func(driver.Tx) error, then func(error)) {
	s.db.StartRelaxed(ctx, func(t *db.Tx) error { return fn(s.In(t)) }, then)
}

// Now implements driver.Relaxer.
func (s *Store) Now() int64 { return s.db.Now() }

// BeforeClose implements driver.Relaxer.
func (s *Store) BeforeClose(fn func()) { s.db.BeforeClose(fn) }

// Forgets implements driver.Relaxer.
func (s *Store) Forgets() bool { return s.db.Remote() }

// In returns the vault's side of a transaction that somebody else began in the same database. It is valid as long as t is.
func (s *Store) In(t *db.Tx) driver.Tx { return &tx{t} }

// tx gives a db.Tx the methods of each noun; they are in the file of that noun's name.
type tx struct{ t *db.Tx }

func (x *tx) Now() int64                           { return x.t.Now() }
func (x *tx) AfterCommit(key any, fn func() error) { x.t.AfterCommit(key, fn) }

// row reads one row into dest, or returns driver.ErrNotFound.
func (x *tx) row(ctx context.Context, query string, args []any, dest ...any) error {
	err := x.t.QueryRow(ctx, query, args, dest...)
	if errors.Is(err, db.ErrNoRows) {
		return driver.ErrNotFound
	}
	return err
}

func (x *tx) exec(ctx context.Context, query string, args ...any) error {
	_, err := x.t.Exec(ctx, query, args...)
	return err
}

// topic is where the database tells of changes, to every store over it.
const topic = "vault"

// Watch has fn called with each change of flags and config made through this database, see driver.Watcher.
func (s *Store) Watch(fn func(driver.Change)) (stop func()) {
	return s.db.Listen(topic, func(m db.Message) { fn(readChange(m)) })
}

// readChange reads what write sent. What it does not understand, as from a newer version, may be about anything.
func readChange(m db.Message) driver.Change {
	var f [4]string
	if m.Resync || json.Unmarshal([]byte(m.Body), &f) != nil {
		return driver.Change{Noun: driver.NounEverything}
	}
	return driver.Change{Noun: f[0], App: f[1], Tenant: f[2], Name: f[3]}
}

func change(noun, app, tenant, name string) driver.Change {
	return driver.Change{Noun: noun, App: app, Tenant: tenant, Name: name}
}

// own is the first line of each method that is about one tenant: neither app nor tenant may be missing, and the statements
// that follow reach nobody else's rows (see db.Tx.Fence). A method without it finds nothing on PostgreSQL.
func (x *tx) own(app, tenant string) error {
	if err := driver.Args(app, tenant); err != nil {
		return err
	}
	x.t.Fence(app, tenant)
	return nil
}

// anyTenant stands for every tenant of an app, in own.
const anyTenant = db.Everywhere

// everyTenant is own for the methods that cross the tenants of an app.
func (x *tx) everyTenant(app string) error { return x.own(app, anyTenant) }

// everywhere is own for the methods that cross apps.
func (x *tx) everywhere() { x.t.Fence(db.Everywhere, db.Everywhere) }

// write runs one statement about one tenant and tells of the change once it is on disk.
func (x *tx) write(ctx context.Context, c driver.Change, query string, args ...any) error {
	if err := x.own(c.App, c.Tenant); err != nil {
		return err
	}
	return x.tell(ctx, c, query, args)
}

// writeEveryTenant is write over the tenants of an app.
func (x *tx) writeEveryTenant(ctx context.Context, c driver.Change, query string, args ...any) error {
	if err := x.everyTenant(c.App); err != nil {
		return err
	}
	return x.tell(ctx, c, query, args)
}

func (x *tx) tell(ctx context.Context, c driver.Change, query string, args []any) error {
	if err := x.exec(ctx, query, args...); err != nil {
		return err
	}
	body, err := json.Marshal([4]string{c.Noun, c.App, c.Tenant, c.Name})
	if err != nil {
		return fault.Wrap(fault.Internal, err, "a change cannot be told")
	}
	x.t.Notify(topic, string(body))
	return nil
}

// list reads rows of one owner.
func list[R any](ctx context.Context, x *tx, app, tenant string, dest func(*R) []any, query string, args ...any) ([]R, error) {
	if err := x.own(app, tenant); err != nil {
		return nil, err
	}
	return all(ctx, x, dest, query, args)
}

// listEveryTenant is list over the tenants of an app.
func listEveryTenant[R any](ctx context.Context, x *tx, app string, dest func(*R) []any, query string, args ...any) ([]R, error) {
	if err := x.everyTenant(app); err != nil {
		return nil, err
	}
	return all(ctx, x, dest, query, args)
}

// listEverywhere is list over every app.
func listEverywhere[R any](ctx context.Context, x *tx, dest func(*R) []any, query string, args ...any) ([]R, error) {
	x.everywhere()
	return all(ctx, x, dest, query, args)
}

func all[R any](ctx context.Context, x *tx, dest func(*R) []any, query string, args []any) (out []R, err error) {
	err = x.t.Query(ctx, query, args, func(scan func(...any) error) error {
		var r R
		if err := scan(dest(&r)...); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

// blob keeps nil out of NOT NULL columns.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
