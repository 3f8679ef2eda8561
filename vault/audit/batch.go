package audit

import (
	"context"
	"errors"
	"sync"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// maxBatch bounds the entries of one transaction; it must stay below [MaxAhead].
const maxBatch = 1024

// batch joins entries that wait at the same time into one transaction. There is no goroutine of its own: whoever comes
// first writes for all who came meanwhile, then hands on.
type batch struct {
	mu      sync.Mutex
	waiting []*waiter
	busy    bool
}

// waiter is one entry on its way.
type waiter struct {
	row  *driver.AuditRow
	err  error
	turn chan bool // true: write for everybody who waits; false: written
}

// write returns when row is durable, or cannot be. Once it waits, the outcome is waited for: an entry that may or may not
// exist helps nobody.
func (b *batch) write(ctx context.Context, l *Logger, row *driver.AuditRow) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Canceled, context.Cause(ctx), "the caller went away")
	}
	w := &waiter{row: row, turn: make(chan bool, 1)}
	b.mu.Lock()
	b.waiting = append(b.waiting, w)
	first := !b.busy
	b.busy = true
	b.mu.Unlock()
	if first || <-w.turn {
		b.lead(ctx, l)
	}
	return w.err
}

// lead writes what waits, the caller's entry among it, and gives the turn to the first of those who came meanwhile.
func (b *batch) lead(ctx context.Context, l *Logger) {
	b.mu.Lock()
	n := min(len(b.waiting), maxBatch)
	group := b.waiting[:n:n]
	b.waiting = b.waiting[n:]
	b.mu.Unlock()

	defer b.pass(group)
	for _, w := range group {
		w.err = fault.New(fault.Internal, "the audit writer stopped half-way") // stands only after a panic
	}
	// The others' entries must not depend on this caller's patience.
	l.writeGroup(context.WithoutCancel(ctx), group)
}

func (b *batch) pass(group []*waiter) {
	for _, w := range group[1:] {
		w.turn <- false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 {
		b.waiting[0].turn <- true
	} else {
		b.busy, b.waiting = false, nil
	}
}

// writeGroup writes entries of several chains in one transaction. A broken chain fails its own entries only.
func (l *Logger) writeGroup(ctx context.Context, group []*waiter) {
	chains, order := byChain(group)
	errs := make([]error, len(order))
	err := l.st.Update(ctx, func(tx driver.Tx) error {
		for i, c := range order {
			rows := make([]*driver.AuditRow, len(chains[c]))
			for j, w := range chains[c] {
				rows[j] = w.row
			}
			errs[i] = l.append(ctx, tx, rows)
			if errs[i] != nil && !errors.Is(errs[i], base.ErrAuditBroken) {
				return errs[i]
			}
		}
		return nil
	})
	for i, c := range order {
		for _, w := range chains[c] {
			w.err = errs[i]
			if err != nil {
				w.err = err
			}
		}
	}
}

func byChain(group []*waiter) (map[driver.Chain][]*waiter, []driver.Chain) {
	chains := make(map[driver.Chain][]*waiter, 1)
	var order []driver.Chain
	for _, w := range group {
		c := w.row.Chain
		if _, have := chains[c]; !have {
			order = append(order, c)
		}
		chains[c] = append(chains[c], w)
	}
	return chains, order
}
