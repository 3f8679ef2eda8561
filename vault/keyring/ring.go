package keyring

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/metrics"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Ring encrypts and opens values under tenants' keys. It is safe for concurrent use and cannot be printed in a way that
// shows a key.
type Ring struct {
	st       driver.Store // nil without a store, see New
	provider Provider
	roots    atomic.Pointer[roots]
	system   atomic.Pointer[systemKeys]
	cache    *cache
	keep     time.Duration // of replaced keys
	fresh    flight

	mu       sync.Mutex
	purposes map[string]bool // of MACs, to be kept when the root key changes
	rewraps  map[string]Rewrap

	metrics *metrics.Collector // nil: nothing is counted
}

// Option changes a ring.
type Option func(*Ring)

// WithCacheSize sets how many opened tenant keys are kept; the default is 4096.
func WithCacheSize(n int) Option { return func(r *Ring) { r.cache.limit = max(1, n) } }

// WithMetrics has values that are encrypted and opened counted. The default is nothing.
func WithMetrics(c *metrics.Collector) Option { return func(r *Ring) { r.metrics = c } }

// New returns a ring under a root key, without looking into any store: a key that does not fit is found out when the first
// value is opened or written, and the root key cannot be changed. Servers use [Open].
func New(root Root, opts ...Option) (*Ring, error) {
	if root.IsZero() {
		return nil, noRoot("no root key was given")
	}
	r := &Ring{provider: root, cache: newCache(4096), keep: DefaultKeepReplaced, purposes: map[string]bool{}, rewraps: map[string]Rewrap{}}
	r.roots.Store(newRoots(openRoot(root)))
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
// under: an authenticated check row says so. In a fresh store the provider may make a key, and the check row is written. A
// change of the root key that was interrupted leaves the ring with both keys; [Ring.RotateRoot] goes on with it.
// It fails with vault.ErrNoRootKey or vault.ErrWrongRootKey and a hint that says what to do.
func Open(ctx context.Context, st driver.Store, p Provider, opts ...Option) (*Ring, error) {
	row, fresh, err := checkRow(ctx, st)
	if err != nil {
		return nil, err
	}
	root, err := fittingRoot(ctx, p, row, fresh)
	if err != nil {
		return nil, err
	}
	r, err := New(root, opts...)
	if err != nil {
		return nil, err
	}
	r.st, r.provider = st, p
	if fresh {
		err = st.Update(ctx, func(tx driver.Tx) error { return r.firstRoot(ctx, tx, driver.RootRow{Epoch: 1}) })
	} else {
		err = r.checkRoot(r.current(), row)
	}
	if err != nil {
		return nil, err
	}
	if err := r.openSystem(ctx); err != nil {
		return nil, err
	}
	r.listen()
	return r, nil
}

// fittingRoot asks the provider for the root key that the data is under. A provider that was interrupted on its way from
// one key to the next has two.
func fittingRoot(ctx context.Context, p Provider, row driver.RootRow, fresh bool) (Root, error) {
	root, err := p.Root(ctx, fresh)
	if fresh || (err == nil && root.ID() == row.RootID) {
		return root, err
	}
	if next, nextErr := nextOf(ctx, p); nextErr == nil && !next.IsZero() && next.ID() == row.RootID {
		return next, nil
	}
	if errors.Is(err, base.ErrNoRootKey) {
		return Root{}, fault.Wrap(fault.Unavailable, err,
			"this data is encrypted under the root key %s, and that key is missing", row.RootID).
			WithCode("NoRootKey").
			WithHint("restore the root key file from its backup, or set %s to the key; without it the stored secrets cannot be opened", DefaultVariable)
	}
	return root, err
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

// checkData is what the check row authenticates. Rows of epoch 0 were written before root keys could change.
func checkData(rootID string, row driver.RootRow) []byte {
	if row.Epoch == 0 {
		return canon.Text(canon.Text(nil, "hayward/root/1"), rootID)
	}
	b := canon.Int(canon.Text(canon.Text(nil, "hayward/root/2"), rootID), row.Epoch)
	if row.Direct {
		return append(b, 1)
	}
	return append(b, 0)
}

func (r *Ring) checkRoot(root *rootKey, row driver.RootRow) error {
	if row.RootID != root.id {
		return fault.Wrap(fault.Unavailable, base.ErrWrongRootKey, "this data is encrypted under the root key %s, but %s holds %s",
			row.RootID, root.Origin, root.id).WithCode("WrongRootKey").
			WithHint("put the right root key back; nothing has been changed")
	}
	if _, err := root.wrap().Decrypt(row.Check, checkData(root.id, row)); err != nil {
		return fault.Wrap(fault.Unavailable, base.ErrTampered, "the record of the root key in the store is not what was written").
			WithHint("restore the database from its backup")
	}
	return nil
}

// sealCheck fills in the check of a row under its root key.
func sealCheck(root *rootKey, row *driver.RootRow) (err error) {
	row.RootID = root.id
	if row.Check, err = root.wrap().Encrypt(nil, checkData(root.id, *row)); err != nil {
		return fault.Wrap(fault.Internal, err, "cannot encrypt the record of the root key")
	}
	return nil
}

// firstRoot writes the check row into a fresh store, or checks the one that is there by now.
func (r *Ring) firstRoot(ctx context.Context, tx driver.Tx, row driver.RootRow) error {
	have, err := tx.Root(ctx)
	if err == nil {
		return r.checkRoot(r.current(), have)
	}
	if !errors.Is(err, driver.ErrNotFound) {
		return err
	}
	row.CreatedAt, row.ChangedAt = tx.Now(), tx.Now()
	if err := sealCheck(r.current(), &row); err != nil {
		return err
	}
	return tx.PutRoot(ctx, row)
}

func (r *Ring) current() *rootKey { return r.roots.Load().current }

// RootID names the root key; it says nothing about its value.
func (r *Ring) RootID() string { return r.current().id }

// Origin says where the root key came from, for people, and whether it was made just now.
func (r *Ring) Origin() (where string, created bool) {
	root := r.current()
	return root.Origin, root.Created
}

// Ring returns r, so that a *Ring goes wherever something that has a ring is asked for.
func (r *Ring) Ring() (*Ring, error) {
	if r == nil {
		return nil, noRoot("no keyring was given")
	}
	return r, nil
}
