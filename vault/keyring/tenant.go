package keyring

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// tenantKey is an opened tenant key. Its parts sit behind functions so that no printing reaches them.
type tenantKey struct {
	id   string
	aead func() *subtle.AESGCM
	mac  func([]byte) []byte
}

func openKey(keyID string, raw []byte) *tenantKey {
	aead := newAEAD(derive(raw, "value"))
	return &tenantKey{id: keyID, aead: func() *subtle.AESGCM { return aead }, mac: newMAC(derive(raw, "mark"))}
}

// wrapData binds a wrapped key to its owner and to the root key that wraps it.
func (r *Ring) wrapData(app, tenant, keyID string) []byte {
	b := canon.Text(nil, "hayward/tenant-key/1")
	for _, s := range [...]string{app, tenant, keyID, r.rootID} {
		b = canon.Text(b, s)
	}
	return b
}

// primary returns the key for new values of a tenant, making it if the tenant has none. A key from a transaction that may
// yet fail is never cached as primary: values encrypted under a key that was not kept would be lost.
func (r *Ring) primary(ctx context.Context, tx driver.Tx, app, tenant string) (*tenantKey, error) {
	name := keyName{app: app, tenant: tenant}
	if k := r.cache.get(name); k != nil {
		return k, nil
	}
	row, err := tx.PrimaryKey(ctx, app, tenant)
	var k *tenantKey
	switch {
	case err == nil:
		k, err = r.unwrap(row)
	case errors.Is(err, driver.ErrNotFound):
		k, err = r.makeKey(ctx, tx, app, tenant)
	}
	if err != nil {
		return nil, err
	}
	tx.AfterCommit(nil, func() error {
		r.cache.put(name, k)
		r.cache.put(keyName{app, tenant, k.id}, k)
		return nil
	})
	return k, nil
}

func (r *Ring) makeKey(ctx context.Context, tx driver.Tx, app, tenant string) (*tenantKey, error) {
	if err := r.ensureRoot(ctx, tx); err != nil {
		return nil, err
	}
	raw := make([]byte, KeySize)
	rand.Read(raw)
	keyID := id.New(id.Key).String()
	wrapped, err := r.wrap().Encrypt(raw, r.wrapData(app, tenant, keyID))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot wrap a tenant key")
	}
	row := driver.KeyRow{App: app, Tenant: tenant, ID: keyID, RootID: r.rootID, Wrapped: wrapped, Primary: true, CreatedAt: tx.Now()}
	return openKey(keyID, raw), tx.PutKey(ctx, row)
}

// byID returns the key that a stored value names. A cached key needs no look at the store.
func (r *Ring) byID(ctx context.Context, tx driver.Tx, app, tenant, keyID string) (*tenantKey, error) {
	name := keyName{app, tenant, keyID}
	if k := r.cache.get(name); k != nil {
		return k, nil
	}
	row, err := tx.Key(ctx, app, tenant, keyID)
	if errors.Is(err, driver.ErrNotFound) {
		return nil, fault.Wrap(fault.Internal, base.ErrDecryptionFailed, "the key %s of this tenant is not in the store", keyID).
			WithHint("the tenant's keys were destroyed, or the database was restored from before they were made")
	}
	if err != nil {
		return nil, err
	}
	k, err := r.unwrap(row)
	if err != nil {
		return nil, err
	}
	r.cache.put(name, k)
	return k, nil
}

func (r *Ring) unwrap(row driver.KeyRow) (*tenantKey, error) {
	if row.RootID != r.rootID {
		return nil, fault.Wrap(fault.Unavailable, base.ErrWrongRootKey,
			"a tenant key is wrapped by the root key %s, but this is %s", row.RootID, r.rootID).
			WithHint("put the right root key back; nothing has been changed")
	}
	raw, err := r.wrap().Decrypt(row.Wrapped, r.wrapData(row.App, row.Tenant, row.ID))
	if err != nil || len(raw) != KeySize {
		return nil, fault.Wrap(fault.Internal, base.ErrTampered, "the stored tenant key %s is not what was written", row.ID).
			WithHint("restore the database from its backup")
	}
	return openKey(row.ID, raw), nil
}

// Forget drops a tenant's opened keys from memory, after they were changed or destroyed in the store.
func (r *Ring) Forget(app, tenant string) { r.cache.forget(app, tenant) }
