package flag_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/scope"
)

func segment(t *testing.T, svc *flag.Service, key string, anyOf bool, conditions ...flag.Condition) *flag.Segment {
	t.Helper()
	s := &flag.Segment{Key: key, Conditions: conditions, Any: anyOf}
	if err := svc.DefineSegment(operator, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSegments(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		segment(t, svc, "swiss", false, flag.If("country", flag.OpEquals, "CH"))
		segment(t, svc, "adults", false, flag.If("age", flag.OpGreaterEq, 18), flag.If("age", flag.OpLess, 200))
		segment(t, svc, "either", true, flag.InSegment("swiss"), flag.InSegment("adults"))
		segment(t, svc, "both", false, flag.InSegment("swiss"), flag.InSegment("adults"))
		for _, tc := range []struct {
			rule  *flag.Rule
			attrs flag.Attributes
			want  bool
		}{
			{flag.WhenSegment("swiss"), flag.Attributes{"country": "CH"}, true},
			{flag.WhenSegment("swiss"), flag.Attributes{"country": "DE"}, false},
			{flag.WhenSegment("swiss"), nil, false},
			{flag.WhenSegment("swiss", "adults"), flag.Attributes{"country": "DE", "age": 20}, true},
			{flag.When(flag.InSegment("swiss").Not()), flag.Attributes{"country": "DE"}, true},
			{flag.When(flag.InSegment("swiss").Not()), nil, true}, // who is known by nothing is in no segment
			{flag.When(flag.InSegment("swiss"), flag.If("plan", flag.OpEquals, "pro")), flag.Attributes{"country": "CH", "plan": "pro"}, true},
			{flag.When(flag.InSegment("swiss"), flag.If("plan", flag.OpEquals, "pro")), flag.Attributes{"country": "CH"}, false},
			{flag.WhenSegment("adults"), flag.Attributes{"age": 300}, false},
			{flag.WhenSegment("either"), flag.Attributes{"age": 30}, true},
			{flag.WhenSegment("either"), flag.Attributes{"age": 3}, false},
			{flag.WhenSegment("both"), flag.Attributes{"age": 30}, false},
			{flag.WhenSegment("both"), flag.Attributes{"age": 30, "country": "CH"}, true},
		} {
			define(t, st, boolFlag("f"), tc.rule.Return(true))
			ctx := flag.WithAttributes(as("acme", "ann"), tc.attrs)
			d, err := svc.Detail(ctx, "f")
			if err != nil || d.Value != tc.want || (tc.want && d.Reason != flag.ReasonMatch) {
				t.Errorf("%+v for %v: %+v, %v", tc.rule.Config.Conditions, tc.attrs, d, err)
			}
			e, err := svc.Explain(ctx, "f")
			if err != nil || e.Value != tc.want || len(e.Steps) == 0 {
				t.Errorf("%+v, %v", e, err)
			}
		}
	})
}

func TestASegmentsChangeIsSeenByTheNextEvaluationOfEachFlag(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		segment(t, svc, "inner", false, flag.If("tenant_id", flag.OpEquals, "acme"))
		segment(t, svc, "outer", false, flag.InSegment("inner"))
		for _, key := range []string{"f", "g"} {
			define(t, st, boolFlag(key), flag.WhenSegment("outer").Return(true))
		}
		see := func(what string, want bool) {
			t.Helper()
			for _, key := range []string{"f", "g"} {
				if got := svc.Bool(as("acme", "u"), key, !want); got != want {
					t.Errorf("%s after %s: %v", key, what, got)
				}
			}
		}
		see("defining", true)
		segment(t, svc, "inner", false, flag.If("tenant_id", flag.OpEquals, "globex"))
		see("a change", false)
		if s, err := svc.RollbackSegment(operator, "inner", 1); err != nil || s.Version != 3 {
			t.Fatalf("%+v %v", s, err)
		}
		see("going back", true)
		got, err := svc.GetSegment(operator, "inner")
		if err != nil || got.Version != 3 || len(got.Conditions) != 1 || got.Conditions[0].Values[0] != "acme" || got.AppID != "myapp" {
			t.Errorf("%+v %v", got, err)
		}
		history, err := svc.SegmentHistory(operator, "inner")
		if text := revisions(history); err != nil || text != "1 define, 2 define, 3 rollback current" {
			t.Errorf("%s, %v", text, err)
		}
	})
}

func TestASegmentInUseCannotBeDeleted(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		segment(t, svc, "inner", false, flag.If("a", flag.OpExists))
		segment(t, svc, "outer", false, flag.InSegment("inner"))
		define(t, st, boolFlag("f"), flag.When(flag.If("b", flag.OpExists), flag.InSegment("outer")).Return(true))
		for key, by := range map[string]string{"inner": "the segment outer", "outer": "the flag f"} {
			if err := svc.DeleteSegment(operator, key); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), by) {
				t.Errorf("%s: %v", key, err)
			}
		}
		define(t, st, boolFlag("f"))
		if err := errors.Join(svc.DeleteSegment(operator, "outer"), svc.DeleteSegment(operator, "inner")); err != nil {
			t.Fatal(err)
		}
		_, err := svc.GetSegment(operator, "inner")
		err2 := svc.DeleteSegment(operator, "inner")
		list, err3 := svc.ListSegments(operator, flag.ListOpts{})
		if !fault.Is(err, fault.NotFound) || !fault.Is(err2, fault.NotFound) || err3 != nil || len(list) != 0 {
			t.Errorf("%v %v %v %v", err, err2, list, err3)
		}
		if s, err := svc.RollbackSegment(operator, "inner", 1); err != nil || s.Version != 3 {
			t.Errorf("%+v %v", s, err)
		}
	})
}

