package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func flagRow(app, tenant, name string) driver.FlagRow {
	return driver.FlagRow{App: app, Tenant: tenant, Name: name, ID: "flag_" + app + tenant + name, Version: 1, Definition: "{}", Rules: "[]",
		CreatedAt: 1, UpdatedAt: 2}
}

func overrideRow(app, tenant, name string) driver.FlagOverrideRow {
	return driver.FlagOverrideRow{App: app, Tenant: tenant, Name: name, ID: "ovr_" + app + tenant + name, Version: 1, Kind: "string", Value: `"é\u0000"`,
		CreatedAt: 1, UpdatedAt: 2}
}

func configRow(app, tenant, name string) driver.ConfigRow {
	return driver.ConfigRow{App: app, Tenant: tenant, Name: name, ID: "cfg_" + app + tenant + name, Latest: 1, Current: 1, Schema: "{}",
		CreatedAt: 1, UpdatedAt: 2}
}

func configVersion(app, tenant, name string, n int64) driver.ConfigVersion {
	return driver.ConfigVersion{App: app, Tenant: tenant, Name: name, Version: n, ID: "ver_" + app + tenant + name, Kind: "int64",
		Value: "9007199254740993", ValueType: "int", Description: "ü", Metadata: "{}", CreatedAt: n, CreatedBy: "ann"}
}

// settings fills every table of flags and config for one owner.
func settings(ctx context.Context, tx driver.Tx, app, tenant, name string) error {
	return errors.Join(tx.PutFlag(ctx, flagRow(app, tenant, name)), tx.PutFlagOverride(ctx, overrideRow(app, tenant, name)),
		tx.PutConfig(ctx, configRow(app, tenant, name)), tx.AddConfigVersion(ctx, configVersion(app, tenant, name, 1)))
}

func testFlags(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		var errs []error
		for _, name := range []string{"c", "a", "B", "ä"} {
			errs = append(errs, tx.PutFlag(ctx, flagRow("a", driver.Shared, name)))
		}
		for _, tenant := range []string{"t", "T", "u"} {
			errs = append(errs, tx.PutFlagOverride(ctx, overrideRow("a", tenant, "a")), tx.PutFlagOverride(ctx, overrideRow("a", tenant, "other")))
		}
		changed := flagRow("a", driver.Shared, "a")
		changed.Version, changed.Rules = 2, "[1]"
		own := overrideRow("a", "t", "a")
		own.Value = "changed"
		return errors.Join(append(errs, tx.PutFlag(ctx, changed), tx.PutFlagOverride(ctx, own))...)
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		r, err := tx.Flag(ctx, "a", driver.Shared, "a")
		o, err2 := tx.FlagOverride(ctx, "a", "t", "a")
		u, err3 := tx.FlagOverride(ctx, "a", "u", "a")
		if errors.Join(err, err2, err3) != nil || r.Version != 2 || r.Rules != "[1]" || o.Value != "changed" || u != overrideRow("a", "u", "a") {
			t.Errorf("%v %v %v: %v %v %v", r, o, u, err, err2, err3)
		}
		for _, tc := range []struct {
			after string
			limit int
			want  string
		}{{"", 9, "[B a c ä]"}, {"B", 2, "[a c]"}, {"ä", 9, "[]"}} {
			rows, err := tx.ListFlags(ctx, "a", driver.Shared, tc.after, tc.limit)
			names := []string{}
			for _, r := range rows {
				names = append(names, r.Name)
			}
			if err != nil || fmt.Sprint(names) != tc.want {
				t.Errorf("after %q: %v, %v; want %s", tc.after, names, err, tc.want)
			}
		}
		rows, err := tx.ListFlagOverridesEveryTenant(ctx, "a", "a", "T", 1)
		if err != nil || len(rows) != 1 || rows[0].Tenant != "t" {
			t.Errorf("overrides after T: %v, %v", rows, err)
		}
		return nil
	})
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return errors.Join(tx.DeleteFlag(ctx, "a", driver.Shared, "a"), tx.DeleteFlagOverridesEveryTenant(ctx, "a", "a"),
			tx.DeleteFlagOverride(ctx, "a", "t", "other"), tx.DeleteFlag(ctx, "a", driver.Shared, "never was"))
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		_, err := tx.Flag(ctx, "a", driver.Shared, "a")
		_, err2 := tx.FlagOverride(ctx, "a", "u", "a")
		_, err3 := tx.FlagOverride(ctx, "a", "t", "other")
		rows, err4 := tx.ListFlagOverridesEveryTenant(ctx, "a", "other", "", 9)
		if !errors.Is(err, driver.ErrNotFound) || !errors.Is(err2, driver.ErrNotFound) || !errors.Is(err3, driver.ErrNotFound) || err4 != nil || len(rows) != 2 {
			t.Errorf("after deletion: %v %v %v %v %v", err, err2, err3, rows, err4)
		}
		return nil
	})
}

