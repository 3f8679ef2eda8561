package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func policyRow(app, tenant, name string) driver.RotationPolicyRow {
	return driver.RotationPolicyRow{App: app, Tenant: tenant, Name: name, ID: "rot_" + app + tenant + name, Definition: `{"é":"\u0000"}`,
		Interval: 1 << 40, Enabled: true, LastAt: 1, NextAt: 2, CreatedAt: 3, UpdatedAt: 4, CreatedBy: "ann"}
}

func recordRow(app, tenant, name string, seq int64) driver.RotationRecordRow {
	return driver.RotationRecordRow{App: app, Tenant: tenant, Name: name, Seq: seq, ID: "rec", RunID: "rot_1", Outcome: "rotated",
		Step: "promote", OldVersion: 1, NewVersion: 2, Attempt: 3, Details: "{}", At: seq, By: "ann"}
}

// rotations fills every table of rotations for one owner.
func rotations(ctx context.Context, tx driver.Tx, app, tenant, name string) error {
	return errors.Join(tx.PutRotationPolicy(ctx, policyRow(app, tenant, name)), tx.AddRotation(ctx, app, tenant, name),
		tx.ScheduleRotation(ctx, app, tenant, name, 5), tx.AddRotationRecord(ctx, recordRow(app, tenant, name, 1)))
}

// claim asks for the lease of the secret K of the tenant t of the app a.
func claim(t *testing.T, st driver.Store, holder string, lease int64) (row driver.RotationRow, ok bool) {
	t.Helper()
	update(t, st, func(ctx context.Context, tx driver.Tx) (err error) {
		row, ok, err = tx.ClaimRotation(ctx, "a", "t", "K", holder, tx.Now()+lease)
		return err
	})
	return row, ok
}

const longLease = int64(3600e6)

func testRotationLease(t *testing.T, h Harness) {
	st := h.Open(t)
	if _, ok := claim(t, st, "one", longLease); ok {
		t.Error("a lease of nothing was given")
	}
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return rotations(ctx, tx, "a", "t", "K") })
	first, ok := claim(t, st, "one", longLease)
	if !ok || first.Holder != "one" || first.Fence != 1 || first.DueAt != 5 {
		t.Fatalf("%+v %v", first, ok)
	}
	for _, holder := range []string{"two", "one"} {
		if r, ok := claim(t, st, holder, longLease); ok {
			t.Errorf("%s got a lease that is held: %+v", holder, r)
		}
	}
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return tx.ExtendRotation(ctx, "a", "t", "K", first.Fence, tx.Now()) // it ends now
	})
	second, ok := claim(t, st, "two", longLease)
	if !ok || second.Holder != "two" || second.Fence != 2 {
		t.Fatalf("%+v %v", second, ok)
	}
}

