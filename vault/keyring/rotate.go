package keyring

import (
	"context"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// rewrapBatch is how many keys one transaction rewraps: few enough that nobody waits long behind it.
const rewrapBatch = 64

// The phases of a change of the root key.
const (
	PhaseIdle       = "idle"       // there is one root key
	PhaseRewrapping = "rewrapping" // keys are being rewrapped under the next one; both open what they wrapped
	PhaseDestroying = "destroying" // everything is under the new one; the provider has yet to destroy the former
)

// Progress says how far a change of the root key has come.
type Progress struct {
	Phase     string `json:"phase"`
	Epoch     int64  `json:"epoch"`             // rises by one with each change
	RootID    string `json:"root_id"`           // the root key in use
	NextID    string `json:"next_id,omitempty"` // the one that follows, while keys are being rewrapped
	Rewrapped int64  `json:"rewrapped"`         // keys under the newest root key
	Total     int64  `json:"total"`             // all keys of tenants
	ChangedAt int64  `json:"changed_at"`        // when the change began or ended, microseconds since 1970
	Advice    string `json:"advice,omitempty"`  // what the operator must still do; only from the call that ended the change
}

// Rewrap is how a room that keeps what [Ring.Wrap] of an early version made takes part in a change of the root key: it
// passes each blob to again, and stores the result in place of the blob if changed says so. It may be called several times.
type Rewrap func(ctx context.Context, again func(purpose string, wrapped []byte) (rewrapped []byte, changed bool, err error)) error

// OnRewrap has fn called in each change of the root key. In data of early versions the root key cannot change before
// somebody takes part here, because what was wrapped directly by it could not be opened afterwards; what needs nothing
// rewrapped says so with a function that does nothing.
func (r *Ring) OnRewrap(room string, fn Rewrap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rewraps[room] = fn
}

// Progress reads how far a change of the root key has come.
func (r *Ring) Progress(ctx context.Context) (p Progress, err error) {
	if r.st == nil {
		return p, errNoStore()
	}
	err = r.st.View(ctx, func(tx driver.Tx) error {
		row, err := tx.Root(ctx)
		if err == nil {
			p, err = progress(ctx, tx, row)
		}
		return err
	})
	return p, err
}

func errNoStore() error {
	return fault.New(fault.Unsupported, "this keyring was made without a store").WithHint("open it with keyring.Open")
}

func progress(ctx context.Context, tx driver.Tx, row driver.RootRow) (p Progress, err error) {
	p = Progress{Phase: PhaseIdle, Epoch: row.Epoch, RootID: row.RootID, NextID: row.NextID, ChangedAt: row.ChangedAt}
	newest := row.RootID
	switch {
	case row.NextID != "":
		p.Phase, newest = PhaseRewrapping, row.NextID
	case row.FormerID != "":
		p.Phase = PhaseDestroying
	}
	p.Total, p.Rewrapped, err = tx.CountKeysEverywhere(ctx, newest)
	return p, err
}

// RotateRoot puts a new root key in the place of the one in use, while everybody goes on reading and writing: it has the
// provider make the next key, rewraps every key in small transactions, and has the provider destroy the former. A change
// that is under way already, here or in another process, is finished first and is the one that counts. Interrupted at any
// moment it leaves everything readable; the next call, or [Ring.Resume], goes on.
func (r *Ring) RotateRoot(ctx context.Context) (Progress, error) {
	if err := r.beginRoot(ctx); err != nil {
		return Progress{}, err
	}
	return r.Resume(ctx)
}

// Resume finishes a change of the root key that was interrupted. Without one it does nothing.
func (r *Ring) Resume(ctx context.Context) (Progress, error) {
	for advice := ""; ; {
		p, err := r.Progress(ctx)
		if err != nil {
			return p, err
		}
		switch p.Phase {
		case PhaseRewrapping:
			err = r.rewrapSome(ctx)
		case PhaseDestroying:
			advice, err = r.destroyFormer(ctx, p.RootID)
		default:
			p.Advice = advice
			return p, nil
		}
		if err != nil {
			return p, err
		}
	}
}

// rotator is the provider, if it can change its key.
func (r *Ring) rotator() (Rotator, error) {
	if r.st == nil {
		return nil, errNoStore()
	}
	rot, ok := r.provider.(Rotator)
	if !ok {
		return nil, fault.New(fault.Unsupported, "the root key from %s cannot be changed while the server runs", r.current().Origin).
			WithHint("give the server a root key file, an environment variable or a key management service")
	}
	return rot, nil
}

// beginRoot records the next root key, unless a change is under way. From then on new keys are wrapped by the next one.
func (r *Ring) beginRoot(ctx context.Context) error {
	rot, err := r.rotator()
	if err != nil {
		return err
	}
	p, err := r.Progress(ctx)
	if err != nil || p.Phase == PhaseRewrapping {
		return err
	}
	if p, err = r.Resume(ctx); err != nil { // a former key that is not destroyed yet
		return err
	}
	root, err := rot.Next(ctx, true)
	if err != nil {
		return err
	}
	next := openRoot(root)
	return r.st.Update(ctx, func(tx driver.Tx) error {
		row, err := r.lockedRoot(ctx, tx)
		// What the provider calls the next key follows the one that was in use when it was asked. If another process changed
		// the root key meanwhile, that is the change that counts.
		if err != nil || row.NextID != "" || row.FormerID != "" || row.RootID != p.RootID {
			return err
		}
		return r.announce(ctx, tx, row, next)
	})
}

// lockedRoot is the root row, which nobody else changes before this transaction ends.
func (r *Ring) lockedRoot(ctx context.Context, tx driver.Tx) (driver.RootRow, error) {
	if err := tx.LockRoot(ctx); err != nil {
		return driver.RootRow{}, err
	}
	return tx.Root(ctx)
}

func (r *Ring) announce(ctx context.Context, tx driver.Tx, row driver.RootRow, next *rootKey) error {
	if row.RootID == next.id {
		return sameRoot()
	}
	if err := r.mayLeaveDirect(row); err != nil {
		return err
	}
	current, err := r.find(ctx, row, row.RootID)
	if err != nil {
		return err
	}
	if err := r.keepMACs(ctx, tx); err != nil {
		return err
	}
	if row.Next, err = current.wrap().Encrypt(next.Bytes(), nextData(current.id, next.id)); err != nil {
		return fault.Wrap(fault.Internal, err, "cannot wrap the next root key")
	}
	if row.Total, _, err = tx.CountKeysEverywhere(ctx, next.id); err != nil {
		return err
	}
	row.NextID, row.ChangedAt = next.id, tx.Now()
	if err := aim(ctx, tx, row); err != nil {
		return err
	}
	tx.AfterCommit(nil, func() error { r.learn(next); return nil })
	return tx.PutRoot(ctx, row)
}

func sameRoot() error {
	return fault.New(fault.Unsupported, "the next root key is the one in use already").
		WithHint("it must be a new one: 32 random bytes in base64, as from: head -c 32 /dev/urandom | base64")
}

// mayLeaveDirect refuses to leave behind what early versions wrapped directly by the root key.
func (r *Ring) mayLeaveDirect(row driver.RootRow) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !row.Direct || len(r.rewraps) > 0 {
		return nil
	}
	return fault.New(fault.Unsupported, "this data may hold keys of the server that an early version wrapped directly by the root key").
		WithHint("the program must take part in the change with Ring.OnRewrap")
}

