package flag_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/internal/base"
)

// revisions is a history in one line.
func revisions(list []*flag.Revision) string {
	var out []string
	for _, r := range list {
		line := fmt.Sprint(r.Version, " ", r.Action)
		if r.Current {
			line += " current"
		}
		out = append(out, line)
	}
	return strings.Join(out, ", ")
}

func TestAFlagsHistory(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		d := boolFlag("f")
		d.Enabled = true
		err := errors.Join(svc.Define(operator, &d), svc.SetRules(operator, "f", []*flag.Rule{flag.WhenTenant("acme").Return(true)}),
			svc.SetEnabled(operator, "f", false), svc.SetRules(operator, "f", nil))
		if err != nil {
			t.Fatal(err)
		}
		history, err := svc.History(operator, "f")
		if text := revisions(history); err != nil || text != "1 define, 2 set_rules, 3 set_enabled, 4 set_rules current" {
			t.Fatalf("%s, %v", text, err)
		}
		if h := history[1]; h.CreatedBy != "root" || h.CreatedAt.IsZero() || h.ID == "" {
			t.Errorf("%+v", h)
		}
		was, rules, err := svc.GetVersion(operator, "f", 2)
		if err != nil || was.Version != 2 || !was.Enabled || len(rules) != 1 {
			t.Errorf("%+v %v %v", was, rules, err)
		}
		if svc.Bool(as("acme", "u"), "f", false) {
			t.Error("it is on")
		}
		back, err := svc.Rollback(operator, "f", 2)
		if err != nil || back.Version != 5 || !back.Enabled || !svc.Bool(as("acme", "u"), "f", false) {
			t.Errorf("after going back: %+v %v", back, err)
		}
	})
}

func TestDefectL3_AFlagsVersionsAreNotUsedTwice(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		define(t, st, boolFlag("f"), flag.WhenTenant("acme").Return(true))
		err := errors.Join(svc.SetTenantOverride(operator, "f", "globex", true), svc.Delete(operator, "f"))
		if err != nil {
			t.Fatal(err)
		}
		history, err := svc.History(operator, "f")
		if text := revisions(history); err != nil || text != "1 define, 2 set_rules, 3 delete" || !history[2].Deleted {
			t.Errorf("%s, %v", text, err)
		}
		d := boolFlag("f")
		if err := svc.Define(operator, &d); err != nil || d.Version != 4 {
			t.Errorf("%+v %v", d, err)
		}
		if back, err := svc.Rollback(operator, "f", 2); err != nil || back.Version != 5 || !svc.Bool(as("acme", "u"), "f", false) {
			t.Errorf("%+v %v", back, err)
		}
		if svc.Bool(as("globex", "u"), "f", false) {
			t.Error("a tenant's own value came back with the flag")
		}
		own, err := svc.TenantOverrideHistory(operator, "f", "globex")
		if text := revisions(own); err != nil || text != "1 set, 2 delete" {
			t.Errorf("%s, %v", text, err)
		}
		if err := svc.SetTenantOverride(operator, "f", "globex", true); err != nil {
			t.Fatal(err)
		}
		if list, err := svc.TenantOverrides(operator, "f"); err != nil || len(list) != 1 || list[0].Version != 3 {
			t.Errorf("%v %v", list, err)
		}
	})
}

func TestADeletedFlagComesBack(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		define(t, st, boolFlag("f"), flag.WhenTenant("acme").Return(true))
		if err := svc.Delete(operator, "f"); err != nil {
			t.Fatal(err)
		}
		if _, err := svc.Rollback(operator, "f", 3); !fault.Is(err, fault.Invalid) {
			t.Errorf("back to a deletion: %v", err)
		}
		if d, err := svc.Rollback(operator, "f", 2); err != nil || d.Version != 4 || d.ID == "" {
			t.Errorf("%+v %v", d, err)
		}
		if !svc.Bool(as("acme", "u"), "f", false) {
			t.Error("it is not there")
		}
	})
}

func TestRollbacksThatAreRefused(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		needed := boolFlag("needed")
		define(t, st, needed)
		d := boolFlag("f")
		d.Prerequisites = []flag.Prerequisite{{FlagKey: "needed"}}
		define(t, st, d)
		define(t, st, boolFlag("f"))
		if err := svc.Delete(operator, "needed"); err != nil {
			t.Fatal(err)
		}
		if _, err := svc.Rollback(operator, "f", 1); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "needed") {
			t.Errorf("what it needs is gone: %v", err)
		}
		_, e1 := svc.Rollback(operator, "f", 99)
		_, e2 := svc.Rollback(operator, "never", 1)
		_, _, e3 := svc.GetVersion(operator, "f", 99)
		_, e4 := svc.History(operator, "never")
		for i, err := range []error{e1, e2, e3, e4} {
			if !errors.Is(err, base.ErrFlagNotFound) || !fault.Is(err, fault.NotFound) {
				t.Errorf("call %d: %v", i, err)
			}
		}
		tenant := as("acme", "ann")
		_, e1 = svc.Rollback(tenant, "f", 1)
		_, _, e2 = svc.GetVersion(tenant, "f", 1)
		_, e3 = svc.History(tenant, "f")
		for i, err := range []error{e1, e2, e3} {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("call %d inside a tenant: %v", i, err)
			}
		}
	})
}

