package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func tree(c driver.Chain, number, size int64) driver.AuditTreeRow {
	return driver.AuditTreeRow{Chain: c, Number: number, Size: size, Root: []byte(fmt.Sprint("root", size)), Edges: []byte(fmt.Sprint("edges", size))}
}

func signed(node string, epoch, number int64) driver.AuditCheckpointRow {
	return driver.AuditCheckpointRow{Node: node, Epoch: epoch, Number: number, At: 7, Note: fmt.Sprint("note", number), Edges: []byte(fmt.Sprint("edges", number))}
}

func testAuditTrees(t *testing.T, h Harness) {
	st := h.Open(t)
	at := func(tenant, node string, epoch int64) driver.Chain {
		return driver.Chain{App: "a", Tenant: tenant, Node: node, Epoch: epoch}
	}
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return errors.Join(tx.PutAuditTree(ctx, tree(at("t", "n", 1), 1, 10)), tx.PutAuditTree(ctx, tree(at("u", "n~beside", 1), 2, 5)),
			tx.PutAuditTree(ctx, tree(at("t", "n", 1), 3, 30)), tx.PutAuditTree(ctx, tree(at("t", "m", 1), 1, 1)), tx.PutAuditTree(ctx, tree(at("t", "n", 2), 1, 1)))
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		for number, want := range map[int64]string{1: "10", 2: "10", 3: "30", 99: "30"} {
			r, err := tx.AuditTree(ctx, at("t", "n", 1), number)
			if err != nil || fmt.Sprint(r.Size) != want || string(r.Root) != "root"+want {
				t.Errorf("at %d: %+v, %v", number, r, err)
			}
			// Only the newest state can grow.
			if (string(r.Edges) == "edges30") != (want == "30") || (len(r.Edges) == 0) != (want == "10") {
				t.Errorf("at %d: edges %q", number, r.Edges)
			}
		}
		for number, want := range map[int64]string{0: "[]", 1: "[t/10]", 2: "[t/10 u/5]", 3: "[t/30 u/5]"} {
			rows, err := tx.AuditTreesEverywhere(ctx, "n", 1, number)
			got := []string{}
			for _, r := range rows {
				got = append(got, fmt.Sprint(r.Tenant, "/", r.Size))
			}
			if err != nil || fmt.Sprint(got) != want {
				t.Errorf("at %d: %v, %v", number, got, err)
			}
		}
		for _, c := range []driver.Chain{at("t", "n", 3), at("x", "n", 1), {App: "b", Tenant: "t", Node: "n", Epoch: 1}} {
			if _, err := tx.AuditTree(ctx, c, 99); !errors.Is(err, driver.ErrNotFound) {
				t.Errorf("%v: %v", c, err)
			}
		}
		if _, err := tx.AuditTree(ctx, at("t", "n", 1), 0); !errors.Is(err, driver.ErrNotFound) {
			t.Errorf("before the first: %v", err)
		}
		return nil
	})
}

