package value_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/pipeline/value"
)

// slowDict is a dict as a list of pairs that compares every key.
type slowDict []struct{ key, hash, val any }

func (s slowDict) find(hash any) int {
	for i := range s {
		if s[i].hash == hash {
			return i
		}
	}
	return -1
}

// A dict of any size and any mixture of keys does what a list of pairs does.
func TestDictIsLikeAListOfPairs(t *testing.T) {
	member := &value.Enum{Path: "p.E", Name: "A", Value: value.Str("k1"), Mixin: true}
	odd := []value.Value{value.Int(1), value.Float(1), value.Bool(true), value.None, value.Float(2.5), value.Bytes("k1"), member,
		value.Tuple{value.Str("k1"), value.Int(3)}, &value.Enum{Path: "p.E", Name: "B", Value: value.Str("k2")}}
	rapid.Check(t, func(t *rapid.T) {
		d, slow := &value.Dict{}, slowDict{}
		names := rapid.IntRange(1, 40).Draw(t, "names")
		keys := rapid.Custom(func(t *rapid.T) value.Value {
			if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
				return rapid.SampledFrom(odd).Draw(t, "key")
			}
			return value.Str("k" + string(rune('0'+rapid.IntRange(0, names-1).Draw(t, "name"))))
		})
		for n := range rapid.IntRange(0, 80).Draw(t, "steps") {
			key := keys.Draw(t, "key")
			hash, _ := value.HashKey(key)
			at := slow.find(hash)
			if got, ok := d.GetKey(key); ok != (at >= 0) || ok && got != slow[at].val {
				t.Fatalf("key %s: %v %v, want the %d-th of %v", value.Repr(key), got, ok, at, slow)
			}
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				if d.DeleteKey(key) != (at >= 0) {
					t.Fatalf("deleting %s", value.Repr(key))
				}
				if at >= 0 {
					slow = slices.Delete(slices.Clone(slow), at, at+1)
				}
			case 1:
				d = d.Clone()
			default:
				if d.SetKey(key, value.Int(n)); at >= 0 {
					slow[at].val = value.Value(value.Int(n))
				} else {
					slow = append(slow, struct{ key, hash, val any }{key, hash, value.Value(value.Int(n))})
				}
			}
			if d.Len() != len(slow) {
				t.Fatalf("%d entries, want %d", d.Len(), len(slow))
			}
			i := 0
			for k, v := range d.All() {
				if w := slow[i]; value.Repr(k) != value.Repr(w.key.(value.Value)) || v != w.val {
					t.Fatalf("entry %d is %s: %v, want %v", i, value.Repr(k), v, w)
				}
				if s, ok := k.(value.Str); ok {
					if got, ok := d.Get(string(s)); !ok || got != v {
						t.Fatalf("Get(%q) is %v", s, got)
					}
				}
				i++
			}
		}
	})
}