func testRotationFence(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return rotations(ctx, tx, "a", "t", "K") })
	old, _ := claim(t, st, "old", 0)
	fresh, ok := claim(t, st, "fresh", longLease)
	if !ok {
		t.Fatal("a lease that has ended is not given")
	}
	for name, write := range map[string]func(context.Context, driver.Tx) error{
		"put": func(ctx context.Context, tx driver.Tx) error {
			r := old
			r.State = "stale"
			return tx.PutRotation(ctx, r)
		},
		"extend": func(ctx context.Context, tx driver.Tx) error {
			return tx.ExtendRotation(ctx, "a", "t", "K", old.Fence, math.MaxInt64)
		},
		"of nothing": func(ctx context.Context, tx driver.Tx) error {
			r := fresh
			r.Name = "other"
			return tx.PutRotation(ctx, r)
		},
		"given back": func(ctx context.Context, tx driver.Tx) error {
			r := fresh
			r.Holder, r.State = "", "given back"
			if err := tx.PutRotation(ctx, r); err != nil {
				return err
			}
			return tx.ExtendRotation(ctx, "a", "t", "K", r.Fence, math.MaxInt64)
		},
	} {
		err := st.Update(t.Context(), func(tx driver.Tx) error {
			return errors.Join(tx.AddRotationRecord(t.Context(), recordRow("a", "t", "K", 9)), write(t.Context(), tx))
		})
		if !fault.Is(err, fault.Conflict) || fault.From(err).Code != "StaleFence" {
			t.Errorf("%s: %v", name, err)
		}
	}
	want := driver.RotationRow{App: "a", Tenant: "t", Name: "K", State: "set", DueAt: 7, RunID: "rot_2", Definition: "{}", Actor: "ann",
		OldVersion: 1, NewVersion: 2, Attempt: 3, StartedAt: 4, WakeAt: 5, Failure: `{"é":1}`, Unserved: 9, Holder: "fresh", LeaseAt: 0, Fence: fresh.Fence, UpdatedAt: 8}
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return tx.PutRotation(ctx, want) })
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		got, err := tx.Rotation(ctx, "a", "t", "K")
		records, err2 := tx.ListRotationRecords(ctx, "a", "t", "K", 0, 9)
		if got != want || len(records) != 1 || err != nil || err2 != nil {
			t.Errorf("%+v, %v, %v", got, records, errors.Join(err, err2))
		}
		return nil
	})
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return tx.AddRotation(ctx, "a", "t", "K") })
	if again, _ := claim(t, st, "third", longLease); again.Fence != fresh.Fence+1 || again.State != "set" {
		t.Errorf("adding a row that is there changed it: %+v", again)
	}
}

func testRotationDue(t *testing.T, h Harness) {
	st := h.Open(t)
	owners := [][3]string{{"a", "t", "K"}, {"a", "u", "A"}, {"b", "t", "K"}, {"b", "t", "Z"}}
	update(t, st, func(ctx context.Context, tx driver.Tx) (err error) {
		for i, o := range owners {
			err = errors.Join(err, tx.AddRotation(ctx, o[0], o[1], o[2]), tx.ScheduleRotation(ctx, o[0], o[1], o[2], int64(10-i/2)))
		}
		for name, at := range map[string]int64{"never": 0, "later": tx.Now() + longLease} {
			err = errors.Join(err, tx.AddRotation(ctx, "a", "t", name), tx.ScheduleRotation(ctx, "a", "t", name, at))
		}
		return errors.Join(err, tx.ScheduleRotation(ctx, "a", "t", "no such", 1))
	})
	due := func(after driver.RotationDue, limit int) (names []string) {
		view(t, st, func(ctx context.Context, tx driver.Tx) error {
			rows, err := tx.DueRotationsEverywhere(ctx, after, limit)
			for _, r := range rows {
				names = append(names, r.App+r.Tenant+r.Name)
			}
			return err
		})
		return names
	}
	for _, tc := range []struct {
		after driver.RotationDue
		limit int
		want  string
	}{
		{driver.RotationDue{}, 9, "[btK btZ atK auA]"}, {driver.RotationDue{}, 1, "[btK]"},
		{driver.RotationDue{At: 9, App: "b", Tenant: "t", Name: "K"}, 2, "[btZ atK]"},
		{driver.RotationDue{At: 10, App: "a", Tenant: "t", Name: "K"}, 9, "[auA]"}, {driver.RotationDue{At: 10, App: "b"}, 9, "[]"},
	} {
		if got := fmt.Sprint(due(tc.after, tc.limit)); got != tc.want {
			t.Errorf("after %v, at most %d: %s, want %s", tc.after, tc.limit, got, tc.want)
		}
	}
	if _, ok := claim(t, st, "one", longLease); !ok {
		t.Fatal("what is due is not given")
	}
	if got := fmt.Sprint(due(driver.RotationDue{}, 9)); got != "[btK btZ auA]" {
		t.Errorf("what somebody has in hand is listed: %s", got)
	}
}

