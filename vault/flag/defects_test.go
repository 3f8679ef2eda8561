package flag_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// These tests show that what goes wrong in the nearest peer of this API does not go wrong here. The letters are those of
// the list of its defects.

func TestDefectA_OneScopeIsSeenByFlags(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		define(t, st, boolFlag("f"), flag.WhenTenant("tenant-1").Return(true))
		e := flag.NewEngine(st)
		for name, ctx := range map[string]context.Context{
			"scope":        scope.WithTenantID(scope.WithAppID(t.Context(), "myapp"), "tenant-1"),
			"WithScope":    scope.WithScope(t.Context(), "myapp", "tenant-1", "u", ""),
			"the raw keys": context.WithValue(context.WithValue(t.Context(), flag.ContextKeyTenantID, "tenant-1"), scope.KeyAppID, "myapp"),
		} {
			if v, err := e.Evaluate(ctx, "f", "myapp"); err != nil || v != true {
				t.Errorf("%s: %v, %v", name, v, err)
			}
		}
	})
}

func TestDefectA2_AnotherAppInScopeIsAnError(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		define(t, st, boolFlag("f"))
		other := scope.WithScope(t.Context(), "other-app", "t", "u", "")
		_, err := flag.NewEngine(st).Evaluate(other, "f", "myapp")
		_, err2 := st.GetFlagDefinition(other, "f", "myapp")
		err3 := st.DeleteFlagDefinition(other, "f", "myapp")
		for _, err := range []error{err, err2, err3} {
			if !fault.Is(err, fault.Invalid) || fault.From(err).Code != "scope" {
				t.Errorf("%v", err)
			}
		}
		if _, err := st.GetFlagDefinition(other, "f", ""); !errors.Is(err, base.ErrFlagNotFound) {
			t.Errorf("another app's flag: %v", err)
		}
	})
}

func TestDefectB_UsersAndAppsAreApart(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		define(t, st, flag.Definition{Key: "f", Type: flag.TypeString, DefaultValue: "nobody's"}, flag.WhenUser("alice").Return("ALICE-ONLY"))
		e := flag.NewEngine(st, flag.WithCacheTTL(time.Hour))
		app2 := scope.WithScope(t.Context(), "app2", "", "", "")
		d := flag.Definition{Key: "f", Type: flag.TypeString, DefaultValue: "app2's", Enabled: true, AppID: "app2"}
		if err := st.DefineFlag(app2, &d); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for ctx, want := range map[context.Context]string{as("t", "alice"): "ALICE-ONLY", as("t", "mallory"): "nobody's",
				scope.WithScope(t.Context(), "app2", "t", "mallory", ""): "app2's"} {
				if v, err := e.Evaluate(ctx, "f", ""); err != nil || v != want {
					t.Errorf("%v, %v; want %s", v, err, want)
				}
			}
		}
	})
}

func TestDefectB2_AKillSwitchIsSeenByTheNextEvaluation(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		define(t, st, boolFlag("f"), flag.WhenTenant("t").Return(true))
		e := flag.NewEngine(st, flag.WithCacheTTL(time.Hour))
		see := func(what string, want any) {
			t.Helper()
			if v, err := e.Evaluate(as("t", "u"), "f", ""); err != nil || v != want {
				t.Errorf("after %s: %v, %v", what, v, err)
			}
		}
		see("defining", true)
		off := boolFlag("f")
		off.AppID = "myapp"
		if err := st.DefineFlag(operator, &off); err != nil {
			t.Fatal(err)
		}
		see("switching off", false)
		define(t, st, boolFlag("f"), flag.WhenTenant("t").Return(true))
		see("switching on", true)
		if err := st.SetFlagTenantOverride(operator, "f", "myapp", "t", false); err != nil {
			t.Fatal(err)
		}
		see("an override", false)
		if err := st.DeleteFlagTenantOverride(operator, "f", "myapp", "t"); err != nil {
			t.Fatal(err)
		}
		see("deleting the override", true)
		if err := st.SetFlagRules(operator, "f", "myapp", nil); err != nil {
			t.Fatal(err)
		}
		see("taking the rules away", false)
		if err := st.DeleteFlagDefinition(operator, "f", "myapp"); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Evaluate(as("t", "u"), "f", ""); !errors.Is(err, base.ErrFlagNotFound) {
			t.Errorf("after deletion: %v", err)
		}
		define(t, st, boolFlag("f"))
		see("defining it anew", false)
	})
}

