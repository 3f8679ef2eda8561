package rotation

import (
	"context"
	"errors"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// claim asks for the lease of a rotation. nil means that somebody else has it.
func (m *Manager) claim(ctx context.Context, o owner, key string) (*hand, error) {
	var row driver.RotationRow
	var ok bool
	err := m.st.Update(ctx, func(tx driver.Tx) (err error) {
		if err := tx.AddRotation(ctx, o.app, o.tenant, key); err != nil {
			return err
		}
		row, ok, err = tx.ClaimRotation(ctx, o.app, o.tenant, key, m.holder, tx.Now()+m.lease.Microseconds())
		return err
	})
	if err != nil || !ok {
		return nil, err
	}
	return &hand{m: m, owner: o, key: key, row: row}, nil
}

// adopt reads what the run under way is told, or else what the policy says, and finds the rotator.
func (h *hand) adopt(ctx context.Context) error {
	def, err := h.m.told(ctx, h.owner, h.row)
	if err != nil {
		return err
	}
	h.def = def
	h.rot, err = h.m.rotator(def.Rotator, h.key)
	return err
}

// told returns the definition that a rotation goes on with: that of the run under way, else the policy's, else the default.
func (m *Manager) told(ctx context.Context, o owner, row driver.RotationRow) (definition, error) {
	text := row.Definition
	if row.State == idle {
		err := m.st.View(ctx, func(tx driver.Tx) error {
			p, err := policyRow(ctx, tx, o, row.Name)
			if text = ""; p != nil {
				text = p.Definition
			}
			return err
		})
		if err != nil {
			return definition{}, err
		}
	}
	return decodeDefinition(row.Name, text)
}

// hold renews the lease until stop is called, and cancels the context it returns when the lease is lost: given to somebody
// else, or not renewed in time, so that it may be.
func (h *hand) hold(ctx context.Context) (held context.Context, stop func()) {
	held, cancel := context.WithCancelCause(ctx)
	fence, done := h.row.Fence, make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(max(h.m.lease/3, time.Millisecond))
		defer tick.Stop()
		for renewed := time.Now(); ; {
			select {
			case <-held.Done():
				return
			case <-tick.C:
			}
			began := time.Now()
			err := h.m.st.Update(held, func(tx driver.Tx) error {
				return tx.ExtendRotation(held, h.owner.app, h.owner.tenant, h.key, fence, tx.Now()+h.m.lease.Microseconds())
			})
			switch {
			case err == nil:
				renewed = began
			case isStale(err):
				cancel(err)
			case time.Since(renewed) > h.m.lease:
				cancel(driver.StaleFence(h.key))
			}
		}
	}()
	return held, func() {
		cancel(nil)
		<-done
	}
}

func isStale(err error) bool { return err != nil && fault.From(err).Code == "StaleFence" }

// attempt drives a rotation under its lease, and writes down how that ended. The entry is open, and is ended here.
func (h *hand) attempt(ctx context.Context, onward bool) error {
	held, stop := h.hold(ctx)
	defer stop()
	err := h.drive(held, onward)
	if lost := context.Cause(held); err != nil && ctx.Err() == nil && h.row.Holder != "" && isStale(lost) {
		err = lost // why everything under it was cancelled
	}
	if err == nil {
		return h.entry.End(ctx, audit.OK, h.details()...)
	}
	step := stepOf[h.row.State]
	var crash crashed
	switch {
	case errors.As(err, &crash):
		return err
	case isStale(err):
		h.m.kept.drop(h.row.RunID) // whoever has the lease now makes its own
		return h.entry.EndErr(ctx, err)
	case ctx.Err() != nil: // asked to stop: nothing failed, and whoever comes next goes on
		err = fault.Wrap(fault.Canceled, context.Cause(ctx), "the rotation of %s was interrupted; it will go on at the step %s",
			h.key, step)
	case !isFault(err):
		err = fault.Wrap(fault.Failed, err, "the rotation of %s failed at the step %s", h.key, step).WithCode("RotatorFailed")
	}
	stop()
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), lateWrites)
	defer cancel()
	unwritten := h.failed(late, step, err, ctx.Err() != nil)
	switch {
	case isStale(unwritten):
		err = unwritten // whatever went wrong, it went wrong because somebody else went on
	case unwritten != nil:
		h.m.log.ErrorContext(ctx, "a rotation that did not end could not be written down; its lease will run out", "secret", h.key,
			"app", h.owner.app, "tenant", h.owner.tenant, "error", unwritten)
	}
	return h.entry.EndErr(ctx, err)
}

// lateWrites is how long what must be written when a caller is gone may take.
const lateWrites = 10 * time.Second

func isFault(err error) bool {
	var f *fault.Error
	return errors.As(err, &f)
}

// failed gives the lease back after a step that did not end well: with a record and a time to wait, unless it was only
// interrupted.
func (h *hand) failed(ctx context.Context, step string, err error, interrupted bool) error {
	return h.save(ctx, func(tx driver.Tx, row *driver.RotationRow) error {
		now := tx.Now()
		row.Holder = ""
		if interrupted {
			return nil
		}
		f := failureOf(step, err, now)
		row.Attempt++
		row.WakeAt, row.Failure = now+h.m.backoff.wait(row.Attempt).Microseconds(), encodeFailure(f)
		rec := driver.RotationRecordRow{App: row.App, Tenant: row.Tenant, Name: row.Name, Outcome: string(Failed), Step: step,
			Attempt: row.Attempt, Details: row.Failure, By: h.by}
		if row.State != idle {
			rec.RunID, rec.OldVersion, rec.NewVersion, rec.By = row.RunID, row.OldVersion, row.NewVersion, row.Actor
		}
		_, err := addRecord(ctx, tx, rec)
		return err
	})
}

// giveBack ends the lease with the row as it is, or, if nothing is under way, to be looked at again at a later time.
func (h *hand) giveBack(ctx context.Context, later int64) error {
	return h.save(ctx, func(_ driver.Tx, row *driver.RotationRow) error {
		row.Holder = ""
		if row.State == idle && later != 0 {
			row.WakeAt = later
		}
		return nil
	})
}