// testRotationReplicas has replicas claim what is due at the same time: each is given to exactly one.
func testRotationReplicas(t *testing.T, h Harness) {
	st := h.Open(t)
	const many, replicas = 40, 4
	update(t, st, func(ctx context.Context, tx driver.Tx) (err error) {
		for i := range many {
			name := fmt.Sprintf("K%d", i)
			err = errors.Join(err, tx.AddRotation(ctx, "a", "t", name), tx.ScheduleRotation(ctx, "a", "t", name, 1))
		}
		return err
	})
	var mu sync.Mutex
	given := map[string][]string{}
	var wg sync.WaitGroup
	for i := range replicas {
		wg.Go(func() {
			for _, row := range dueEverywhere(t, st) {
				err := st.Update(t.Context(), func(tx driver.Tx) error {
					r, ok, err := tx.ClaimRotation(t.Context(), row.App, row.Tenant, row.Name, fmt.Sprint(i), tx.Now()+longLease)
					if ok && err == nil {
						mu.Lock()
						defer mu.Unlock()
						given[r.Name] = append(given[r.Name], r.Holder)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for name, to := range given {
		if len(to) != 1 {
			t.Errorf("%s was given to %v", name, to)
		}
	}
	if len(given) != many {
		t.Errorf("%d of %d were given", len(given), many)
	}
}

func dueEverywhere(t *testing.T, st driver.Store) (rows []driver.RotationRow) {
	err := st.View(t.Context(), func(tx driver.Tx) (err error) {
		rows, err = tx.DueRotationsEverywhere(t.Context(), driver.RotationDue{}, 1000)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return rows
}

func testRotationPolicies(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) (err error) {
		for _, k := range []string{"a t c", "a t B", "a t ä", "a u A", "a T x", "b t B"} {
			o := strings.Fields(k)
			err = errors.Join(err, tx.PutRotationPolicy(ctx, policyRow(o[0], o[1], o[2])))
		}
		changed := policyRow("a", "t", "B")
		changed.Enabled, changed.NextAt = false, 99
		return errors.Join(err, tx.PutRotationPolicy(ctx, changed), tx.DeleteRotationPolicy(ctx, "a", "t", "c"),
			tx.DeleteRotationPolicy(ctx, "a", "t", "never was"))
	})
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		got, err := tx.RotationPolicy(ctx, "a", "t", "B")
		other, err2 := tx.RotationPolicy(ctx, "b", "t", "B")
		if errors.Join(err, err2) != nil || got.Enabled || got.NextAt != 99 || other != policyRow("b", "t", "B") {
			t.Errorf("%+v %+v %v", got, other, errors.Join(err, err2))
		}
		own, err := tx.ListRotationPolicies(ctx, "a", "t", "A", 9)
		all, err2 := tx.ListRotationPoliciesEveryTenant(ctx, "a", "", "", 9)
		rest, err3 := tx.ListRotationPoliciesEveryTenant(ctx, "a", "t", "B", 1)
		if got := fmt.Sprint(policyNames(own), policyNames(all), policyNames(rest)); got != "[tB tä] [Tx tB tä uA] [tä]" || errors.Join(err, err2, err3) != nil {
			t.Errorf("listed %s, %v", got, errors.Join(err, err2, err3))
		}
		return nil
	})
}

func policyNames(rows []driver.RotationPolicyRow) (out []string) {
	for _, r := range rows {
		out = append(out, r.Tenant+r.Name)
	}
	return out
}

func testRotationRecords(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) (err error) {
		for _, n := range []int64{1, 3, 2, 4} {
			err = errors.Join(err, tx.AddRotationRecord(ctx, recordRow("a", "t", "K", n)))
		}
		return errors.Join(err, tx.AddRotationRecord(ctx, recordRow("a", "u", "K", 1)), tx.DeleteRotationRecords(ctx, "a", "t", "K", 1))
	})
	err := st.Update(t.Context(), func(tx driver.Tx) error { return tx.AddRotationRecord(t.Context(), recordRow("a", "t", "K", 2)) })
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a record written twice: %v", err)
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		for _, tc := range []struct {
			tenant string
			below  int64
			limit  int
			want   []int64
		}{{"t", 0, 9, []int64{4, 3, 2}}, {"t", 4, 1, []int64{3}}, {"t", 2, 9, nil}, {"u", 0, 9, []int64{1}}, {"v", 0, 9, nil}} {
			rows, err := tx.ListRotationRecords(ctx, "a", tc.tenant, "K", tc.below, tc.limit)
			var got []int64
			for _, r := range rows {
				if r != recordRow("a", tc.tenant, "K", r.Seq) {
					t.Errorf("%+v", r)
				}
				got = append(got, r.Seq)
			}
			if err != nil || !slices.Equal(got, tc.want) {
				t.Errorf("%+v: %v, %v", tc, got, err)
			}
		}
		return nil
	})
}

// testRotationTwins: what one owner has, nobody else finds.
func testRotationTwins(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		return errors.Join(rotations(ctx, tx, "a:b", "c", "K"), rotations(ctx, tx, "a", "t", "K"))
	})
	for _, o := range [][3]string{{"a", "b:c", "K"}, {"a:b", "t", "K"}, {"a", "c", "K"}, {"a", "t", "k"}, {"a", "tK", ""}, {"A", "t", "K"}} {
		update(t, st, func(ctx context.Context, tx driver.Tx) error {
			if err := errors.Join(tx.DeleteRotationPolicy(ctx, o[0], o[1], o[2]), tx.DeleteRotationRecords(ctx, o[0], o[1], o[2], 9),
				tx.ScheduleRotation(ctx, o[0], o[1], o[2], 77)); err != nil {
				return err
			}
			_, err := tx.RotationPolicy(ctx, o[0], o[1], o[2])
			_, err2 := tx.Rotation(ctx, o[0], o[1], o[2])
			records, err3 := tx.ListRotationRecords(ctx, o[0], o[1], o[2], 0, 9)
			_, ok, err4 := tx.ClaimRotation(ctx, o[0], o[1], o[2], "x", 1)
			if !errors.Is(err, driver.ErrNotFound) || !errors.Is(err2, driver.ErrNotFound) || len(records) > 0 || ok || errors.Join(err3, err4) != nil {
				t.Errorf("%q finds something: %v %v %v %v %v", o, err, err2, records, ok, errors.Join(err3, err4))
			}
			return nil
		})
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		for _, o := range [][2]string{{"a:b", "c"}, {"a", "t"}} {
			p, err := tx.RotationPolicy(ctx, o[0], o[1], "K")
			r, err2 := tx.Rotation(ctx, o[0], o[1], "K")
			records, err3 := tx.ListRotationRecords(ctx, o[0], o[1], "K", 0, 9)
			if p != policyRow(o[0], o[1], "K") || r.DueAt != 5 || r.Fence != 0 || len(records) != 1 || errors.Join(err, err2, err3) != nil {
				t.Errorf("%q: %+v %+v %v", o, p, r, records)
			}
		}
		return nil
	})
}