func TestDefectB2_AStoreThatTellsNothingIsReadEachTime(t *testing.T) {
	st := memory.New()
	quiet := struct{ flag.Store }{st} // hides Watch
	now := time.Unix(0, 0)
	clock := flag.WithClock(func() time.Time { return now })
	each, aged := flag.NewEngine(quiet, clock), flag.NewEngine(quiet, clock, flag.WithCacheTTL(time.Minute))
	define(t, st, boolFlag("f"))
	for i, want := range []bool{false, true} {
		if v, err := each.Evaluate(as("t", "u"), "f", ""); err != nil || v != want {
			t.Errorf("%d: %v, %v", i, v, err)
		}
		if v, err := aged.Evaluate(as("t", "u"), "f", ""); err != nil || v != false {
			t.Errorf("%d: %v, %v", i, v, err)
		}
		define(t, st, boolFlag("f"), flag.WhenTenant("t").Return(true))
	}
	now = now.Add(time.Minute)
	if v, err := aged.Evaluate(as("t", "u"), "f", ""); err != nil || v != true {
		t.Errorf("after its age: %v, %v", v, err)
	}
}

func TestDefectB3_AScheduleEndsOnTime(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		now := time.Now()
		define(t, st, boolFlag("f"), flag.Schedule(now, now.Add(time.Second)).Return(true))
		e := flag.NewEngine(st, flag.WithCacheTTL(time.Hour), flag.WithClock(func() time.Time { return now }))
		for _, want := range []bool{true, false} {
			if v, err := e.Evaluate(as("t", "u"), "f", ""); err != nil || v != want {
				t.Errorf("%v, %v; want %v", v, err, want)
			}
			now = now.Add(time.Second)
		}
	})
}

func TestDefectB4_NobodySharesAMutableValue(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		given := map[string]any{"limit": int64(10), "list": []any{int64(1)}}
		define(t, st, flag.Definition{Key: "f", Type: flag.TypeJSON, DefaultValue: given}, flag.WhenTenant("ruled").Return(given))
		if err := st.SetFlagTenantOverride(operator, "f", "myapp", "own", given); err != nil {
			t.Fatal(err)
		}
		given["limit"] = int64(9999)
		e := flag.NewEngine(st)
		for range 2 {
			for _, tenant := range []string{"t1", "ruled", "own"} {
				v, err := e.Evaluate(as(tenant, "u"), "f", "")
				m, ok := v.(map[string]any)
				if err != nil || !ok || m["limit"] != int64(10) || fmt.Sprint(m["list"]) != "[1]" {
					t.Fatalf("%s: %v, %v", tenant, v, err)
				}
				m["limit"] = int64(9999)
				m["list"].([]any)[0] = "mine"
			}
		}
		d, err := st.GetFlagDefinition(operator, "f", "myapp")
		if err != nil || d.DefaultValue.(map[string]any)["limit"] != int64(10) {
			t.Errorf("%v %v", d, err)
		}
	})
}

func TestDefectC2_JoinedKeysDoNotCollide(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		for _, app := range []string{"a", "b:a"} {
			ctx := scope.WithScope(t.Context(), app, "", "", "")
			for _, key := range []string{"f", "f:b"} {
				d := flag.Definition{Key: key, Type: flag.TypeString, DefaultValue: app + "/" + key, Enabled: true, AppID: app}
				if err := errors.Join(st.DefineFlag(ctx, &d), st.SetFlagTenantOverride(ctx, key, app, "t:x", "own "+app+"/"+key)); err != nil {
					t.Fatal(err)
				}
			}
		}
		a := scope.WithScope(t.Context(), "a", "", "", "")
		if err := st.DeleteFlagDefinition(a, "f", "a"); err != nil {
			t.Fatal(err)
		}
		e := flag.NewEngine(st)
		for _, tc := range [][3]string{{"a", "f:b", "own a/f:b"}, {"b:a", "f", "own b:a/f"}, {"b:a", "f:b", "own b:a/f:b"}} {
			v, err := e.Evaluate(scope.WithScope(t.Context(), tc[0], "t:x", "", ""), tc[1], "")
			if err != nil || v != tc[2] {
				t.Errorf("%v: %v, %v", tc, v, err)
			}
		}
	})
}

func TestDefectG3_TenantsSeeTheirOwnValuesAlone(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		define(t, st, boolFlag("f"))
		for _, tenant := range []string{"t1", "t2"} {
			if err := st.SetFlagTenantOverride(operator, "f", "myapp", tenant, true); err != nil {
				t.Fatal(err)
			}
		}
		list, err := st.ListFlagTenantOverrides(as("t1", "u"), "f", "myapp")
		if err != nil || len(list) != 1 || list[0].TenantID != "t1" {
			t.Errorf("%v %v", list, err)
		}
		_, there := st.GetFlagTenantOverride(as("t1", "u"), "f", "myapp", "t2")
		_, none := st.GetFlagTenantOverride(as("t1", "u"), "f", "myapp", "t3")
		if !errors.Is(there, base.ErrOverrideNotFound) || there.Error() != none.Error() {
			t.Errorf("%v; %v", there, none)
		}
		there, none = st.DeleteFlagTenantOverride(as("t1", "u"), "f", "myapp", "t2"), st.DeleteFlagTenantOverride(as("t1", "u"), "f", "myapp", "t3")
		if !errors.Is(there, base.ErrOverrideNotFound) || there.Error() != none.Error() {
			t.Errorf("%v; %v", there, none)
		}
		if err := st.SetFlagTenantOverride(as("t1", "u"), "f", "myapp", "t2", false); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v", err)
		}
		if list, err := st.ListFlagTenantOverrides(operator, "f", "myapp"); err != nil || len(list) != 2 {
			t.Errorf("%v %v", list, err)
		}
	})
}

