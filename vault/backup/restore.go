package backup

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/scope"
)

// Restoring is what [Restore] needs besides the house.
type Restoring struct {
	// Log makes the logger of an epoch, with the server's node, MAC and head file. The head file is a new one: that of the
	// database before does not fit.
	Log func(epoch int64) *audit.Logger
	// Operator is who restores, and the app in whose operator's chain that is recorded.
	Operator scope.Caller
}

// ReadHeader reads what a backup says of itself in clear. Nothing of it is authenticated yet: see [Verify].
func ReadHeader(r io.Reader) (Header, error) {
	h, _, err := readHeader(bufio.NewReader(r))
	return h, err
}

// Verify reads a whole backup and makes sure that all of it is what was written. It fails with vault.ErrTampered, and with
// vault.ErrDecryptionFailed if the ring does not have the keys of the server that wrote it.
func Verify(ring *keyring.Ring, r io.Reader) (Summary, error) {
	h, stream, err := open(ring, r)
	if err != nil {
		return Summary{}, err
	}
	s := summaryOf(&h)
	return s, walk(stream, &s, sink{})
}

func open(ring *keyring.Ring, r io.Reader) (Header, io.Reader, error) {
	from := bufio.NewReaderSize(r, chunkSize)
	h, bound, err := readHeader(from)
	if err != nil {
		return h, nil, err
	}
	key, err := ring.Unwrap(purpose, h.Key)
	if err != nil {
		return h, nil, fault.Wrap(fault.KindOf(err), err, "this backup does not open with the keys in place").
			WithHint("restore the key backup of the same server first; the root key must be the one it was made with")
	}
	defer clear(key)
	aead, err := newAEAD(key)
	if err != nil {
		return h, nil, damaged("its key is none")
	}
	return h, newOpener(from, aead, bound), nil
}

// Restore puts a backup's rows into the house, whose tables must exist and be empty, keys apart: those are in place already,
// since the file opens with them. First the whole file is read and checked; then all rows are written in one transaction,
// with the entry that begins the next epoch of the audit record. Other processes must not use the house meanwhile.
//
// It fails, having written nothing, with vault.ErrTampered for a damaged file; with vault.ErrDecryptionFailed if the keys
// are others; with Conflict if a table has rows, or if the file was written at another version of the schemas.
func Restore(ctx context.Context, h House, r io.ReadSeeker, o Restoring) (Summary, error) {
	s, err := Verify(h.Ring, r)
	if err != nil {
		return s, err
	}
	tables, err := h.fitting(ctx, &s)
	if err != nil {
		return s, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return s, fault.Wrap(fault.Unavailable, err, "the backup cannot be read a second time")
	}
	return s, h.record(ctx, s, o, func(p *audit.Pending) error { return h.refill(ctx, tables, r, s, p) })
}

// fitting makes sure that the file fits the house.
func (h *House) fitting(ctx context.Context, s *Summary) ([]shape, error) {
	have, err := versions(ctx, h.DB, h.Schemas)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(have, s.Schemas) {
		return nil, fault.New(fault.Conflict, "the backup was written by another version of this program").
			WithHint("restore it with that version, and upgrade then")
	}
	tables, err := shapesOf(ctx, h.Schemas)
	if err != nil {
		return nil, err
	}
	return tables, h.empty(ctx, tables, s.AuditEpoch)
}

// empty refuses a house with rows. An attempt to restore this file that failed has left its entries, in the epoch after.
func (h *House) empty(ctx context.Context, tables []shape, epoch int64) error {
	return h.DB.View(ctx, func(tx *db.Tx) error {
		for i := range tables {
			query := "SELECT count(*) FROM (SELECT 1 AS one FROM " + tables[i].name + " LIMIT 1) AS any_row"
			var args []any
			if tables[i].name == "vault_audit" {
				query, args = "SELECT count(*) FROM (SELECT 1 AS one FROM vault_audit WHERE epoch <= ? LIMIT 1) AS any_row", []any{epoch}
			}
			tx.Fence(db.Everywhere, db.Everywhere)
			var n int64
			if err := tx.QueryRow(ctx, query, args, &n); err != nil {
				return err
			}
			if n > 0 {
				return fault.New(fault.Conflict, "the database is not empty: the table %s has rows", tables[i].name).
					WithHint("restore into a new data directory or a new database")
			}
		}
		return nil
	})
}

// record stands around the writing: the first entry is on disk before it, the second is part of it.
func (h *House) record(ctx context.Context, s Summary, o Restoring, do func(*audit.Pending) error) error {
	p, err := o.Log(s.AuditEpoch+1).Begin(ctx, o.Operator, audit.Event{Action: ActionRestore, Resource: "backup", Operator: true,
		Details: []audit.Detail{{Key: "created_at", Value: s.CreatedAt.Format("2006-01-02T15:04:05.000000Z")}, {Key: DetailSHA256, Value: s.SHA256},
			{Key: "rows", Value: strconv.FormatInt(s.Rows, 10)}, {Key: "epoch_before", Value: strconv.FormatInt(s.AuditEpoch, 10)}}})
	if err != nil {
		return err
	}
	if err := do(p); err != nil {
		return p.EndErr(ctx, err)
	}
	return nil
}

// batch is how many rows go to the database together.
const batch = 200

// refill writes all rows and the second entry.
func (h *House) refill(ctx context.Context, tables []shape, r io.Reader, checked Summary, p *audit.Pending) error {
	return h.DB.Update(ctx, func(tx *db.Tx) error {
		_, stream, err := open(h.Ring, r)
		if err != nil {
			return err
		}
		f := filling{ctx: ctx, tx: tx, tables: tables}
		var again Summary
		tx.Fence(db.Everywhere, db.Everywhere)
		if err := walk(stream, &again, sink{f.table, f.row}); err != nil {
			return err
		}
		if err := f.flush(); err != nil {
			return err
		}
		if again.SHA256 != checked.SHA256 {
			return damaged("it was changed while it was read")
		}
		heads, _, err := Heads(ctx, h.Store.In(tx), checked.AuditEpoch)
		if err != nil {
			return err
		}
		return p.EndTx(ctx, h.Store.In(tx), audit.OK, audit.Detail{Key: DetailEpoch, Value: strconv.FormatInt(checked.AuditEpoch+1, 10)},
			audit.Detail{Key: DetailSHA256, Value: checked.SHA256}, audit.Detail{Key: DetailHeads, Value: heads})
	})
}

// filling is one transaction of a restore.
type filling struct {
	ctx    context.Context
	tx     *db.Tx
	tables []shape
	into   *shape
	rows   [][]any
}

func (f *filling) table(t shape) error {
	if err := f.flush(); err != nil {
		return err
	}
	i := slices.IndexFunc(f.tables, func(have shape) bool { return have.same(&t) })
	if i < 0 {
		return fault.New(fault.Conflict, "the backup has a table that this program does not have").
			WithHint("restore it with the version of this program that wrote it")
	}
	f.into = &f.tables[i]
	return nil
}

func (f *filling) row(values []any) error {
	f.rows = append(f.rows, values)
	if len(f.rows) < batch {
		return nil
	}
	return f.flush()
}

func (f *filling) flush() error {
	if len(f.rows) == 0 {
		return nil
	}
	n, err := f.tx.ExecMany(f.ctx, f.into.insert(), f.rows)
	if err == nil && n != int64(len(f.rows)) {
		err = errors.New("fewer rows were written than were sent")
	}
	f.rows = f.rows[:0]
	return err
}
