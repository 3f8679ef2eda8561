package audit

import (
	"context"
	"errors"
	"strconv"

	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// putBack adds the entries that the head file carries and the database lost. That can only be what was written last before the
// machine stopped: a database that lost something while this process ran, or after it was closed, was changed by somebody.
func (l *Logger) putBack(ctx context.Context, tx driver.Tx, end tail, head Head) (found, error) {
	c := head.Chain
	carried, err := l.heads.carries(c, l.relaxer != nil && l.relaxer.Forgets())
	if err != nil {
		return found{}, err
	}
	rows := redone(l.mac, end, head, carried)
	if rows == nil {
		return found{}, broken("entries %d to %d are missing at its end", end.seq+1, head.Seq)
	}
	added, err := tx.AppendAudit(ctx, end.hash, rows)
	if err == nil && !added {
		err = broken("its end cannot be added to")
	}
	if err != nil {
		return found{}, err
	}
	tx.AfterCommit(nil, func() error {
		l.log.Warn("audit entries that the database had lost were put back from the head file",
			"app", c.App, "tenant", c.Tenant, "node", c.Node, "epoch", c.Epoch, "first", end.seq+1, "last", head.Seq)
		return nil
	})
	return found{end: tail{head.Seq, head.Hash}, back: head.Seq - end.seq}, nil
}

// carries returns the entries of a chain that the file carried when it was opened and that may be missing. With now it is what
// the file carries at this moment: a database server may have stopped while this process went on.
func (h *Heads) carries(c driver.Chain, now bool) ([]string, error) {
	if now {
		if err := h.flush(); err != nil {
			return nil, err
		}
		set, err := ReadHeads(h.path)
		return set.redo[c], err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lost[c], nil
}

// whole notes that the database has what the file carried of a chain.
func (h *Heads) whole(c driver.Chain) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.lost, c)
}

// putBackNote is the entry that says so, in the chain itself and in the operator's.
func (l *Logger) putBackNote(ctx context.Context, w writer, c driver.Chain, f found) (*driver.AuditRow, error) {
	first := f.end.seq - f.back + 1
	details := []Detail{{"entries", strconv.FormatInt(f.back, 10)}, {"first", strconv.FormatInt(first, 10)},
		{"last", strconv.FormatInt(f.end.seq, 10)}, {"node", c.Node}, {"epoch", strconv.FormatInt(c.Epoch, 10)}}
	ev := Event{Action: "audit.put_back", Resource: "audit", Name: c.Tenant, Details: details, Operator: true}
	if c.Tenant != driver.Operator {
		told, err := l.row(scope.Caller{App: c.App}, ev, "", OK, nil)
		if err != nil {
			return nil, err
		}
		if err := l.appendTo(ctx, w, []*driver.AuditRow{told}); err != nil && !errors.Is(err, base.ErrAuditBroken) {
			return nil, err
		}
		ev.Operator = false
	}
	note, err := l.row(scope.Caller{App: c.App, Tenant: c.Tenant}, ev, "", OK, nil)
	if err == nil {
		note.Chain = c
	}
	return note, err
}

// repair puts back what a chain lost, in a transaction of its own.
func (l *Logger) repair(ctx context.Context, c driver.Chain) error {
	return l.st.Update(ctx, func(tx driver.Tx) error {
		if _, _, f := l.enter(c); f != nil {
			if err := l.land(ctx, tx, f); err != nil {
				return err
			}
		}
		end, err := l.stored(ctx, tx, c)
		if head, _, _ := l.heads.newest(c); err != nil || head.Seq <= end.seq {
			return err
		}
		f, err := l.load(ctx, tx, c)
		if err != nil || f.back == 0 {
			return err
		}
		note, err := l.putBackNote(ctx, durable{tx}, c, f)
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.tails[c] = f.end
		l.mu.Unlock()
		return l.appendTo(ctx, durable{tx}, []*driver.AuditRow{note})
	})
}
