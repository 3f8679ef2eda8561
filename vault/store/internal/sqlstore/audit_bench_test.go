package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/internal/sqlstore"
)

var benchChain = driver.Chain{App: "default", Tenant: "acme", Node: "node-1", Epoch: 1}

// benchEntry is as long as those of a secret that is read, with personal fields sealed.
func benchEntry(seq int64) driver.AuditRow {
	return driver.AuditRow{Chain: benchChain, Seq: seq, ID: id.New(id.Audit).String(), Ref: "vaudit_0123456789012345678901234", User: "blind1_0123456789012345",
		IP: "blind1_0123456789012345", RequestID: "req_01234567890123456789012345", Action: "secret.get", Resource: "secret", Name: "blind1_0123456789012345",
		Outcome: "ok", Details: "[]", Sealed: string(bytes.Repeat([]byte{'s'}, 120)), Hash: bytes.Repeat([]byte{byte(seq)}, 32), MAC: bytes.Repeat([]byte{1}, 32)}
}

func benchFill(b *testing.B, st *sqlstore.Store, prev *driver.AuditRow, group int) {
	rows := make([]driver.AuditRow, group)
	at := max(prev.At+1, time.Now().UnixMicro())
	for i := range rows {
		rows[i] = benchEntry(prev.Seq + int64(i) + 1)
		rows[i].At = at
	}
	var hash []byte
	if prev.Seq > 0 {
		hash = prev.Hash
	}
	err := st.UpdateRelaxed(context.Background(), func(tx driver.Tx) error {
		ok, err := tx.AppendAudit(context.Background(), hash, rows)
		if err == nil && !ok {
			err = errors.New("the chain ends otherwise")
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	*prev = rows[group-1]
}

// BenchmarkAppendAudit is one transaction per group of entries, as the audit's writer makes them.
func BenchmarkAppendAudit(b *testing.B) {
	for _, group := range []int{1, 8, 32, 64, 128} {
		b.Run(fmt.Sprintf("group=%d", group), func(b *testing.B) {
			st := sqlstore.New(dbtest.NewSQLite(b, sqlstore.Schema()))
			var prev driver.AuditRow
			benchFill(b, st, &prev, 1)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				benchFill(b, st, &prev, group)
				n++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*group), "ns/entry")
		})
	}
}

// BenchmarkReadAudit reads a chain of 32768 entries that came in groups.
func BenchmarkReadAudit(b *testing.B) {
	const all = 1 << 15
	for _, group := range []int{1, 64} {
		st := sqlstore.New(dbtest.NewSQLite(b, sqlstore.Schema()))
		var prev, mid driver.AuditRow
		for prev.Seq < all {
			benchFill(b, st, &prev, group)
			if prev.Seq == all/2 {
				mid = prev
			}
		}
		for name, read := range map[string]func(ctx context.Context, tx driver.Tx) (int, error){
			"scan": func(ctx context.Context, tx driver.Tx) (n int, err error) {
				err = tx.ScanAudit(ctx, benchChain, 0, func(driver.AuditRow) error { n++; return nil })
				return n, err
			},
			"hashes": func(ctx context.Context, tx driver.Tx) (n int, err error) {
				err = tx.ScanAuditHashes(ctx, benchChain, 0, 1<<62, func(int64, []byte, []byte) error { n++; return nil })
				return n, err
			},
			"newest hundred": func(ctx context.Context, tx driver.Tx) (int, error) {
				rows, err := tx.ListAudit(ctx, "default", "acme", driver.AuditFilter{Limit: 101})
				return len(rows), err
			},
			"a filter nothing matches": func(ctx context.Context, tx driver.Tx) (int, error) {
				rows, err := tx.ListAudit(ctx, "default", "acme", driver.AuditFilter{Limit: 101, User: "nobody"})
				return len(rows) + all, err
			},
			"an entry": func(ctx context.Context, tx driver.Tx) (int, error) {
				_, err := tx.AuditEntry(ctx, "default", "acme", mid.ID)
				return all, err
			},
			"no entry": func(ctx context.Context, tx driver.Tx) (int, error) {
				if _, err := tx.AuditEntry(ctx, "default", "acme", "nobody's"); !errors.Is(err, driver.ErrNotFound) {
					return 0, err
				}
				return all, nil
			},
		} {
			b.Run(fmt.Sprintf("%s/group=%d", name, group), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					n := 0
					err := st.View(b.Context(), func(tx driver.Tx) (err error) { n, err = read(b.Context(), tx); return err })
					if err != nil || n == 0 {
						b.Fatal(n, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*all), "ns/entry")
			})
		}
	}
}
