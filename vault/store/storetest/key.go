package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/vault/store/driver"
)

func keyIDs(rows []driver.KeyRow) string {
	var out []string
	for _, r := range rows {
		out = append(out, r.App+"/"+r.Tenant+"/"+r.ID)
	}
	return strings.Join(out, " ")
}

func testKeyLists(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		gone := key("b", "t", "k5", false)
		gone.RootID = ""
		next := key("a", "u", "k4", true)
		next.RootID = "next"
		second := version("a", "t", "K", 2)
		second.KeyID = "k2"
		third := version("a", "t", "L", 1)
		third.KeyID = "k2"
		return errors.Join(tx.PutKey(ctx, key("a", "t", "k1", true)), tx.PutKey(ctx, key("a", "t", "k2", true)), tx.PutKey(ctx, key("a", "t:", "k3", true)),
			tx.PutKey(ctx, next), tx.PutKey(ctx, gone), tx.PutSecret(ctx, head("a", "t", "K")), tx.PutSecret(ctx, head("a", "t", "L")),
			tx.AddSecretVersion(ctx, second), tx.AddSecretVersion(ctx, third))
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		own, err := tx.ListKeys(ctx, "a", "t")
		if got := keyIDs(own); got != "a/t/k1 a/t/k2" || err != nil || own[0].Primary || !own[1].Primary || string(own[0].Wrapped) != "k1" {
			t.Errorf("%s %v %v", got, own, err)
		}
		if none, err := tx.ListKeys(ctx, "b", "u"); len(none) != 0 || err != nil {
			t.Errorf("a tenant without keys: %v %v", none, err)
		}
		for _, tc := range []struct {
			after driver.KeyRow
			limit int
			want  string
		}{
			{driver.KeyRow{}, 10, "a/t/k1 a/t/k2 a/t:/k3 a/u/k4 b/t/k5"}, {driver.KeyRow{}, 2, "a/t/k1 a/t/k2"},
			{own[1], 2, "a/t:/k3 a/u/k4"}, {driver.KeyRow{App: "b", Tenant: "t", ID: "k5"}, 2, ""},
		} {
			rows, err := tx.ListKeysEverywhere(ctx, tc.after, tc.limit)
			if got := keyIDs(rows); got != tc.want || err != nil {
				t.Errorf("after %v: %s, %v, want %s", tc.after, got, err, tc.want)
			}
		}
		for root, want := range map[string]string{"next": "a/t/k1 a/t/k2", "root": "a/u/k4", "other": "a/t/k1 a/t/k2"} {
			rows, err := tx.ListKeysEverywhereBut(ctx, root, 2)
			if got := keyIDs(rows); got != want || err != nil {
				t.Errorf("but %s: %s, %v", root, got, err)
			}
		}
		all, under, err := tx.CountKeysEverywhere(ctx, "root")
		if all != 4 || under != 3 || err != nil {
			t.Errorf("%d of %d, %v", under, all, err)
		}
		for id, want := range map[string]int64{"k2": 2, "k1": 0, "key_1": 0} {
			if n, err := tx.KeyUses(ctx, "a", "t", id); n != want || err != nil {
				t.Errorf("%s is used %d times, %v", id, n, err)
			}
		}
		return nil
	})
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return errors.Join(tx.DeleteKey(ctx, "a", "t", "k1"), tx.DeleteKey(ctx, "a", "t", "k3"), tx.DeleteKey(ctx, "a", "t", "never"), tx.LockRoot(ctx))
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		rows, err := tx.ListKeysEverywhere(ctx, driver.KeyRow{}, 10)
		if got := keyIDs(rows); got != "a/t/k2 a/t:/k3 a/u/k4 b/t/k5" {
			t.Errorf("after removal: %s", got)
		}
		return err
	})
	for name, call := range map[string]func(context.Context, driver.Tx) error{
		"ListKeys":  func(ctx context.Context, tx driver.Tx) error { _, err := tx.ListKeys(ctx, "a", ""); return err },
		"DeleteKey": func(ctx context.Context, tx driver.Tx) error { return tx.DeleteKey(ctx, "", "t", "k1") },
		"KeyUses":   func(ctx context.Context, tx driver.Tx) error { _, err := tx.KeyUses(ctx, "a", "", "k"); return err },
		"Shred":     func(ctx context.Context, tx driver.Tx) error { _, err := tx.Shred(ctx, "", "t"); return err },
		"PutShred":  func(ctx context.Context, tx driver.Tx) error { return tx.PutShred(ctx, driver.ShredRow{App: "a"}) },
	} {
		if err := st.Update(t.Context(), func(tx driver.Tx) error { return call(t.Context(), tx) }); err == nil {
			t.Errorf("%s without an owner", name)
		}
	}
}

