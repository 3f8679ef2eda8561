package rotation

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// The states of a rotation, as they are stored. Each says which step is due.
const (
	idle     = ""
	creating = "creating" // the run has a token; Create is due
	pending  = "pending"  // the new version is staged; Set is due
	changed  = "set"      // the world outside was changed; Test is due
	tested   = "tested"   // the new version works; serving it is due
	current  = "current"  // it is served; Retire is due when the grace period ends
)

// The names of steps in the history.
const (
	stepBegin   = "begin"
	stepCreate  = "create"
	stepSet     = "set"
	stepTest    = "test"
	stepPromote = "promote"
	stepRetire  = "retire"
)

var stepOf = map[string]string{idle: stepBegin, creating: stepCreate, pending: stepSet, changed: stepTest,
	tested: stepPromote, current: stepRetire}

// hand is a rotation that this manager has in hand: its row, and the lease under which it may write it.
type hand struct {
	m     *Manager
	owner owner
	key   string
	row   driver.RotationRow // as it was last written
	def   definition         // what the run is told
	rot   Staged
	entry *audit.Pending // the open record of this attempt
	by    string         // the user id a new run is noted under
}

// drive goes from where the rotation stands to where the new version is served; or, if what is due is retiring the former
// version, through that. With onward it begins a run after retiring.
func (h *hand) drive(ctx context.Context, onward bool) error {
	if h.row.State == current {
		if err := h.retire(ctx, onward); err != nil || !onward {
			return err
		}
		if err := h.adopt(ctx); err != nil { // the next run is told what the policy says now
			return err
		}
	}
	for {
		var err error
		switch h.row.State {
		case idle:
			err = h.begin(ctx)
		case creating:
			err = h.create(ctx)
		case pending:
			err = h.outside(ctx, changed, func(ctx context.Context, s Step) error { return h.rot.Set(ctx, s) })
		case changed:
			err = h.outside(ctx, tested, func(ctx context.Context, s Step) error { return h.rot.Test(ctx, s) })
		case tested:
			return h.promote(ctx)
		default:
			return fault.New(fault.Internal, "the rotation of %s is in an unknown state", h.key)
		}
		if err != nil {
			return err
		}
	}
}

// save changes the row, and what belongs to the change, in one transaction under the lease. The row is the caller's again
// once it is on disk.
func (h *hand) save(ctx context.Context, fn func(tx driver.Tx, row *driver.RotationRow) error) error {
	var next driver.RotationRow
	err := h.m.st.Update(ctx, func(tx driver.Tx) error {
		until := tx.Now() + h.m.lease.Microseconds()
		// The fence first: nothing else is read or written by who has lost the lease, and nobody gives it away meanwhile.
		if err := tx.ExtendRotation(ctx, h.owner.app, h.owner.tenant, h.key, h.row.Fence, until); err != nil {
			return err
		}
		var err error
		// As it is stored: an earlier write may have been kept although its answer was lost.
		if next, err = tx.Rotation(ctx, h.owner.app, h.owner.tenant, h.key); err != nil {
			return err
		}
		next.UpdatedAt = tx.Now()
		if err := fn(tx, &next); err != nil {
			return err
		}
		if next.Holder == "" {
			next.LeaseAt = 0
		}
		p, err := policyRow(ctx, tx, h.owner, h.key)
		if err != nil {
			return err
		}
		next.DueAt = dueAt(p, next)
		return tx.PutRotation(ctx, next)
	})
	if err == nil {
		h.row = next
	}
	return err
}

func (h *hand) secretOwner() secret.Owner {
	return secret.Owner{App: h.owner.app, Tenant: h.owner.tenant}
}

// served returns the number of the version that is served, 0 if there is none. A secret that somebody deleted is not found:
// its rotation does not bring it back.
func (h *hand) served(ctx context.Context, tx driver.Tx) (int64, error) {
	head, err := tx.Secret(ctx, h.owner.app, h.owner.tenant, h.key)
	switch {
	case errors.Is(err, driver.ErrNotFound):
		return 0, nil
	case err == nil && head.Current == 0 && head.Latest != head.Pending && head.Latest != h.row.Unserved:
		return 0, noSecret(h.key)
	}
	return head.Current, err
}

func noSecret(key string) error {
	return fault.Wrap(fault.NotFound, base.ErrSecretNotFound, "there is no secret %s to rotate", key).WithCode("SecretNotFound").
		WithHint("set its first value")
}