func testConfigs(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		var errs []error
		for _, n := range []int64{1, 3, 2} {
			errs = append(errs, tx.AddConfigVersion(ctx, configVersion("a", "t", "K", n)))
		}
		head := configRow("a", "t", "K")
		head.Latest, head.Current = 3, 2
		shared, gone := configRow("a", driver.Shared, "K"), configRow("a", "u", "K")
		gone.Current = 0
		return errors.Join(append(errs, tx.PutConfig(ctx, head), tx.PutConfig(ctx, shared), tx.AddConfigVersion(ctx, configVersion("a", driver.Shared, "K", 1)),
			tx.PutConfig(ctx, gone), settings(ctx, tx, "a", "t", "A"), settings(ctx, tx, "a", "w", "K"))...)
	})
	err := st.Update(t.Context(), func(tx driver.Tx) error { return tx.AddConfigVersion(t.Context(), configVersion("a", "t", "K", 2)) })
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a version written twice: %v", err)
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		r, v, err := tx.Config(ctx, "a", "t", "K")
		if err != nil || r.Latest != 3 || v != configVersion("a", "t", "K", 2) {
			t.Errorf("current: %v %v %v", r, v, err)
		}
		r, v, err = tx.Config(ctx, "a", "u", "K")
		if err != nil || r.Latest != 1 || v != (driver.ConfigVersion{}) {
			t.Errorf("deleted: %v %v %v", r, v, err)
		}
		vs, err := tx.ListConfigVersions(ctx, "a", "t", "K", 1, 1)
		if err != nil || len(vs) != 1 || vs[0].Version != 2 {
			t.Errorf("versions above 1: %v, %v", vs, err)
		}
		rows, err := tx.ListConfigs(ctx, "a", "t", "A", 9)
		if err != nil || len(rows) != 1 || rows[0].Name != "K" {
			t.Errorf("list after A: %v, %v", rows, err)
		}
		if rows, err := tx.ListConfigs(ctx, "a", "u", "", 9); err != nil || len(rows) != 0 {
			t.Errorf("deleted ones are listed: %v, %v", rows, err)
		}
		rows, err = tx.ListConfigsEveryTenant(ctx, "a", "K", "", 9)
		if err != nil || len(rows) != 2 || rows[0].Tenant != "t" || rows[1].Tenant != "w" {
			t.Errorf("tenants of K: %v, %v", rows, err)
		}
		return nil
	})
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return tx.DeleteConfigVersions(ctx, "a", "t", "K", 2) })
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		vs, err := tx.ListConfigVersions(ctx, "a", "t", "K", 0, 9)
		_, err2 := tx.ConfigVersion(ctx, "a", "t", "K", 2)
		if err != nil || len(vs) != 1 || vs[0].Version != 3 || !errors.Is(err2, driver.ErrNotFound) {
			t.Errorf("after pruning: %v %v %v", vs, err, err2)
		}
		return nil
	})
}

// testSettingTwins looks for the settings of (a, t) as somebody else: each answer is that of an empty store.
func testSettingTwins(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return settings(ctx, tx, "a", "t", "K") })
	for _, other := range []struct{ app, tenant string }{{"a", "u"}, {"b", "t"}, {"a", driver.Shared}, {"a", driver.Operator}, {"a", "T"}, {"a", "t "}} {
		app, tenant := other.app, other.tenant
		view(t, st, func(ctx context.Context, tx driver.Tx) error {
			_, err := tx.Flag(ctx, app, tenant, "K")
			_, err2 := tx.FlagOverride(ctx, app, tenant, "K")
			_, _, err3 := tx.Config(ctx, app, tenant, "K")
			_, err4 := tx.ConfigVersion(ctx, app, tenant, "K", 1)
			for i, err := range []error{err, err2, err3, err4} {
				if !errors.Is(err, driver.ErrNotFound) {
					t.Errorf("call %d as %q, %q: %v", i, app, tenant, err)
				}
			}
			flags, err := tx.ListFlags(ctx, app, tenant, "", 9)
			configs, err2 := tx.ListConfigs(ctx, app, tenant, "", 9)
			versions, err3 := tx.ListConfigVersions(ctx, app, tenant, "K", 0, 9)
			if n := len(flags) + len(configs) + len(versions); n != 0 || errors.Join(err, err2, err3) != nil {
				t.Errorf("lists as %q, %q: %d rows, %v", app, tenant, n, errors.Join(err, err2, err3))
			}
			return nil
		})
		update(t, st, func(ctx context.Context, tx driver.Tx) error {
			return errors.Join(tx.DeleteFlag(ctx, app, tenant, "K"), tx.DeleteFlagOverride(ctx, app, tenant, "K"),
				tx.DeleteConfigVersions(ctx, app, tenant, "K", 9))
		})
	}
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlagOverridesEveryTenant(ctx, "b", "K") })
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		_, err := tx.Flag(ctx, "a", "t", "K")
		_, err2 := tx.FlagOverride(ctx, "a", "t", "K")
		_, err3 := tx.ConfigVersion(ctx, "a", "t", "K", 1)
		if errors.Join(err, err2, err3) != nil {
			t.Errorf("somebody else's deletion reached it: %v", errors.Join(err, err2, err3))
		}
		overrides, err := tx.ListFlagOverridesEveryTenant(ctx, "b", "K", "", 9)
		configs, err2 := tx.ListConfigsEveryTenant(ctx, "b", "K", "", 9)
		if len(overrides)+len(configs) != 0 || errors.Join(err, err2) != nil {
			t.Errorf("another app sees %v %v, %v", overrides, configs, errors.Join(err, err2))
		}
		return nil
	})
}

