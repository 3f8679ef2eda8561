package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func segmentRow(app, tenant, name string) driver.FlagSegmentRow {
	return driver.FlagSegmentRow{App: app, Tenant: tenant, Name: name, ID: "seg_" + app + tenant + name, Version: 1, Definition: `{"é":"\u0000"}`,
		CreatedAt: 1, UpdatedAt: 2}
}

func flagVersion(app, tenant, kind, name string, n int64) driver.FlagVersion {
	return driver.FlagVersion{App: app, Tenant: tenant, Kind: kind, Name: name, Version: n, ID: "ver_" + app + tenant + name, Action: "define",
		Body: `{"ü":1}`, CreatedAt: n, CreatedBy: "ann"}
}

// segments fills the tables of segments and of flags' versions for one owner.
func segments(ctx context.Context, tx driver.Tx, app, tenant, name string) error {
	return errors.Join(tx.PutFlagSegment(ctx, segmentRow(app, tenant, name)),
		tx.AddFlagVersion(ctx, flagVersion(app, tenant, driver.FlagKindFlag, name, 1)))
}

func testFlagSegments(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		var errs []error
		for _, name := range []string{"c", "a", "B", "ä"} {
			errs = append(errs, tx.PutFlagSegment(ctx, segmentRow("a", driver.Shared, name)))
		}
		changed := segmentRow("a", driver.Shared, "a")
		changed.Version, changed.Definition = 2, "{}"
		return errors.Join(append(errs, tx.PutFlagSegment(ctx, changed), tx.DeleteFlagSegment(ctx, "a", driver.Shared, "c"),
			tx.DeleteFlagSegment(ctx, "a", driver.Shared, "never was"))...)
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		r, err := tx.FlagSegment(ctx, "a", driver.Shared, "a")
		same, err2 := tx.FlagSegment(ctx, "a", driver.Shared, "ä")
		if errors.Join(err, err2) != nil || r.Version != 2 || r.Definition != "{}" || same != segmentRow("a", driver.Shared, "ä") {
			t.Errorf("%v %v: %v", r, same, errors.Join(err, err2))
		}
		for _, tc := range []struct {
			after string
			limit int
			want  string
		}{{"", 9, "[B a ä]"}, {"B", 1, "[a]"}, {"ä", 9, "[]"}} {
			rows, err := tx.ListFlagSegments(ctx, "a", driver.Shared, tc.after, tc.limit)
			names := []string{}
			for _, r := range rows {
				names = append(names, r.Name)
			}
			if err != nil || fmt.Sprint(names) != tc.want {
				t.Errorf("after %q: %v, %v; want %s", tc.after, names, err, tc.want)
			}
		}
		return nil
	})
}

func testFlagVersions(t *testing.T, h Harness) {
	st := h.Open(t)
	const kind = driver.FlagKindFlag
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		var errs []error
		for _, n := range []int64{1, 10, 9} {
			errs = append(errs, tx.AddFlagVersion(ctx, flagVersion("a", "t", kind, "K", n)))
		}
		return errors.Join(append(errs, tx.AddFlagVersion(ctx, flagVersion("a", "t", driver.FlagKindSegment, "K", 99)),
			tx.AddFlagVersion(ctx, flagVersion("a", "t", kind, "L", 99)))...)
	})
	err := st.Update(t.Context(), func(tx driver.Tx) error { return tx.AddFlagVersion(t.Context(), flagVersion("a", "t", kind, "K", 9)) })
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a version written twice: %v", err)
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		v, err := tx.FlagVersion(ctx, "a", "t", kind, "K", 9)
		last, err2 := tx.LatestFlagVersion(ctx, "a", "t", kind, "K")
		list, err3 := tx.ListFlagVersions(ctx, "a", "t", kind, "K", 1, 1)
		if errors.Join(err, err2, err3) != nil || v != flagVersion("a", "t", kind, "K", 9) || last.Version != 10 || len(list) != 1 || list[0] != v {
			t.Errorf("%v %v %v: %v", v, last, list, errors.Join(err, err2, err3))
		}
		_, err = tx.FlagVersion(ctx, "a", "t", kind, "K", 2)
		_, err2 = tx.LatestFlagVersion(ctx, "a", "t", driver.FlagKindOverride, "K")
		if !errors.Is(err, driver.ErrNotFound) || !errors.Is(err2, driver.ErrNotFound) {
			t.Errorf("%v %v", err, err2)
		}
		return nil
	})
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return tx.DeleteFlagVersions(ctx, "a", "t", kind, "K", 9)
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		list, err := tx.ListFlagVersions(ctx, "a", "t", kind, "K", 0, 9)
		other, err2 := tx.LatestFlagVersion(ctx, "a", "t", kind, "L")
		third, err3 := tx.LatestFlagVersion(ctx, "a", "t", driver.FlagKindSegment, "K")
		if errors.Join(err, err2, err3) != nil || len(list) != 1 || list[0].Version != 10 || other.Version != 99 || third.Version != 99 {
			t.Errorf("after pruning: %v %v %v: %v", list, other, third, errors.Join(err, err2, err3))
		}
		return nil
	})
}

