package rotation

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Start begins to rotate by itself what is due, now and at each check interval, until Stop or the end of ctx. Starting a
// manager that runs does nothing.
func (m *Manager) Start(ctx context.Context) error {
	if err := m.ready(); err != nil {
		return err
	}
	m.loop.Lock()
	defer m.loop.Unlock()
	if m.loop.done != nil {
		select {
		case <-m.loop.done: // its context ended
		default:
			return nil
		}
	}
	ctx, m.loop.cancel = context.WithCancel(ctx)
	m.loop.done = make(chan struct{})
	go m.work(ctx, m.loop.done)
	return nil
}

// Stop ends what Start began, and waits until every step under way has ended; steps are told by their context, and the run
// goes on where it was, here or elsewhere. It fails with Timeout if ctx ends first.
func (m *Manager) Stop(ctx context.Context) error {
	m.loop.Lock()
	cancel, done := m.loop.cancel, m.loop.done
	m.loop.Unlock()
	if done == nil {
		return nil
	}
	cancel()
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fault.Wrap(fault.Timeout, context.Cause(ctx), "the rotations under way did not end in time")
	}
}

// work looks for what is due, and for its end waits for what it began.
func (m *Manager) work(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	var under sync.WaitGroup
	defer under.Wait()
	tick := time.NewTicker(m.check)
	defer tick.Stop()
	for {
		if err := m.sweep(ctx, &under); err != nil && ctx.Err() == nil {
			m.log.ErrorContext(ctx, "what is due for rotation could not be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sweepPage is how many due rotations are read at a time. They are claimed one by one, so that replicas share them.
const sweepPage = 32

// sweep begins everything that is due, as fast as there are slots.
func (m *Manager) sweep(ctx context.Context, under *sync.WaitGroup) error {
	for after := (driver.RotationDue{}); ; {
		var rows []driver.RotationRow
		err := m.st.View(ctx, func(tx driver.Tx) (err error) {
			rows, err = tx.DueRotationsEverywhere(ctx, after, sweepPage)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			after = driver.RotationDue{At: r.DueAt, App: r.App, Tenant: r.Tenant, Name: r.Name}
			select {
			case m.slots <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			under.Go(func() {
				defer func() { <-m.slots }()
				m.turn(ctx, r)
			})
		}
		if len(rows) < sweepPage {
			return nil
		}
	}
}

// turn is one rotation's turn. What goes wrong is in its history; here it is logged.
func (m *Manager) turn(ctx context.Context, seen driver.RotationRow) {
	o := owner{seen.App, seen.Tenant}
	if err := m.here(ctx, o, seen); err != nil {
		m.complain(ctx, o, seen.Name, err)
		return
	}
	err := m.background(ctx, o, seen.Name)
	if err != nil && ctx.Err() == nil {
		f := failureOf("", err, 0)
		m.log.ErrorContext(ctx, "a rotation failed", "secret", seen.Name, "app", o.app, "tenant", o.tenant, "kind", f.Kind, "code", f.Code,
			"message", f.Message)
	}
}

// here reports whether this process knows the rotator that is asked for: what it does not know it leaves to others.
func (m *Manager) here(ctx context.Context, o owner, row driver.RotationRow) error {
	def, err := m.told(ctx, o, row)
	if err != nil {
		return err
	}
	_, err = m.rotator(def.Rotator, row.Name)
	return err
}

// complain logs once for each secret that its turn cannot be taken here.
func (m *Manager) complain(ctx context.Context, o owner, key string, err error) {
	if ctx.Err() != nil {
		return
	}
	m.mu.Lock()
	said := m.warned[key]
	if len(m.warned) < 1000 {
		m.warned[key] = true
	}
	m.mu.Unlock()
	if !said {
		m.log.WarnContext(ctx, "a rotation is due that this process cannot do", "secret", key, "app", o.app, "tenant", o.tenant, "error", err)
	}
}

// background takes the lease of one rotation that looked due, looks again, and does what is due then.
func (m *Manager) background(ctx context.Context, o owner, key string) error {
	h, err := m.claim(ctx, o, key)
	if h == nil || err != nil {
		return err
	}
	if err := h.at("claimed"); err != nil {
		return err
	}
	due, later, err := h.due(ctx)
	if err == nil {
		err = h.adopt(ctx)
	}
	if err != nil || !due {
		return errors.Join(err, h.giveBack(context.WithoutCancel(ctx), later))
	}
	action := "rotation.run"
	if h.row.State == current {
		action = "rotation.retire"
	}
	h.by = Actor
	caller := scope.Caller{App: o.app, Tenant: o.tenant, User: Actor}
	h.entry, err = m.audit.Begin(ctx, caller, audit.Event{Action: action, Resource: "rotation", Name: key, Details: h.start()})
	if err != nil { // unrecorded means not done; the next turn tries again
		return errors.Join(err, h.giveBack(context.WithoutCancel(ctx), 0))
	}
	return h.attempt(ctx, false)
}

// due looks again, under the lease: somebody may have done it, or changed the policy. A rotation that is due and may not
// begin now, because the windows it could have begun in went by, is due later.
func (h *hand) due(ctx context.Context) (due bool, later int64, err error) {
	err = h.m.st.View(ctx, func(tx driver.Tx) error {
		p, err := policyRow(ctx, tx, h.owner, h.key)
		if err != nil {
			return err
		}
		at := dueAt(p, h.row)
		if due = at > 0 && at <= tx.Now(); !due || h.row.State != idle {
			return nil
		}
		opens, err := opening(p, tx.Now())
		if err == nil && opens > tx.Now() {
			due, later = false, opens
		}
		return err
	})
	return due, later, err
}

// opening returns the first moment from now on at which a rotation may begin.
func opening(p *driver.RotationPolicyRow, now int64) (int64, error) {
	d, err := decodeDefinition(p.Name, p.Definition)
	if err != nil {
		return 0, err
	}
	s, err := newSchedule(d.Windows, d.TimeZone)
	return s.next(micros(now)).UnixMicro(), err
}

// start is what the beginning of an attempt's entry says.
func (h *hand) start() []audit.Detail {
	out := []audit.Detail{{Key: "step", Value: stepOf[h.row.State]}}
	if h.row.State != idle {
		out = append(out, h.details()...)
	}
	return out
}
