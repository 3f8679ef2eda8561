package app

import (
	"context"
	"errors"
	"io"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/backup"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

// Restore puts a backup, and the keys it needs if they are given, into an empty database: whoever owns the data directory
// and the root key may do that. The files of the record are new ones, for the epoch that begins.
func Restore(ctx context.Context, s Settings, from io.ReadSeeker, keys []byte) (sum backup.Summary, err error) {
	v := newVault(s)
	defer func() { err = errors.Join(err, v.Close()) }()
	if err := v.openDatabase(ctx, s); err != nil {
		return sum, err
	}
	if err := v.DB.Migrate(ctx, Schemas()...); err != nil {
		return sum, err
	}
	v.Store = sqlite.New(v.DB)
	if keys != nil {
		if _, err := keyring.Import(ctx, v.Store, s.Root, keys); err != nil {
			return sum, err
		}
	}
	if err := v.openRecord(ctx, s); err != nil {
		return sum, err
	}
	return backup.Restore(ctx, v.house(), from, backup.Restoring{
		Log:      func(epoch int64) *audit.Logger { return v.logger(s.Log, audit.WithEpoch(epoch)) },
		Operator: scope.Caller{App: restoredApp, User: "the owner of the data directory"},
	})
}

// restoredApp is the app whose operator's chain says that the data was restored, before it is known which apps there are.
const restoredApp = "restored"

// house is what a backup is made of.
func (v *Vault) house() backup.House {
	return backup.House{DB: v.DB, Store: v.Store, Ring: v.Ring, Schemas: Schemas()}
}

var errNoDir = fault.New(fault.Invalid, "no data directory is set").WithHint("set data-dir")
