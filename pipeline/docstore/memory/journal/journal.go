package journal

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"math"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/docstore/memory"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Schema is the journal's tables, for db.Migrate.
func Schema() db.Schema {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic("journal: " + err.Error()) // the directory is part of the binary
	}
	return db.Schema{Name: "memory_documents", FS: sub}
}

// Journal is a memory.Journal over a database. It is safe for concurrent use.
type Journal struct{ db *db.DB }

var _ memory.Journal = (*Journal)(nil)

// New returns a journal over a database that has the [Schema].
func New(d *db.DB) *Journal { return &Journal{db: d} }

// Load calls each for every document of a key, in the order they were written.
func (j *Journal) Load(ctx context.Context, key memory.Key, each func(memory.Record) error) (memory.State, error) {
	var state memory.State
	err := j.db.View(ctx, func(tx *db.Tx) error {
		var bits int64
		err := tx.QueryRow(ctx, "SELECT avg_doc_len, next_seq FROM memory_index WHERE app = ? AND tenant = ? AND index_name = ?",
			[]any{key.App, key.Tenant, key.Index}, &bits, &state.NextSeq)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		state.AvgDocLen = math.Float64frombits(uint64(bits))
		return tx.Query(ctx, "SELECT seq, tokenizer, document FROM memory_document WHERE app = ? AND tenant = ? AND index_name = ? ORDER BY seq",
			[]any{key.App, key.Tenant, key.Index}, func(scan func(...any) error) error {
				var r memory.Record
				var data []byte
				if err := scan(&r.Seq, &r.Tokenizer, &data); err != nil {
					return db.Classify(err)
				}
				if r.Document, err = decode(data); err != nil {
					return fault.Wrap(fault.Internal, err, "a stored document cannot be read")
				}
				return each(r)
			})
	})
	return state, err
}

// Commit makes a change durable, all of it or none.
func (j *Journal) Commit(ctx context.Context, key memory.Key, change memory.Change) error {
	rows := make([][]byte, len(change.Put))
	for i, r := range change.Put {
		data, err := encode(r.Document)
		if err != nil {
			return err
		}
		rows[i] = data
	}
	return j.db.Update(ctx, func(tx *db.Tx) error {
		for _, id := range change.Delete {
			if _, err := tx.Exec(ctx, "DELETE FROM memory_document WHERE app = ? AND tenant = ? AND index_name = ? AND id = ?",
				key.App, key.Tenant, key.Index, id); err != nil {
				return err
			}
		}
		for i, r := range change.Put {
			if _, err := tx.Exec(ctx, `INSERT INTO memory_document (app, tenant, index_name, id, seq, tokenizer, document)
				VALUES (?, ?, ?, ?, ?, ?, ?)`, key.App, key.Tenant, key.Index, r.Document.ID, r.Seq, r.Tokenizer, rows[i]); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO memory_index (app, tenant, index_name, avg_doc_len, next_seq, updated_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (app, tenant, index_name) DO UPDATE SET avg_doc_len = excluded.avg_doc_len, next_seq = excluded.next_seq,
			updated_at = excluded.updated_at`, key.App, key.Tenant, key.Index, int64(math.Float64bits(change.AvgDocLen)), change.NextSeq, tx.Now())
		return err
	})
}

// DropTenant removes every document of a tenant. A memory.Manager that has them open must be told (Manager.Forget).
func (j *Journal) DropTenant(ctx context.Context, app, tenant string) error {
	return j.db.Update(ctx, func(tx *db.Tx) error {
		for _, table := range []string{"memory_document", "memory_index"} {
			if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE app = ? AND tenant = ?", app, tenant); err != nil {
				return err
			}
		}
		return nil
	})
}
