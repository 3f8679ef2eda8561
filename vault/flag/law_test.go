package flag_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// ins returns which units a rule takes.
func ins(t *testing.T, key string, rule *flag.Rule, n int) []bool {
	st := memory.New()
	define(t, st, boolFlag(key), rule.Return(true))
	e := flag.NewEngine(st)
	out := make([]bool, n)
	for i := range out {
		v, err := e.Evaluate(as(fmt.Sprint("tenant", i), fmt.Sprint("user", i)), key, "")
		if err != nil {
			t.Fatal(err)
		}
		out[i] = v.(bool)
	}
	return out
}

func count(in []bool) (n int) {
	for _, v := range in {
		if v {
			n++
		}
	}
	return n
}

// TestARisingRolloutKeepsThoseWhoWereIn, for either hash and either unit.
func TestARisingRolloutKeepsThoseWhoWereIn(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		low, high := rapid.IntRange(0, 100_000).Draw(r, "low"), rapid.IntRange(0, 100_000).Draw(r, "high")
		if low > high {
			low, high = high, low
		}
		salt, unit := rapid.StringN(0, 20, 100).Draw(r, "salt"), rapid.SampledFrom([]flag.Unit{flag.ByTenant, flag.ByUser}).Draw(r, "unit")
		make := func(n int) *flag.Rule {
			if salt == "" && unit == flag.ByTenant {
				return flag.Rollout(n / 1000)
			}
			return flag.SaltedRollout(float64(n)/1000, salt).Stick(unit)
		}
		before, after := ins(t, "f", make(low), 50), ins(t, "f", make(high), 50)
		for i := range before {
			if before[i] && !after[i] {
				r.Fatalf("unit %d was in at %d and is out at %d", i, low, high)
			}
		}
	})
}

func TestASaltedRolloutTakesItsShare(t *testing.T) {
	const n = 20_000
	for _, tc := range []struct {
		percent    float64
		unit       flag.Unit
		from, upTo int
	}{{0, flag.ByTenant, 0, 0}, {100, flag.ByUser, n, n}, {50, flag.ByUser, 9_700, 10_300}, {0.5, flag.ByTenant, 60, 140}, {33.333, flag.ByTenant, 6_400, 6_940}} {
		if got := count(ins(t, "f", flag.SaltedRollout(tc.percent, "s").Stick(tc.unit), n)); got < tc.from || got > tc.upTo {
			t.Errorf("%v %% by %s: %d of %d", tc.percent, tc.unit, got, n)
		}
	}
}

func TestSaltsAndFlagsAndUnitsAreIndependent(t *testing.T) {
	base := ins(t, "f", flag.SaltedRollout(50, "s"), 400)
	for name, other := range map[string][]bool{
		"another salt": ins(t, "f", flag.SaltedRollout(50, "t"), 400), "another flag": ins(t, "g", flag.SaltedRollout(50, "s"), 400),
		"another unit":       ins(t, "f", flag.SaltedRollout(50, "s").Stick(flag.ByUser), 400),
		"a moved separator":  ins(t, "sf", flag.SaltedRollout(50, ""), 400),
		"the documented one": ins(t, "f", flag.Rollout(50), 400),
	} {
		same := 0
		for i := range base {
			if base[i] == other[i] {
				same++
			}
		}
		if same < 140 || same > 260 {
			t.Errorf("%s: %d of 400 are the same", name, same)
		}
	}
	if !slices.Equal(base, ins(t, "f", flag.SaltedRollout(50, "s"), 400)) {
		t.Error("the same rollout differs")
	}
}

// TestTheFirstRuleThatMatchesWins: sorting by priority is stable, and only the first match counts.
func TestTheFirstRuleThatMatchesWins(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(0, 8).Draw(r, "n")
		var rules []*flag.Rule
		want, best := -1, 0
		for i := range n {
			p, matches := rapid.IntRange(-2, 2).Draw(r, "priority"), rapid.Bool().Draw(r, "matches")
			rule := flag.WhenTenant("other").Return(i).WithPriority(p)
			if matches {
				rule = flag.WhenTenant("t").Return(i).WithPriority(p)
				if want < 0 || p < best {
					want, best = i, p
				}
			}
			rules = append(rules, rule)
		}
		st := memory.New()
		define(t, st, flag.Definition{Key: "f", Type: flag.TypeInt, DefaultValue: -1}, rules...)
		d, err := flag.NewEngine(st).Detail(as("t", ""), "f", "")
		if err != nil || d.Value != want {
			r.Fatalf("%+v, %v; want %d", d, err, want)
		}
		if want >= 0 && d.RuleID != rules[want].ID {
			r.Fatalf("the rule is %s, not %s", d.RuleID, rules[want].ID)
		}
	})
}
