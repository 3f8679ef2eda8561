package flag_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// FuzzRules: rules as JSON are refused with a reason, or stored, read back the same, and evaluated without a panic.
func FuzzRules(f *testing.F) {
	for _, s := range []string{
		`[{"type":"when_tenant","config":{"tenant_ids":["a"]},"return_value":true}]`,
		`[{"type":"rollout","config":{"percentage":50},"return_value":true,"priority":-1},{"type":"rollout","config":{"thousandths":1,"salt":"s","stick_to":"user"},"return_value":false}]`,
		`[{"type":"segment","config":{"conditions":[{"attribute":"a","op":"matches","values":["^x"]},{"attribute":"b","op":"semver_gt","values":["1.2.3-rc.1"],"negate":true}]},"return_value":true}]`,
		`[{"type":"segment","config":{"conditions":[{"attribute":"n","op":"lt","values":[5]},{"attribute":"a","op":"equals","values":[null,1e400,{"x":[1]}]}]},"return_value":true}]`,
		`[{"type":"split","config":{"distribution":[{"variant":"on","weight":1},{"variant":"off","weight":999999999}]}}]`,
		`[{"type":"schedule","config":{"start_at":"2026-01-01T00:00:00Z"},"return_value":true}]`,
		`[{"type":"custom","config":{"evaluator":"e","params":{"a":[1,{"b":2.5}]}},"return_variant":"on"}]`, `[null]`, `[{}]`,
	} {
		f.Add([]byte(s), "x1.2.3")
	}
	st := memory.New()
	define(f, st, flag.Definition{Key: "f", Type: flag.TypeBool, DefaultValue: false, Variants: []flag.Variant{{Name: "on", Value: true}, {Name: "off", Value: false}}})
	e := flag.NewEngine(st)
	f.Fuzz(func(t *testing.T, b []byte, attr string) {
		var rules []*flag.Rule
		if json.Unmarshal(b, &rules) != nil {
			return
		}
		if err := st.SetFlagRules(operator, "f", "myapp", rules); err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.TooLarge {
				t.Fatalf("%v (%s)", err, k)
			}
			return
		}
		got, err := st.GetFlagRules(operator, "f", "myapp")
		if err != nil || len(got) != len(rules) {
			t.Fatalf("%v %v", got, err)
		}
		if err := st.SetFlagRules(operator, "f", "myapp", got); err != nil {
			t.Fatalf("what was read back is refused: %v", err)
		}
		again, err := st.GetFlagRules(operator, "f", "myapp")
		for i := range again {
			again[i].UpdatedAt = got[i].UpdatedAt
		}
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("%v became %v, %v", got, again, err)
		}
		ctx := flag.WithAttributes(as("t", "u"), flag.Attributes{"a": attr, "b": attr, "n": len(attr)})
		if _, err := e.Explain(ctx, "f", ""); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%v", err)
		}
	})
}

// FuzzVersion: the order of versions is one: whatever is read equals itself and is turned round by exchange.
func FuzzVersion(f *testing.F) {
	for _, s := range []string{"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "v2", "1.2+b", "01.0.0", "1.0.0-01", "1..0"} {
		f.Add(s, "1.0.0")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, err := flag.ParseVersion(a)
		y, err2 := flag.ParseVersion(b)
		if err == nil && flag.CompareVersions(x, x) != 0 {
			t.Fatalf("%q is not itself", a)
		}
		if err == nil && err2 == nil && flag.CompareVersions(x, y) != -flag.CompareVersions(y, x) {
			t.Fatalf("%q and %q have no order", a, b)
		}
	})
}

func TestVersionsInOrder(t *testing.T) {
	order := []string{"0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "v1", "1.0.1", "1.2", "1.10.0", "2.0.0",
		"99999999999999999999999.0.0"}
	for i := range order {
		for j := range order {
			a, err := flag.ParseVersion(order[i])
			b, err2 := flag.ParseVersion(order[j])
			if got := flag.CompareVersions(a, b); err != nil || err2 != nil || (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s and %s: %d, %v, %v", order[i], order[j], got, err, err2)
			}
		}
	}
	for _, bad := range []string{"", "v", "1.2.3.4", "1.x", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+", "1-rc", "1.0.0-é"} {
		if _, err := flag.ParseVersion(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
