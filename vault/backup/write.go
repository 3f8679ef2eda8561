package backup

import (
	"context"
	"crypto/rand"
	"database/sql"
	"io"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Store is the vault's store in a database, as *sqlite.Store and *postgres.Store are.
type Store interface {
	driver.Store
	In(t *db.Tx) driver.Tx
}

// House is a database with all that a backup is made of or goes into.
type House struct {
	DB      *db.DB
	Store   Store         // the vault in DB
	Ring    *keyring.Ring // of Store; it wraps the file's key
	Schemas []db.Schema   // of every room with tables in DB, the vault's too; migrated
}

// Write writes a backup of one moment of the house to w. The house may go on serving. It fails with Conflict if a schema is
// not migrated, and with Unavailable if w cannot be written; what w has got by then is no backup.
func Write(ctx context.Context, h House, w io.Writer) (Summary, error) {
	tables, err := shapesOf(ctx, h.Schemas)
	if err != nil {
		return Summary{}, err
	}
	header := Header{}
	if header.Schemas, err = versions(ctx, h.DB, h.Schemas); err != nil {
		return Summary{}, err
	}
	key := make([]byte, 32)
	rand.Read(key)
	defer clear(key)
	if header.Key, err = h.Ring.Wrap(purpose, key); err != nil {
		return Summary{}, err
	}
	aead, err := newAEAD(key)
	if err != nil {
		return Summary{}, fault.Wrap(fault.Internal, err, "the backup cannot be encrypted")
	}
	var s Summary
	err = h.DB.View(ctx, func(tx *db.Tx) error {
		header.CreatedAt = time.UnixMicro(tx.Now()).UTC()
		if header.AuditEpoch, err = newestEpoch(ctx, h.Store.In(tx)); err != nil {
			return err
		}
		bound, err := writeHeader(w, header)
		if err != nil {
			return err
		}
		s = summaryOf(&header)
		stream := newSealer(w, aead, bound)
		if err := writeTables(ctx, tx, tables, stream, &s); err != nil {
			return err
		}
		if err := stream.Close(); err != nil {
			return unwritable(err)
		}
		return nil
	})
	return s, err
}

func writeTables(ctx context.Context, tx *db.Tx, tables []shape, to io.Writer, s *Summary) (err error) {
	out := newRecords(to)
	tx.Fence(db.Everywhere, db.Everywhere)
	for i := range tables {
		t := &tables[i]
		if err := out.table(t); err != nil {
			return unwritable(err)
		}
		before := out.rows
		if err := writeRows(ctx, tx, t, out); err != nil {
			return err
		}
		s.Tables = append(s.Tables, Table{Name: t.name, Rows: out.rows - before})
	}
	s.Rows = out.rows
	if s.SHA256, err = out.end(); err != nil {
		return unwritable(err)
	}
	return nil
}

func writeRows(ctx context.Context, tx *db.Tx, t *shape, out *records) error {
	cells := make([]cell, len(t.columns))
	dest, values := make([]any, len(cells)), make([]any, len(cells))
	for i := range cells {
		dest[i] = cells[i].dest(&t.columns[i])
		if t.columns[i].nullableBlob() {
			dest = append(dest, &cells[i].null)
		}
	}
	return tx.Query(ctx, t.selectAll(), nil, func(scan func(...any) error) error {
		if err := scan(dest...); err != nil {
			return err
		}
		for i := range cells {
			values[i] = cells[i].value(&t.columns[i])
		}
		if err := out.row(values); err != nil {
			return unwritable(err)
		}
		return nil
	})
}

// cell takes a column's values off the database, whatever the engine makes of them.
type cell struct {
	text sql.NullString
	num  sql.NullInt64
	real sql.NullFloat64
	blob []byte
	null int64 // of a nullable BLOB: 1 if it is null
}

func (c *cell) dest(of *column) any {
	switch of.kind {
	case "INTEGER":
		return &c.num
	case "REAL":
		return &c.real
	case "BLOB":
		return &c.blob
	}
	return &c.text
}

func (c *cell) value(of *column) any {
	switch {
	case of.kind == "INTEGER" && c.num.Valid:
		return c.num.Int64
	case of.kind == "REAL" && c.real.Valid:
		return c.real.Float64
	case of.kind == "BLOB" && c.null == 0:
		return c.blob // empty bytes may be nil; they are written as empty bytes
	case of.kind == "TEXT" && c.text.Valid:
		return c.text.String
	}
	return nil
}

// newestEpoch is the last epoch of the audit record.
func newestEpoch(ctx context.Context, tx driver.Tx) (n int64, err error) {
	chains, err := tx.AuditChainsEverywhere(ctx)
	for _, c := range chains {
		n = max(n, c.Epoch)
	}
	return n, err
}

// Epoch returns the epoch that the audit record of a store is in, for audit.WithEpoch: that of its newest chain, else 1. A
// server asks when it starts, because a restored database goes on in another than the one it was written in.
func Epoch(ctx context.Context, st driver.Store) (n int64, err error) {
	err = st.View(ctx, func(tx driver.Tx) error { n, err = newestEpoch(ctx, tx); return err })
	return max(n, 1), err
}