// testSegmentTwins looks for what (a, t) has as somebody else: each answer is that of an empty store, and a deletion reaches
// nothing.
func testSegmentTwins(t *testing.T, h Harness) {
	st := h.Open(t)
	const kind = driver.FlagKindFlag
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return segments(ctx, tx, "a", "t", "K") })
	for _, other := range []struct{ app, tenant string }{{"a", "u"}, {"b", "t"}, {"a", driver.Shared}, {"a", "T"}, {"a", "t "}, {"a:t", "K"}} {
		app, tenant := other.app, other.tenant
		view(t, st, func(ctx context.Context, tx driver.Tx) error {
			_, err := tx.FlagSegment(ctx, app, tenant, "K")
			_, err2 := tx.FlagVersion(ctx, app, tenant, kind, "K", 1)
			_, err3 := tx.LatestFlagVersion(ctx, app, tenant, kind, "K")
			for i, err := range []error{err, err2, err3} {
				if !errors.Is(err, driver.ErrNotFound) {
					t.Errorf("call %d as %q, %q: %v", i, app, tenant, err)
				}
			}
			list, err := tx.ListFlagSegments(ctx, app, tenant, "", 9)
			versions, err2 := tx.ListFlagVersions(ctx, app, tenant, kind, "K", 0, 9)
			if len(list)+len(versions) != 0 || errors.Join(err, err2) != nil {
				t.Errorf("lists as %q, %q: %v %v, %v", app, tenant, list, versions, errors.Join(err, err2))
			}
			return nil
		})
		update(t, st, func(ctx context.Context, tx driver.Tx) error {
			return errors.Join(tx.DeleteFlagSegment(ctx, app, tenant, "K"), tx.DeleteFlagVersions(ctx, app, tenant, kind, "K", 9))
		})
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		_, err := tx.FlagSegment(ctx, "a", "t", "K")
		_, err2 := tx.FlagVersion(ctx, "a", "t", kind, "K", 1)
		return errors.Join(err, err2)
	})
}

func testSegmentWrites(t *testing.T, h Harness) {
	st := h.Open(t)
	const kind = driver.FlagKindFlag
	for _, o := range []struct {
		app, tenant string
		want        error
	}{{"", "t", scope.ErrNoApp}, {"a", "", scope.ErrNoTenant}} {
		for i, call := range []func(context.Context, driver.Tx) error{
			func(ctx context.Context, tx driver.Tx) error {
				return tx.PutFlagSegment(ctx, segmentRow(o.app, o.tenant, "K"))
			},
			func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlagSegment(ctx, o.app, o.tenant, "K") },
			func(ctx context.Context, tx driver.Tx) error {
				return tx.AddFlagVersion(ctx, flagVersion(o.app, o.tenant, kind, "K", 1))
			},
			func(ctx context.Context, tx driver.Tx) error {
				return tx.DeleteFlagVersions(ctx, o.app, o.tenant, kind, "K", 1)
			},
			func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.FlagSegment(ctx, o.app, o.tenant, "K")
				return err
			},
			func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.ListFlagSegments(ctx, o.app, o.tenant, "", 1)
				return err
			},
			func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.FlagVersion(ctx, o.app, o.tenant, kind, "K", 1)
				return err
			},
			func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.LatestFlagVersion(ctx, o.app, o.tenant, kind, "K")
				return err
			},
			func(ctx context.Context, tx driver.Tx) error {
				_, err := tx.ListFlagVersions(ctx, o.app, o.tenant, kind, "K", 0, 1)
				return err
			},
		} {
			err := st.Update(t.Context(), func(tx driver.Tx) error { return call(t.Context(), tx) })
			if !errors.Is(err, o.want) || !fault.Is(err, fault.Invalid) {
				t.Errorf("call %d with app %q, tenant %q: %v", i, o.app, o.tenant, err)
			}
		}
	}
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return segments(ctx, tx, "a", "t", "K") })
	heard := watched(t, st)
	boom := errors.New("boom")
	err := st.Update(t.Context(), func(tx driver.Tx) error {
		ctx := t.Context()
		return errors.Join(tx.DeleteFlagSegment(ctx, "a", "t", "K"), tx.DeleteFlagVersions(ctx, "a", "t", kind, "K", 1), segments(ctx, tx, "a", "t", "L"), boom)
	})
	if got := heard(); !errors.Is(err, boom) || len(got) > 0 {
		t.Errorf("a failed write: %v, told %v", err, got)
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		s, err := tx.FlagSegment(ctx, "a", "t", "K")
		v, err2 := tx.FlagVersion(ctx, "a", "t", kind, "K", 1)
		_, gone := tx.FlagSegment(ctx, "a", "t", "L")
		if errors.Join(err, err2) != nil || !errors.Is(gone, driver.ErrNotFound) || s != segmentRow("a", "t", "K") || v != flagVersion("a", "t", kind, "K", 1) {
			t.Errorf("after a failed write: %v %v %v %v", s, v, errors.Join(err, err2), gone)
		}
		if tx.PutFlagSegment(ctx, s) == nil || tx.AddFlagVersion(ctx, v) == nil || tx.DeleteFlagSegment(ctx, "a", "t", "K") == nil ||
			tx.DeleteFlagVersions(ctx, "a", "t", kind, "K", 1) == nil {
			t.Error("a write went through in a read transaction")
		}
		return nil
	})
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return tx.PutFlagSegment(ctx, segmentRow("a", "t", "K"))
	})
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return tx.DeleteFlagSegment(ctx, "a", "t", "K") })
	if got := fmt.Sprint(heard()); got != "[flag_segment a t K flag_segment a t K]" {
		t.Errorf("heard %s", got)
	}
}