func TestDefectH_TagRulesAndEvaluatorsAreEvaluated(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		calls := 0
		define(t, st, boolFlag("tag"), flag.WhenTenantTag("plan", "pro").Return(true))
		define(t, st, boolFlag("custom"), flag.Custom("mine", nil).Return(true))
		e := flag.NewEngine(st, flag.WithEvaluator("mine", func(context.Context, flag.Target, map[string]any) (bool, error) { calls++; return true, nil }))
		ctx := flag.WithTags(as("t", "u"), map[string]string{"plan": "pro"})
		for _, key := range []string{"tag", "custom"} {
			if v, err := e.Evaluate(ctx, key, ""); err != nil || v != true {
				t.Errorf("%s: %v, %v", key, v, err)
			}
		}
		if calls != 1 {
			t.Errorf("%d calls", calls)
		}
		if _, err := e.Evaluate(as("t", "u"), "tag", ""); err == nil || !strings.Contains(fault.From(err).Hint, "WithTenantTags") {
			t.Errorf("a rule on tags that nobody knows: %v", err)
		}
	})
}

// TestDefectH2 is in TestWhatIsRefused, too: text for a bool, 3.9 for an int, 150 percent.
func TestDefectH2_AnotherTypeIsSaidAloud(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		define(t, st, boolFlag("f"))
		if err := st.SetFlagTenantOverride(operator, "f", "myapp", "t", "yes"); !errors.Is(err, base.ErrTypeMismatch) {
			t.Errorf("text for a bool: %v", err)
		}
		define(t, st, boolFlag("f"), flag.WhenTenant("t").Return(true))
		d := flag.Definition{Key: "f", Type: flag.TypeInt, DefaultValue: 1, AppID: "myapp", Enabled: true}
		if err := st.DefineFlag(operator, &d); !errors.Is(err, base.ErrTypeMismatch) {
			t.Errorf("a type that the rules do not fit: %v", err)
		}
	})
}

func TestDefectI_TheRolloutIsTheDocumentedOne(t *testing.T) {
	for _, tc := range []struct {
		tenant, flag string
		want         int
	}{{"tenant-1", "roll", 50}, {"t1", "roll", 54}, {"acme", "roll", 10}, {"acme", "new-dashboard", 22}, {"tenant-42", "new-dashboard", 5},
		{"Zürich AG", "beta", 37}, {"00000000-0000-0000-0000-000000000001", "rag.rerank", 36}, {"a:b", "c", 56}, {"a", "b:c", 56}} {
		if got := flag.Bucket(tc.tenant, tc.flag); got != tc.want {
			t.Errorf("%v: %d", tc, got)
		}
	}
	everyStore(t, func(t *testing.T, st store) {
		e := flag.NewEngine(st)
		for pct := 0; pct <= 100; pct += 5 {
			define(t, st, boolFlag("roll"), flag.Rollout(pct).Return(true))
			for _, tenant := range []string{"tenant-1", "t1", "acme"} {
				if v, err := e.Evaluate(as(tenant, ""), "roll", ""); err != nil || v != (flag.Bucket(tenant, "roll") < pct) {
					t.Errorf("%s at %d: %v, %v", tenant, pct, v, err)
				}
			}
		}
	})
	t.Run("what is remembered is what is hashed", func(t *testing.T) {
		st := memory.New()
		define(t, st, boolFlag("roll"), flag.Rollout(37).Return(true))
		define(t, st, boolFlag("other"), flag.Rollout(37).Return(true))
		e := flag.NewEngine(st)
		for round := range 2 {
			for i := range 10_000 { // more than there are slots
				tenant := fmt.Sprint("t", i)
				for _, key := range []string{"roll", "other"} {
					if v, err := e.Evaluate(as(tenant, ""), key, ""); err != nil || v != (flag.Bucket(tenant, key) < 37) {
						t.Fatalf("%s for %s in round %d: %v, %v", key, tenant, round, v, err)
					}
				}
			}
		}
	})
	on := map[int]int{}
	for i := range 100_000 {
		for _, pct := range []int{10, 50} {
			if flag.Bucket(fmt.Sprint("tenant-", i), "roll") < pct {
				on[pct]++
			}
		}
	}
	if math.Abs(float64(on[10]-10_000)) > 400 || math.Abs(float64(on[50]-50_000)) > 700 {
		t.Errorf("%v of 100000", on)
	}
}

