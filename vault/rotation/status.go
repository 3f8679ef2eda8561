package rotation

import (
	"context"
	"errors"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Status is where the rotation of a secret stands.
type Status struct {
	SecretKey string     `json:"secret_key"`
	AppID     string     `json:"app_id"`
	TenantID  string     `json:"tenant_id"`
	State     string     `json:"state"`            // idle, creating, pending, set, tested or current
	DueAt     *time.Time `json:"due_at,omitempty"` // when something happens next by itself; nil: nothing does
	Overdue   bool       `json:"overdue"`          // it should have happened, and nobody has it in hand

	RunID      string     `json:"run_id,omitempty"` // the run under way, or the last one
	OldVersion int64      `json:"old_version,omitempty"`
	NewVersion int64      `json:"new_version,omitempty"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	StartedBy  string     `json:"started_by,omitempty"`
	Attempt    int        `json:"attempt,omitempty"` // failures in a row of the step that is due
	Failure    *Failure   `json:"failure,omitempty"` // the last of them

	Holder     string     `json:"holder,omitempty"` // who has it in hand
	LeaseUntil *time.Time `json:"lease_until,omitempty"`
	Fence      int64      `json:"fence"` // the fencing token of the last lease
	Policy     *Policy    `json:"policy,omitempty"`
}

// overdueAfter is how long something may be due before a status calls it overdue.
const overdueAfter = 5 * time.Minute

// Status returns where the rotation of a secret of the tenant in scope stands. It fails with vault.ErrRotationNotFound if it
// has no policy and was never rotated.
func (s *Service) Status(ctx context.Context, key, appID string) (*Status, error) {
	c, err := s.m.enter(ctx, "rotation.status", key, appID)
	if err != nil {
		return nil, err
	}
	return read(ctx, s.m, c, func(tx driver.Tx) (*Status, error) {
		row, err := tx.Rotation(ctx, c.app, c.tenant, key)
		if errors.Is(err, driver.ErrNotFound) {
			return nil, never(key)
		}
		if err != nil {
			return nil, err
		}
		out := toStatus(row, tx.Now())
		out.Policy, err = readPolicy(ctx, tx, c.owner, key)
		if errors.Is(err, base.ErrRotationNotFound) {
			err = nil
		}
		if err == nil && out.Policy == nil && row.Fence == 0 {
			return nil, never(key)
		}
		return out, err
	})
}

func never(key string) error {
	return fault.Wrap(fault.NotFound, base.ErrRotationNotFound, "the secret %s has no rotation policy and was never rotated", key).
		WithCode("RotationNotFound")
}

func toStatus(row driver.RotationRow, now int64) *Status {
	out := &Status{SecretKey: row.Name, AppID: row.App, TenantID: row.Tenant, State: row.State, DueAt: moment(row.DueAt), RunID: row.RunID,
		OldVersion: row.OldVersion, NewVersion: row.NewVersion, StartedAt: moment(row.StartedAt), StartedBy: row.Actor,
		Attempt: int(row.Attempt), Fence: row.Fence}
	if row.State == idle {
		out.State = "idle"
	}
	out.Failure = decodeFailure(row.Failure)
	if row.LeaseAt > now {
		out.Holder, out.LeaseUntil = row.Holder, moment(row.LeaseAt)
	}
	out.Overdue = row.DueAt > 0 && row.LeaseAt <= now && now-row.DueAt > overdueAfter.Microseconds()
	return out
}

// Abandon gives up the run under way for a secret of the tenant in scope: its staged version is destroyed, and what is served
// stays. If the world outside has accepted the staged value already, it knows a value afterwards that the vault does not:
// look at the status first. It fails with Conflict, code RotationHeld, while somebody has the rotation in hand, and code
// NothingToAbandon when no version waits to be served.
func (s *Service) Abandon(ctx context.Context, key, appID string) error {
	c, err := s.m.enter(ctx, "rotation.abandon", key, appID)
	if err != nil {
		return err
	}
	h, err := s.m.claimKnown(ctx, c.owner, key)
	if err != nil {
		return c.p.EndErr(ctx, err)
	}
	h.entry, h.by = c.p, c.user
	if h.row.State == idle || h.row.State == current {
		err = fault.New(fault.Conflict, "no run of the rotation of %s is under way", key).WithCode("NothingToAbandon")
		return c.p.EndErr(ctx, errors.Join(err, h.giveBack(context.WithoutCancel(ctx), 0)))
	}
	if err := h.abandon(ctx); err != nil {
		return c.p.EndErr(ctx, errors.Join(err, h.giveBack(context.WithoutCancel(ctx), 0)))
	}
	return nil
}

// claimKnown asks for the lease of a rotation that there is.
func (m *Manager) claimKnown(ctx context.Context, o owner, key string) (*hand, error) {
	err := m.st.View(ctx, func(tx driver.Tx) error {
		_, err := tx.Rotation(ctx, o.app, o.tenant, key)
		return err
	})
	if errors.Is(err, driver.ErrNotFound) {
		return nil, never(key)
	}
	if err != nil {
		return nil, err
	}
	h, err := m.claim(ctx, o, key)
	if err == nil && h == nil {
		err = held(key)
	}
	return h, err
}

func held(key string) error {
	return fault.New(fault.Conflict, "the rotation of %s is being worked on by somebody else", key).WithCode("RotationHeld").
		WithHint("look at its status, and try again when the lease has ended")
}

func (h *hand) abandon(ctx context.Context) error {
	return h.save(ctx, func(tx driver.Tx, row *driver.RotationRow) error {
		if row.NewVersion != 0 {
			err := h.m.secrets.Discard(ctx, tx, h.secretOwner(), h.key, row.NewVersion)
			if err != nil && !errors.Is(err, base.ErrSecretNotFound) { // gone with the secret
				return err
			}
		}
		_, err := addRecord(ctx, tx, driver.RotationRecordRow{App: row.App, Tenant: row.Tenant, Name: row.Name, RunID: row.RunID,
			Outcome: string(Abandoned), Step: stepOf[row.State], OldVersion: row.OldVersion, NewVersion: row.NewVersion, Details: "{}", By: h.by})
		if err != nil {
			return err
		}
		if err := h.rescheduled(ctx, tx, false); err != nil {
			return err
		}
		if row.OldVersion == 0 && row.NewVersion != 0 {
			row.Unserved = row.NewVersion
		}
		forward(row, idle)
		row.Holder, row.WakeAt = "", 0
		return h.entry.EndTx(ctx, tx, audit.OK, h.details()...)
	})
}
