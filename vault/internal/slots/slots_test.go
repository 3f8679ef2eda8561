package slots_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/vault/internal/slots"
)

func TestACacheForgetsWhatChanged(t *testing.T) {
	c := slots.New[int]()
	k, other := slots.Key{App: "a", Tenant: "t", Name: "n"}, slots.Key{App: "a:t", Tenant: "", Name: "n"}
	put := func(k slots.Key, v int) { c.Put(k, c.Begin(k), v) }
	check := func(what string, k slots.Key, want int, there bool) {
		t.Helper()
		if v, ok := c.Get(k); ok != there || v != want {
			t.Errorf("%s: %d %v", what, v, ok)
		}
	}
	check("empty", k, 0, false)
	put(k, 1)
	check("put", k, 1, true)
	check("somebody else's", other, 0, false)
	begun := c.Begin(k)
	c.Changed("a", "n")
	check("changed", k, 0, false)
	c.Put(k, begun, 2)
	check("put what was read before the change", k, 0, false)
	put(k, 3)
	c.Clear()
	check("cleared", k, 0, false)
	if n := testing.AllocsPerRun(100, func() { c.Get(k) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestACacheNeverMixesUp: whatever was put and changed, Get returns the last value of exactly that key, or nothing.
func TestACacheNeverMixesUp(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := slots.New[string]()
		want := map[slots.Key]string{}
		part := rapid.SampledFrom([]string{"", "a", "b", "a:b", ":"})
		for i := range rapid.IntRange(0, 60).Draw(r, "n") {
			k := slots.Key{App: part.Draw(r, "app"), Tenant: part.Draw(r, "tenant"), Name: part.Draw(r, "name")}
			if rapid.Bool().Draw(r, "put") {
				want[k] = fmt.Sprint(i)
				c.Put(k, c.Begin(k), want[k])
			} else {
				c.Changed(k.App, k.Name)
				for have := range want {
					if have.App == k.App && have.Name == k.Name {
						delete(want, have)
					}
				}
			}
			if v, ok := c.Get(k); ok && v != want[k] {
				r.Fatalf("%v: %s, want %q", k, v, want[k])
			}
		}
	})
}
