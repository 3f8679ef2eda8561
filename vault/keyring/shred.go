package keyring

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// The states of destroying a tenant's keys, in order. Each is entered in one transaction.
const (
	shredOverwritten = "overwritten" // the rows hold noise; nothing of the tenant opens, and nothing new is sealed
	shredDeleted     = "deleted"     // the rows are gone
	shredReplacing   = "replacing"   // a new root key is on its way, which never wrapped a key of the tenant
	shredDone        = "done"        // the former root key is destroyed and the receipt signed
)

// ShredRequest says whose keys to destroy.
type ShredRequest struct {
	App, Tenant string
	Reason      string // for the receipt; needed
	RequestedBy string // the user id
	Checkpoint  string // where the audit record stood, in the audit's own terms; may be empty
}

// Shred destroys every key of a tenant, for ever, and returns a signed receipt. The rows are overwritten and then deleted,
// caches are dropped, and then the root key is changed: what wrapped the keys in any copy made before is destroyed too, so
// that no earlier copy of the database opens with today's root key. Copies of old root keys, and copies of the keys from
// when those were in use, are outside the promise, and the receipt says so.
//
// Afterwards every stored value of the tenant answers [ErrDestroyed] (a vault.ErrDecryptionFailed), and so does storing a
// new one. Interrupted at any moment, the next call for the same tenant, or [Ring.ResumeShreds], goes on; a call for a
// tenant that is done returns the receipt there is. If the root key cannot be changed, nothing is destroyed.
func (r *Ring) Shred(ctx context.Context, req ShredRequest) (Receipt, error) {
	if err := driver.Args(req.App, req.Tenant); err != nil {
		return Receipt{}, err
	}
	if req.Reason == "" {
		return Receipt{}, fault.New(fault.Invalid, "destroying a tenant's keys needs a reason").At(fault.Where{Field: "reason"})
	}
	if _, err := r.shredRow(ctx, req.App, req.Tenant); errors.Is(err, driver.ErrNotFound) {
		if err := r.canChangeRoot(ctx); err != nil {
			return Receipt{}, err
		}
		if err := r.st.Update(ctx, func(tx driver.Tx) error { return r.overwrite(ctx, tx, req) }); err != nil {
			return Receipt{}, err
		}
	} else if err != nil {
		return Receipt{}, err
	}
	return r.finishShred(ctx, req.App, req.Tenant)
}

