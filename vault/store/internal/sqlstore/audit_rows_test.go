package sqlstore_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/internal/sqlstore"
)

var chain = driver.Chain{App: "a", Tenant: "t", Node: "n", Epoch: 1}

func mac([]byte) []byte { return []byte("mac") }

// chained returns entries whose hashes follow prev's, as the audit makes them.
func chained(prev []byte, c driver.Chain, first, n int, at int64) []driver.AuditRow {
	out := make([]driver.AuditRow, n)
	for i := range out {
		r := driver.AuditRow{Chain: c, Seq: int64(first + i), ID: id.New(id.Audit).String(), At: at, User: "ann", Action: "secret.get", Resource: "secret",
			Name: "K", Outcome: "ok", Details: "[]", MAC: []byte("mac")}
		sum := sha256.Sum256(audit.Canonical(canon.Text(nil, prev), &r))
		r.Hash = sum[:]
		out[i], prev = r, r.Hash
	}
	return out
}

func add(t *testing.T, d *db.DB, prev []byte, rows []driver.AuditRow) {
	t.Helper()
	err := sqlstore.New(d).Update(t.Context(), func(tx driver.Tx) error {
		ok, err := tx.AppendAudit(t.Context(), prev, rows)
		if err == nil && !ok {
			err = errors.New("the chain ends otherwise")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, d *db.DB, query string, args ...any) {
	t.Helper()
	err := d.Update(t.Context(), func(tx *db.Tx) error {
		tx.Fence(db.Everywhere, db.Everywhere)
		n, err := tx.Exec(t.Context(), query, args...)
		if err == nil && n != 1 {
			err = fmt.Errorf("%d rows were changed", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func look(t *testing.T, d *db.DB, fn func(ctx context.Context, tx driver.Tx) error) {
	t.Helper()
	if err := sqlstore.New(d).View(t.Context(), func(tx driver.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Error(err)
	}
}

func scan(ctx context.Context, tx driver.Tx, c driver.Chain) (out []driver.AuditRow, err error) {
	err = tx.ScanAudit(ctx, c, -1<<63, func(r driver.AuditRow) error { out = append(out, r); return nil })
	return out, err
}

// What is wrong with the entries that a row carries is found by the verification, which goes on with the other chains; who
// lists them is told.
func TestARowWhoseEntriesWereChangedIsNamed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		rows := chained(nil, chain, 1, 9, 5)
		add(t, d, nil, rows[:1])
		add(t, d, rows[0].Hash, rows[1:7]) // row 7 carries 2 to 6
		add(t, d, rows[6].Hash, rows[7:8])
		add(t, d, rows[7].Hash, rows[8:])
		other := chain
		other.Tenant = "u"
		more := chained(nil, other, 1, 3, 5)
		add(t, d, nil, more)

		var packed []byte
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			tx.Fence(db.Everywhere, db.Everywhere)
			return tx.QueryRow(t.Context(), "SELECT packed FROM vault_audit WHERE tenant = 't' AND seq = 7", nil, &packed)
		}); err != nil || len(packed) == 0 {
			t.Fatal(packed, err)
		}
		verify := func() audit.Report {
			r, err := audit.Verify(t.Context(), sqlstore.New(d), nil, mac)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := verify(); !r.OK() || r.Entries != 12 {
			t.Fatalf("%+v", r)
		}
		const row = "UPDATE vault_audit SET packed = ? WHERE tenant = 't' AND seq = "
		edit := func(old, with string) []byte { return []byte(strings.Replace(string(packed), old, with, 1)) }
		for name, tc := range map[string]struct {
			query  string
			value  any
			seq    int64
			listed bool
		}{
			"garbage":                         {row + "7", []byte("garbage"), 2, false},
			"one byte":                        {row + "7", []byte{0}, 2, false},
			"cut":                             {row + "7", packed[:len(packed)-1], 2, false},
			"longer":                          {row + "7", append(packed[:len(packed):len(packed)], 0), 2, false},
			"taken out":                       {row + "7", nil, 2, true},
			"a text changed":                  {row + "7", edit(rows[3].ID, id.New(id.Audit).String()), 4, true},
			"a hash changed":                  {row + "7", edit(string(rows[4].Hash), strings.Repeat("h", 32)), 5, true},
			"a row that carries none":         {row + "8", []byte("garbage"), 8, false},
			"copied to a row that has none":   {row + "8", packed, 3, true},
			"the row's time":                  {"UPDATE vault_audit SET at = at + ? WHERE tenant = 't' AND seq = 7", 1, 2, true},
			"the row's number":                {"UPDATE vault_audit SET seq = seq + ? WHERE tenant = 't' AND seq = 7", 100, 2, true},
			"the row's number, far below":     {"UPDATE vault_audit SET seq = ? WHERE tenant = 't' AND seq = 7", int64(-1<<63 + 3), 1, true},
			"the row's own":                   {"UPDATE vault_audit SET name = ? WHERE tenant = 't' AND seq = 7", "L", 7, true},
			"none of them, in a row's packed": {row + "9", canon.Int(canon.Text(nil, "hayward/audit/packed/1"), 0), 9, false},
		} {
			t.Run(name, func(t *testing.T) {
				exec(t, d, tc.query, tc.value)
				defer func() {
					exec(t, d, "DELETE FROM vault_audit WHERE id = ?", rows[6].ID)
					exec(t, d, "DELETE FROM vault_audit WHERE id = ?", rows[7].ID)
					exec(t, d, "DELETE FROM vault_audit WHERE id = ?", rows[8].ID)
					add(t, d, rows[0].Hash, rows[1:7])
					add(t, d, rows[6].Hash, rows[7:8])
					add(t, d, rows[7].Hash, rows[8:])
				}()
				r := verify()
				if len(r.Problems) != 1 || r.Problems[0].Tenant != "t" || (r.Problems[0].Seq != tc.seq && r.Problems[0].Seq >= 0) || r.Chains != 2 {
					t.Errorf("%+v", r)
				}
				look(t, d, func(ctx context.Context, tx driver.Tx) error {
					_, err := tx.ListAudit(ctx, "a", "t", driver.AuditFilter{Limit: 99})
					if (err == nil) != tc.listed || (err != nil && (!fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), "app a, tenant t, node n, epoch 1"))) {
						t.Errorf("the list: %v", err)
					}
					if rows, err := tx.ListAudit(ctx, "a", "u", driver.AuditFilter{Limit: 99}); err != nil || len(rows) != 3 {
						t.Errorf("another tenant's list: %v, %v", rows, err)
					}
					n, sound := 0, true
					err = tx.ScanAuditHashes(ctx, chain, 0, 99, func(seq int64, hash, _ []byte) error {
						sound = sound && seq == rows[n].Seq && string(hash) == string(rows[n].Hash)
						n++
						return nil
					})
					if err != nil || n == 0 || (sound && !tc.listed) {
						t.Errorf("the hashes: %d, sound: %v, %v", n, sound, err)
					}
					if r, err := tx.AuditEntry(ctx, "a", "t", rows[8].ID); tc.seq != 9 && (err != nil || r.Seq != 9) {
						t.Errorf("an entry beside: %+v, %v", r, err)
					}
					return nil
				})
			})
		}
		if r := verify(); !r.OK() || r.Entries != 12 {
			t.Fatalf("after everything was put back: %+v", r)
		}
	}, sqlstore.Schema())
}

// An id leads to its entry by the time that is in it, and also where that is wrong.
func TestAnEntryIsFoundByItsID(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		now := time.Now().UnixMicro()
		var all []driver.AuditRow
		var prev []byte
		for i, at := range []int64{now, now + 1, now + 40_000_000, now - 3_000_000, 1, 1 << 61} {
			group := chained(prev, chain, len(all)+1, 1+i%3, at)
			add(t, d, prev, group)
			all, prev = append(all, group...), group[len(group)-1].Hash
		}
		look(t, d, func(ctx context.Context, tx driver.Tx) error {
			for _, want := range all {
				if got, err := tx.AuditEntry(ctx, "a", "t", want.ID); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%+v, %v, not %+v", got, err, want)
				}
			}
			for _, other := range []string{id.New(id.Audit).String(), "", "vaudit_", "vaudit_00000000000000000000000000", strings.ToUpper(all[0].ID), all[1].ID[:20]} {
				if got, err := tx.AuditEntry(ctx, "a", "t", other); !errors.Is(err, driver.ErrNotFound) {
					t.Errorf("%q: %+v, %v", other, got, err)
				}
			}
			if _, err := tx.AuditEntry(ctx, "a", "u", all[1].ID); !errors.Is(err, driver.ErrNotFound) {
				t.Errorf("another tenant's: %v", err)
			}
			return nil
		})
		exec(t, d, "UPDATE vault_audit SET packed = ? WHERE seq = ?", []byte("before "+all[1].ID+" after"), all[2].Seq)
		look(t, d, func(ctx context.Context, tx driver.Tx) error {
			if got, err := tx.AuditEntry(ctx, "a", "t", all[1].ID); !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), "entry 3 of app a") {
				t.Errorf("%+v, %v", got, err)
			}
			return nil
		})
	}, sqlstore.Schema())
}