func testSettingNames(t *testing.T, h Harness) {
	st := h.Open(t)
	owners := [][3]string{{"a", "b:c", "d"}, {"a:b", "c", "d"}, {"a", "b", "c:d"}, {"a:b:c", "d", "d"}, {"a/b", "c", "d"}, {"a", "b/c", "d"},
		{"a\x00b", "c", "d"}, {"a", "b\x00c", "d"}}
	for _, o := range owners {
		update(t, st, func(ctx context.Context, tx driver.Tx) error { return settings(ctx, tx, o[0], o[1], o[2]) })
	}
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		o := owners[0]
		return errors.Join(tx.DeleteFlag(ctx, o[0], o[1], o[2]), tx.DeleteFlagOverridesEveryTenant(ctx, o[0], o[2]),
			tx.DeleteConfigVersions(ctx, o[0], o[1], o[2], 1))
	})
	for _, o := range owners[1:] {
		view(t, st, func(ctx context.Context, tx driver.Tx) error {
			f, err := tx.Flag(ctx, o[0], o[1], o[2])
			v, err2 := tx.FlagOverride(ctx, o[0], o[1], o[2])
			c, cv, err3 := tx.Config(ctx, o[0], o[1], o[2])
			if o[0] == "a" && o[2] == "d" { // its override is one of those of every tenant that were deleted
				err2, v = nil, overrideRow(o[0], o[1], o[2])
			}
			if errors.Join(err, err2, err3) != nil || f != flagRow(o[0], o[1], o[2]) || v != overrideRow(o[0], o[1], o[2]) ||
				c != configRow(o[0], o[1], o[2]) || cv != configVersion(o[0], o[1], o[2], 1) {
				t.Errorf("%q reads %v %v %v %v: %v", o, f, v, c, cv, errors.Join(err, err2, err3))
			}
			return nil
		})
	}
}