func testSystemKeys(t *testing.T, h Harness) {
	st := h.Open(t)
	row := func(purpose, id string, primary bool, at int64) driver.SystemKeyRow {
		return driver.SystemKeyRow{Purpose: purpose, ID: id, RootID: "root", Wrapped: []byte(id), Public: []byte("p" + id), Primary: primary, CreatedAt: at}
	}
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		for _, tc := range []struct {
			row  driver.SystemKeyRow
			want bool
		}{
			{row("sign", "b", true, 1), true}, {row("sign", "b", false, 1), false}, {row("sign", "c", true, 2), false}, {row("sign", "a", false, 2), true},
			{row("seed", "b", true, 9), true},
		} {
			if added, err := tx.AddSystemKey(ctx, tc.row); added != tc.want || err != nil {
				t.Errorf("%s %s: %v %v", tc.row.Purpose, tc.row.ID, added, err)
			}
		}
		changed := row("sign", "b", false, 77)
		changed.RootID, changed.Wrapped, changed.RetiredAt = "next", []byte("w"), 5
		return errors.Join(tx.PutSystemKey(ctx, changed), tx.PutSystemKey(ctx, row("sign", "never", true, 1)))
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		rows, err := tx.ListSystemKeys(ctx)
		var got []string
		for _, r := range rows {
			got = append(got, fmt.Sprint(r.Purpose, r.ID, r.RootID, string(r.Wrapped), string(r.Public), r.Primary, r.CreatedAt, r.RetiredAt))
		}
		want := []string{"seedbrootbpbtrue 9 0", "signbnextwpbfalse 1 5", "signarootapafalse 2 0"}
		if !slices.Equal(got, want) || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		one, err := tx.SystemKey(ctx, "sign", "b")
		if err != nil || !bytes.Equal(one.Wrapped, []byte("w")) {
			t.Errorf("%v %v", one, err)
		}
		_, err = tx.SystemKey(ctx, "sign", "never")
		_, err2 := tx.PrimarySystemKey(ctx, "sign")
		if !errors.Is(err, driver.ErrNotFound) || !errors.Is(err2, driver.ErrNotFound) {
			t.Errorf("%v, %v", err, err2)
		}
		p, err := tx.PrimarySystemKey(ctx, "seed")
		if p.ID != "b" {
			t.Errorf("%v", p)
		}
		return err
	})
}

func testShreds(t *testing.T, h Harness) {
	st := h.Open(t)
	row := func(app, tenant, state string) driver.ShredRow {
		return driver.ShredRow{App: app, Tenant: tenant, ID: "id" + tenant, State: state, Reason: "why", RequestedBy: "ann", RequestedAt: 1, Checkpoint: "cp",
			KeyIDs: `["k"]`, EpochBefore: 3, RootBefore: "r3", Target: "r4", Receipt: "{}"}
	}
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return errors.Join(tx.PutShred(ctx, row("a", "u", "begun")), tx.PutShred(ctx, row("a", "t", "begun")), tx.PutShred(ctx, row("b", "t", "done")),
			tx.PutShred(ctx, row("a", "t", "done")))
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		got, err := tx.Shred(ctx, "a", "t")
		if got != row("a", "t", "done") || err != nil {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := tx.Shred(ctx, "b", "u"); !errors.Is(err, driver.ErrNotFound) {
			t.Errorf("%v", err)
		}
		all, err := tx.ListShredsEveryTenant(ctx, "a", "", 10)
		page, err2 := tx.ListShredsEveryTenant(ctx, "a", "t", 1)
		done, err3 := tx.ListShredsEverywhere(ctx, "done")
		if len(all) != 2 || all[0].Tenant != "t" || len(page) != 1 || page[0].Tenant != "u" || len(done) != 2 || done[1].App != "b" {
			t.Errorf("%v %v %v", all, page, done)
		}
		return errors.Join(err, err2, err3)
	})
}

func testKeysTold(t *testing.T, h Harness) {
	st := h.Open(t)
	w, ok := st.(driver.Watcher)
	if !ok {
		t.Fatal("this store does not tell of its changes")
	}
	var got []string
	defer w.Watch(func(c driver.Change) { got = append(got, c.Noun+" "+c.App+" "+c.Tenant) })()
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return errors.Join(tx.PutKey(ctx, key("a", "t", "k", true)), tx.DeleteKey(ctx, "a", "u", "k"), tx.PutShred(ctx, driver.ShredRow{App: "b", Tenant: "t"}),
			tx.PutRoot(ctx, driver.RootRow{RootID: "r", Epoch: 7, NextID: "n", Next: []byte("w"), FormerID: "f", Total: 3, ChangedAt: 4, CreatedAt: 1}))
	})
	want := []string{"key a t", "key a u", "key b t", "key /operator /operator"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		r, err := tx.Root(ctx)
		if r.Epoch != 7 || r.Direct || r.NextID != "n" || string(r.Next) != "w" || r.FormerID != "f" || r.Total != 3 || r.ChangedAt != 4 {
			t.Errorf("%+v", r)
		}
		return err
	})
}
