package keyring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// KeyTables are the tables that a backup of the data leaves out, and that restoring one leaves alone: wrapped keys, and what
// became of destroyed ones. They are backed up apart, by [Ring.Export]; so that data restored from any time opens nothing
// of a tenant whose keys were destroyed since.
func KeyTables() []string {
	return []string{"vault_root", "vault_root_state", "vault_key", "vault_system_key", "vault_shred"}
}

const backupFormat = "hayward-keys/1"

// keyBackup is the file: what it is, in clear, and the keys, wrapped and then encrypted once more.
type keyBackup struct {
	Format    string `json:"format"`
	RootID    string `json:"root_id"` // the root key it opens with
	Epoch     int64  `json:"epoch"`
	CreatedAt int64  `json:"created_at"` // microseconds since 1970
	Sealed    []byte `json:"sealed"`
}

type keyRows struct {
	Root   driver.RootRow        `json:"root"`
	Keys   []driver.KeyRow       `json:"keys"`
	System []driver.SystemKeyRow `json:"system"`
	Shreds []driver.ShredRow     `json:"shreds"`
}

func (b keyBackup) data() []byte {
	return canon.Int(canon.Int(canon.Text(canon.Text(nil, b.Format), b.RootID), b.Epoch), b.CreatedAt)
}

// Export returns every key as a file that opens with today's root key only. It must be kept apart from backups of the data,
// and destroying a tenant's keys makes it worthless: a new one is due after each change of the root key. It fails with
// Conflict while the root key is being changed.
func (r *Ring) Export(ctx context.Context) ([]byte, error) {
	if r.st == nil {
		return nil, errNoStore()
	}
	var out []byte
	err := r.st.View(ctx, func(tx driver.Tx) error {
		row, err := tx.Root(ctx)
		if err != nil {
			return err
		}
		if row.NextID != "" {
			return fault.New(fault.Conflict, "the root key is being changed; keys can be backed up when that is done")
		}
		root, err := r.find(ctx, row, row.RootID)
		if err != nil {
			return err
		}
		rows, err := allKeys(ctx, tx)
		if err != nil {
			return err
		}
		rows.Root = driver.RootRow{Epoch: row.Epoch, Direct: row.Direct}
		out, err = sealBackup(root, rows, tx.Now())
		return err
	})
	return out, err
}

func allKeys(ctx context.Context, tx driver.Tx) (rows keyRows, err error) {
	for after := (driver.KeyRow{}); ; {
		page, err := tx.ListKeysEverywhere(ctx, after, 1000)
		if err != nil {
			return rows, err
		}
		if len(page) == 0 {
			break
		}
		rows.Keys, after = append(rows.Keys, page...), page[len(page)-1]
	}
	if rows.System, err = tx.ListSystemKeys(ctx); err != nil {
		return rows, err
	}
	for _, state := range []string{shredOverwritten, shredDeleted, shredReplacing, shredDone} {
		list, err := tx.ListShredsEverywhere(ctx, state)
		if err != nil {
			return rows, err
		}
		rows.Shreds = append(rows.Shreds, list...)
	}
	return rows, nil
}

func sealBackup(root *rootKey, rows keyRows, now int64) ([]byte, error) {
	text, err := json.Marshal(rows)
	b := keyBackup{Format: backupFormat, RootID: root.id, Epoch: rows.Root.Epoch, CreatedAt: now}
	if err == nil {
		b.Sealed, err = newAEAD(root.derive("key-backup")).Encrypt(text, b.data())
	}
	if err == nil {
		text, err = json.MarshalIndent(b, "", "\t")
	}
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the keys cannot be written down")
	}
	return append(text, '\n'), nil
}

func openBackup(root *rootKey, b keyBackup) (rows keyRows, err error) {
	text, err := newAEAD(root.derive("key-backup")).Decrypt(b.Sealed, b.data())
	if err == nil {
		err = json.Unmarshal(text, &rows)
	}
	if err != nil {
		return rows, fault.Wrap(fault.Invalid, base.ErrTampered, "the key backup is not what was written")
	}
	return rows, nil
}