func TestSegmentsThatAreRefused(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		segment(t, svc, "a", false, flag.If("x", flag.OpExists))
		segment(t, svc, "b", false, flag.InSegment("a"))
		segment(t, svc, "c", false, flag.InSegment("b"))
		for name, tc := range map[string]struct {
			s    *flag.Segment
			want string
		}{
			"nothing":            {nil, "no segment"},
			"no key":             {&flag.Segment{Conditions: []flag.Condition{flag.If("x", flag.OpExists)}}, "key"},
			"no conditions":      {&flag.Segment{Key: "s"}, "conditions"},
			"an unknown one":     {&flag.Segment{Key: "s", Conditions: []flag.Condition{flag.InSegment("nobody")}}, "nobody"},
			"itself":             {&flag.Segment{Key: "s", Conditions: []flag.Condition{flag.InSegment("s")}}, "circle"},
			"a circle":           {&flag.Segment{Key: "a", Conditions: []flag.Condition{flag.InSegment("c")}}, "circle: a refers to c refers to b refers to a"},
			"names nothing":      {&flag.Segment{Key: "s", Conditions: []flag.Condition{flag.InSegment()}}, "names 1 to"},
			"not text":           {&flag.Segment{Key: "s", Conditions: []flag.Condition{{Op: flag.OpInSegment, Values: []any{1}}}}, "text"},
			"an attribute":       {&flag.Segment{Key: "s", Conditions: []flag.Condition{flag.If("x", flag.OpInSegment, "a")}}, "attribute"},
			"another app's":      {&flag.Segment{Key: "s", AppID: "other", Conditions: []flag.Condition{flag.If("x", flag.OpExists)}}, "another app"},
			"a bad pattern":      {&flag.Segment{Key: "s", Conditions: []flag.Condition{flag.If("x", flag.OpMatches, "(")}}, "regular expression"},
			"too many":           {&flag.Segment{Key: "s", Conditions: make([]flag.Condition, 101)}, "1 to 100"},
			"a long description": {&flag.Segment{Key: "s", Description: strings.Repeat("x", 4097), Conditions: []flag.Condition{flag.If("x", flag.OpExists)}}, "4096"},
		} {
			if err := svc.DefineSegment(operator, tc.s); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %v; want %q", name, err, tc.want)
			}
		}
		if err := st.SetFlagRules(operator, "f", "myapp", nil); !errors.Is(err, base.ErrFlagNotFound) {
			t.Errorf("%v", err)
		}
		define(t, st, boolFlag("f"))
		if err := svc.SetRules(operator, "f", []*flag.Rule{flag.WhenSegment("nobody").Return(true)}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a rule on a segment that is not there: %v", err)
		}
		for i := range 14 { // a chain of 16 is the most
			from := fmt.Sprint("chain", i-1)
			if i == 0 {
				from = "b"
			}
			segment(t, svc, fmt.Sprint("chain", i), false, flag.InSegment(from))
		}
		err := svc.DefineSegment(operator, &flag.Segment{Key: "chain14", Conditions: []flag.Condition{flag.InSegment("chain13")}})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "longer than 16") {
			t.Errorf("a long chain: %v", err)
		}
		many := make([]flag.Condition, 100)
		for i := range many {
			many[i] = flag.If("x", flag.OpExists)
		}
		segment(t, svc, "hundred", false, many...)
		for i := range many {
			many[i] = flag.InSegment("hundred")
		}
		if err := svc.DefineSegment(operator, &flag.Segment{Key: "s", Conditions: many}); !fault.Is(err, fault.TooLarge) {
			t.Errorf("too much to look at: %v", err)
		}
	})
}

func TestSegmentsAreTheOperatorsAndTheApps(t *testing.T) {
	everyStore(t, func(t *testing.T, st store) {
		svc := quietService(st)
		s := segment(t, svc, "s", false, flag.If("x", flag.OpExists))
		tenant, other := as("acme", "ann"), scope.WithScope(t.Context(), "other-app", "", "root", "")
		_, e1 := svc.GetSegment(tenant, "s")
		_, e2 := svc.ListSegments(tenant, flag.ListOpts{})
		_, e3 := svc.SegmentHistory(tenant, "s")
		_, e4 := svc.RollbackSegment(tenant, "s", 1)
		for i, err := range []error{svc.DefineSegment(tenant, s), svc.DeleteSegment(tenant, "s"), e1, e2, e3, e4} {
			if !fault.Is(err, fault.Denied) {
				t.Errorf("call %d inside a tenant: %v", i, err)
			}
		}
		_, there := svc.GetSegment(other, "s")
		_, never := svc.GetSegment(other, "t")
		_, e5 := svc.SegmentHistory(other, "s")
		_, e6 := svc.RollbackSegment(other, "s", 1)
		for i, err := range []error{there, svc.DeleteSegment(other, "s"), e5, e6} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("call %d in another app: %v", i, err)
			}
		}
		if strings.ReplaceAll(there.Error(), "segment s", "segment t") != never.Error() {
			t.Errorf("%v; %v", there, never)
		}
		if err := svc.DefineSegment(operator, &flag.Segment{Key: "s", Conditions: s.Conditions}, flag.WithExpectedVersion(7)); !errors.Is(err, base.ErrVersionConflict) {
			t.Errorf("%v", err)
		}
		if err := svc.DeleteSegment(operator, "s", flag.WithExpectedVersion(7)); !errors.Is(err, base.ErrVersionConflict) {
			t.Errorf("%v", err)
		}
		if err := svc.DeleteSegment(operator, "s", flag.WithExpectedVersion(1)); err != nil {
			t.Error(err)
		}
	})
}