func testAuditCheckpoints(t *testing.T, h Harness) {
	st := h.Open(t)
	add := func(r driver.AuditCheckpointRow) (ok bool) {
		update(t, st, func(ctx context.Context, tx driver.Tx) (err error) {
			ok, err = tx.AddAuditCheckpointEverywhere(ctx, r)
			return err
		})
		return ok
	}
	for _, step := range []struct {
		node          string
		epoch, number int64
		want          bool
	}{{"n", 1, 2, false}, {"n", 1, 1, true}, {"n", 1, 1, false}, {"n", 1, 3, false}, {"n", 1, 2, true}, {"n", 2, 1, true}, {"m", 1, 1, true}} {
		if got := add(signed(step.node, step.epoch, step.number)); got != step.want {
			t.Errorf("%+v: %v", step, got)
		}
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		last, err := tx.AuditCheckpointEverywhere(ctx, "n", 1, 0)
		if err != nil || fmt.Sprint(last) != fmt.Sprint(signed("n", 1, 2)) {
			t.Errorf("%+v, %v", last, err)
		}
		first, err := tx.AuditCheckpointEverywhere(ctx, "n", 1, 1)
		if err != nil || first.Note != "note1" || len(first.Edges) != 0 {
			t.Errorf("%+v, %v", first, err)
		}
		for _, missing := range []driver.AuditCheckpointRow{signed("n", 1, 3), signed("n", 3, 0), signed("x", 1, 0)} {
			if _, err := tx.AuditCheckpointEverywhere(ctx, missing.Node, missing.Epoch, missing.Number); !errors.Is(err, driver.ErrNotFound) {
				t.Errorf("%+v: %v", missing, err)
			}
		}
		for after, want := range map[int64]string{0: "[1 2]", 1: "[2]", 2: "[]", 9: "[]"} {
			got := []int64{}
			err := tx.ScanAuditCheckpointsEverywhere(ctx, "n", 1, after, func(r driver.AuditCheckpointRow) error { got = append(got, r.Number); return nil })
			if err != nil || fmt.Sprint(got) != want {
				t.Errorf("after %d: %v, %v", after, got, err)
			}
		}
		logs, err := tx.AuditLogsEverywhere(ctx)
		got := []string{}
		for _, r := range logs {
			got = append(got, fmt.Sprint(r.Node, r.Epoch, r.Number))
		}
		if err != nil || fmt.Sprint(got) != "[m1 1 n1 2 n2 1]" {
			t.Errorf("%v, %v", got, err)
		}
		return nil
	})
}

func testAuditHashes(t *testing.T, h Harness) {
	st := h.Open(t)
	c := driver.Chain{App: "a", Tenant: "t", Node: "n", Epoch: 1}
	beside := driver.Chain{App: "a", Tenant: "t", Node: "n~1", Epoch: 1}
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		for _, chain := range []driver.Chain{c, beside, {App: "a", Tenant: "u", Node: "n", Epoch: 1}} {
			rows := []driver.AuditRow{entry(chain, 1, "one"+chain.Node+chain.Tenant), entry(chain, 2, "two"+chain.Node+chain.Tenant), entry(chain, 3, "three"+chain.Node+chain.Tenant)}
			if _, err := tx.AppendAudit(ctx, nil, rows); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		for _, tc := range []struct {
			after, limit int64
			want         string
		}{{0, 9, "[1 2 3]"}, {1, 1, "[2]"}, {3, 9, "[]"}, {0, 0, "[]"}} {
			got := []int64{}
			err := tx.ScanAuditHashes(ctx, c, tc.after, tc.limit, func(seq int64, hash, mac []byte) error {
				if string(mac) != "mac" || len(hash) == 0 {
					t.Errorf("entry %d: %q, %q", seq, hash, mac)
				}
				got = append(got, seq)
				return nil
			})
			if err != nil || fmt.Sprint(got) != tc.want {
				t.Errorf("%+v: %v, %v", tc, got, err)
			}
		}
		r, err := tx.AuditEntry(ctx, "a", "t", "twont")
		if err != nil || r.Seq != 2 || r.Chain != c {
			t.Errorf("%+v, %v", r, err)
		}
		for _, o := range [][2]string{{"a", "u"}, {"b", "t"}} {
			if _, err := tx.AuditEntry(ctx, o[0], o[1], "twont"); !errors.Is(err, driver.ErrNotFound) {
				t.Errorf("%v: %v", o, err)
			}
		}
		chains, err := tx.AuditChains(ctx, "a", "t")
		if err != nil || fmt.Sprint(chains) != fmt.Sprint([]driver.Chain{c, beside}) {
			t.Errorf("%v, %v", chains, err)
		}
		if chains, err := tx.AuditChains(ctx, "b", "t"); err != nil || len(chains) != 0 {
			t.Errorf("%v, %v", chains, err)
		}
		rows, err := tx.ListAudit(ctx, "a", "t", driver.AuditFilter{User: "nobody", Users: []string{"ann"}, Name: "other", Names: []string{"K"}, Limit: 9})
		if err != nil || len(rows) != 6 {
			t.Errorf("by one of several names: %d, %v", len(rows), err)
		}
		return nil
	})
}