// rotationCalls is every call with an owner; the writes come first.
func rotationCalls(ctx context.Context, tx driver.Tx, app, tenant string) (writes, reads []error) {
	_, _, claimed := tx.ClaimRotation(ctx, app, tenant, "K", "x", 1)
	writes = []error{tx.PutRotationPolicy(ctx, policyRow(app, tenant, "K")), tx.DeleteRotationPolicy(ctx, app, tenant, "K"),
		tx.AddRotation(ctx, app, tenant, "K"), tx.ScheduleRotation(ctx, app, tenant, "K", 1), claimed,
		tx.ExtendRotation(ctx, app, tenant, "K", 1, 1), tx.PutRotation(ctx, driver.RotationRow{App: app, Tenant: tenant, Name: "K", Fence: 1}),
		tx.AddRotationRecord(ctx, recordRow(app, tenant, "K", 1)), tx.DeleteRotationRecords(ctx, app, tenant, "K", 1)}
	_, policy := tx.RotationPolicy(ctx, app, tenant, "K")
	_, policies := tx.ListRotationPolicies(ctx, app, tenant, "", 1)
	_, row := tx.Rotation(ctx, app, tenant, "K")
	_, records := tx.ListRotationRecords(ctx, app, tenant, "K", 0, 1)
	return writes, []error{policy, policies, row, records}
}

