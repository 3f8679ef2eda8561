package keyring

import (
	"context"
	"errors"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// namedPrefix begins the ids of keys that have a name and encrypt nothing here.
const namedPrefix = "named/"

// maxName is the longest name of a key, in bytes.
const maxName = 200

func namedID(name string) (string, error) {
	if name == "" || len(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
		return "", fault.New(fault.Invalid, "the name of a key has 1 to %d bytes that can be printed", maxName)
	}
	return namedPrefix + name, nil
}

// NamedKey returns 32 bytes that belong to a tenant under a name, for the documented key store of the package crypto. With
// create it makes them if there are none, and tx must be a write transaction; else it fails with NotFound. They end with
// the tenant's other keys, and answer [ErrDestroyed] then.
func (r *Ring) NamedKey(ctx context.Context, tx driver.Tx, app, tenant, name string, create bool) ([]byte, error) {
	keyID, err := namedID(name)
	if err != nil {
		return nil, err
	}
	row, err := tx.Key(ctx, app, tenant, keyID)
	if errors.Is(err, driver.ErrNotFound) && create {
		row, err = r.makeNamed(ctx, tx, driver.KeyRow{App: app, Tenant: tenant, ID: keyID, CreatedAt: tx.Now()})
	}
	if errors.Is(err, driver.ErrNotFound) || (err == nil && row.RootID == "") {
		if err := notDestroyed(ctx, tx, app, tenant); err != nil {
			return nil, err
		}
		return nil, fault.New(fault.NotFound, "there is no key of this name")
	}
	if err != nil {
		return nil, err
	}
	raw, err := r.openTenantKey(ctx, tx, row)
	if err != nil {
		return nil, err
	}
	return derive(raw, "named"), nil
}

func (r *Ring) makeNamed(ctx context.Context, tx driver.Tx, row driver.KeyRow) (driver.KeyRow, error) {
	root, err := r.writeRoot(ctx, tx)
	if err != nil {
		return row, err
	}
	if err := notDestroyed(ctx, tx, row.App, row.Tenant); err != nil {
		return row, err
	}
	if have, err := tx.Key(ctx, row.App, row.Tenant, row.ID); !errors.Is(err, driver.ErrNotFound) {
		return have, err // somebody else just made it
	}
	if err := wrapKey(root, &row, random()); err != nil {
		return row, err
	}
	return row, tx.PutKey(ctx, row)
}

// DropNamedKey destroys a named key, also in every earlier copy of the data: it changes the root key. If that cannot be
// done, nothing is destroyed. A name that does not exist is no error, so that an interrupted call can be made again.
func (r *Ring) DropNamedKey(ctx context.Context, app, tenant, name string) error {
	keyID, err := namedID(name)
	if err != nil {
		return err
	}
	if err := r.canChangeRoot(ctx); err != nil {
		return err
	}
	for _, step := range []func(driver.Tx, driver.KeyRow) error{
		func(tx driver.Tx, k driver.KeyRow) error { return overwriteKey(ctx, tx, k) },
		func(tx driver.Tx, _ driver.KeyRow) error { return tx.DeleteKey(ctx, app, tenant, keyID) },
	} {
		if err := r.st.Update(ctx, func(tx driver.Tx) error {
			row, err := tx.Key(ctx, app, tenant, keyID)
			if errors.Is(err, driver.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			return step(tx, row)
		}); err != nil {
			return err
		}
	}
	if _, err := r.Resume(ctx); err != nil { // one that saw the key does not count
		return err
	}
	_, err = r.RotateRoot(ctx)
	return err
}
