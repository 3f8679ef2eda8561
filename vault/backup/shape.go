package backup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/keyring"
)

// shape is a table as its migrations make it.
type shape struct {
	name    string
	columns []column
}

type column struct {
	name    string
	kind    string // TEXT, INTEGER, BLOB or REAL
	notNull bool
	key     int64 // its place in the primary key, from 1; 0: it is not in it
}

// shapesOf asks an empty SQLite database, made for the purpose, what tables the migrations make: the one catalogue that does
// not differ between engines. The tables come in the order they were made in, so that one comes after those it refers to.
func shapesOf(ctx context.Context, schemas []db.Schema) (out []shape, err error) {
	dir, err := os.MkdirTemp("", "hayward-shape-")
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "there is no room for temporary files")
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d, err := db.OpenSQLite(ctx, filepath.Join(dir, "shape.db"), db.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.Migrate(ctx, schemas...); err != nil {
		return nil, err
	}
	err = d.View(ctx, func(tx *db.Tx) error {
		return tx.Query(ctx, `SELECT m.name, c.name, c.type, c."notnull", c.pk FROM sqlite_master m, pragma_table_info(m.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'schema\_%' ESCAPE '\' ORDER BY m.rowid, c.cid`, nil,
			func(scan func(...any) error) error {
				var name string
				var c column
				if err := scan(&name, &c.name, &c.kind, &c.notNull, &c.key); err != nil {
					return err
				}
				if c.kind, err = kindOf(name, c.name, c.kind); err != nil {
					return err
				}
				if len(out) == 0 || out[len(out)-1].name != name {
					out = append(out, shape{name: name})
				}
				last := &out[len(out)-1]
				last.columns = append(last.columns, c)
				return nil
			})
	})
	keys := keyring.KeyTables()
	return slices.DeleteFunc(out, func(t shape) bool { return slices.Contains(keys, t.name) }), err
}

// kindOf is a column's type as a backup knows it. One it does not know would lose its values.
func kindOf(table, column, declared string) (string, error) {
	switch kind := strings.ToUpper(declared); kind {
	case "BIGINT", "INT":
		return "INTEGER", nil
	case "TEXT", "INTEGER", "BLOB", "REAL":
		return kind, nil
	}
	return "", fault.New(fault.Internal, "the column %s of the table %s has the type %s, which a backup does not know", column, table, declared)
}

func (t *shape) names() string {
	var out []string
	for _, c := range t.columns {
		out = append(out, c.name)
	}
	return strings.Join(out, ", ")
}

// nullableBlob reports whether the column can hold no bytes in two ways, which an engine may not tell apart when it is read.
func (c *column) nullableBlob() bool { return c.kind == "BLOB" && !c.notNull }

// selectAll reads the rows by their key, so that two backups of the same rows are the same. After the columns it says of
// each nullable BLOB whether it is null.
func (t *shape) selectAll() string {
	var key []column
	for _, c := range t.columns {
		if c.key > 0 {
			key = append(key, c)
		}
	}
	slices.SortFunc(key, func(a, b column) int { return int(a.key - b.key) })
	order := ""
	for i, c := range key {
		if i == 0 {
			order = " ORDER BY "
		} else {
			order += ", "
		}
		order += c.name
	}
	nulls := ""
	for _, c := range t.columns {
		if c.nullableBlob() {
			nulls += ", CASE WHEN " + c.name + " IS NULL THEN 1 ELSE 0 END"
		}
	}
	return "SELECT " + t.names() + nulls + " FROM " + t.name + order
}

func (t *shape) insert() string {
	return "INSERT INTO " + t.name + " (" + t.names() + ") VALUES (?" + strings.Repeat(", ?", len(t.columns)-1) + ")"
}

// same reports whether a table in a backup has the columns this program knows.
func (t *shape) same(o *shape) bool {
	return t.name == o.name && slices.EqualFunc(t.columns, o.columns, func(a, b column) bool { return a.name == b.name && a.kind == b.kind })
}

// versions says how far each schema of a database is migrated; all of it must be.
func versions(ctx context.Context, d *db.DB, schemas []db.Schema) (out []Schema, err error) {
	status, err := d.MigrationStatus(ctx, schemas...)
	if err != nil {
		return nil, err
	}
	for _, s := range status {
		if s.Pending() > 0 || s.Newer() || len(s.Migrations) == 0 {
			return nil, fault.New(fault.Conflict, "the tables of %s are not those of this program", s.Schema).WithHint("run: hayward migrate")
		}
		out = append(out, Schema{Name: s.Schema, Version: s.Migrations[len(s.Migrations)-1].Version})
	}
	return out, nil
}
