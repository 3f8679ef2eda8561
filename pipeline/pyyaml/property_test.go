package pyyaml

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

var texts = rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z :'"#\n\-,&*!|>%@?=~.0-9]{0,40}`),
	rapid.SampledFrom([]string{
		"yes", "null", "~", "1", "1e3", "0x1f", "1:30", "=", "<<", "2024-01-01", "", " ", "\n", "---", "...", "- a", "a: b",
	}))

// scalars draws every sort of scalar that YAML holds; NaN is apart, since it equals nothing.
var scalars = rapid.Custom(func(t *rapid.T) value.Value {
	switch rapid.IntRange(0, 8).Draw(t, "sort") {
	case 0:
		return value.None
	case 1:
		return value.Bool(rapid.Bool().Draw(t, "bool"))
	case 2:
		return value.Int(rapid.Int64().Draw(t, "int"))
	case 3:
		return value.Float(rapid.Float64().Draw(t, "float"))
	case 4:
		n := new(big.Int).Lsh(big.NewInt(rapid.Int64Range(1, 1<<62).Draw(t, "big")), 64)
		return &value.BigInt{N: n}
	case 5:
		return value.Bytes(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
	case 6:
		seconds, micro := rapid.Int64Range(-60_000_000_000, 200_000_000_000), rapid.Int64Range(0, 999_999)
		d := time.Unix(seconds.Draw(t, "seconds"), micro.Draw(t, "micro")*1000).UTC()
		if rapid.Bool().Draw(t, "day") {
			return value.Date{Year: d.Year(), Month: int(d.Month()), Day: d.Day()}
		}
		return value.DateTime{Time: d, Aware: rapid.Bool().Draw(t, "aware")}
	}
	return value.Str(texts.Draw(t, "text"))
})

func values(depth int) *rapid.Generator[value.Value] {
	if depth == 0 {
		return scalars
	}
	return rapid.Custom(func(t *rapid.T) value.Value {
		sort := rapid.IntRange(0, 5).Draw(t, "container")
		if sort < 2 {
			return scalars.Draw(t, "scalar")
		}
		items := rapid.SliceOfN(values(depth-1), 0, 4).Draw(t, "items")
		if len(items) > 1 && rapid.IntRange(0, 4).Draw(t, "again") == 0 {
			items = append(items, items[0])
		}
		switch sort {
		case 2:
			return value.NewList(items...)
		case 3:
			return value.Tuple(items)
		}
		d := &value.Dict{}
		for i, item := range items {
			if i%2 == 0 || !d.SetKey(item, items[i-1]) {
				d.SetKey(scalars.Draw(t, "key"), item)
			}
		}
		return d
	})
}

// TestDumpThenLoad: what is written is read back as the same value, and written the same way again.
func TestDumpThenLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values(4).Draw(t, "value")
		text, err := Dump(v)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := Load([]byte(text), "", Limits{})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if !value.Equal(doc.Value(), v) {
			t.Fatalf("%q\nis %s\nnot %s", text, value.Repr(doc.Value()), value.Repr(v))
		}
		if again, _ := Dump(doc.Value()); again != text {
			t.Fatalf("%q\nbecomes %q", text, again)
		}
	})
}

func FuzzLoad(f *testing.F) {
	for _, s := range []string{"a: 1", "- [a, {b: c}]\n- |\n  x\n", "&a x: *a", "? a\n: b", "%TAG !e! x\n--- !e!y z", "<<: {a: 1}", "'a''b'", `"\x41\n"`,
		"a: >-\n  b\n\n  c", "!!python/tuple [1]", "!!set {a}", "!!binary aGk=", "2024-01-01 10:00:00", "[a: b, c", "\ufeff---\n...\n", "a:\tb"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		doc, err := Load(src, "f", Limits{})
		if err != nil {
			if e := fault.From(err); e.Kind == fault.Internal || e.Where.Line < 1 || e.Where.Column < 1 {
				t.Fatalf("Load(%q): %v has no kind or no place", src, err)
			}
			return
		}
		roundTrip(t, doc.Value())
	})
}

func FuzzDump(f *testing.F) {
	for _, s := range []string{"", "yes", "a: b\n- c", " x ", "a\n\nb", "é # x", "it's", "\x00\u2028", "word word word word word word word word word word word word word word word word word"} {
		f.Add(s, int64(len(s)), 1.5)
	}
	f.Fuzz(func(t *testing.T, s string, n int64, x float64) {
		text := value.Str([]rune(s)) // valid UTF-8 alone is a Str
		key := &value.Dict{}
		key.SetKey(text, value.Tuple{text, value.Int(n), value.Float(x), value.Bytes(s)})
		roundTrip(t, value.NewList(text, key, key, value.NewList(value.NewList(text))))
	})
}

// roundTrip checks that what Dump writes loads again and is written the same way.
func roundTrip(t *testing.T, v value.Value) {
	t.Helper()
	text, err := Dump(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := Load([]byte(text), "f", Limits{Bytes: 1 << 24, Nodes: 1 << 20})
	if err != nil {
		t.Fatalf("%q was written for %s: %v", text, value.Repr(v), err)
	}
	if again, _ := Dump(doc.Value()); again != text {
		t.Fatalf("%q\nbecomes %q", text, again)
	}
}

func BenchmarkLoad(b *testing.B) {
	text, err := Dump(benchValue())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Load([]byte(text), "", Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDump(b *testing.B) {
	v := benchValue()
	for b.Loop() {
		if _, err := Dump(v); err != nil {
			b.Fatal(err)
		}
	}
}

// benchValue has the shape of a pipeline with a hundred components.
func benchValue() value.Value {
	components := &value.Dict{}
	for i := range 100 {
		components.Set("component_"+string(rune('a'+i%26))+string(rune('a'+i/26)), value.NewDict(
			"type", value.Str("haystack.components.builders.prompt_builder.PromptBuilder"),
			"init_parameters", value.NewDict("template", value.Str("{% for d in docs %}\n{{ d.content }}\n{% endfor %}\n"),
				"required_variables", value.NewList(value.Str("docs")), "top_k", value.Int(10), "scale", value.Bool(true))))
	}
	return value.NewDict("components", components, "max_runs_per_component", value.Int(100))
}
