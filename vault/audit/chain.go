package audit

import (
	"bytes"
	"context"
	"crypto/hmac"
	"errors"
	"slices"

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
	return l.appendIn(ctx, durable{tx}, rows)
}

func (l *Logger) appendIn(ctx context.Context, w writer, rows []*driver.AuditRow) error {
	err := l.appendTo(ctx, w, rows)
	if !errors.Is(err, base.ErrAuditBroken) {
		return err
	}
	return l.beside(ctx, w, rows, err)
}

// appendTo gives rows of one chain their numbers, hashes and MACs, and adds them.
func (l *Logger) appendTo(ctx context.Context, w writer, rows []*driver.AuditRow) error {
	c := rows[0].Chain
	t, known, f := l.enter(c)
	if f != nil {
		if err := l.land(ctx, w, f); err != nil {
			return err
		}
	}
	for range 2 {
		all, carry := rows, redo{}
		if !known {
			found, err := l.load(ctx, w, c)
			if err != nil {
				return err
			}
			t = found.end
			if found.back > 0 {
				note, err := l.putBackNote(ctx, w, c, found)
				if err != nil {
					return err
				}
				all = append([]*driver.AuditRow{note}, rows...)
			}
			for i := range found.behind {
				carry.addRow(&found.behind[i])
			}
		}
		to := &carry
		if !w.relaxed() {
			to = nil
		}
		placed, end, err := l.place(ctx, w, w.Now(), t, all, to)
		if err != nil {
			return err
		}
		added, err := w.AppendAudit(ctx, t.hash, placed)
		if err != nil {
			return err
		}
		if added {
			l.accept(w, c, end, carry)
			return nil
		}
		known = false
	}
	return fault.Wrap(fault.Unavailable, base.ErrAuditBroken, "the audit chain of this tenant has another writer").
		WithHint("give each process a node name of its own")
}

// usualRow is about what a row takes in the head file.
const usualRow = 600

// place numbers and seals rows as the ones that follow t, and adds them to what the head file carries, if there is such a thing.
// tx may be nil; then it fails with [ErrNeedsTx] if a key has to be read.
func (l *Logger) place(ctx context.Context, tx driver.Tx, now int64, t tail, rows []*driver.AuditRow, carry *redo) (_ []driver.AuditRow, end tail, err error) {
	out := make([]driver.AuditRow, len(rows))
	var scratch []byte
	if carry != nil && len(rows) > 1 {
		carry.text = slices.Grow(carry.text, usualRow*len(rows))
	}
	for i, r := range rows {
		t.seq++
		r.Seq, r.At = t.seq, now
		if out[i], err = l.blind(ctx, tx, *r); err != nil {
			return nil, t, err
		}
		before := t.hash
		r.Hash, scratch = entryHash(scratch, before, &out[i])
		r.MAC = entryMAC(l.mac, r.Hash)
		t.hash = r.Hash
		out[i].Hash, out[i].MAC = r.Hash, r.MAC
		if carry != nil {
			carry.add(r.MAC, scratch[4+len(before):]) // the canonical bytes follow the hash before
		}
	}
	return out, t, nil
}

// accept remembers the new end for the next append, and has the head file told once the transaction is committed.
func (l *Logger) accept(w writer, c driver.Chain, end tail, carry redo) {
	l.mu.Lock()
	l.tails[c] = end
	l.mu.Unlock()
	w.AfterCommit(nil, func() error { l.leaveChain(c, end); return nil })
	if l.heads == nil {
		w.AfterCommit(nil, func() error { l.news.tell(c, end.seq); return nil })
		return
	}
	head := newHead(l.mac, c, end.seq, end.hash)
	w.accept(l, head, carry)
}

// found is where a chain ends.
type found struct {
	end    tail
	behind []driver.AuditRow // stored, and not in the head file
	back   int64             // how many entries before the end were put back from the head file
}

// load reads the end of a chain and makes sure that it continues what the head file knows. What the database lost with the
// machine's power is put back.
func (l *Logger) load(ctx context.Context, tx driver.Tx, c driver.Chain) (found, error) {
	end, err := l.stored(ctx, tx, c)
	if err != nil || l.heads == nil {
		return found{end: end}, err
	}
	head, have, missing := l.heads.newest(c)
	if missing {
		return found{end: end}, l.firstHeads(ctx, tx, c.Epoch)
	}
	if have && !head.authentic(l.mac) {
		return found{}, broken("its head in %s was not written by this server", l.heads.Path())
	}
	if head.Seq > end.seq {
		return l.putBack(ctx, tx, end, head)
	}
	if end.seq-head.Seq > MaxAhead {
		return found{}, broken("the head file %s is %d entries behind: an older one was put in its place", l.heads.Path(), end.seq-head.Seq)
	}
	behind, err := followsHead(ctx, tx, l.mac, c, head)
	return found{end: end, behind: behind}, err
}

// stored returns the last entry of a chain in the database.
func (l *Logger) stored(ctx context.Context, tx driver.Tx, c driver.Chain) (tail, error) {
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
	return tail{seq: row.Seq, hash: row.Hash}, nil
}

func broken(format string, args ...any) error {
	return fault.Wrap(fault.Unavailable, base.ErrAuditBroken,
		"the audit record of this tenant was changed: "+format, args...).WithCode("AuditBroken").
		WithHint("run the audit verification to see what is missing; restore the database and the head file, or go on in a new epoch")
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

// followsHead checks the entries from the head on, and returns them: what a crash left behind the head file must still be a
// chain.
func followsHead(ctx context.Context, tx driver.Tx, m mac, c driver.Chain, head Head) (behind []driver.AuditRow, err error) {
	walk := walker{mac: m, seq: head.Seq, hash: head.Hash}
	err = tx.ScanAudit(ctx, c, head.Seq-1, func(r driver.AuditRow) error {
		if r.Seq == head.Seq {
			if !bytes.Equal(r.Hash, head.Hash) {
				return broken("entry %d differs from its head in the head file", r.Seq)
			}
			return nil
		}
		if what := walk.next(&r); what != "" {
			return broken("%s", what)
		}
		behind = append(behind, r)
		return nil
	})
	return behind, err
}
