package value_test

import (
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// What JSON reads, JSON writes back the same; an error is never an internal one.
func FuzzFromJSON(f *testing.F) {
	for _, s := range []string{`{"a": [1, 2.5, null, true, "x\u00e9"], "a": {}}`, `1e400`, `"\ud83d\ude00"`, `-0`, `NaN`, `[[[]]]`, `{"a" 1}`, "\"\x80\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := value.FromJSON(data)
		if err != nil {
			if fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
			return
		}
		for _, o := range []value.JSONOptions{{}, {RawUnicode: true}} {
			text, err := value.ToJSON(v, o)
			if err != nil {
				t.Fatal(err)
			}
			again, err := value.FromJSON([]byte(text))
			if err != nil || value.Repr(again) != value.Repr(v) {
				t.Fatalf("%q reads back as %v, %v", text, again, err)
			}
		}
		if _, err := value.FromJSON(value.AppendJSON(nil, v)); err != nil {
			t.Fatal(err)
		}
	})
}

// What literal_eval reads, repr writes, and literal_eval reads again.
func FuzzLiteralEval(f *testing.F) {
	for _, s := range []string{"[1, 2.5, 'a', b'x', None, (1,), {1: {2}}]", "1,000", "-1", "'\\N{BULLET}'", "set()", "0x1F", "1_000", "'''a\nb'''", "{'a': "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.LiteralEval(text)
		if err != nil {
			if fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
			return
		}
		r := value.Repr(v)
		again, err := value.LiteralEval(r)
		if err != nil {
			if r != "inf" && !containsInf(v) {
				t.Fatalf("%q gives %s, which is refused: %v", text, r, err)
			}
			return
		}
		if value.Repr(again) != r {
			t.Fatalf("%q gives %s, then %s", text, r, value.Repr(again))
		}
	})
}

// containsInf reports whether v holds an infinity, whose repr is no literal.
func containsInf(v value.Value) bool {
	switch v := v.(type) {
	case value.Float:
		return v-v != 0
	case *value.List:
		return anyInf(v.Items)
	case value.Tuple:
		return anyInf(v)
	case *value.Set:
		return anyInf(v.Items())
	case *value.Dict:
		for k, it := range v.All() {
			if containsInf(k) || containsInf(it) {
				return true
			}
		}
	}
	return false
}

func anyInf(items []value.Value) bool {
	for _, it := range items {
		if containsInf(it) {
			return true
		}
	}
	return false
}

func FuzzFormat(f *testing.F) {
	for _, s := range []string{"%s %d", "%(a)s", "%-5.2f%%", "%*d", "%x%o%c", "%", "%10"} {
		f.Add(s, "a", int64(5), 1.5)
	}
	f.Fuzz(func(t *testing.T, format, s string, n int64, x float64) {
		for _, args := range []value.Value{value.Tuple{value.Str(s), value.Int(n), value.Float(x)}, value.Int(n), value.NewDict("a", value.Str(s))} {
			if _, err := value.Format(format, args); err != nil && fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
		}
	})
}