// rewrapSome rewraps one batch; when nothing is left, it makes the next root key the current one.
func (r *Ring) rewrapSome(ctx context.Context) error {
	left, nextID := false, ""
	err := r.st.Update(ctx, func(tx driver.Tx) error {
		row, err := r.lockedRoot(ctx, tx)
		if nextID = row.NextID; err != nil || nextID == "" {
			return err
		}
		next, err := r.find(ctx, row, row.NextID)
		if err != nil {
			return err
		}
		n, err := r.rewrapBatch(ctx, tx, next)
		left = n > 0
		return err
	})
	if err != nil || left || nextID == "" {
		return err
	}
	if err := r.askRooms(ctx); err != nil {
		return err
	}
	held, err := r.held(ctx)
	if err != nil {
		return err
	}
	if err := r.st.Update(ctx, func(tx driver.Tx) error { return r.flip(ctx, tx, nextID, held) }); err != nil {
		return err
	}
	return r.st.View(ctx, func(tx driver.Tx) error { return r.loadSystem(ctx, tx) })
}

func (r *Ring) rewrapBatch(ctx context.Context, tx driver.Tx, next *rootKey) (int, error) {
	rows, err := tx.ListKeysEverywhereBut(ctx, next.id, rewrapBatch)
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		raw, err := r.openTenantKey(ctx, tx, row)
		if err != nil {
			return 0, err
		}
		err = wrapKey(next, &row, raw)
		clear(raw)
		if err == nil {
			err = tx.PutKey(ctx, row)
		}
		if err != nil {
			return 0, err
		}
	}
	if len(rows) > 0 {
		return len(rows), nil
	}
	return r.rewrapSystem(ctx, tx, next)
}