func testSettingOwner(t *testing.T, h Harness) {
	st := h.Open(t)
	for _, o := range []struct {
		app, tenant string
		want        error
	}{{"", "t", scope.ErrNoApp}, {"a", "", scope.ErrNoTenant}, {"", "", scope.ErrNoApp}} {
		calls := map[string]func(context.Context, driver.Tx) error{
			"PutFlag": func(ctx context.Context, tx driver.Tx) error { return tx.PutFlag(ctx, flagRow(o.app, o.tenant, "K")) },
			"PutFlagOverride": func(ctx context.Context, tx driver.Tx) error {
				return tx.PutFlagOverride(ctx, overrideRow(o.app, o.tenant, "K"))
			},
			"PutConfig": func(ctx context.Context, tx driver.Tx) error {
				return tx.PutConfig(ctx, configRow(o.app, o.tenant, "K"))
			},
			"AddConfigVersion": func(ctx context.Context, tx driver.Tx) error {
				return tx.AddConfigVersion(ctx, configVersion(o.app, o.tenant, "K", 1))
			},
			"Flag": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.Flag(ctx, o.app, o.tenant, "K")
				return err
			},
			"FlagOverride": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.FlagOverride(ctx, o.app, o.tenant, "K")
				return err
			},
			"Config": func(ctx context.Context, tx driver.Tx) error {
				_, _, err := tx.Config(ctx, o.app, o.tenant, "K")
				return err
			},
			"ConfigVersion": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.ConfigVersion(ctx, o.app, o.tenant, "K", 1)
				return err
			},
			"ListFlags": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.ListFlags(ctx, o.app, o.tenant, "", 1)
				return err
			},
			"ListConfigs": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.ListConfigs(ctx, o.app, o.tenant, "", 1)
				return err
			},
			"ListConfigVersions": func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.ListConfigVersions(ctx, o.app, o.tenant, "K", 0, 1)
				return err
			},
			"DeleteFlag":         func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlag(ctx, o.app, o.tenant, "K") },
			"DeleteFlagOverride": func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlagOverride(ctx, o.app, o.tenant, "K") },
			"DeleteVersions": func(ctx context.Context, tx driver.Tx) error {
				return tx.DeleteConfigVersions(ctx, o.app, o.tenant, "K", 1)
			},
		}
		for name, call := range calls {
			err := st.Update(t.Context(), func(tx driver.Tx) error { return call(t.Context(), tx) })
			if !errors.Is(err, o.want) || !fault.Is(err, fault.Invalid) {
				t.Errorf("%s with app %q, tenant %q: %v", name, o.app, o.tenant, err)
			}
		}
	}
	err := st.View(t.Context(), func(tx driver.Tx) error {
		_, err := tx.ListFlagOverridesEveryTenant(t.Context(), "", "K", "", 1)
		_, err2 := tx.ListConfigsEveryTenant(t.Context(), "", "K", "", 1)
		if !errors.Is(err2, scope.ErrNoApp) {
			t.Errorf("ListConfigsEveryTenant: %v", err2)
		}
		return err
	})
	if !errors.Is(err, scope.ErrNoApp) {
		t.Errorf("ListFlagOverridesEveryTenant: %v", err)
	}
}

// watched returns what a store told so far, in order; it is nil for a store that tells nothing.
func watched(t *testing.T, st driver.Store) func() []string {
	w, ok := st.(driver.Watcher)
	if !ok {
		t.Fatal("part missing: this store does not tell of changes (driver.Watcher)")
	}
	var mu sync.Mutex
	var heard []string
	t.Cleanup(w.Watch(func(c driver.Change) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, fmt.Sprint(c.Noun, " ", c.App, " ", c.Tenant, " ", c.Name))
	}))
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := heard
		heard = nil
		return out
	}
}

func testSettingRollback(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return settings(ctx, tx, "a", "t", "K") })
	heard := watched(t, st)
	boom := errors.New("boom")
	err := st.Update(t.Context(), func(tx driver.Tx) error {
		ctx := t.Context()
		moved, flag, own := configRow("a", "t", "K"), flagRow("a", "t", "K"), overrideRow("a", "t", "K")
		moved.Latest, flag.Version, own.Value = 9, 9, "9"
		return errors.Join(tx.PutConfig(ctx, moved), tx.PutFlag(ctx, flag), tx.PutFlagOverride(ctx, own), tx.DeleteConfigVersions(ctx, "a", "t", "K", 1),
			tx.DeleteFlag(ctx, "a", "t", "K"), tx.DeleteFlagOverridesEveryTenant(ctx, "a", "K"), settings(ctx, tx, "a", "new", "K"), boom)
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		f, err := tx.Flag(ctx, "a", "t", "K")
		o, err2 := tx.FlagOverride(ctx, "a", "t", "K")
		c, v, err3 := tx.Config(ctx, "a", "t", "K")
		if errors.Join(err, err2, err3) != nil || f.Version != 1 || o != overrideRow("a", "t", "K") || c.Latest != 1 || v.Version != 1 {
			t.Errorf("%v %v %v %v: %v", f, o, c, v, errors.Join(err, err2, err3))
		}
		if _, err := tx.Flag(ctx, "a", "new", "K"); !errors.Is(err, driver.ErrNotFound) {
			t.Errorf("something new is there: %v", err)
		}
		return nil
	})
	if got := heard(); len(got) > 0 {
		t.Errorf("a failed write told %v", got)
	}
}

