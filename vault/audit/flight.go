package audit

import (
	"bytes"
	"context"
	"errors"

	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// flight is entries of one chain that the head file is given before the database has them: while their line is synced, their
// rows are committed. It lasts until they are, whoever does it: each write in the same chain begins with them.
type flight struct {
	chain driver.Chain
	prev  tail // what they follow
	end   tail
	rows  []driver.AuditRow
	head  Head
	line  *line
}

// ErrNeedsTx is what a [Blinder] returns when it would need a transaction and has none.
var ErrNeedsTx = errors.New("a transaction is needed")

// takeOff places a group's entries and stages their lines, if everything is known without asking the database: where each chain
// ends, that nothing else is under way in it, and the keys. Otherwise it returns nil, and has done nothing.
func (l *Logger) takeOff(ctx context.Context, chains map[driver.Chain][]*waiter, order []driver.Chain) []*flight {
	if l.relaxer == nil {
		return nil
	}
	l.mu.Lock() // until the ends are the new ones: a transaction must not place entries beside these
	defer l.mu.Unlock()
	if l.grounded {
		return nil
	}
	for _, c := range order {
		if _, known := l.tails[c]; !known || l.open[c] || l.flights[c] != nil {
			return nil
		}
	}
	now := l.relaxer.Now()
	out := make([]*flight, len(order))
	carried := make([]redo, len(order))
	for i, c := range order {
		f := &flight{chain: c, prev: l.tails[c]}
		carried[i].aloft = true
		var err error
		if f.rows, f.end, err = l.place(ctx, nil, now, f.prev, rowsOf(c, chains[c]), &carried[i]); err != nil {
			return nil
		}
		f.head = newHead(l.mac, c, f.end.seq, f.end.hash)
		out[i] = f
	}
	for i, f := range out {
		l.tails[f.chain], l.flights[f.chain] = f.end, f
		f.line = l.heads.stage(f.head, carried[i])
	}
	return out
}

// fly has the lines synced and the rows committed at once, and calls landed when the latter are. It returns when both are, with
// an error for each flight whose chain was changed.
func (l *Logger) fly(ctx context.Context, flights []*flight, entries int, landed func()) (changed map[driver.Chain]error, unsynced, uncommitted error) {
	land := func(tx driver.Tx) error {
		changed = nil
		for _, f := range flights {
			err := l.land(ctx, tx, f)
			if errors.Is(err, base.ErrAuditBroken) {
				if changed == nil {
					changed = map[driver.Chain]error{}
				}
				changed[f.chain] = err
			} else if err != nil {
				return err
			}
		}
		return nil
	}
	if entries > soonSynced {
		synced := make(chan error, 1)
		go func() { synced <- l.flush() }()
		uncommitted = l.relaxer.UpdateRelaxed(ctx, land)
		landed()
		return changed, <-synced, uncommitted
	}
	committed := make(chan error, 1)
	l.relaxer.StartRelaxed(ctx, land, func(err error) {
		landed()
		committed <- err
	})
	unsynced = l.flush()
	return changed, unsynced, <-committed
}

// soonSynced is up to how many entries are synced more slowly than they are committed. What takes longer is done in the goroutine
// that is running, because another one takes its time to start.
const soonSynced = 16

// land adds a flight's rows in tx, unless another transaction has.
func (l *Logger) land(ctx context.Context, tx driver.Tx, f *flight) error {
	added, err := tx.AppendAudit(ctx, f.prev.hash, f.rows)
	if err == nil && !added {
		err = l.hasLanded(ctx, tx, f)
	}
	if err != nil {
		return err
	}
	tx.AfterCommit(nil, func() error {
		l.mu.Lock()
		if l.flights[f.chain] == f {
			delete(l.flights, f.chain)
		}
		l.mu.Unlock()
		l.heads.landed(f.line)
		return nil
	})
	return nil
}

// hasLanded makes sure that the database has a flight's entries.
func (l *Logger) hasLanded(ctx context.Context, tx driver.Tx, f *flight) error {
	there := false
	err := tx.ScanAuditHashes(ctx, f.chain, f.end.seq-1, 1, func(seq int64, hash, _ []byte) error {
		there = seq == f.end.seq && bytes.Equal(hash, f.end.hash)
		return nil
	})
	if err != nil || there {
		return err
	}
	end, err := l.stored(ctx, tx, f.chain)
	switch {
	case err != nil:
		return err
	case end.seq < f.prev.seq:
		return broken("entries %d to %d are missing at its end", end.seq+1, f.prev.seq)
	}
	return broken("entry %d is not the one that was written last", f.prev.seq)
}

// aloft returns the flights that have not landed.
func (l *Logger) aloft() (out []*flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range sortedChains(l.flights) {
		out = append(out, l.flights[c])
	}
	return out
}

// enter is how a transaction begins to write in a chain: nothing takes off there before it is over. It returns the end of the
// chain, if it is known, which is that of the flight, if there is one.
func (l *Logger) enter(c driver.Chain) (end tail, known bool, f *flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = true
	end, known = l.tails[c]
	return end, known, l.flights[c]
}

// leaveChain is after the commit of entries up to end.
func (l *Logger) leaveChain(c driver.Chain, end tail) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.tails[c]; t.seq == end.seq && bytes.Equal(t.hash, end.hash) {
		delete(l.open, c)
	}
}

func rowsOf(c driver.Chain, list []*waiter) []*driver.AuditRow {
	rows := make([]*driver.AuditRow, len(list))
	for i, w := range list {
		rows[i] = w.row
		rows[i].Chain = c // an attempt that was undone may have put it beside
	}
	return rows
}