func TestATenantsOwnValueHasAHistory(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		define(t, st, flag.Definition{Key: "f", Type: flag.TypeInt, DefaultValue: 0})
		acme, globex := as("acme", "ann"), as("globex", "bob")
		err := errors.Join(svc.SetTenantOverride(acme, "f", "", uint64(1<<63)), svc.SetTenantOverride(acme, "f", "", 2), svc.DeleteTenantOverride(acme, "f", ""))
		if err != nil {
			t.Fatal(err)
		}
		if err := svc.RollbackTenantOverride(acme, "f", "", 1); err != nil {
			t.Fatal(err)
		}
		if v, err := svc.Engine().Evaluate(acme, "f", ""); err != nil || v != uint64(1<<63) {
			t.Errorf("%v %v", v, err)
		}
		history, err := svc.TenantOverrideHistory(acme, "f", "")
		if text := revisions(history); err != nil || text != "1 set, 2 set, 3 delete, 4 rollback current" || history[0].CreatedBy != "ann" {
			t.Errorf("%s, %v", text, err)
		}
		_, none := svc.TenantOverrideHistory(globex, "f", "")
		_, denied := svc.TenantOverrideHistory(globex, "f", "acme")
		if !errors.Is(none, base.ErrOverrideNotFound) || !fault.Is(denied, fault.Denied) {
			t.Errorf("%v; %v", none, denied)
		}
		if err := svc.RollbackTenantOverride(globex, "f", "", 1); !errors.Is(err, base.ErrOverrideNotFound) {
			t.Errorf("another tenant's version: %v", err)
		}
		for i, err := range []error{svc.SetTenantOverride(acme, "f", "", 3, flag.WithExpectedVersion(2)), svc.DeleteTenantOverride(acme, "f", "", flag.WithExpectedVersion(2)),
			svc.RollbackTenantOverride(acme, "f", "", 2, flag.WithExpectedVersion(2)), svc.SetTenantOverride(globex, "f", "", 3, flag.WithExpectedVersion(2))} {
			if !errors.Is(err, base.ErrVersionConflict) {
				t.Errorf("call %d: %v", i, err)
			}
		}
		if err := svc.SetTenantOverride(globex, "f", "", 3, flag.WithExpectedVersion(0)); err != nil {
			t.Error(err)
		}
		define(t, st, flag.Definition{Key: "g", Type: flag.TypeInt, DefaultValue: 0})
		if err := svc.RollbackTenantOverride(acme, "g", "", 1); !errors.Is(err, base.ErrOverrideNotFound) {
			t.Errorf("another flag's version: %v", err)
		}
	})
}

func TestCompareAndSetLosesNoChangeOfAFlag(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		d := flag.Definition{Key: "f", Type: flag.TypeInt, DefaultValue: 0, Enabled: true}
		if err := svc.Define(operator, &d, flag.WithExpectedVersion(0)); err != nil {
			t.Fatal(err)
		}
		again := d
		for i, err := range []error{svc.Define(operator, &again, flag.WithExpectedVersion(0)), svc.SetRules(operator, "f", nil, flag.WithExpectedVersion(9)),
			svc.SetEnabled(operator, "f", false, flag.WithExpectedVersion(9)), svc.Delete(operator, "f", flag.WithExpectedVersion(9))} {
			if !errors.Is(err, base.ErrVersionConflict) || !fault.Is(err, fault.Conflict) {
				t.Errorf("call %d: %v", i, err)
			}
		}
		var wg sync.WaitGroup
		var done atomic.Int64
		for range 4 {
			wg.Go(func() {
				for done.Load() < 20 {
					now, _, err := svc.Get(operator, "f")
					if err != nil {
						t.Error(err)
						return
					}
					now.DefaultValue = now.DefaultValue.(int) + 1
					switch err := svc.Define(operator, now, flag.WithExpectedVersion(now.Version)); {
					case err == nil:
						done.Add(1)
					case !errors.Is(err, base.ErrVersionConflict):
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if got := svc.Int64(as("t", "u"), "f", -1); got != done.Load() {
			t.Errorf("%d, after %d writes", got, done.Load())
		}
	})
}

func TestOldVersionsAreDropped(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		d := boolFlag("f")
		for range 105 {
			if err := st.DefineFlag(operator, &d); err != nil {
				t.Fatal(err)
			}
		}
		history, err := svc.History(operator, "f")
		if err != nil || len(history) != 100 || history[0].Version != 6 || history[99].Version != 105 {
			t.Errorf("%s %v", revisions(history), err)
		}
	})
}

func TestExplainingForAnotherIsTheOperators(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		define(t, st, boolFlag("f"), flag.WhenTenant("globex").Return(true), flag.WhenUser("bob").Return(true))
		for name, tc := range map[string]struct {
			opts []flag.ExplainOption
			want bool
		}{"a tenant": {[]flag.ExplainOption{flag.ForTenant("globex")}, true}, "another": {[]flag.ExplainOption{flag.ForTenant("acme")}, false},
			"a user": {[]flag.ExplainOption{flag.ForTenant("acme"), flag.ForUser("bob")}, true}} {
			e, err := svc.Explain(operator, "f", tc.opts...)
			if err != nil || e.Value != tc.want || len(e.Steps) == 0 {
				t.Errorf("%s: %+v %v", name, e, err)
			}
		}
		acme := as("acme", "ann")
		if e, err := svc.Explain(acme, "f", flag.ForUser("bob")); err != nil || e.Value != true {
			t.Errorf("%+v %v", e, err)
		}
		if _, err := svc.Explain(acme, "f", flag.ForTenant("globex")); !fault.Is(err, fault.Denied) {
			t.Errorf("%v", err)
		}
		if e, err := svc.Explain(acme, "never"); !errors.Is(err, base.ErrFlagNotFound) || e.ErrorCode != flag.CodeFlagNotFound {
			t.Errorf("%+v %v", e, err)
		}
	})
}