// ResumeShreds finishes what was interrupted, for every tenant.
func (r *Ring) ResumeShreds(ctx context.Context) error {
	if r.st == nil {
		return errNoStore()
	}
	for _, state := range []string{shredOverwritten, shredDeleted, shredReplacing} {
		var rows []driver.ShredRow
		if err := r.st.View(ctx, func(tx driver.Tx) (err error) { rows, err = tx.ListShredsEverywhere(ctx, state); return err }); err != nil {
			return err
		}
		for _, row := range rows {
			if _, err := r.finishShred(ctx, row.App, row.Tenant); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Ring) shredRow(ctx context.Context, app, tenant string) (row driver.ShredRow, err error) {
	if r.st == nil {
		return row, errNoStore()
	}
	err = r.st.View(ctx, func(tx driver.Tx) error { row, err = tx.Shred(ctx, app, tenant); return err })
	return row, err
}

// canChangeRoot makes sure of the last step before the first.
func (r *Ring) canChangeRoot(ctx context.Context) error {
	rot, err := r.rotator()
	if err != nil {
		return err
	}
	if _, err := r.Resume(ctx); err != nil { // a change that is under way ends first
		return err
	}
	var row driver.RootRow
	if err := r.st.View(ctx, func(tx driver.Tx) (err error) { row, err = tx.Root(ctx); return err }); err != nil {
		return err
	}
	if err := r.mayLeaveDirect(row); err != nil {
		return err
	}
	next, err := rot.Next(ctx, true)
	if err == nil && next.ID() == row.RootID {
		err = sameRoot()
	}
	return err
}

// overwrite is the first step, and the one that cannot be undone.
func (r *Ring) overwrite(ctx context.Context, tx driver.Tx, req ShredRequest) error {
	root, err := r.lockedRoot(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := tx.Shred(ctx, req.App, req.Tenant); !errors.Is(err, driver.ErrNotFound) {
		return err
	}
	keys, err := tx.ListKeys(ctx, req.App, req.Tenant)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return fault.New(fault.NotFound, "this tenant has no keys: nothing was ever stored for it")
	}
	ids := make([]string, 0, len(keys))
	for _, k := range keys {
		ids = append(ids, k.ID)
		if err := overwriteKey(ctx, tx, k); err != nil {
			return err
		}
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the keys' ids cannot be written down")
	}
	tx.AfterCommit(nil, func() error { r.Forget(req.App, req.Tenant); return nil })
	return tx.PutShred(ctx, driver.ShredRow{App: req.App, Tenant: req.Tenant, ID: id.New(id.Key).String(), State: shredOverwritten,
		Reason: req.Reason, RequestedBy: req.RequestedBy, RequestedAt: tx.Now(), Checkpoint: req.Checkpoint, KeyIDs: string(text),
		EpochBefore: root.Epoch, RootBefore: root.RootID})
}

func overwriteKey(ctx context.Context, tx driver.Tx, k driver.KeyRow) error {
	k.RootID, k.Primary = "", false
	rand.Read(k.Wrapped)
	return tx.PutKey(ctx, k)
}

// finishShred takes the remaining steps for one tenant.
func (r *Ring) finishShred(ctx context.Context, app, tenant string) (Receipt, error) {
	for {
		row, err := r.shredRow(ctx, app, tenant)
		if err != nil {
			return Receipt{}, err
		}
		switch row.State {
		case shredOverwritten:
			err = r.st.Update(ctx, func(tx driver.Tx) error { return deleteKeys(ctx, tx, app, tenant) })
		case shredDeleted:
			// A change that began before the keys were gone may have rewrapped them: it does not count.
			if _, err = r.Resume(ctx); err == nil {
				err = r.beginRoot(ctx)
			}
		case shredReplacing:
			if _, err = r.Resume(ctx); err == nil {
				err = r.st.Update(ctx, func(tx driver.Tx) error { return r.issue(ctx, tx, app, tenant) })
			}
		case shredDone:
			return ParseReceipt([]byte(row.Receipt))
		default:
			err = fault.Wrap(fault.Internal, base.ErrTampered, "the record of a tenant's destroyed keys says %q", row.State)
		}
		if err != nil {
			return Receipt{}, err
		}
	}
}

func deleteKeys(ctx context.Context, tx driver.Tx, app, tenant string) error {
	row, err := tx.Shred(ctx, app, tenant)
	if err != nil || row.State != shredOverwritten {
		return err
	}
	keys, err := tx.ListKeys(ctx, app, tenant)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := tx.DeleteKey(ctx, app, tenant, k.ID); err != nil {
			return err
		}
	}
	row.State = shredDeleted
	return tx.PutShred(ctx, row)
}

// aim notes, for every tenant whose keys are gone, the root key that a change begins with: it never wraps a key of theirs.
func aim(ctx context.Context, tx driver.Tx, root driver.RootRow) error {
	rows, err := tx.ListShredsEverywhere(ctx, shredDeleted)
	if err != nil {
		return err
	}
	for _, row := range rows {
		row.State, row.Target = shredReplacing, root.NextID
		if err := tx.PutShred(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// issue signs the receipt, once the former root key is destroyed.
func (r *Ring) issue(ctx context.Context, tx driver.Tx, app, tenant string) error {
	row, err := tx.Shred(ctx, app, tenant)
	if err != nil || row.State != shredReplacing {
		return err
	}
	root, err := tx.Root(ctx)
	if err != nil || root.NextID == row.Target || (root.RootID == row.Target && root.FormerID != "") {
		return err
	}
	signer, err := r.Signer(ctx, tx, ReceiptPurpose)
	if err != nil {
		return err
	}
	rec := Receipt{Format: receiptFormat, ID: row.ID, App: app, Tenant: tenant, Reason: row.Reason, RequestedBy: row.RequestedBy,
		RequestedAt: time.UnixMicro(row.RequestedAt).UTC(), CompletedAt: time.UnixMicro(tx.Now()).UTC(), EpochBefore: row.EpochBefore,
		EpochAfter: root.Epoch, RootBefore: row.RootBefore, RootAfter: root.RootID, Checkpoint: row.Checkpoint, Limits: receiptLimits}
	if err := json.Unmarshal([]byte(row.KeyIDs), &rec.Keys); err != nil {
		return fault.Wrap(fault.Internal, base.ErrTampered, "the record of a tenant's destroyed keys is not what was written")
	}
	rec.Count = len(rec.Keys)
	rec.sign(signer)
	text, err := json.Marshal(rec)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the receipt cannot be written down")
	}
	row.State, row.Receipt = shredDone, string(text)
	return tx.PutShred(ctx, row)
}

// Receipts returns the receipts of an app, of up to limit tenants after the given one. Tenants whose keys are still being
// destroyed are not among them.
func (r *Ring) Receipts(ctx context.Context, tx driver.Tx, app, after string, limit int) (out []Receipt, err error) {
	rows, err := tx.ListShredsEveryTenant(ctx, app, after, limit)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if row.State != shredDone {
			continue
		}
		rec, err := ParseReceipt([]byte(row.Receipt))
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, nil
}
