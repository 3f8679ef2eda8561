package audit

import (
	"context"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Pending is an action whose first entry is on disk and whose second is not yet. It is safe for concurrent use.
type Pending struct {
	l      *Logger
	caller scope.Caller
	ev     Event
	id     string

	mu    sync.Mutex
	notes []Detail
	ended bool
}

// ID returns the id of the first entry.
func (p *Pending) ID() string { return p.id }

// Caller returns who acts.
func (p *Pending) Caller() scope.Caller { return p.caller }

// Open reports whether the action has not ended yet. What may only happen under audit asks this first.
func (p *Pending) Open() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.ended
}

// Note adds facts to the second entry, in the order they are noted. Never a secret value.
func (p *Pending) Note(details ...Detail) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notes = append(p.notes, details...)
}

// End writes the second entry and returns once it is on disk, also when ctx is over already: how it ended is recorded
// either way. If it fails, nothing of the action's result may leave. A second End does nothing: the first one counts.
func (p *Pending) End(ctx context.Context, outcome Outcome, details ...Detail) error {
	notes, first := p.close(details)
	if !first {
		return nil
	}
	_, err := p.l.write(context.WithoutCancel(ctx), p.caller, p.second(notes), p.id, outcome, nil)
	return err
}

// EndErr is End with the outcome and details that fit err, and returns err; if the entry cannot be written it returns that
// failure instead.
func (p *Pending) EndErr(ctx context.Context, err error) error {
	if unaudited := p.End(ctx, OutcomeOf(err), failureDetails(err)...); unaudited != nil {
		return unaudited
	}
	return err
}

// EndTx writes the second entry as part of tx, so that a write and its record are kept together or not at all. If tx fails
// afterwards, the action is still open: call End with what happened.
func (p *Pending) EndTx(ctx context.Context, tx driver.Tx, outcome Outcome, details ...Detail) error {
	p.mu.Lock()
	ended := p.ended
	notes := append(p.notes[:len(p.notes):len(p.notes)], details...)
	p.mu.Unlock()
	if ended {
		return fault.New(fault.Internal, "the audit entry %s was completed before", p.id)
	}
	row, err := p.l.row(p.caller, p.second(notes), p.id, outcome, nil)
	if err != nil {
		return err
	}
	if err := p.l.append(ctx, tx, []*driver.AuditRow{row}); err != nil {
		return unwritten(err, nothingDone)
	}
	tx.AfterCommit(nil, func() error {
		p.close(nil)
		p.l.told(ctx, row)
		return nil
	})
	return nil
}

// unwritten says that the answer is no because the record of it failed. What it means for the caller depends on whether the
// action had already had its effects: then only its result is held back.
func unwritten(err error, consequence string) error {
	if fault.Is(err, fault.Canceled) {
		return err
	}
	return &fault.Error{Kind: fault.Unavailable, Code: "AuditUnavailable", Message: "the audit entry could not be written, so " + consequence,
		Hint: fault.From(err).Hint, Cause: both{base.ErrAuditUnavailable, err}}
}

const (
	nothingDone = "nothing was done"
	heldBack    = "what the action gave is held back; it may have had effects"
)

// both keeps a sentinel and the error underneath reachable, and prints the latter.
type both struct{ sentinel, err error }

func (b both) Error() string   { return b.err.Error() }
func (b both) Unwrap() []error { return []error{b.sentinel, b.err} }

// close marks the action as ended and returns its notes, if this call is the first.
func (p *Pending) close(more []Detail) (notes []Detail, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil, false
	}
	p.ended = true
	return append(p.notes, more...), true
}

func (p *Pending) second(notes []Detail) Event {
	ev := p.ev
	ev.Details = notes
	return ev
}