// begin opens a run: from here on its token is known, whatever happens.
func (h *hand) begin(ctx context.Context) error {
	text, err := h.def.encode()
	if err != nil {
		return err
	}
	err = h.save(ctx, func(tx driver.Tx, row *driver.RotationRow) error {
		old, err := h.served(ctx, tx)
		if err != nil {
			return err
		}
		if old == 0 && !initial(h.rot) {
			return noSecret(h.key)
		}
		*row = driver.RotationRow{App: row.App, Tenant: row.Tenant, Name: row.Name, State: creating, RunID: id.New(id.Rotation).String(),
			Definition: text, Actor: h.by, Unserved: row.Unserved, OldVersion: old, StartedAt: tx.Now(), WakeAt: tx.Now(),
			Holder: row.Holder, LeaseAt: row.LeaseAt, Fence: row.Fence, UpdatedAt: row.UpdatedAt}
		return nil
	})
	if err != nil {
		return err
	}
	return h.at("begun")
}

func initial(r Staged) bool {
	i, ok := r.(Initial)
	return ok && i.Initial()
}

// create makes the next value and stages it.
func (h *hand) create(ctx context.Context) error {
	s, err := h.step(ctx)
	if err != nil {
		return err
	}
	value, again := h.m.kept.get(h.row.RunID)
	if !again {
		err := h.call(ctx, s, func(ctx context.Context, s Step) (err error) {
			value, err = h.rot.Create(ctx, s)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := h.at("created"); err != nil {
		return err
	}
	err = h.save(ctx, func(tx driver.Tx, row *driver.RotationRow) error {
		opts := []secret.SetOption{secret.WithExpectedVersion(s.CurrentVersion), secret.WithCreatedBy(Actor)}
		if h.def.Lifetime > 0 {
			opts = append(opts, secret.WithLifetime(time.Duration(h.def.Lifetime)*time.Microsecond))
		}
		row.OldVersion = s.CurrentVersion
		row.NewVersion, err = h.m.secrets.Stage(ctx, tx, h.secretOwner(), h.key, value, opts...)
		forward(row, pending)
		return err
	})
	switch {
	case err == nil:
		h.m.kept.drop(h.row.RunID)
		return h.at("staged")
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.TooLarge), fault.Is(err, fault.Conflict):
		h.m.kept.drop(h.row.RunID) // it cannot be staged, or follows a value that is no longer served
	default:
		h.m.kept.put(h.row.RunID, value)
	}
	return err
}

// forward moves to a state in which the next step is due at once.
func forward(row *driver.RotationRow, state string) {
	row.State, row.Attempt, row.Failure, row.WakeAt = state, 0, "", row.UpdatedAt
}

// outside runs a step that looks outside, then moves on to a state.
func (h *hand) outside(ctx context.Context, next string, fn func(context.Context, Step) error) error {
	s, err := h.step(ctx)
	if err != nil {
		return err
	}
	if err := h.unchanged(s); err != nil {
		return err
	}
	if err := h.at("before " + next); err != nil {
		return err
	}
	if err := h.call(ctx, s, fn); err != nil {
		return err
	}
	if err := h.at("called " + next); err != nil {
		return err
	}
	err = h.save(ctx, func(_ driver.Tx, row *driver.RotationRow) error {
		forward(row, next)
		return nil
	})
	if err != nil {
		return err
	}
	return h.at("after " + next)
}

// unchanged refuses to go on when somebody set the secret by hand after the run began: whose value counts outside is for a
// person to say.
func (h *hand) unchanged(s Step) error {
	if s.CurrentVersion == h.row.OldVersion {
		return nil
	}
	return changedMeanwhile(h.key, h.row.NewVersion)
}

func changedMeanwhile(key string, staged int64) error {
	return fault.Wrap(fault.Conflict, base.ErrVersionConflict, "the secret %s was changed while its rotation was under way", key).
		WithCode("SecretChanged").WithHint("version %d is staged and kept: abandon the run to go on with what is served", staged)
}

// details is what the end of an attempt's entry says.
func (h *hand) details() []audit.Detail {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	out := []audit.Detail{{Key: "run", Value: h.row.RunID}, {Key: "old_version", Value: n(h.row.OldVersion)}}
	if h.row.NewVersion != 0 {
		out = append(out, audit.Detail{Key: "new_version", Value: n(h.row.NewVersion)})
	}
	return out
}

// at is a point between two effects, where a test can make this process stop as if it had crashed.
func (h *hand) at(point string) error {
	if h.m.probe == nil {
		return nil
	}
	if err := h.m.probe(point); err != nil {
		return crashed{err}
	}
	return nil
}

// crashed is the end of an attempt that leaves everything as it is.
type crashed struct{ error }

func (c crashed) Unwrap() error { return c.error }