// The rows of a record that was begun when each had one entry stay what they are, and the record goes on after them.
func TestAuditFromBeforeRowsHadSeveralEntries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		before, old := sqlstore.Schema(), fstest.MapFS{}
		names, err := fs.Glob(before.FS, "0000[1-7]_*.sql")
		if err != nil || len(names) != 7 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			text, err := fs.ReadFile(before.FS, name)
			if err != nil {
				t.Fatal(err)
			}
			old[name] = &fstest.MapFile{Data: text}
		}
		before.FS = old
		if err := d.Migrate(t.Context(), before); err != nil {
			t.Fatal(err)
		}
		rows := chained(nil, chain, 1, 5, 5)
		rows = append(rows, chained(rows[4].Hash, chain, 6, 4, 6)...)
		for _, r := range rows[:5] {
			exec(t, d, `INSERT INTO vault_audit (app, tenant, node, epoch, seq, id, ref, at, user_id, ip, request_id, action, resource, name, outcome, details,
				hash, mac, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.App, r.Tenant, r.Node, r.Epoch, r.Seq, r.ID, r.Ref, r.At, r.User,
				r.IP, r.RequestID, r.Action, r.Resource, r.Name, r.Outcome, r.Details, r.Hash, r.MAC, r.Sealed)
		}
		if err := d.Migrate(t.Context(), sqlstore.Schema()); err != nil {
			t.Fatal(err)
		}
		same := func(want []driver.AuditRow) {
			t.Helper()
			look(t, d, func(ctx context.Context, tx driver.Tx) error {
				got, err := scan(ctx, tx, chain)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%+v, not %+v", got, want)
				}
				list, err2 := tx.ListAudit(ctx, "a", "t", driver.AuditFilter{Limit: 99, OldestFirst: true})
				if !reflect.DeepEqual(list, want) {
					t.Errorf("the list: %+v, not %+v", list, want)
				}
				var r driver.AuditRow
				for _, w := range want {
					if r, err = tx.AuditEntry(ctx, "a", "t", w.ID); !reflect.DeepEqual(r, w) {
						t.Errorf("%+v, not %+v", r, w)
					}
				}
				return errors.Join(err, err2)
			})
			r, err := audit.Verify(t.Context(), sqlstore.New(d), nil, mac)
			if err != nil || !r.OK() || int(r.Entries) != len(want) {
				t.Errorf("%+v, %v", r, err)
			}
		}
		same(rows[:5])
		add(t, d, rows[4].Hash, rows[5:])
		same(rows)
	})
}
