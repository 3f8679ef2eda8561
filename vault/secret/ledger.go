package secret

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// The ledger is the high-water mark outside the rows it is about. Each write of a head takes the tenant's next revision;
// the ledger notes per name which revision its head was last written at, in parts that each hold some of the names, and a
// root holds the revision of each part. All of them are authenticated under the tenant's key. A head put back, or taken
// away, does not have the revision its part notes; a part put back does not have the one the root notes. So one secret
// cannot go back alone: all that a tenant has would have to, and that shows in memory (see floors), in the audit entries,
// which name the revision, and in the audit's heads outside the database.
const (
	ledgerParts  = 64
	ledgerFormat = "hayward/secret-ledger/1"
)

// ledger is one part, opened: names to revisions. The root's names are the parts' numbers.
type ledger struct {
	row     driver.LedgerRow
	names   []string // in the order they came
	entries map[string]int64
}

// partOf is the part of the ledger that a name is in.
func partOf(name string) int64 {
	sum := sha256.Sum256([]byte(name))
	return int64(sum[0]) % ledgerParts
}

func partName(part int64) string { return string(rune('0' + part)) }

func ledgerPlace(r *driver.LedgerRow) keyring.Place {
	return keyring.Place{Format: ledgerFormat, App: r.App, Tenant: r.Tenant, Version: r.Revision,
		Bound: append(canon.Int(make([]byte, 0, 8+len(r.Entries)), r.Part), r.Entries...)}
}

// readLedger returns a part, empty if there is none, after checking its mark.
func (s *Service) readLedger(ctx context.Context, tx driver.Tx, app, tenant string, part int64) (*ledger, error) {
	row, err := tx.Ledger(ctx, app, tenant, part)
	if err != nil && !errors.Is(err, driver.ErrNotFound) {
		return nil, err
	}
	l := &ledger{row: driver.LedgerRow{App: app, Tenant: tenant, Part: part}, entries: map[string]int64{}}
	if err != nil || (row.Revision == 0 && len(row.Mark) == 0) { // a root that only served as a lock
		return l, nil
	}
	l.row = row
	if err := s.ring.CheckMark(ctx, tx, ledgerPlace(&row), row.Mark); err != nil {
		return nil, err
	}
	rd := canon.NewReader(row.Entries)
	for range rd.Int() { // the mark is right, so the number is
		name := rd.Text()
		l.set(name, rd.Int())
	}
	return l, rd.Done()
}

func (l *ledger) set(name string, revision int64) {
	if _, have := l.entries[name]; !have {
		l.names = append(l.names, name)
	}
	l.entries[name] = revision
}

func (s *Service) putLedger(ctx context.Context, tx driver.Tx, l *ledger, revision int64) (err error) {
	l.row.Revision, l.row.Entries = revision, canon.Int(nil, int64(len(l.names)))
	for _, name := range l.names {
		l.row.Entries = canon.Int(canon.Text(l.row.Entries, name), l.entries[name])
	}
	if l.row.Mark, err = s.ring.Mark(ctx, tx, ledgerPlace(&l.row)); err != nil {
		return err
	}
	l.row.MarkKey = markKey(l.row.Mark)
	return tx.PutLedger(ctx, l.row)
}

// markKey is the id of the key a mark was made with.
func markKey(mark []byte) string { return canon.NewReader(mark).Text() }

// book is the part of the ledger that a name is in, with the root over it.
type book struct{ root, part *ledger }

func (s *Service) readBook(ctx context.Context, tx driver.Tx, t target) (b book, err error) {
	if b.root, err = s.readLedger(ctx, tx, t.app, t.tenant, driver.LedgerRoot); err != nil {
		return b, err
	}
	n := partOf(t.name)
	if b.part, err = s.readLedger(ctx, tx, t.app, t.tenant, n); err != nil {
		return b, err
	}
	if b.part.row.Revision != b.root.entries[partName(n)] {
		return b, rolledBack()
	}
	return b, nil
}

func rolledBack() error {
	return fault.Wrap(fault.Internal, base.ErrTampered, "a stored record is missing, or an older one was put in its place").
		WithHint("restore the database from its backup")
}

// enterLedger gives a head the tenant's next revision. The tenant's secrets must be locked, and b read since.
func (s *Service) enterLedger(ctx context.Context, tx driver.Tx, b book, head *driver.SecretRow) error {
	head.Revision = b.root.row.Revision + 1
	b.part.set(head.Name, head.Revision)
	b.root.set(partName(b.part.row.Part), head.Revision)
	if err := s.putLedger(ctx, tx, b.part, head.Revision); err != nil {
		return err
	}
	if err := s.putLedger(ctx, tx, b.root, head.Revision); err != nil {
		return err
	}
	app, tenant, revision := head.App, head.Tenant, head.Revision
	tx.AfterCommit(nil, func() error { s.floors.raise(app, tenant, revision); return nil })
	return nil
}

// checkLedger fails with vault.ErrTampered unless the head is the one last written: revision is that of the head, 0 if
// there is none or an earlier program wrote it. No root before floor is believed.
func (s *Service) checkLedger(ctx context.Context, tx driver.Tx, t target, revision, floor int64) (book, error) {
	b, err := s.readBook(ctx, tx, t)
	if err == nil && (b.part.entries[t.name] != revision || b.root.row.Revision < floor) {
		err = rolledBack()
	}
	return b, err
}
