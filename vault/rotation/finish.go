package rotation

import (
	"context"
	"errors"
	"time"

	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// promote serves the staged version, says so in the history, and ends the entry, all at once.
func (h *hand) promote(ctx context.Context) error {
	if err := h.at("before promote"); err != nil {
		return err
	}
	err := h.save(ctx, func(tx driver.Tx, row *driver.RotationRow) error {
		now := tx.Now()
		grace := time.Duration(h.def.Grace) * time.Microsecond
		err := h.m.secrets.Promote(ctx, tx, h.secretOwner(), h.key, row.NewVersion, row.OldVersion, secret.WithGrace(grace))
		if errors.Is(err, base.ErrVersionConflict) {
			return changedMeanwhile(h.key, row.NewVersion)
		}
		if err != nil {
			return err
		}
		if err := h.rescheduled(ctx, tx, true); err != nil {
			return err
		}
		_, err = addRecord(ctx, tx, driver.RotationRecordRow{App: row.App, Tenant: row.Tenant, Name: row.Name, RunID: row.RunID,
			Outcome: string(Rotated), OldVersion: row.OldVersion, NewVersion: row.NewVersion, Details: "{}", By: row.Actor})
		if err != nil {
			return err
		}
		forward(row, idle)
		row.Holder, row.WakeAt = "", 0
		if _, retires := h.rot.(Retirer); retires && row.OldVersion != 0 {
			row.State, row.WakeAt = current, now+h.def.Grace
		}
		return h.entry.EndTx(ctx, tx, audit.OK, h.details()...)
	})
	if err != nil {
		return err
	}
	h.m.kept.drop(h.row.RunID)
	if h.m.metrics != nil {
		h.m.metrics.SecretRotated.Inc()
	}
	return h.at("promoted")
}

// rescheduled writes into the policy, if there is one, that a run has ended now.
func (h *hand) rescheduled(ctx context.Context, tx driver.Tx, rotated bool) error {
	p, err := policyRow(ctx, tx, h.owner, h.key)
	if err != nil || p == nil {
		return err
	}
	now := tx.Now()
	if rotated {
		p.LastAt = now
	}
	p.NextAt, p.UpdatedAt = now+p.Interval, now
	return tx.PutRotationPolicy(ctx, *p)
}

// retire ends the grace period of the former version. Unless a run follows, the lease ends with it: a process that dies right
// afterwards leaves nothing behind.
func (h *hand) retire(ctx context.Context, onward bool) error {
	s, err := h.step(ctx)
	if err != nil {
		return err
	}
	if err := h.at("before retire"); err != nil {
		return err
	}
	if r, ok := h.rot.(Retirer); ok {
		if err := h.call(ctx, s, r.Retire); err != nil {
			return err
		}
	}
	if err := h.at("called retire"); err != nil {
		return err
	}
	return h.save(ctx, func(_ driver.Tx, row *driver.RotationRow) error {
		forward(row, idle)
		row.WakeAt = 0
		if !onward {
			row.Holder = ""
		}
		return nil
	})
}