func TestDefectJ_NothingGrowsWithTheTenantsThatAsk(t *testing.T) {
	st := memory.New()
	define(t, st, boolFlag("f"), flag.Rollout(50).Return(true))
	e := flag.NewEngine(st, flag.WithCacheTTL(time.Hour))
	ctxs := make([]context.Context, 1000)
	for i := range ctxs {
		ctxs[i] = as(fmt.Sprint("t", i), "u")
	}
	if _, err := e.Evaluate(ctxs[0], "f", ""); err != nil {
		t.Fatal(err)
	}
	i := 0
	if n := testing.AllocsPerRun(5000, func() {
		_, _ = e.Evaluate(ctxs[i%len(ctxs)], "f", "")
		i++
	}); n != 0 {
		t.Errorf("%v allocations per evaluation", n)
	}
	for i := range 5000 { // names that do not exist are kept up to a bound
		_, _ = e.Evaluate(ctxs[0], fmt.Sprint("none", i), "")
	}
	if n := flag.Kept(e, "myapp"); n > 1025 {
		t.Errorf("%d flags are kept", n)
	}
}

// TestNoEvaluationIsOlderThanItsWrite writes and evaluates at the same time: what was acknowledged is what is seen.
func TestNoEvaluationIsOlderThanItsWrite(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		define(t, st, flag.Definition{Key: "f", Type: flag.TypeInt, DefaultValue: 0})
		e := flag.NewEngine(st)
		var acknowledged atomic.Int64
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for range 3 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					low := acknowledged.Load()
					v, err := e.Evaluate(as("t", "u"), "f", "")
					if n, _ := v.(int); err != nil || int64(n) < low {
						t.Errorf("%v, %v after %d", v, err, low)
						return
					}
				}
			})
		}
		for i := range 100 {
			d := flag.Definition{Key: "f", Type: flag.TypeInt, DefaultValue: i + 1, Enabled: true, AppID: "myapp"}
			if err := st.DefineFlag(operator, &d); err != nil {
				t.Fatal(err)
			}
			acknowledged.Store(int64(i + 1))
		}
		close(stop)
		wg.Wait()
	})
}

// failing is a store whose reads fail as a database's driver would.
type failing struct{ store }

func (failing) GetFlagDefinition(context.Context, string, string) (*flag.Definition, error) {
	return nil, errors.New(`ERROR: relation "vault_flag" does not exist (SQLSTATE 42P01)`)
}

func TestAStoreThatFailsIsAnErrorWithoutItsText(t *testing.T) {
	st := memory.New()
	define(t, st, boolFlag("f"))
	e := flag.NewEngine(failing{st})
	d, err := e.Detail(as("t", "u"), "f", "")
	if !fault.Is(err, fault.Unavailable) || d.Reason != flag.ReasonError || d.ErrorCode != flag.CodeGeneral {
		t.Errorf("%+v, %v", d, err)
	}
	if all := err.Error() + d.ErrorMessage; strings.Contains(all, "SQLSTATE") || strings.Contains(all, "relation") {
		t.Errorf("%s", all)
	}
}

func TestWhatSomebodyElseWroteIsNotGuessedAt(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		define(t, st, boolFlag("f"))
		e := flag.NewEngine(st)
		for _, broken := range []driver.FlagRow{{Definition: "{", Rules: "[]"}, {Definition: `{"type":"bool","default":{"kind":"bool","text":"true"},"enabled":true,"newer":1}`, Rules: "[]"},
			{Definition: `{"type":"bool","default":{"kind":"string","text":"\"x\""},"enabled":true}`, Rules: "[]"},
			{Definition: `{"type":"bool","default":{"kind":"bool","text":"true"},"enabled":true}`, Rules: `[{"type":"moon"}]`}} {
			broken.App, broken.Tenant, broken.Name, broken.ID, broken.Version = "myapp", driver.Shared, "f", "flag_x", 9
			if err := st.Update(t.Context(), func(tx driver.Tx) error { return tx.PutFlag(t.Context(), broken) }); err != nil {
				t.Fatal(err)
			}
			if d, err := e.Detail(as("t", "u"), "f", ""); err == nil || d.ErrorCode != flag.CodeParseError {
				t.Errorf("%s %s: %+v, %v", broken.Definition, broken.Rules, d, err)
			}
		}
	})
}
