package flag_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
	"github.com/haywardhq/hayward/vault/store/postgres"
	"github.com/haywardhq/hayward/vault/store/sqlite"
)

type store interface {
	flag.Store
	driver.Store
	driver.Watcher
}

func everyStore(t *testing.T, test func(t *testing.T, st store)) {
	t.Run("memory", func(t *testing.T) { test(t, memory.New()) })
	t.Run("sqlite", func(t *testing.T) { test(t, sqlite.New(dbtest.New(t, sqlite.Schema()))) })
	t.Run("postgres", func(t *testing.T) { test(t, postgres.New(dbtest.NewPostgres(t, postgres.Schema()))) })
}

func as(tenant, user string) context.Context {
	return scope.WithScope(context.Background(), "myapp", tenant, user, "10.0.0.1")
}

var operator = scope.WithScope(context.Background(), "myapp", "", "root", "")

// define makes a flag that is on, with rules.
func define(t testing.TB, st flag.Store, d flag.Definition, rules ...*flag.Rule) {
	t.Helper()
	d.AppID, d.Enabled = "myapp", true
	if err := st.DefineFlag(operator, &d); err != nil {
		t.Fatal(err)
	}
	if err := st.SetFlagRules(operator, d.Key, "myapp", rules); err != nil {
		t.Fatal(err)
	}
}

func boolFlag(key string) flag.Definition {
	return flag.Definition{Key: key, Type: flag.TypeBool, DefaultValue: false}
}

func text(d flag.Detail, err error) string {
	if err != nil {
		return fmt.Sprintf("%s %s", d.Reason, d.ErrorCode)
	}
	return fmt.Sprintf("%v %s %s", d.Value, d.Reason, d.Layer)
}

