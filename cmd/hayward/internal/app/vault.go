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
	"github.com/haywardhq/hayward/vault/backup"
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
	node    string
	dir     string

	closeRoot func() error
}

func newVault(s Settings) *Vault { return &Vault{dir: s.DataDir, closeRoot: s.CloseRoot} }

// OpenVault claims a data directory, opens the database, brings the vault's tables up to date, and makes sure that the root
// key fits.
func OpenVault(ctx context.Context, s Settings) (v *Vault, err error) {
	v = newVault(s)
	defer func() {
		if err != nil {
			err = errors.Join(err, v.Close())
		}
	}()
	if err = v.openDatabase(ctx, s); err != nil {
		return v, err
	}
	if err = v.DB.Migrate(ctx, sqlite.Schema()); err != nil {
		return v, err
	}
	return v, v.openRecord(ctx, s)
}

// openDatabase claims the data directory and opens the database, as it is.
func (v *Vault) openDatabase(ctx context.Context, s Settings) (err error) {
	if v.dir == "" {
		return errNoDir
	}
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "cannot make the data directory %s", v.dir)
	}
	if v.lock, err = db.LockDir(v.dir); err != nil {
		return err
	}
	if s.Postgres != nil {
		v.DB, err = db.OpenPostgres(ctx, *s.Postgres)
	} else {
		v.DB, err = db.OpenSQLite(ctx, DataFile(v.dir, DatabaseFile), db.Options{})
	}
	return err
}

// openRecord opens keys and record.
func (v *Vault) openRecord(ctx context.Context, s Settings) (err error) {
	if v.node = s.Node; v.node == "" {
		v.node = "node-1"
	}
	v.Store = sqlite.New(v.DB) // the store of any database: see vault/store/postgres
	if v.Ring, err = keyring.Open(ctx, v.Store, s.Root, keyring.WithMetrics(s.metrics.all())); err != nil {
		return err
	}
	if v.heads, err = audit.OpenHeads(DataFile(v.dir, HeadsFile)); err != nil {
		return err
	}
	if v.journal, err = audit.OpenJournal(DataFile(v.dir, JournalFile)); err != nil {
		return err
	}
	if v.signer, v.keys, err = keys.Signer(ctx, v.Store, v.Ring); err != nil {
		return err
	}
	if v.Trusted, err = v.publicKeys(ctx); err != nil {
		return err
	}
	v.Blinder = keys.New(v.Ring, v.Store)
	epoch, err := backup.Epoch(ctx, v.Store)
	v.Log = v.logger(s.Log, audit.WithEpoch(epoch), audit.WithMetrics(s.metrics.all()))
	return err
}

func (v *Vault) logger(log *slog.Logger, more ...audit.Option) *audit.Logger {
	return audit.NewLogger(v.Store, append([]audit.Option{audit.WithMAC(v.Ring.MAC(macPurpose)), audit.WithHeads(v.heads), audit.WithLogger(log),
		audit.WithNode(v.node), audit.WithBlinder(v.Blinder, audit.DefaultPersonal())}, more...)...)
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
func (v *Vault) Checkpointer(every time.Duration, publish func(context.Context, audit.Checkpoint), log *slog.Logger) (*audit.Checkpointer, error) {
	return audit.NewCheckpointer(v.Log, v.signer, audit.CheckpointOptions{Every: every, Publish: publish, Journal: v.journal, Trusted: v.keys, Log: log})
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
	if v.closeRoot != nil {
		errs = append(errs, v.closeRoot())
	}
	return errors.Join(errs...)
}
