package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/vault/store/driver"
)

func testAppend(t *testing.T, h Harness) {
	st := h.Open(t)
	c := driver.Chain{App: "a", Tenant: "t", Node: "n", Epoch: 1}
	add := func(prev string, rows ...driver.AuditRow) (ok bool) {
		var p []byte
		if prev != "" {
			p = []byte(prev)
		}
		update(t, st, func(ctx context.Context, tx driver.Tx) (err error) {
			ok, err = tx.AppendAudit(ctx, p, rows)
			return err
		})
		return ok
	}
	for _, step := range []struct {
		prev string
		seq  int64
		id   string
		want bool
	}{{"nobody", 1, "x", false}, {"", 1, "one", true}, {"", 1, "x", false}, {"", 2, "x", false}, {"nobody", 2, "x", false}, {"one", 2, "two", true}, {"one", 3, "x", false}} {
		if got := add(step.prev, entry(c, step.seq, step.id)); got != step.want {
			t.Errorf("%v: got %v", step, got)
		}
	}
	many := make([]driver.AuditRow, 1000)
	for i := range many {
		many[i] = entry(c, int64(i+3), fmt.Sprintf("id%04d", i+3))
	}
	if !add("two", many...) {
		t.Error("a long append was refused")
	}
	other := c
	other.Epoch = 2
	if !add("", entry(other, 1, "first of the next epoch")) {
		t.Error("the chain of another epoch is not empty")
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		tail, err := tx.AuditTail(ctx, c)
		if want := entry(c, 1002, "id1002"); err != nil || fmt.Sprint(tail) != fmt.Sprint(want) {
			t.Errorf("tail %v, %v", tail, err)
		}
		next := int64(501)
		err = tx.ScanAudit(ctx, c, 500, func(r driver.AuditRow) error {
			if r.Seq != next {
				t.Errorf("entry %d instead of %d", r.Seq, next)
			}
			next++
			return nil
		})
		if err != nil || next != 1003 {
			t.Errorf("the scan ended before %d: %v", next, err)
		}
		chains, err := tx.AuditChainsEverywhere(ctx)
		if err != nil || len(chains) != 2 || chains[0] != c || chains[1] != other {
			t.Errorf("chains %v, %v", chains, err)
		}
		return nil
	})
}

func testAuditList(t *testing.T, h Harness) {
	st := h.Open(t)
	fill := func(app, tenant string, n int, change func(i int, r *driver.AuditRow)) {
		c := driver.Chain{App: app, Tenant: tenant, Node: "n", Epoch: 1}
		rows := make([]driver.AuditRow, n)
		for i := range rows {
			rows[i] = entry(c, int64(i+1), fmt.Sprintf("%s-%s-%02d", app, tenant, i+1))
			change(i, &rows[i])
		}
		update(t, st, func(ctx context.Context, tx driver.Tx) error { _, err := tx.AppendAudit(ctx, nil, rows); return err })
	}
	fill("a", "t", 10, func(i int, r *driver.AuditRow) {
		r.At = int64(100 + i/2) // pairs share a moment
		switch i {
		case 3:
			r.User, r.Outcome, r.Name = "bob", "denied", "L"
		case 4:
			r.Action, r.Resource, r.RequestID = "secretive.act", "other", "req2"
		case 5:
			r.Action = "secret.set"
		}
	})
	fill("a", "u", 1, func(int, *driver.AuditRow) {})
	fill("b", "t", 1, func(int, *driver.AuditRow) {})

	seqs := func(f driver.AuditFilter) string {
		f.Limit = max(f.Limit, 1)
		out := []int64{}
		view(t, st, func(ctx context.Context, tx driver.Tx) error {
			rows, err := tx.ListAudit(ctx, "a", "t", f)
			for _, r := range rows {
				out = append(out, r.Seq)
			}
			return err
		})
		return fmt.Sprint(out)
	}
	for _, tc := range []struct {
		name   string
		filter driver.AuditFilter
		want   string
	}{
		{"newest first", driver.AuditFilter{Limit: 3}, "[10 9 8]"},
		{"oldest first", driver.AuditFilter{Limit: 3, OldestFirst: true}, "[1 2 3]"},
		{"the next page", driver.AuditFilter{Limit: 3, BeforeAt: 103, BeforeID: "a-t-08"}, "[7 6 5]"},
		{"the next page upwards", driver.AuditFilter{Limit: 3, OldestFirst: true, BeforeAt: 101, BeforeID: "a-t-03"}, "[4 5 6]"},
		{"a time", driver.AuditFilter{Limit: 99, From: 101, To: 103}, "[6 5 4 3]"},
		{"a user", driver.AuditFilter{Limit: 99, User: "bob"}, "[4]"},
		{"an outcome", driver.AuditFilter{Limit: 99, Outcome: "denied"}, "[4]"},
		{"a name", driver.AuditFilter{Limit: 99, Name: "L"}, "[4]"},
		{"a resource", driver.AuditFilter{Limit: 99, Resource: "other"}, "[5]"},
		{"a request", driver.AuditFilter{Limit: 99, RequestID: "req2"}, "[5]"},
		{"an action", driver.AuditFilter{Limit: 99, Action: "secret.set"}, "[6]"},
		{"actions of a kind", driver.AuditFilter{Limit: 2, Action: "secret.*"}, "[10 9]"},
		{"a prefix is not a pattern", driver.AuditFilter{Limit: 99, Action: "secret_*"}, "[]"},
		{"both", driver.AuditFilter{Limit: 99, User: "bob", Outcome: "ok"}, "[]"},
	} {
		if got := seqs(tc.filter); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		rows, err := tx.ListAuditEveryTenant(ctx, "a", driver.AuditFilter{Limit: 99})
		if err != nil || len(rows) != 11 {
			t.Errorf("over all tenants of one app: %d entries, %v", len(rows), err)
		}
		for _, r := range rows {
			if r.App != "a" {
				t.Errorf("an entry of the app %s", r.App)
			}
		}
		return nil
	})
}