func TestEvaluation(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	tags := func(_ context.Context, app, tenant string) (map[string]string, error) {
		if tenant == "broken" {
			return nil, errors.New("pq: relation tags does not exist")
		}
		return map[string]string{"plan": "pro of " + app + tenant}, nil
	}
	attrs := func(a flag.Attributes) context.Context { return flag.WithAttributes(as("acme", "ann"), a) }
	for name, tc := range map[string]struct {
		rules []*flag.Rule
		ctx   context.Context
		want  string
	}{
		"nothing but the default":           {nil, as("acme", "ann"), "false STATIC default"},
		"a tenant":                          {[]*flag.Rule{flag.WhenTenant("globex", "acme").Return(true)}, as("acme", ""), "true TARGETING_MATCH rule"},
		"another tenant":                    {[]*flag.Rule{flag.WhenTenant("globex").Return(true)}, as("acme", ""), "false DEFAULT default"},
		"no tenant":                         {[]*flag.Rule{flag.WhenTenant("globex").Return(true)}, as("", ""), "false DEFAULT default"},
		"a user":                            {[]*flag.Rule{flag.WhenUser("ann").Return(true)}, as("acme", "ann"), "true TARGETING_MATCH rule"},
		"another user":                      {[]*flag.Rule{flag.WhenUser("ann").Return(true)}, as("acme", "bob"), "false DEFAULT default"},
		"a tag":                             {[]*flag.Rule{flag.WhenTenantTag("plan", "pro of myappacme").Return(true)}, as("acme", ""), "true TARGETING_MATCH rule"},
		"another tenant's tag":              {[]*flag.Rule{flag.WhenTenantTag("plan", "pro of myappacme").Return(true)}, as("globex", ""), "false DEFAULT default"},
		"a tag given":                       {[]*flag.Rule{flag.WhenTenantTag("k", "v").Return(true)}, flag.WithTags(as("acme", ""), map[string]string{"k": "v"}), "true TARGETING_MATCH rule"},
		"a tag that cannot be read":         {[]*flag.Rule{flag.WhenTenantTag("k", "v").Return(true)}, as("broken", ""), "ERROR GENERAL"},
		"bucket 10 of 11":                   {[]*flag.Rule{flag.Rollout(11).Return(true)}, as("acme", ""), "true SPLIT rule"},
		"bucket 10 of 10":                   {[]*flag.Rule{flag.Rollout(10).Return(true)}, as("acme", ""), "false DEFAULT default"},
		"everyone":                          {[]*flag.Rule{flag.Rollout(100).Return(true)}, as("acme", ""), "true SPLIT rule"},
		"nobody":                            {[]*flag.Rule{flag.Rollout(0).Return(true)}, as("acme", ""), "false DEFAULT default"},
		"a rollout without a tenant":        {[]*flag.Rule{flag.Rollout(100).Return(true)}, as("", "ann"), "false DEFAULT default"},
		"every user":                        {[]*flag.Rule{flag.SaltedRollout(100, "").Stick(flag.ByUser).Return(true)}, as("", "ann"), "true SPLIT rule"},
		"inside a schedule":                 {[]*flag.Rule{flag.Schedule(now, now.Add(1)).Return(true)}, as("acme", ""), "true TARGETING_MATCH rule"},
		"at the end of a schedule":          {[]*flag.Rule{flag.Schedule(now.Add(-1), now).Return(true)}, as("acme", ""), "false DEFAULT default"},
		"before a schedule":                 {[]*flag.Rule{flag.Schedule(now.Add(1), time.Time{}).Return(true)}, as("acme", ""), "false DEFAULT default"},
		"an open schedule":                  {[]*flag.Rule{flag.Schedule(time.Time{}, now.Add(1)).Return(true)}, as("acme", ""), "true TARGETING_MATCH rule"},
		"an evaluator":                      {[]*flag.Rule{flag.Custom("even", map[string]any{"n": 4}).Return(true)}, as("acme", ""), "true TARGETING_MATCH rule"},
		"an evaluator that says no":         {[]*flag.Rule{flag.Custom("even", map[string]any{"n": 5}).Return(true)}, as("acme", ""), "false DEFAULT default"},
		"an evaluator that fails":           {[]*flag.Rule{flag.Custom("fails", nil).Return(true)}, as("acme", ""), "ERROR GENERAL"},
		"an evaluator that panics":          {[]*flag.Rule{flag.Custom("panics", nil).Return(true)}, as("acme", ""), "ERROR GENERAL"},
		"an evaluator nobody has":           {[]*flag.Rule{flag.Custom("none", nil).Return(true)}, as("acme", ""), "ERROR GENERAL"},
		"not reached":                       {[]*flag.Rule{flag.WhenTenant("acme").Return(true), flag.Custom("none", nil).Return(true)}, as("acme", ""), "true TARGETING_MATCH rule"},
		"priority":                          {[]*flag.Rule{flag.WhenTenant("acme").Return(false).WithPriority(2), flag.WhenUser("ann").Return(true).WithPriority(1)}, as("acme", "ann"), "true TARGETING_MATCH rule"},
		"equal priority is the order given": {[]*flag.Rule{flag.WhenTenant("acme").Return(true), flag.WhenUser("ann").Return(false)}, as("acme", "ann"), "true TARGETING_MATCH rule"},
		"a segment":                         {[]*flag.Rule{flag.When(flag.If("country", flag.OpEquals, "CH", "DE"), flag.If("age", flag.OpGreaterEq, 18)).Return(true)}, attrs(flag.Attributes{"country": "CH", "age": int8(18)}), "true TARGETING_MATCH rule"},
		"half a segment":                    {[]*flag.Rule{flag.When(flag.If("country", flag.OpEquals, "CH"), flag.If("age", flag.OpGreaterEq, 18)).Return(true)}, attrs(flag.Attributes{"country": "CH"}), "false DEFAULT default"},
		"an attribute of the scope":         {[]*flag.Rule{flag.When(flag.If("tenant_id", flag.OpStartsWith, "ac")).Return(true)}, attrs(flag.Attributes{"tenant_id": "globex"}), "true TARGETING_MATCH rule"},
		"an attribute cannot forge scope":   {[]*flag.Rule{flag.When(flag.If("tenant_id", flag.OpEquals, "globex")).Return(true)}, attrs(flag.Attributes{"tenant_id": "globex"}), "false DEFAULT default"},
		"no app":                            {nil, context.Background(), "ERROR INVALID_CONTEXT"},
		"another app":                       {nil, scope.WithAppID(as("acme", ""), "other"), "ERROR INVALID_CONTEXT"},
		"two scopes":                        {nil, context.WithValue(as("acme", ""), scope.KeyTenantID, "globex"), "ERROR INVALID_CONTEXT"},
	} {
		t.Run(name, func(t *testing.T) {
			st := memory.New()
			define(t, st, boolFlag("roll"), tc.rules...)
			e := flag.NewEngine(st, flag.WithClock(func() time.Time { return now }), flag.WithTenantTags(tags),
				flag.WithEvaluator("even", func(_ context.Context, who flag.Target, params map[string]any) (bool, error) {
					n := params["n"].(int64)
					params["n"] = int64(5) // its own copy: the next call sees what was stored
					return n%2 == 0 && who.Tenant == "acme" && who.FlagKey == "roll", nil
				}),
				flag.WithEvaluator("fails", func(context.Context, flag.Target, map[string]any) (bool, error) {
					return false, errors.New("SQLSTATE 42P01")
				}),
				flag.WithEvaluator("panics", func(context.Context, flag.Target, map[string]any) (bool, error) { panic("SQLSTATE 42P01") }))
			appID := "myapp"
			if tc.ctx == context.Background() {
				appID = ""
			}
			for range 2 {
				d, err := e.Detail(tc.ctx, "roll", appID)
				if got := text(d, err); got != tc.want {
					t.Errorf("got %s (%v), want %s", got, err, tc.want)
				}
				for _, raw := range []string{"SQLSTATE", "pq:"} {
					if err != nil && (strings.Contains(err.Error(), raw) || strings.Contains(d.ErrorMessage, raw)) {
						t.Errorf("what is underneath shows: %v, %s", err, d.ErrorMessage)
					}
				}
				v, err2 := e.Evaluate(tc.ctx, "roll", appID)
				if (err == nil) != (err2 == nil) || v != d.Value {
					t.Errorf("Evaluate: %v, %v", v, err2)
				}
			}
		})
	}
}