// ParseBackup reads what a key backup says in clear: the root key it needs, its epoch and when it was made.
func ParseBackup(text []byte) (rootID string, epoch, createdAt int64, err error) {
	b, err := parseBackup(text)
	return b.RootID, b.Epoch, b.CreatedAt, err
}

func parseBackup(text []byte) (b keyBackup, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	err = dec.Decode(&b)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) || b.Format != backupFormat || b.RootID == "" {
			err = errors.New("it has another format")
		}
	}
	if err != nil {
		return b, fault.Wrap(fault.Invalid, err, "this is not a key backup")
	}
	return b, nil
}

// Imported says what [Import] did.
type Imported struct {
	Added     int `json:"added"`     // keys of tenants and of the server that were missing
	Present   int `json:"present"`   // those that were there
	Destroyed int `json:"destroyed"` // those of tenants whose keys were destroyed since; they are left out
}

// Import puts the keys of a backup into a store that lacks them, and replaces none. Into a fresh store it must come before
// the first [Open], or the server makes keys of its own that the old record does not fit. The provider's root key must be
// the one of the backup, and of the store if that has one: a backup from before a change of the root key fails with
// vault.ErrWrongRootKey. What the store says was destroyed stays destroyed.
func Import(ctx context.Context, st driver.Store, p Provider, backup []byte) (done Imported, err error) {
	b, err := parseBackup(backup)
	if err != nil {
		return done, err
	}
	row, fresh, err := checkRow(ctx, st)
	if err != nil {
		return done, err
	}
	root, err := fittingRoot(ctx, p, driver.RootRow{RootID: b.RootID}, false)
	if err != nil {
		return done, err
	}
	if (!fresh && row.RootID != b.RootID) || root.ID() != b.RootID {
		return done, fault.Wrap(fault.Unavailable, base.ErrWrongRootKey,
			"this key backup of epoch %d opens with the root key %s, and the one in use is another", b.Epoch, b.RootID).
			WithCode("WrongRootKey").WithHint("use a key backup that was made after the last change of the root key")
	}
	rows, err := openBackup(openRoot(root), b)
	if err != nil {
		return done, err
	}
	r, err := New(root)
	if err != nil {
		return done, err
	}
	err = st.Update(ctx, func(tx driver.Tx) error {
		done = Imported{}
		return r.merge(ctx, tx, rows, &done)
	})
	return done, err
}

func (r *Ring) merge(ctx context.Context, tx driver.Tx, rows keyRows, done *Imported) error {
	if err := r.firstRoot(ctx, tx, rows.Root); err != nil {
		return err
	}
	for _, s := range rows.Shreds {
		if _, err := tx.Shred(ctx, s.App, s.Tenant); errors.Is(err, driver.ErrNotFound) {
			err = tx.PutShred(ctx, s)
			if err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
	}
	for _, k := range rows.Keys {
		if err := mergeKey(ctx, tx, k, done); err != nil {
			return err
		}
	}
	for _, k := range rows.System {
		if err := mergeSystem(ctx, tx, k, done); err != nil {
			return err
		}
	}
	return nil
}

func mergeKey(ctx context.Context, tx driver.Tx, k driver.KeyRow, done *Imported) error {
	_, shredErr := tx.Shred(ctx, k.App, k.Tenant)
	_, err := tx.Key(ctx, k.App, k.Tenant, k.ID)
	switch {
	case shredErr == nil:
		done.Destroyed++
		return nil
	case !errors.Is(shredErr, driver.ErrNotFound):
		return shredErr
	case err == nil:
		done.Present++
		return nil
	case !errors.Is(err, driver.ErrNotFound):
		return err
	}
	if _, err := tx.PrimaryKey(ctx, k.App, k.Tenant); err == nil {
		k.Primary = false
	}
	done.Added++
	return tx.PutKey(ctx, k)
}

func mergeSystem(ctx context.Context, tx driver.Tx, k driver.SystemKeyRow, done *Imported) error {
	added, err := tx.AddSystemKey(ctx, k)
	if err == nil && !added {
		k.Primary = false
		added, err = tx.AddSystemKey(ctx, k)
	}
	if added {
		done.Added++
	} else {
		done.Present++
	}
	return err
}
