package keyring

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// rootKey is a root key that is ready to wrap.
type rootKey struct {
	Root
	id   string
	wrap func() *subtle.AESGCM // behind a function, for the same reason as sealed.Value
}

func openRoot(root Root) *rootKey {
	aead := newAEAD(root.derive("wrap"))
	return &rootKey{Root: root, id: root.ID(), wrap: func() *subtle.AESGCM { return aead }}
}

// roots is what a ring knows at one moment: one key outside a change of the root key, two during it.
type roots struct {
	current *rootKey
	known   map[string]*rootKey
}

func newRoots(current *rootKey) *roots {
	return &roots{current, map[string]*rootKey{current.id: current}}
}

// learn adds a key.
func (r *Ring) learn(k *rootKey) *rootKey {
	for {
		old := r.roots.Load()
		next := &roots{old.current, maps.Clone(old.known)}
		next.known[k.id] = k
		if r.roots.CompareAndSwap(old, next) {
			return k
		}
	}
}

// settle makes one key the current one. Every other is forgotten, unless keep names it.
func (r *Ring) settle(current *rootKey, keep string) {
	for {
		old := r.roots.Load()
		next := newRoots(current)
		if k := old.known[keep]; k != nil {
			next.known[keep] = k
		}
		if r.roots.CompareAndSwap(old, next) {
			return
		}
	}
}

// rootFor returns the root key with an id that a row names. One the ring does not know yet may be the next one, which the
// store holds wrapped by the current one while a change is under way; or another replica ended a change, and the provider
// has the key by now.
func (r *Ring) rootFor(ctx context.Context, tx driver.Tx, rootID string) (*rootKey, error) {
	if k := r.roots.Load().known[rootID]; k != nil {
		return k, nil
	}
	row, err := tx.Root(ctx)
	if err != nil {
		return nil, wrongRoot(rootID, r.current())
	}
	return r.find(ctx, row, rootID)
}

func (r *Ring) find(ctx context.Context, row driver.RootRow, rootID string) (*rootKey, error) {
	if k := r.roots.Load().known[rootID]; k != nil {
		return k, nil
	}
	if from := r.roots.Load().known[row.RootID]; from != nil && row.NextID == rootID && rootID != "" {
		return r.openNext(from, row)
	}
	if rootID != row.RootID && rootID != row.NextID {
		return nil, wrongRoot(rootID, r.current())
	}
	for _, ask := range []func() (Root, error){
		func() (Root, error) { return r.provider.Root(ctx, false) },
		func() (Root, error) { return nextOf(ctx, r.provider) },
	} {
		root, err := ask()
		if err != nil || root.IsZero() || root.ID() != rootID {
			continue
		}
		k := openRoot(root)
		if rootID == row.RootID {
			if err := r.checkRoot(k, row); err != nil {
				return nil, err
			}
		}
		return r.learn(k), nil
	}
	return nil, wrongRoot(rootID, r.current())
}

func wrongRoot(rootID string, have *rootKey) error {
	return fault.Wrap(fault.Unavailable, base.ErrWrongRootKey,
		"a key is wrapped by the root key %s, but this is %s", rootID, have.id).WithCode("WrongRootKey").
		WithHint("put the right root key back; nothing has been changed")
}

func nextData(fromID, nextID string) []byte {
	return canon.Text(canon.Text(canon.Text(nil, "hayward/next-root/1"), fromID), nextID)
}

// openNext opens the next root key, as a change of the root key left it in the store.
func (r *Ring) openNext(from *rootKey, row driver.RootRow) (*rootKey, error) {
	raw, err := from.wrap().Decrypt(row.Next, nextData(row.RootID, row.NextID))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, base.ErrTampered, "the record of the next root key in the store is not what was written").
			WithHint("restore the database from its backup")
	}
	root, err := NewRoot(raw, "the change of the root key")
	clear(raw)
	if err != nil || root.ID() != row.NextID {
		return nil, fault.Wrap(fault.Internal, base.ErrTampered, "the record of the next root key names another key")
	}
	return r.learn(openRoot(root)), nil
}

// writeRoot returns the root key that new keys are wrapped by, for the rest of this transaction.
func (r *Ring) writeRoot(ctx context.Context, tx driver.Tx) (*rootKey, error) {
	if err := tx.LockRoot(ctx); err != nil {
		return nil, err
	}
	row, err := tx.Root(ctx)
	if errors.Is(err, driver.ErrNotFound) { // a ring made by New, in a fresh store
		return r.current(), r.firstRoot(ctx, tx, driver.RootRow{Direct: true})
	}
	if err != nil {
		return nil, err
	}
	if row.NextID != "" {
		return r.find(ctx, row, row.NextID)
	}
	k, err := r.find(ctx, row, row.RootID)
	if err != nil {
		return nil, err
	}
	return k, r.checkRoot(k, row)
}

// reload follows what another replica did to the root key.
func (r *Ring) reload(ctx context.Context) error {
	return r.st.View(ctx, func(tx driver.Tx) error {
		row, err := tx.Root(ctx)
		if err != nil {
			return err
		}
		k, err := r.find(ctx, row, row.RootID)
		if err != nil {
			return err
		}
		if row.NextID != "" {
			_, err = r.find(ctx, row, row.NextID)
			return err
		}
		if k == r.current() {
			return nil
		}
		r.settle(k, row.FormerID)
		return r.loadSystem(ctx, tx)
	})
}

// listen drops what the ring keeps when a tenant's keys change, and follows changes of the root key.
func (r *Ring) listen() {
	w, ok := r.st.(driver.Watcher)
	if !ok {
		return
	}
	w.Watch(func(c driver.Change) {
		switch {
		case c.Noun == driver.NounEverything:
			r.cache.clear()
			r.fresh.run(r.follow)
		case c.Noun == driver.NounKey && c.App == driver.Operator:
			r.fresh.run(r.follow)
		case c.Noun == driver.NounKey:
			r.cache.forget(c.App, c.Tenant)
		}
	})
}

// follow runs beside the listener, which must not use the store. If it fails, the next row under an unknown root key looks
// again.
func (r *Ring) follow() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = r.reload(ctx)
}

// flight runs a function in the background, one at a time, and once more if it was asked for meanwhile.
type flight struct{ asked atomic.Int64 }

func (f *flight) run(fn func()) {
	if f.asked.Add(1) > 1 {
		return
	}
	go func() {
		for {
			n := f.asked.Load()
			fn()
			if f.asked.CompareAndSwap(n, 0) {
				return
			}
		}
	}()
}