func TestConditions(t *testing.T) {
	for _, tc := range []struct {
		c    flag.Condition
		attr any
		want bool
	}{
		{flag.If("a", flag.OpEquals, "x", 5, true), "x", true}, {flag.If("a", flag.OpEquals, "x", 5), 5.0, true}, {flag.If("a", flag.OpEquals, 5), "5", false},
		{flag.If("a", flag.OpEquals, int64(1<<53+1)), float64(1 << 53), false},
		{flag.If("a", flag.OpEquals, "x").Not(), "y", true}, {flag.If("a", flag.OpEquals, "x").Not(), nil, false},
		{flag.If("a", flag.OpContains, "b"), "abc", true}, {flag.If("a", flag.OpContains, "b"), []string{"x", "b"}, true}, {flag.If("a", flag.OpContains, "b"), 5, false},
		{flag.If("a", flag.OpContains, "b").Not(), 5, false}, {flag.If("a", flag.OpEquals, "b").Not(), []string{"x", "b"}, false},
		{flag.If("a", flag.OpStartsWith, "b"), "abc", false}, {flag.If("a", flag.OpEndsWith, "z", "c"), "abc", true},
		{flag.If("a", flag.OpMatches, "^[a-c]+$"), "abc", true}, {flag.If("a", flag.OpMatches, "^[a-c]+$"), "abd", false},
		{flag.If("a", flag.OpLess, 5), 4.9, true}, {flag.If("a", flag.OpLess, 5), 5, false}, {flag.If("a", flag.OpLessEq, 5), uint8(5), true}, {flag.If("a", flag.OpLess, 5), "4", false},
		{flag.If("a", flag.OpGreater, int64(1<<53)), int64(1<<53 + 1), true}, {flag.If("a", flag.OpGreaterEq, 0.1), float32(0.1), true},
		{flag.If("a", flag.OpSemverGt, "1.2.3"), "v1.10.0", true}, {flag.If("a", flag.OpSemverLt, "1.0.0"), "1.0.0-rc.1", true}, {flag.If("a", flag.OpSemverEq, "1.2"), "1.2.0+build", true},
		{flag.If("a", flag.OpSemverGte, "1.0.0-alpha.beta"), "1.0.0-alpha.1", false}, {flag.If("a", flag.OpSemverLte, "1.0.0-alpha.10"), "1.0.0-alpha.9", true},
		{flag.If("a", flag.OpSemverGt, "1.0.0"), "latest", false}, {flag.If("a", flag.OpSemverGt, "1.0.0").Not(), "latest", false},
		{flag.If("a", flag.OpExists), false, true}, {flag.If("b", flag.OpExists), 1, false}, {flag.If("b", flag.OpExists).Not(), 1, true},
		{flag.If("b", flag.OpEquals, 1).Not(), 1, false},
	} {
		st := memory.New()
		define(t, st, boolFlag("f"), flag.When(tc.c).Return(true))
		got, err := flag.NewEngine(st).Evaluate(flag.WithAttributes(as("t", "u"), flag.Attributes{"a": tc.attr}), "f", "")
		if err != nil || got != tc.want {
			t.Errorf("%+v on %v: %v, %v", tc.c, tc.attr, got, err)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	d := func(change func(*flag.Definition)) flag.Definition {
		out := flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: false, AppID: "myapp"}
		change(&out)
		return out
	}
	for name, bad := range map[string]flag.Definition{
		"a key":                 d(func(d *flag.Definition) { d.Key = "a b" }),
		"no key":                d(func(d *flag.Definition) { d.Key = "" }),
		"a type":                d(func(d *flag.Definition) { d.Type = "number" }),
		"text for a bool":       d(func(d *flag.Definition) { d.DefaultValue = "yes" }),
		"nothing for a bool":    d(func(d *flag.Definition) { d.DefaultValue = nil }),
		"3.9 for an int":        d(func(d *flag.Definition) { d.Type, d.DefaultValue = flag.TypeInt, 3.9 }),
		"2^53+1 for a float":    d(func(d *flag.Definition) { d.Type, d.DefaultValue = flag.TypeFloat, int64(1<<53+1) }),
		"a duration for an int": d(func(d *flag.Definition) { d.Type, d.DefaultValue = flag.TypeInt, time.Second }),
		"a duration for JSON":   d(func(d *flag.Definition) { d.Type, d.DefaultValue = flag.TypeJSON, time.Second }),
		"a variant's type":      d(func(d *flag.Definition) { d.Variants = []flag.Variant{{Value: "on"}} }),
		"two of one name": d(func(d *flag.Definition) {
			d.Variants = []flag.Variant{{Name: "a", Value: true}, {Name: "a", Value: false}}
		}),
		"no such variant": d(func(d *flag.Definition) { d.DefaultValue, d.DefaultVariant = nil, "on" }),
		"a value and a variant": d(func(d *flag.Definition) {
			d.DefaultVariant, d.Variants = "on", []flag.Variant{{Name: "on", Value: true}}
		}),
		"itself as needed":      d(func(d *flag.Definition) { d.Prerequisites = []flag.Prerequisite{{FlagKey: "f"}} }),
		"an unknown one needed": d(func(d *flag.Definition) { d.Prerequisites = []flag.Prerequisite{{FlagKey: "g"}} }),
		"a long description":    d(func(d *flag.Definition) { d.Description = strings.Repeat("x", 5000) }),
	} {
		if err := memory.New().DefineFlag(operator, &bad); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	now := time.Now()
	for name, bad := range map[string]*flag.Rule{
		"nothing":               nil,
		"no value":              flag.WhenTenant("a"),
		"text for a bool":       flag.WhenTenant("a").Return("true"),
		"no tenants":            flag.WhenTenant().Return(true),
		"an empty tenant":       flag.WhenTenant("a", "").Return(true),
		"no users":              flag.WhenUser().Return(true),
		"no tag":                flag.WhenTenantTag("", "x").Return(true),
		"150 percent":           flag.Rollout(150).Return(true),
		"-5 percent":            flag.Rollout(-5).Return(true),
		"100.5 percent":         flag.SaltedRollout(100.5, "").Return(true),
		"a ten thousandth":      flag.SaltedRollout(0.0001, "").Return(true),
		"stuck to an app":       flag.SaltedRollout(5, "").Stick("app").Return(true),
		"percent and salt":      {Type: flag.RuleRollout, Config: flag.RuleConfig{Percentage: 5, Salt: "s"}, ReturnValue: true},
		"ends before it starts": flag.Schedule(now, now.Add(-1)).Return(true),
		"an empty schedule":     flag.Schedule(time.Time{}, time.Time{}).Return(true),
		"no evaluator":          flag.Custom("", nil).Return(true),
		"no conditions":         flag.When().Return(true),
		"no attribute":          flag.When(flag.If("", flag.OpExists)).Return(true),
		"no such operator":      flag.When(flag.If("a", "like", "x")).Return(true),
		"no value to compare":   flag.When(flag.If("a", flag.OpEquals)).Return(true),
		"a value for exists":    flag.When(flag.If("a", flag.OpExists, 1)).Return(true),
		"a pattern":             flag.When(flag.If("a", flag.OpMatches, "(")).Return(true),
		"a number in text":      flag.When(flag.If("a", flag.OpContains, 5)).Return(true),
		"text as a number":      flag.When(flag.If("a", flag.OpLess, "5")).Return(true),
		"two bounds":            flag.When(flag.If("a", flag.OpLess, 5, 6)).Return(true),
		"no version":            flag.When(flag.If("a", flag.OpSemverGt, "1.x")).Return(true),
		"a split of nothing":    flag.Split(""),
		"a split of unknowns":   flag.Split("", flag.Weight{Variant: "nope", Weight: 1}),
		"weights of zero":       flag.Split("", flag.Weight{Variant: "on"}),
		"a negative weight":     flag.Split("", flag.Weight{Variant: "on", Weight: -1}),
		"a split with a value":  flag.Split("", flag.Weight{Variant: "on", Weight: 1}).Return(true),
		"an unknown type":       {Type: "weekday", ReturnValue: true},
		"another type's field":  {Type: flag.RuleWhenTenant, Config: flag.RuleConfig{TenantIDs: []string{"a"}, UserIDs: []string{"b"}}, ReturnValue: true},
	} {
		st := memory.New()
		define(t, st, flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: false, Variants: []flag.Variant{{Name: "on", Value: true}}})
		err := st.SetFlagRules(operator, "f", "myapp", []*flag.Rule{bad})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := st.GetFlagRules(operator, "f", "myapp"); err != nil || len(got) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestVariantsAndSplits(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		variants := []flag.Variant{{Name: "small", Value: map[string]any{"n": 1}}, {Name: "large", Value: map[string]any{"n": 2}}}
		define(t, st, flag.Definition{Key: "size", Type: flag.TypeJSON, DefaultVariant: "small", Variants: variants},
			flag.WhenUser("ann").ReturnNamed("large"), flag.WhenUser("bob").Return(map[string]any{"n": 2.0}),
			flag.Split("salt", flag.Weight{Variant: "small", Weight: 1}, flag.Weight{Variant: "large", Weight: 3}).Stick(flag.ByUser))
		define(t, st, flag.Definition{Key: "plain", Type: flag.TypeString, DefaultValue: "a", Variants: []flag.Variant{{Value: "a"}, {Value: "b"}}})
		e := flag.NewEngine(st)
		for user, want := range map[string]string{"ann": "large", "bob": "large", "": "small"} {
			if d, err := e.Detail(as("t", user), "size", ""); err != nil || d.Variant != want {
				t.Errorf("%q: %+v %v", user, d, err)
			}
		}
		if d, err := e.Detail(as("t", "u"), "plain", ""); err != nil || d.Variant != "a" {
			t.Errorf("%+v %v", d, err)
		}
		count := map[string]int{}
		for i := range 4000 {
			d, err := e.Detail(as("t", fmt.Sprint("user", i)), "size", "")
			if err != nil || d.Reason != flag.ReasonSplit || d.RuleID == "" {
				t.Fatalf("%+v %v", d, err)
			}
			count[d.Variant]++
		}
		if n := count["large"]; n < 2850 || n > 3150 {
			t.Errorf("of 4000 users %v", count)
		}
	})
}

func TestPrerequisites(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		define(t, st, boolFlag("base"), flag.WhenTenant("acme").Return(true))
		define(t, st, flag.Definition{Key: "mode", Type: flag.TypeString, DefaultValue: "x", Variants: []flag.Variant{{Name: "X", Value: "x"}}})
		needs := flag.Definition{Key: "top", Type: flag.TypeInt, DefaultValue: 0, Prerequisites: []flag.Prerequisite{{FlagKey: "base"}, {FlagKey: "mode", Variant: "X"}}}
		define(t, st, needs, flag.WhenTenant("acme", "globex").Return(1))
		e := flag.NewEngine(st)
		check := func(tenant string, want any) {
			t.Helper()
			if got, err := e.Evaluate(as(tenant, ""), "top", ""); err != nil || got != want {
				t.Errorf("%s: %v, %v; want %v", tenant, got, err, want)
			}
		}
		check("acme", 1)
		check("globex", 0)
		// What is needed counts when it is off, too, and as it is now.
		off := boolFlag("base")
		off.AppID, off.DefaultValue = "myapp", true
		if err := st.DefineFlag(operator, &off); err != nil {
			t.Fatal(err)
		}
		check("acme", 0)
		if err := st.DeleteFlagDefinition(operator, "base", "myapp"); !fault.Is(err, fault.Conflict) {
			t.Errorf("a flag that another one needs was deleted: %v", err)
		}
		for _, p := range []flag.Prerequisite{{FlagKey: "top", Value: 1}, {FlagKey: "mode", Value: 5}, {FlagKey: "mode", Variant: "Y"}, {FlagKey: "mode"}} {
			circle := boolFlag("base")
			circle.AppID, circle.Prerequisites = "myapp", []flag.Prerequisite{p}
			if err := st.DefineFlag(operator, &circle); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", p, err)
			}
		}
		long := boolFlag("p0")
		define(t, st, long)
		for i := 1; ; i++ {
			d := boolFlag(fmt.Sprint("p", i))
			d.AppID, d.Prerequisites = "myapp", []flag.Prerequisite{{FlagKey: fmt.Sprint("p", i-1)}}
			if err := st.DefineFlag(operator, &d); err != nil {
				if i < 10 || !fault.Is(err, fault.Invalid) {
					t.Errorf("at %d: %v", i, err)
				}
				break
			}
			if i > 100 {
				t.Fatal("a chain of 100 was accepted")
			}
		}
	})
}

