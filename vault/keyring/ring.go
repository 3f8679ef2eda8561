package keyring

import (
	"context"
	"errors"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Ring encrypts and opens values under tenants' keys. It is safe for concurrent use and cannot be printed in a way that
// shows a key.
type Ring struct {
	root   Root
	rootID string
	wrap   func() *subtle.AESGCM // behind a function, for the same reason as sealed.Value
	cache  *cache
}

// Option changes a ring.
type Option func(*Ring)

// WithCacheSize sets how many opened tenant keys are kept; the default is 4096.
func WithCacheSize(n int) Option { return func(r *Ring) { r.cache.limit = max(1, n) } }

// New returns a ring under a root key, without looking into any store: a key that does not fit is found out when the first
// value is opened or written. Servers use [Open].
func New(root Root, opts ...Option) (*Ring, error) {
	if root.IsZero() {
		return nil, noRoot("no root key was given")
	}
	aead := newAEAD(root.derive("wrap"))
	r := &Ring{root: root, rootID: root.ID(), wrap: func() *subtle.AESGCM { return aead }, cache: newCache(4096)}
	for _, o := range opts {
		o(r)
	}
	return r, nil
}

func newAEAD(key []byte) *subtle.AESGCM {
	a, err := subtle.NewAESGCM(key)
	if err != nil {
		panic("keyring: AES-256-GCM refused a key of 32 bytes: " + err.Error())
	}
	return a
}

// Open returns a ring for a store, after making sure that the provider's root key is the one the store's data is encrypted
// under: an authenticated check row says so. In a fresh store the provider may make a key, and the check row is written.
// It fails with vault.ErrNoRootKey or vault.ErrWrongRootKey and a hint that says what to do.
func Open(ctx context.Context, st driver.Store, p Provider, opts ...Option) (*Ring, error) {
	row, fresh, err := checkRow(ctx, st)
	if err != nil {
		return nil, err
	}
	root, err := p.Root(ctx, fresh)
	if errors.Is(err, base.ErrNoRootKey) && !fresh {
		return nil, fault.Wrap(fault.Unavailable, err,
			"this data is encrypted under the root key %s, and that key is missing", row.RootID).
			WithCode("NoRootKey").
			WithHint("restore the root key file from its backup, or set %s to the key; without it the stored secrets cannot be opened", DefaultVariable)
	}
	if err != nil {
		return nil, err
	}
	r, err := New(root, opts...)
	if err != nil {
		return nil, err
	}
	if fresh {
		return r, st.Update(ctx, func(tx driver.Tx) error { return r.ensureRoot(ctx, tx) })
	}
	return r, r.checkRoot(row)
}

// checkRow returns the check row, or that the store is fresh. Keys without a check row are neither.
func checkRow(ctx context.Context, st driver.Store) (row driver.RootRow, fresh bool, err error) {
	err = st.View(ctx, func(tx driver.Tx) error {
		row, err = tx.Root(ctx)
		if !errors.Is(err, driver.ErrNotFound) {
			return err
		}
		keys, err := tx.HasKeys(ctx)
		if err == nil && keys {
			return fault.Wrap(fault.Internal, base.ErrTampered, "the store holds tenant keys, but the record of their root key is gone").
				WithHint("restore the database from its backup")
		}
		fresh = true
		return err
	})
	return row, fresh, err
}

func (r *Ring) checkData() []byte {
	return canon.Text(canon.Text(nil, "hayward/root/1"), r.rootID)
}

func (r *Ring) checkRoot(row driver.RootRow) error {
	if row.RootID != r.rootID {
		return fault.Wrap(fault.Unavailable, base.ErrWrongRootKey, "this data is encrypted under the root key %s, but %s holds %s",
			row.RootID, r.root.Origin, r.rootID).WithCode("WrongRootKey").
			WithHint("put the right root key back; nothing has been changed")
	}
	if _, err := r.wrap().Decrypt(row.Check, r.checkData()); err != nil {
		return fault.Wrap(fault.Unavailable, base.ErrTampered, "the record of the root key in the store is not what was written").
			WithHint("restore the database from its backup")
	}
	return nil
}

// ensureRoot writes the check row into a fresh store, or checks the one that is there.
func (r *Ring) ensureRoot(ctx context.Context, tx driver.Tx) error {
	row, err := tx.Root(ctx)
	if err == nil {
		return r.checkRoot(row)
	}
	if !errors.Is(err, driver.ErrNotFound) {
		return err
	}
	check, err := r.wrap().Encrypt(nil, r.checkData())
	if err != nil {
		return fault.Wrap(fault.Internal, err, "cannot encrypt the record of the root key")
	}
	return tx.PutRoot(ctx, driver.RootRow{RootID: r.rootID, Check: check, CreatedAt: tx.Now()})
}

// RootID names the root key; it says nothing about its value.
func (r *Ring) RootID() string { return r.rootID }

// Origin says where the root key came from, for people, and whether it was made just now.
func (r *Ring) Origin() (where string, created bool) { return r.root.Origin, r.root.Created }

// Ring returns r, so that a *Ring goes wherever something that has a ring is asked for.
func (r *Ring) Ring() (*Ring, error) {
	if r == nil {
		return nil, noRoot("no keyring was given")
	}
	return r, nil
}