func testRotationOwner(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		for _, tc := range []struct {
			app, tenant string
			want        error
		}{{"", "t", scope.ErrNoApp}, {"a", "", scope.ErrNoTenant}} {
			writes, reads := rotationCalls(ctx, tx, tc.app, tc.tenant)
			for i, err := range append(writes, reads...) {
				if !errors.Is(err, tc.want) {
					t.Errorf("app %q, tenant %q, call %d: %v", tc.app, tc.tenant, i, err)
				}
			}
		}
		if _, err := tx.ListRotationPoliciesEveryTenant(ctx, "", "", "", 1); !errors.Is(err, scope.ErrNoApp) {
			t.Errorf("policies of no app: %v", err)
		}
		return nil
	})
	for i := range 9 {
		err := st.View(t.Context(), func(tx driver.Tx) error {
			switch ctx := t.Context(); i { // one a transaction: a refused statement may end it
			case 0:
				return tx.PutRotationPolicy(ctx, policyRow("a", "t", "K"))
			case 1:
				return tx.DeleteRotationPolicy(ctx, "a", "t", "K")
			case 2:
				return tx.AddRotation(ctx, "a", "t", "K")
			case 3:
				return tx.ScheduleRotation(ctx, "a", "t", "K", 1)
			case 4:
				_, _, err := tx.ClaimRotation(ctx, "a", "t", "K", "x", 1)
				return err
			case 5:
				return tx.ExtendRotation(ctx, "a", "t", "K", 1, 1)
			case 6:
				return tx.PutRotation(ctx, driver.RotationRow{App: "a", Tenant: "t", Name: "K"})
			case 7:
				return tx.AddRotationRecord(ctx, recordRow("a", "t", "K", 1))
			}
			return tx.DeleteRotationRecords(t.Context(), "a", "t", "K", 1)
		})
		if err == nil || fault.From(err).Code == "StaleFence" {
			t.Errorf("write %d in a read transaction: %v", i, err)
		}
	}
}

func testRotationRollback(t *testing.T, h Harness) {
	st := h.Open(t)
	update(t, st, func(ctx context.Context, tx driver.Tx) error { return rotations(ctx, tx, "a", "t", "K") })
	boom := errors.New("boom")
	err := st.Update(t.Context(), func(tx driver.Tx) error {
		ctx := t.Context()
		r, ok, err := tx.ClaimRotation(ctx, "a", "t", "K", "x", tx.Now()+longLease)
		if !ok || err != nil {
			t.Errorf("%v %v", ok, err)
		}
		r.State, r.DueAt = "set", 99
		p := policyRow("a", "t", "K")
		p.Enabled = false
		return errors.Join(tx.PutRotation(ctx, r), tx.PutRotationPolicy(ctx, p), tx.AddRotationRecord(ctx, recordRow("a", "t", "K", 2)),
			rotations(ctx, tx, "a", "new", "K"), boom)
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	check := func(st driver.Store) {
		view(t, st, func(ctx context.Context, tx driver.Tx) error {
			p, err := tx.RotationPolicy(ctx, "a", "t", "K")
			r, err2 := tx.Rotation(ctx, "a", "t", "K")
			records, err3 := tx.ListRotationRecords(ctx, "a", "t", "K", 0, 9)
			if p != policyRow("a", "t", "K") || r.State != "" || r.Fence != 0 || r.DueAt != 5 || len(records) != 1 || errors.Join(err, err2, err3) != nil {
				t.Errorf("%+v %+v %v %v", p, r, records, errors.Join(err, err2, err3))
			}
			if _, err := tx.Rotation(ctx, "a", "new", "K"); !errors.Is(err, driver.ErrNotFound) {
				t.Errorf("something new is there: %v", err)
			}
			return nil
		})
	}
	check(st)
	if h.Reopen == nil {
		t.Log("part missing: nothing of this store survives the process")
		return
	}
	check(h.Reopen(t, st))
}
