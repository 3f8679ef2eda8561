package app

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// The files of a data directory.
const (
	DatabaseFile = "hayward.db"
	HeadsFile    = "audit.heads"
)

// macPurpose binds the audit's authentication to its use; changing it makes every old entry unverifiable.
const macPurpose = "hayward/audit/1"

// Vault is the part of a server that commands which work on the files need as well: database, keys and record.
type Vault struct {
	DB    *db.DB
	Store *sqlite.Store
	Ring  *keyring.Ring
	Log   *audit.Logger
	heads *audit.Heads
	lock  *db.DirLock
	dir   string
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
	v.Log = audit.NewLogger(v.Store, audit.WithMAC(v.Ring.MAC(macPurpose)), audit.WithHeads(v.heads), audit.WithLogger(log))
	return v, nil
}

// Verify checks every audit chain against the heads kept outside the database.
func (v *Vault) Verify(ctx context.Context) (audit.Report, error) {
	heads, err := audit.ReadHeads(v.heads.Path())
	if err != nil {
		return audit.Report{}, err
	}
	return audit.Verify(ctx, v.Store, &heads, v.Ring.MAC(macPurpose))
}

// Close closes everything in turn.
func (v *Vault) Close() error {
	var errs []error
	if v.DB != nil {
		errs = append(errs, v.DB.Close())
	}
	if v.heads != nil {
		errs = append(errs, v.heads.Close())
	}
	if v.lock != nil {
		errs = append(errs, v.lock.Unlock())
	}
	return errors.Join(errs...)
}
