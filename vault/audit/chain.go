package audit

import (
	"bytes"
	"context"
	"crypto/hmac"
	"errors"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// tail is where a chain ends, as far as this logger knows. A transaction that failed may have left a wrong one behind; the
// store then refuses to append to it, and it is read again.
type tail struct {
	seq  int64
	hash []byte
}

// append adds rows of one chain in tx. If the chain was changed, they go beside it as long as a break-glass is open.
func (l *Logger) append(ctx context.Context, tx driver.Tx, rows []*driver.AuditRow) error {
	err := l.appendTo(ctx, tx, rows)
	if !errors.Is(err, base.ErrAuditBroken) {
		return err
	}
	return l.beside(ctx, tx, rows, err)
}

// appendTo gives rows of one chain their numbers, hashes and MACs, and adds them in tx.
func (l *Logger) appendTo(ctx context.Context, tx driver.Tx, rows []*driver.AuditRow) error {
	c := rows[0].Chain
	l.mu.Lock()
	t, known := l.tails[c]
	l.mu.Unlock()
	for range 2 {
		if !known {
			var err error
			if t, err = l.load(ctx, tx, c); err != nil {
				return err
			}
		}
		placed, end, err := l.place(ctx, tx, t, rows)
		if err != nil {
			return err
		}
		added, err := tx.AppendAudit(ctx, t.hash, placed)
		if err != nil {
			return err
		}
		if added {
			l.accept(tx, c, end)
			return nil
		}
		known = false
	}
	return fault.Wrap(fault.Unavailable, base.ErrAuditBroken, "the audit chain of this tenant has another writer").
		WithHint("give each process a node name of its own")
}

// place numbers and seals rows as the ones that follow t.
func (l *Logger) place(ctx context.Context, tx driver.Tx, t tail, rows []*driver.AuditRow) (_ []driver.AuditRow, end tail, err error) {
	out := make([]driver.AuditRow, len(rows))
	var scratch []byte
	for i, r := range rows {
		t.seq++
		r.Seq, r.At = t.seq, tx.Now()
		if out[i], err = l.blind(ctx, tx, *r); err != nil {
			return nil, t, err
		}
		r.Hash, scratch = entryHash(scratch, t.hash, &out[i])
		r.MAC = entryMAC(l.mac, r.Hash)
		t.hash = r.Hash
		out[i].Hash, out[i].MAC = r.Hash, r.MAC
	}
	return out, t, nil
}

// accept remembers the new end for the next append, and has the head file told once the transaction is durable.
func (l *Logger) accept(tx driver.Tx, c driver.Chain, end tail) {
	l.mu.Lock()
	l.tails[c] = end
	l.mu.Unlock()
	if l.heads == nil {
		tx.AfterCommit(nil, func() error { l.news.tell(c, end.seq); return nil })
		return
	}
	head := newHead(l.mac, c, end.seq, end.hash)
	tx.AfterCommit(nil, func() error { l.heads.stage(head); l.news.tell(c, end.seq); return nil })
	tx.AfterCommit(l.heads, l.heads.flush)
}

// load reads the end of a chain and makes sure that it continues what the head file knows.
func (l *Logger) load(ctx context.Context, tx driver.Tx, c driver.Chain) (tail, error) {
	row, err := tx.AuditTail(ctx, c)
	if errors.Is(err, driver.ErrNotFound) {
		row, err = driver.AuditRow{}, nil
	}
	if err != nil {
		return tail{}, err
	}
	if row.Seq > 0 && !hmac.Equal(row.MAC, entryMAC(l.mac, row.Hash)) {
		return tail{}, broken("the last entry was not written by this server")
	}
	end := tail{seq: row.Seq, hash: row.Hash}
	if l.heads == nil {
		return end, nil
	}
	return end, l.compare(ctx, tx, c, end)
}

func broken(format string, args ...any) error {
	return fault.Wrap(fault.Unavailable, base.ErrAuditBroken,
		"the audit record of this tenant was changed: "+format, args...).WithCode("AuditBroken").
		WithHint("run the audit verification to see what is missing; restore the database and the head file, or go on in a new epoch")
}

// compare refuses a chain that is shorter than, or different from, what the head file says.
func (l *Logger) compare(ctx context.Context, tx driver.Tx, c driver.Chain, end tail) error {
	head, have, missing := l.heads.get(c)
	if missing {
		return l.firstHeads(ctx, tx, c.Epoch)
	}
	if have && !head.authentic(l.mac) {
		return broken("its head in %s was not written by this server", l.heads.Path())
	}
	switch {
	case head.Seq > end.seq:
		return broken("entries %d to %d are missing at its end", end.seq+1, head.Seq)
	case end.seq-head.Seq > MaxAhead:
		return broken("the head file %s is %d entries behind: an older one was put in its place", l.heads.Path(), end.seq-head.Seq)
	}
	return followsHead(ctx, tx, l.mac, c, head)
}

// firstHeads makes the head file for a database without entries, or with entries of earlier epochs only. Beside entries of
// this epoch it must exist. What other nodes wrote into the same store is in their files.
func (l *Logger) firstHeads(ctx context.Context, tx driver.Tx, epoch int64) error {
	chains, err := tx.AuditChainsEverywhere(ctx)
	if err != nil {
		return err
	}
	for _, have := range chains {
		if have.Epoch >= epoch && have.Log() == l.node {
			return broken("the head file %s is missing", l.heads.Path())
		}
	}
	return l.heads.create()
}

// followsHead checks the entries from the head on: what a crash left behind the head file must still be a chain.
func followsHead(ctx context.Context, tx driver.Tx, m mac, c driver.Chain, head Head) error {
	walk := walker{mac: m, seq: head.Seq, hash: head.Hash}
	return tx.ScanAudit(ctx, c, head.Seq-1, func(r driver.AuditRow) error {
		if r.Seq == head.Seq {
			if !bytes.Equal(r.Hash, head.Hash) {
				return broken("entry %d differs from its head in the head file", r.Seq)
			}
			return nil
		}
		if what := walk.next(&r); what != "" {
			return broken("%s", what)
		}
		return nil
	})
}
