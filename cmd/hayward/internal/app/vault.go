package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/audit/keys"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// The files of a data directory.
const (
	DatabaseFile = "hayward.db"
	HeadsFile    = "audit.heads"
	JournalFile  = "audit.checkpoints"
)

// macPurpose binds the audit's authentication to its use; changing it makes every old entry unverifiable.
const macPurpose = "hayward/audit/1"

// Vault is the part of a server that commands which work on the files need as well: database, keys and record.
type Vault struct {
	DB    *db.DB
	Store *sqlite.Store
	Ring  *keyring.Ring
	Log   *audit.Logger
	// Blinder keeps what may name a person in an entry under the tenant's key.
	Blinder audit.Blinder
	// Trusted are the keys that ever signed checkpoints of this record, one a line.
	Trusted string

	signer  audit.Signer
	keys    audit.PublicKeys
	heads   *audit.Heads
	journal *audit.Journal
	lock    *db.DirLock
	dir     string
}

// OpenVault claims a data directory, opens its database, and makes sure that the root key fits.
func OpenVault(ctx context.Context, dir string, root keyring.Provider, log *slog.Logger) (v *Vault, err error) {
	if dir == "" {
		return nil, errNoDir
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "cannot make the data directory %s", dir)
	}
	v = &Vault{dir: dir}
	defer func() {
		if err != nil {
			_ = v.Close()
		}
	}()
	if v.lock, err = db.LockDir(dir); err != nil {
		return v, err
	}
	if v.DB, err = db.OpenSQLite(ctx, DataFile(dir, DatabaseFile), db.Options{}); err != nil {
		return v, err
	}
	if err = v.DB.Migrate(ctx, sqlite.Schema()); err != nil {
		return v, err
	}
	v.Store = sqlite.New(v.DB)
	if v.Ring, err = keyring.Open(ctx, v.Store, root); err != nil {
		return v, err
	}
	if v.heads, err = audit.OpenHeads(DataFile(dir, HeadsFile)); err != nil {
		return v, err
	}
	if v.journal, err = audit.OpenJournal(DataFile(dir, JournalFile)); err != nil {
		return v, err
	}
	if v.signer, v.keys, err = keys.Signer(ctx, v.Store, v.Ring); err != nil {
		return v, err
	}
	if v.Trusted, err = v.publicKeys(ctx); err != nil {
		return v, err
	}
	v.Blinder = keys.New(v.Ring, v.Store)
	v.Log = audit.NewLogger(v.Store, audit.WithMAC(v.Ring.MAC(macPurpose)), audit.WithHeads(v.heads), audit.WithLogger(log),
		audit.WithBlinder(v.Blinder, audit.DefaultPersonal()))
	return v, nil
}

func (v *Vault) publicKeys(ctx context.Context) (lines string, err error) {
	err = v.Store.View(ctx, func(tx driver.Tx) error {
		list, err := v.Ring.PublicKeys(ctx, tx, audit.SigningPurpose)
		if err == nil {
			lines, err = keys.Lines(list)
		}
		return err
	})
	return lines, err
}

// Checkpointer returns what signs the record of this process; there is at most one.
func (v *Vault) Checkpointer(every time.Duration, log *slog.Logger) (*audit.Checkpointer, error) {
	return audit.NewCheckpointer(v.Log, v.signer, audit.CheckpointOptions{Every: every, Journal: v.journal, Trusted: v.keys, Log: log})
}

// Verify checks every audit chain against the heads and the checkpoints kept outside the database.
func (v *Vault) Verify(ctx context.Context) (audit.Report, error) {
	heads, err := audit.ReadHeads(v.heads.Path())
	if err != nil {
		return audit.Report{}, err
	}
	held, err := audit.ReadHeld(v.journal.Path(), v.keys)
	if err != nil {
		return audit.Report{}, err
	}
	return audit.Verify(ctx, v.Store, &heads, v.Ring.MAC(macPurpose), held)
}

// Close closes everything in turn.
func (v *Vault) Close() error {
	var errs []error
	if v.DB != nil {
		errs = append(errs, v.DB.Close())
	}
	if v.journal != nil {
		errs = append(errs, v.journal.Close())
	}
	if v.heads != nil {
		errs = append(errs, v.heads.Close())
	}
	if v.lock != nil {
		errs = append(errs, v.lock.Unlock())
	}
	return errors.Join(errs...)
}