func testSettingReadOnly(t *testing.T, h Harness) {
	st := h.Open(t)
	for i, write := range []func(context.Context, driver.Tx) error{
		func(ctx context.Context, tx driver.Tx) error { return tx.PutFlag(ctx, flagRow("a", "t", "K")) },
		func(ctx context.Context, tx driver.Tx) error {
			return tx.PutFlagOverride(ctx, overrideRow("a", "t", "K"))
		},
		func(ctx context.Context, tx driver.Tx) error { return tx.PutConfig(ctx, configRow("a", "t", "K")) },
		func(ctx context.Context, tx driver.Tx) error {
			return tx.AddConfigVersion(ctx, configVersion("a", "t", "K", 1))
		},
		func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlag(ctx, "a", "t", "K") },
		func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlagOverride(ctx, "a", "t", "K") },
		func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlagOverridesEveryTenant(ctx, "a", "K") },
		func(ctx context.Context, tx driver.Tx) error { return tx.DeleteConfigVersions(ctx, "a", "t", "K", 1) },
	} {
		if err := st.View(t.Context(), func(tx driver.Tx) error { return write(t.Context(), tx) }); err == nil {
			t.Errorf("write %d went through in a read transaction", i)
		}
	}
}

func testSettingConcurrency(t *testing.T, h Harness) {
	st := h.Open(t)
	heard := watched(t, st)
	const writers, each = 8, 20
	next := func(ctx context.Context, tx driver.Tx) error {
		r, _, err := tx.Config(ctx, "a", "t", "K")
		if errors.Is(err, driver.ErrNotFound) {
			r, err = configRow("a", "t", "K"), nil
			r.Latest = 0
		}
		if err != nil {
			return err
		}
		r.Latest++
		r.Current = r.Latest
		return errors.Join(tx.AddConfigVersion(ctx, configVersion("a", "t", "K", r.Latest)), tx.PutConfig(ctx, r))
	}
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				if err := st.Update(t.Context(), func(tx driver.Tx) error { return next(t.Context(), tx) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		r, _, err := tx.Config(ctx, "a", "t", "K")
		vs, err2 := tx.ListConfigVersions(ctx, "a", "t", "K", 0, 10_000)
		if errors.Join(err, err2) != nil || r.Latest != writers*each || len(vs) != writers*each {
			t.Errorf("got %d and %d versions of %d (%v, %v)", r.Latest, len(vs), writers*each, err, err2)
		}
		return nil
	})
	if got := len(heard()); got != writers*each {
		t.Errorf("%d writes told %d changes", writers*each, got)
	}
}

func testWatch(t *testing.T, h Harness) {
	st := h.Open(t)
	heard := watched(t, st)
	for _, step := range []struct {
		write func(context.Context, driver.Tx) error
		want  string
	}{
		{func(ctx context.Context, tx driver.Tx) error {
			return tx.PutFlag(ctx, flagRow("a", driver.Shared, "f"))
		}, "flag a /shared f"},
		{func(ctx context.Context, tx driver.Tx) error {
			return tx.PutFlagOverride(ctx, overrideRow("a", "t", "f"))
		}, "flag a t f"},
		{func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlagOverride(ctx, "a", "t", "f") }, "flag a t f"},
		{func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlagOverridesEveryTenant(ctx, "a", "f") }, "flag a /shared f"},
		{func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlag(ctx, "a", driver.Shared, "f") }, "flag a /shared f"},
		{func(ctx context.Context, tx driver.Tx) error { return tx.PutConfig(ctx, configRow("b", "t", "c")) }, "config b t c"},
		{func(ctx context.Context, tx driver.Tx) error { return tx.PutRoot(ctx, driver.RootRow{RootID: "r"}) }, "key /operator /operator "},
		{func(ctx context.Context, tx driver.Tx) error { return tx.LockRoot(ctx) }, ""},
	} {
		update(t, st, step.write)
		want := []string{step.want}
		if step.want == "" {
			want = nil
		}
		if got := heard(); !slices.Equal(got, want) {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
	stop := st.(driver.Watcher).Watch(func(driver.Change) { t.Error("it was stopped") })
	stop()
	stop()
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return tx.PutFlag(ctx, flagRow("a", driver.Shared, "f"))
	})
}

func testSettingReopen(t *testing.T, h Harness) {
	if h.Reopen == nil {
		t.Log("part missing: nothing of this store survives the process")
		return
	}
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return settings(ctx, tx, "a", "t", "K") })
	view(t, h.Reopen(t, st), func(ctx context.Context, tx driver.Tx) error {
		f, err := tx.Flag(ctx, "a", "t", "K")
		o, err2 := tx.FlagOverride(ctx, "a", "t", "K")
		c, v, err3 := tx.Config(ctx, "a", "t", "K")
		if errors.Join(err, err2, err3) != nil || f != flagRow("a", "t", "K") || o != overrideRow("a", "t", "K") || c != configRow("a", "t", "K") ||
			v != configVersion("a", "t", "K", 1) {
			t.Errorf("%v %v %v %v: %v", f, o, c, v, errors.Join(err, err2, err3))
		}
		return nil
	})
}