func testAuditBeside(t *testing.T, h Harness) {
	st := h.Open(t)
	c := driver.Chain{App: "a", Tenant: "t", Node: "n", Epoch: 1}
	key := func(tenant, id string, primary bool) driver.AuditKeyRow {
		return driver.AuditKeyRow{App: "a", Tenant: tenant, ID: id, KeyID: "key", Algorithm: "alg", Ciphertext: []byte(id), Primary: primary, CreatedAt: 3}
	}
	glass := func(tenant, id string, opened int64) driver.AuditGlassRow {
		return driver.AuditGlassRow{App: "a", Tenant: tenant, ID: id, Reason: "why", OpenedBy: "op", OpenedAt: opened, Until: 9, MAC: []byte("mac")}
	}
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		changed := glass("t", "g1", 1)
		changed.ClosedAt = 5
		return errors.Join(tx.PutAuditCursor(ctx, c, "file", 3), tx.PutAuditCursor(ctx, c, "file", 5), tx.PutAuditCursor(ctx, c, "hook", 1),
			tx.PutAuditKey(ctx, key("t", "k1", true)), tx.PutAuditKey(ctx, key("t", "k2", true)), tx.PutAuditKey(ctx, key("u", "k3", true)),
			tx.PutAuditGlass(ctx, glass("t", "g1", 1)), tx.PutAuditGlass(ctx, changed), tx.PutAuditGlass(ctx, glass("t", "g2", 2)), tx.PutAuditGlass(ctx, glass("u", "g3", 3)))
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		for sink, want := range map[string]int64{"file": 5, "hook": 1, "none": 0} {
			if got, err := tx.AuditCursor(ctx, c, sink); err != nil || got != want {
				t.Errorf("%s: %d, %v", sink, got, err)
			}
		}
		other := c
		other.Tenant = "u"
		if got, err := tx.AuditCursor(ctx, other, "file"); err != nil || got != 0 {
			t.Errorf("another tenant's: %d, %v", got, err)
		}
		primary, err := tx.AuditKey(ctx, "a", "t", "")
		if err != nil || fmt.Sprint(primary) != fmt.Sprint(key("t", "k2", true)) {
			t.Errorf("%+v, %v", primary, err)
		}
		former, err := tx.AuditKey(ctx, "a", "t", "k1")
		if err != nil || fmt.Sprint(former) != fmt.Sprint(key("t", "k1", false)) {
			t.Errorf("%+v, %v", former, err)
		}
		for _, o := range [][3]string{{"a", "t", "k3"}, {"a", "x", ""}, {"b", "t", "k1"}} {
			if _, err := tx.AuditKey(ctx, o[0], o[1], o[2]); !errors.Is(err, driver.ErrNotFound) {
				t.Errorf("%v: %v", o, err)
			}
		}
		mine, err := tx.ListAuditKeys(ctx, "a", "t")
		all, err2 := tx.ListAuditKeysEveryTenant(ctx, "a")
		none, err3 := tx.ListAuditKeysEveryTenant(ctx, "b")
		if errors.Join(err, err2, err3) != nil || len(mine) != 2 || len(all) != 3 || len(none) != 0 || all[2].Tenant != "u" {
			t.Errorf("%v %v %v", mine, all, none)
		}
		if n, err := tx.KeyUses(ctx, "a", "t", "key"); err != nil || n != 2 {
			t.Errorf("a key that audit keys are under is used %d times, %v", n, err)
		}
		list, err := tx.ListAuditGlass(ctx, "a", "t", 9)
		if err != nil || len(list) != 2 || list[0].ID != "g2" || list[1].ClosedAt != 5 || string(list[1].MAC) != "mac" {
			t.Errorf("%+v, %v", list, err)
		}
		if list, err := tx.ListAuditGlass(ctx, "a", "t", 1); err != nil || len(list) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		return nil
	})
}

