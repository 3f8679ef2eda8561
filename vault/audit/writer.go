package audit

import (
	"context"

	"github.com/haywardhq/hayward/vault/store/driver"
)

// writer is a transaction that entries are added in.
type writer interface {
	driver.Tx
	// relaxed reports whether the head file is to carry the entries.
	relaxed() bool
	// accept has the head file told once the transaction is committed.
	accept(l *Logger, head Head, carry redo)
}

// durable is a transaction that is on disk when it is committed; its caller is answered when the head is, too.
type durable struct{ driver.Tx }

func (durable) relaxed() bool { return false }

func (w durable) accept(l *Logger, head Head, _ redo) {
	w.AfterCommit(nil, func() error { l.heads.stage(head, redo{}); l.news.tell(head.Chain, head.Seq); return nil })
	w.AfterCommit(l.heads, func() error { return l.flush() })
}

// relaxed is a transaction that the database need not have synced when it is committed: the head file carries its entries, and
// whoever waits for them has it written.
type relaxed struct {
	driver.Tx
	made *bool // a key was made or changed, which only the database has
	ends *[]Head
}

func (relaxed) relaxed() bool { return true }

func (w relaxed) accept(l *Logger, head Head, carry redo) {
	w.AfterCommit(nil, func() error {
		l.heads.stage(head, carry)
		*w.ends = append(*w.ends, head)
		return nil
	})
}

// PutAuditKey makes the transaction one that must be durable: what is encrypted under a key that is lost cannot be read.
func (w relaxed) PutAuditKey(ctx context.Context, row driver.AuditKeyRow) error {
	*w.made = true
	return w.Tx.PutAuditKey(ctx, row)
}