func (r *Ring) rewrapSystem(ctx context.Context, tx driver.Tx, next *rootKey) (n int, err error) {
	rows, err := tx.ListSystemKeys(ctx)
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		if row.RootID == next.id {
			continue
		}
		raw, err := r.openSystemKey(ctx, tx, row)
		if err != nil {
			return 0, err
		}
		err = wrapSystem(next, &row, raw)
		clear(raw)
		if err == nil {
			err = tx.PutSystemKey(ctx, row)
		}
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// askRooms has every room rewrap what it keeps.
func (r *Ring) askRooms(ctx context.Context) error {
	r.mu.Lock()
	rooms := make(map[string]Rewrap, len(r.rewraps))
	for name, fn := range r.rewraps {
		rooms[name] = fn
	}
	r.mu.Unlock()
	for name, fn := range rooms {
		if err := fn(ctx, r.again); err != nil {
			return fault.Wrap(fault.Unavailable, err, "the %s could not be rewrapped; the former root key stays in use", name)
		}
	}
	return nil
}

func (r *Ring) again(purpose string, wrapped []byte) ([]byte, bool, error) {
	if _, ok := r.unwrapSeeded(purpose, wrapped); ok {
		return wrapped, false, nil
	}
	pt, ok := r.unwrapDirect(purpose, wrapped)
	if !ok {
		return nil, false, fault.Wrap(fault.Internal, base.ErrDecryptionFailed, "a stored key of the server does not belong here or was changed")
	}
	out, err := r.Wrap(purpose, pt)
	clear(pt)
	return out, err == nil, err
}

// held returns the ids of the root keys that this process's provider has.
func (r *Ring) held(ctx context.Context) (ids map[string]bool, err error) {
	rot, err := r.rotator()
	if err != nil {
		return nil, err
	}
	next, err := rot.Next(ctx, false)
	if err != nil {
		return nil, err
	}
	ids = map[string]bool{}
	if !next.IsZero() {
		ids[next.ID()] = true
	}
	if root, err := rot.Root(ctx, false); err == nil {
		ids[root.ID()] = true
	}
	return ids, nil
}

// flip makes the next root key the current one, if nothing is left under any other. It must be a key that the provider has:
// outside of it, the next key exists only as long as the former one.
func (r *Ring) flip(ctx context.Context, tx driver.Tx, nextID string, held map[string]bool) error {
	row, err := r.lockedRoot(ctx, tx)
	if err != nil || row.NextID != nextID { // another process is further
		return err
	}
	if !held[row.NextID] {
		return fault.New(fault.Unavailable, "the change of the root key began elsewhere, and the next root key %s is not here", row.NextID).
			WithHint("finish the change on the server where it began, or bring its next root key here")
	}
	next, err := r.find(ctx, row, row.NextID)
	if err != nil {
		return err
	}
	if err := r.keepMACs(ctx, tx); err != nil {
		return err
	}
	if n, err := r.rewrapBatch(ctx, tx, next); n > 0 || err != nil {
		return err // somebody made a key meanwhile; the next step flips
	}
	row.FormerID, row.NextID, row.Next = row.RootID, "", nil
	row.Epoch, row.Direct, row.ChangedAt = row.Epoch+1, false, tx.Now()
	if err := sealCheck(next, &row); err != nil {
		return err
	}
	former := row.FormerID
	tx.AfterCommit(nil, func() error { r.settle(next, former); return nil })
	return tx.PutRoot(ctx, row)
}

// destroyFormer has the provider destroy the former root key, and then forgets it.
func (r *Ring) destroyFormer(ctx context.Context, rootID string) (advice string, err error) {
	rot, err := r.rotator()
	if err != nil {
		return "", err
	}
	if advice, err = rot.Promote(ctx, rootID); err != nil {
		if p, readErr := r.Progress(ctx); readErr == nil && (p.RootID != rootID || p.Phase != PhaseDestroying) {
			return "", nil // another process did it, and may be further already
		}
		return "", err
	}
	return advice, r.st.Update(ctx, func(tx driver.Tx) error {
		row, err := r.lockedRoot(ctx, tx)
		if err != nil || row.FormerID == "" || row.RootID != rootID {
			return err
		}
		k, err := r.find(ctx, row, rootID)
		if err != nil {
			return err
		}
		row.FormerID = ""
		tx.AfterCommit(nil, func() error { r.settle(k, ""); return nil })
		return tx.PutRoot(ctx, row)
	})
}