func testAuditOwner(t *testing.T, h Harness) {
	st := h.Open(t)
	calls := func(ctx context.Context, tx driver.Tx, app, tenant string) map[string]error {
		c := driver.Chain{App: app, Tenant: tenant, Node: "n", Epoch: 1}
		_, err1 := tx.AuditTree(ctx, c, 1)
		_, err2 := tx.AuditCursor(ctx, c, "s")
		_, err3 := tx.AuditKey(ctx, app, tenant, "")
		_, err4 := tx.ListAuditKeys(ctx, app, tenant)
		_, err5 := tx.ListAuditGlass(ctx, app, tenant, 1)
		_, err6 := tx.AuditChains(ctx, app, tenant)
		_, err7 := tx.AuditEntry(ctx, app, tenant, "x")
		return map[string]error{"AuditTree": err1, "AuditCursor": err2, "AuditKey": err3, "ListAuditKeys": err4, "ListAuditGlass": err5, "AuditChains": err6,
			"AuditEntry": err7, "ScanAuditHashes": tx.ScanAuditHashes(ctx, c, 0, 1, nil)}
	}
	writes := func(ctx context.Context, tx driver.Tx, app, tenant string) map[string]error {
		c := driver.Chain{App: app, Tenant: tenant, Node: "n", Epoch: 1}
		return map[string]error{"PutAuditTree": tx.PutAuditTree(ctx, tree(c, 1, 1)), "PutAuditCursor": tx.PutAuditCursor(ctx, c, "s", 1),
			"PutAuditKey":   tx.PutAuditKey(ctx, driver.AuditKeyRow{App: app, Tenant: tenant, ID: "k", Primary: true}),
			"PutAuditGlass": tx.PutAuditGlass(ctx, driver.AuditGlassRow{App: app, Tenant: tenant, ID: "g"})}
	}
	for _, o := range [][2]string{{"", "t"}, {"a", ""}} {
		_ = st.Update(t.Context(), func(tx driver.Tx) error {
			for name, err := range calls(t.Context(), tx, o[0], o[1]) {
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("%s without an owner: %v", name, err)
				}
			}
			for name, err := range writes(t.Context(), tx, o[0], o[1]) {
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("%s without an owner: %v", name, err)
				}
			}
			return nil
		})
	}
	boom := errors.New("boom")
	if err := st.Update(t.Context(), func(tx driver.Tx) error {
		for name, err := range writes(t.Context(), tx, "a", "t") {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if ok, err := tx.AddAuditCheckpointEverywhere(t.Context(), signed("n", 1, 1)); err != nil || !ok {
			t.Errorf("%v, %v", ok, err)
		}
		return boom
	}); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		logs, err := tx.AuditLogsEverywhere(ctx)
		keys, err2 := tx.ListAuditKeys(ctx, "a", "t")
		list, err3 := tx.ListAuditGlass(ctx, "a", "t", 9)
		at, err4 := tx.AuditCursor(ctx, driver.Chain{App: "a", Tenant: "t", Node: "n", Epoch: 1}, "s")
		trees, err5 := tx.AuditTreesEverywhere(ctx, "n", 1, 9)
		if errors.Join(err, err2, err3, err4, err5) != nil || len(logs)+len(keys)+len(list)+int(at)+len(trees) != 0 {
			t.Errorf("a failed write left %v %v %v %v %v", logs, keys, list, at, trees)
		}
		for name, err := range writes(ctx, tx, "a", "t") {
			if err == nil {
				t.Errorf("%s in a read transaction", name)
			}
			break // an engine may give the transaction up after the first
		}
		return nil
	})
}