func TestBulkAndExplain(t *testing.T) {
	st := memory.New()
	define(t, st, boolFlag("a"), flag.WhenTenant("x").Return(true), flag.Rollout(11).Return(true))
	define(t, st, boolFlag("b"), flag.Custom("none", nil).Return(true))
	svc := flag.NewService(flag.NewEngine(st), flag.WithLogger(slog.New(slog.DiscardHandler)))
	all, err := svc.All(as("acme", ""))
	if err != nil || len(all) != 2 || all[0].Key != "a" || all[1].ErrorCode != flag.CodeGeneral || all[1].Value != nil {
		t.Errorf("%+v %v", all, err)
	}
	ex, err := svc.Explain(as("globex", ""), "a")
	if err != nil || len(ex.Steps) != 3 || ex.Steps[0].Matched || !strings.Contains(ex.Steps[1].Says, fmt.Sprintf("bucket %d of 100", flag.Bucket("globex", "a"))) || ex.Value != false {
		t.Errorf("%+v %v", ex, err)
	}
	if _, err := svc.Explain(as("acme", ""), "none"); !errors.Is(err, base.ErrFlagNotFound) {
		t.Error(err)
	}
}

func TestTypedAccessors(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		define(t, st, flag.Definition{Key: "int", Type: flag.TypeInt, DefaultValue: int64(1<<53 + 1)})
		define(t, st, flag.Definition{Key: "float", Type: flag.TypeFloat, DefaultValue: 3})
		define(t, st, flag.Definition{Key: "huge", Type: flag.TypeInt, DefaultValue: uint64(1 << 63)})
		define(t, st, flag.Definition{Key: "text", Type: flag.TypeString, DefaultValue: "x"})
		define(t, st, flag.Definition{Key: "json", Type: flag.TypeJSON, DefaultValue: map[string]any{"n": int64(1<<53 + 1)}})
		define(t, st, flag.Definition{Key: "null", Type: flag.TypeJSON, DefaultValue: nil})
		var log strings.Builder
		svc := flag.NewService(flag.NewEngine(st), flag.WithAppID("myapp"), flag.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		ctx := as("t", "u")
		var doc struct{ N int64 }
		if err := svc.JSON(ctx, "json", &doc); err != nil || doc.N != 1<<53+1 {
			t.Errorf("%v %v", doc, err)
		}
		if svc.Int(ctx, "int", 0) != 1<<53+1 || svc.Int64(ctx, "int", 0) != 1<<53+1 || svc.Float(ctx, "float", 0) != 3.0 || svc.String(ctx, "text", "") != "x" {
			t.Error("a value is not what was stored")
		}
		if log.Len() > 0 {
			t.Errorf("logged %s", log.String())
		}
		for i, ok := range []bool{svc.Int(ctx, "float", -1) == -1, svc.Int(ctx, "huge", -1) == -1, svc.Float(ctx, "int", -1) == -1, svc.Bool(ctx, "text", true), svc.String(ctx, "int", "d") == "d",
			svc.Int(ctx, "none", -1) == -1} {
			if !ok {
				t.Errorf("case %d does not give the default", i)
			}
		}
		if got := strings.Count(log.String(), "\n"); got != 5 { // one for the int flag: it failed twice in the same way
			t.Errorf("%d lines in the log:\n%s", got, log.String())
		}
		if d := svc.IntDetail(ctx, "text", 7); d.Value != 7 || d.Reason != flag.ReasonError || d.ErrorCode != flag.CodeTypeMismatch {
			t.Errorf("%+v", d)
		}
		if d := svc.BoolDetail(ctx, "none", true); !d.Value || d.ErrorCode != flag.CodeFlagNotFound {
			t.Errorf("%+v", d)
		}
		if d := svc.JSONDetail(ctx, "null", 5); d.Value != nil || d.Reason != flag.ReasonStatic {
			t.Errorf("%+v", d)
		}
	})
}
