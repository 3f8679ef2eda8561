package crypto

import (
	"context"

	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// KeyStore keeps keys by name, so that whatever is encrypted under one ends when the key does. [NewKeyStore] returns one.
type KeyStore interface {
	// GetOrCreate returns the key's 32 bytes, making them if there are none.
	GetOrCreate(ctx context.Context, keyID string) ([]byte, error)
	// Get returns the key's 32 bytes, or a fault of the kind NotFound.
	Get(ctx context.Context, keyID string) ([]byte, error)
	// Delete destroys the key. That there is none is no error.
	Delete(ctx context.Context, keyID string) error
}

// NewKeyStore returns a key store of one tenant. Its keys lie in st, wrapped by the ring's root key; they are destroyed with
// the tenant's other keys, and answer keyring.ErrDestroyed then.
//
// Delete destroys a key in every earlier copy of the data too, which takes a new root key and so rewraps every key there is;
// it fails, and destroys nothing, if the root key cannot be changed. The ring must have been opened for st.
func NewKeyStore(st driver.Store, ring *keyring.Ring, app, tenant string) (KeyStore, error) {
	if err := driver.Owner(app, tenant); err != nil {
		return nil, err
	}
	if _, err := ring.Ring(); err != nil {
		return nil, err
	}
	return keyStore{st, ring, app, tenant}, nil
}

type keyStore struct {
	st          driver.Store
	ring        *keyring.Ring
	app, tenant string
}

func (s keyStore) GetOrCreate(ctx context.Context, keyID string) (key []byte, err error) {
	err = s.st.Update(ctx, func(tx driver.Tx) error {
		key, err = s.ring.NamedKey(ctx, tx, s.app, s.tenant, keyID, true)
		return err
	})
	return key, err
}

func (s keyStore) Get(ctx context.Context, keyID string) (key []byte, err error) {
	err = s.st.View(ctx, func(tx driver.Tx) error {
		key, err = s.ring.NamedKey(ctx, tx, s.app, s.tenant, keyID, false)
		return err
	})
	return key, err
}

func (s keyStore) Delete(ctx context.Context, keyID string) error {
	return s.ring.DropNamedKey(ctx, s.app, s.tenant, keyID)
}
