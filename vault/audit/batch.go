package audit

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
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

// lead commits what waits, the caller's entry among it, and gives the turn to the first of those who came meanwhile. While
// they are at it, it waits until what it committed is durable; groups that are committed at that time share the next sync.
func (b *batch) lead(ctx context.Context, l *Logger) {
	group := b.take(l)
	defer func() {
		for _, w := range group[1:] {
			w.turn <- false
		}
	}()
	for _, w := range group {
		w.err = fault.New(fault.Internal, "the audit writer stopped half-way") // stands only after a panic
	}
	// The others' entries must not depend on this caller's patience.
	l.writeGroup(context.WithoutCancel(ctx), group, sync.OnceFunc(b.pass))
}

// take returns the group to write: all who wait. A transaction costs as much as several entries, so that a group is not begun
// while most of those who write are still waiting for the sync of theirs.
func (b *batch) take(l *Logger) []*waiter {
	flying := 0
	if l.heads != nil {
		if flying, _ = l.heads.behind(); flying > 2*b.count() {
			_ = l.heads.flush() // if it fails, it fails again before the group is written
			flying = 0
		}
	}
	runtime.Gosched() // those who were just answered come back first
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.waiting), maxBatch)
	group := b.waiting[:n:n]
	b.waiting = b.waiting[n:]
	return group
}

func (b *batch) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

func (b *batch) pass() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 {
		b.waiting[0].turn <- true
	} else {
		b.busy, b.waiting = false, nil
	}
}

// writeGroup makes entries of several chains durable, which are committed in one transaction; then it calls pass. A broken chain
// fails its own entries only.
func (l *Logger) writeGroup(ctx context.Context, group []*waiter, pass func()) {
	defer pass()
	chains, order := byChain(group)
	if err := l.ready(); err != nil {
		answer(chains, order, err)
		return
	}
	flights := l.takeOff(ctx, chains, order)
	if flights != nil {
		order = l.writeAloft(ctx, flights, chains, order, pass)
	}
	if len(order) == 0 {
		return
	}
	ends := l.writeIn(ctx, chains, order)
	pass()
	l.acknowledge(chains, order, ends)
}

// writeAloft writes entries that are placed already. It returns the chains that were changed: their entries are to be tried in a
// transaction, which knows what then can be done.
func (l *Logger) writeAloft(ctx context.Context, flights []*flight, chains map[driver.Chain][]*waiter, order []driver.Chain, pass func()) []driver.Chain {
	entries := 0
	for _, c := range order {
		entries += len(chains[c])
	}
	changed, unsynced, uncommitted := l.fly(ctx, flights, entries, pass)
	err := cmp.Or(uncommitted, unsynced)
	answer(chains, order, err)
	if err != nil {
		return nil
	}
	for _, f := range flights {
		if changed[f.chain] == nil {
			l.news.tell(f.chain, f.end.seq)
		}
	}
	return slices.DeleteFunc(order, func(c driver.Chain) bool { return changed[c] == nil })
}

// answer sets what the writers of some chains are told.
func answer(chains map[driver.Chain][]*waiter, of []driver.Chain, err error) {
	for _, c := range of {
		for _, w := range chains[c] {
			w.err = err
		}
	}
}

// writeIn writes entries that are placed in the transaction itself.
func (l *Logger) writeIn(ctx context.Context, chains map[driver.Chain][]*waiter, order []driver.Chain) (ends []Head) {
	errs := make([]error, len(order))
	made := false
	var err error
	if l.relaxer != nil {
		err = l.relaxer.UpdateRelaxed(ctx, func(tx driver.Tx) error {
			err := l.appendAll(ctx, relaxed{tx, &made, &ends}, chains, order, errs)
			if err == nil && made {
				return errMadeKey
			}
			return err
		})
	}
	if l.relaxer == nil || errors.Is(err, errMadeKey) {
		err = l.st.Update(ctx, func(tx driver.Tx) error { return l.appendAll(ctx, durable{tx}, chains, order, errs) })
	}
	if err != nil {
		l.forget(order)
		answer(chains, order, err)
		return ends
	}
	for i := range order {
		answer(chains, order[i:i+1], errs[i])
	}
	return ends
}

// forget has the ends of chains read again: what became of a commit may not be known, and what is stored after all must be in
// the file before what follows it.
func (l *Logger) forget(chains []driver.Chain) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range chains {
		delete(l.tails, c)
	}
}

// errMadeKey undoes a relaxed transaction that has to be a durable one.
var errMadeKey = errors.New("a key was made")

// ready keeps the entries that are committed and not in the head file few: what comes after one that could not be written there
// fails, too, until it can.
func (l *Logger) ready() error {
	if l.heads == nil {
		return nil
	}
	if rows, failing := l.heads.behind(); failing || rows > MaxAhead/2 {
		return l.heads.flush()
	}
	return nil
}

func (l *Logger) appendAll(ctx context.Context, w writer, chains map[driver.Chain][]*waiter, order []driver.Chain, errs []error) error {
	for i, c := range order {
		errs[i] = l.appendIn(ctx, w, rowsOf(c, chains[c]))
		if errs[i] != nil && !errors.Is(errs[i], base.ErrAuditBroken) {
			return errs[i]
		}
	}
	return nil
}

// acknowledge makes entries that are committed durable, and tells those who follow the record.
func (l *Logger) acknowledge(chains map[driver.Chain][]*waiter, order []driver.Chain, ends []Head) {
	if len(ends) == 0 {
		return
	}
	if err := l.flush(); err != nil {
		for _, c := range order {
			for _, w := range chains[c] {
				w.err = cmp.Or(w.err, err)
			}
		}
		return
	}
	for _, head := range ends {
		l.news.tell(head.Chain, head.Seq)
	}
}

// flush makes the heads that were staged before durable.
func (l *Logger) flush() error {
	err := l.heads.flush()
	l.tidyWhenFull()
	return err
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
