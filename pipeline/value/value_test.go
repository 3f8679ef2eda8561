package value_test

import (
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
	"pgregory.net/rapid"
)

// gen draws any value of the closed set of kinds.
func gen(depth int) *rapid.Generator[value.Value] {
	scalars := []*rapid.Generator[value.Value]{
		rapid.Just(value.None),
		rapid.Map(rapid.Bool(), func(b bool) value.Value { return value.Bool(b) }),
		rapid.Map(rapid.Int64(), func(n int64) value.Value { return value.Int(n) }),
		rapid.Map(rapid.Float64(), func(f float64) value.Value { return value.Float(f) }),
		rapid.Map(rapid.String(), func(s string) value.Value { return value.Str(strings.ToValidUTF8(s, "")) }),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 5), func(b []byte) value.Value { return value.Bytes(b) }),
		rapid.Map(rapid.Int64(), func(n int64) value.Value {
			return value.NewInt(new(big.Int).Mul(big.NewInt(n), big.NewInt(math.MaxInt64)))
		}),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	inner := gen(depth - 1)
	return rapid.OneOf(append(scalars,
		rapid.Map(rapid.SliceOfN(inner, 0, 4), func(v []value.Value) value.Value { return value.NewList(v...) }),
		rapid.Map(rapid.SliceOfN(inner, 0, 4), func(v []value.Value) value.Value { return value.Tuple(v) }),
		rapid.Map(rapid.SliceOfN(rapid.String(), 0, 4), func(keys []string) value.Value {
			d := &value.Dict{}
			for i, k := range keys {
				d.Set(strings.ToValidUTF8(k, ""), value.Int(i))
			}
			return d
		}))...)
}

func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := gen(2).Draw(t, "a"), gen(2).Draw(t, "b")
		if value.Equal(a, b) != value.Equal(b, a) {
			t.Fatal("equality has a direction")
		}
		c := value.DeepCopy(a)
		if value.Repr(c) != value.Repr(a) {
			t.Fatalf("a copy differs: %s", value.Repr(c))
		}
		ha, aok := value.HashKey(a)
		hb, bok := value.HashKey(b)
		if aok && bok && (ha == hb) != value.Equal(a, b) {
			t.Fatalf("%s and %s: hash and equality disagree", value.Repr(a), value.Repr(b))
		}
		if v, err := value.LiteralEval(value.Repr(a)); err == nil && value.Repr(v) != value.Repr(a) {
			t.Fatalf("literal_eval(repr(v)) is %s", value.Repr(v))
		}
		if x, err := value.Less(a, b); err == nil && x {
			if y, err := value.Less(b, a); err != nil || y {
				t.Fatal("a < b and b < a")
			}
		}
		if _, err := value.FromJSON(value.AppendJSON(nil, a)); err != nil {
			t.Fatalf("AppendJSON wrote no JSON: %v", err)
		}
	})
}

func TestIntLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := value.Int(rapid.Int64().Draw(t, "a"))
		b := value.Int(rapid.Int64().Filter(func(n int64) bool { return n != 0 }).Draw(t, "b"))
		div, err := value.FloorDiv(a, b)
		if err != nil {
			t.Fatal(err)
		}
		mod, _ := value.Mod(a, b)
		product, _ := value.Mul(div, b)
		sum, _ := value.Add(product, mod)
		if !value.Equal(sum, a) {
			t.Fatalf("%v // %v * %v + %v %% %v is %s", a, b, b, a, b, value.Repr(sum))
		}
		diff, _ := value.Sub(sum, a)
		if diff != value.Int(0) {
			t.Fatal("a - a is not 0")
		}
		if back, err := value.ParseInt(value.Repr(product)); err != nil || !value.Equal(back, product) {
			t.Fatal("an int does not survive its text")
		}
	})
}

func TestRecursiveValues(t *testing.T) {
	l := value.NewList(value.Int(1))
	l.Items = append(l.Items, l)
	d := value.NewDict("l", l)
	d.Set("d", d)
	if got := value.Repr(l); got != "[1, [...]]" {
		t.Errorf("got %s", got)
	}
	if got := value.Repr(d); got != "{'l': [1, [...]], 'd': {...}}" {
		t.Errorf("got %s", got)
	}
	if _, err := value.ToJSON(l, value.JSONOptions{}); fault.From(err) == nil || fault.From(err).Message != "Circular reference detected" {
		t.Errorf("got %v", err)
	}
	if c := value.DeepCopy(l).(*value.List); c == l || c.Items[1] != value.Value(c) {
		t.Error("a copy must hold itself where the original does")
	}
	value.AppendJSON(nil, l)
	value.ToGo(l)
	if !value.Equal(l, l) {
		t.Error("a list that holds itself equals itself")
	}
}

func TestDeepNesting(t *testing.T) {
	var v value.Value = value.NewList()
	for range 100_000 {
		v = value.NewList(v)
	}
	if !strings.Contains(value.Repr(v), "[...]") {
		t.Error("repr must stop somewhere")
	}
	value.Equal(v, value.NewList(v))
	if _, err := value.ToJSON(v, value.JSONOptions{}); !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v", err)
	}
	if _, err := value.FromJSON([]byte(strings.Repeat("[", value.MaxJSONDepth+1) + strings.Repeat("]", value.MaxJSONDepth+1))); !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v", err)
	}
	if _, err := value.FromJSONLimits([]byte("[1,2,3]"), value.JSONLimits{Nodes: 3}); !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestLimitsOfArithmetic(t *testing.T) {
	big := value.Int(math.MaxInt64)
	for name, f := range map[string]func() (value.Value, error){
		"power":        func() (value.Value, error) { return value.Pow(value.Int(10), value.Int(100_000)) },
		"tower":        func() (value.Value, error) { return value.Pow(big, big) },
		"text":         func() (value.Value, error) { return value.Mul(value.Str("abc"), big) },
		"list":         func() (value.Value, error) { return value.Mul(value.NewList(value.None), big) },
		"literal":      func() (value.Value, error) { return value.LiteralEval("0x" + strings.Repeat("f", 5000)) },
		"long literal": func() (value.Value, error) { return value.LiteralEval(strings.Repeat(" ", value.MaxLiteralBytes+1)) },
		"concatenation": func() (value.Value, error) {
			s := value.Str(strings.Repeat("a", value.MaxRepeat))
			return value.Add(s, s)
		},
	} {
		if _, err := f(); !fault.Is(err, fault.TooLarge) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, base := range []int64{0, 1, -1} {
		if _, err := value.Pow(value.Int(base), big); err != nil {
			t.Errorf("%d ** max: %v", base, err)
		}
	}
}

func TestEnum(t *testing.T) {
	role := &value.Enum{Path: "a.b.ChatRole", Name: "USER", Value: value.Str("user"), Mixin: true}
	plain := &value.Enum{Path: "a.b.Policy", Name: "SKIP", Value: value.Str("skip")}
	if !value.Equal(role, value.Str("user")) || value.Equal(plain, value.Str("skip")) || !value.Equal(plain, plain) {
		t.Error("only a str enum equals its text")
	}
	if value.ToStr(role) != "ChatRole.USER" || value.Repr(role) != "<ChatRole.USER: 'user'>" {
		t.Error(value.ToStr(role), value.Repr(role))
	}
	if got := string(value.AppendJSON(nil, value.NewList(role, plain))); got != `["user","skip"]` {
		t.Error(got)
	}
	if s, err := value.ToJSON(role, value.JSONOptions{}); err != nil || s != `"user"` {
		t.Error(s, err)
	}
	if _, err := value.ToJSON(plain, value.JSONOptions{}); fault.From(err) == nil {
		t.Error("json.dumps refuses a plain enum")
	}
	d := &value.Dict{}
	d.SetKey(role, value.Int(1))
	if v, ok := d.GetKey(value.Str("user")); !ok || v != value.Int(1) {
		t.Error("a str enum is the same key as its text")
	}
}

func TestCompactJSON(t *testing.T) {
	d := &value.Dict{}
	for i, k := range []value.Value{value.Str("s\n\"é\u2028"), value.Int(1), value.Float(1.5), value.Bool(true), value.None, value.Tuple{value.Int(1)}} {
		d.SetKey(k, value.Int(i))
	}
	set, _ := value.NewSet(value.Int(2))
	v := value.NewList(d, value.Float(math.NaN()), value.Float(math.Inf(1)), value.Bytes("a\x00"), value.Tuple{value.Int(1)}, set,
		value.Date{Year: 2024, Month: 2, Day: 3}, value.DateTime{Time: time.Date(2024, 2, 3, 4, 5, 6, 7000, time.UTC), Aware: true}, value.Float(1e16), nil)
	// The key 1 and the key True are one.
	want := "[{\"s\\n\\\"é\u2028\":0,\"1\":3,\"1.5\":2,\"null\":4,\"(1,)\":5},null,null,[97,0],[1],[2],\"2024-02-03\"," +
		"\"2024-02-03T04:05:06.000007+00:00\",1e+16,null]"
	if got := string(value.AppendJSON(nil, v)); got != want {
		t.Errorf("\nwant %s\n got %s", want, got)
	}
}

func TestGoData(t *testing.T) {
	in := map[string]any{"b": []any{1, int64(2), 2.5, "x", nil, true, []byte("y")}, "a": uint64(math.MaxUint64), "c": []string{"z"}}
	v, err := value.FromGo(in)
	if err != nil {
		t.Fatal(err)
	}
	if got := value.Repr(v); got != "{'a': 18446744073709551615, 'b': [1, 2, 2.5, 'x', None, True, b'y'], 'c': ['z']}" {
		t.Error(got)
	}
	out := value.ToGo(v).(map[string]any)
	if !reflect.DeepEqual(out["b"], []any{int64(1), int64(2), 2.5, "x", nil, true, []byte("y")}) {
		t.Errorf("got %#v", out)
	}
	if _, err := value.FromGo(struct{}{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

func TestJSONErrorsHaveAPlace(t *testing.T) {
	_, err := value.FromJSON([]byte("{\n  \"é\": x}"))
	f := fault.From(err)
	if f == nil || f.Where.Line != 2 || f.Where.Column != 8 || f.Code != "JSONDecodeError" {
		t.Errorf("got %+v", f)
	}
	if _, err := value.FromJSON([]byte("\"\xff\"")); fault.From(err).Code != "UnicodeDecodeError" {
		t.Errorf("got %v", err)
	}
}

func TestFields(t *testing.T) {
	d := value.NewDict("s", value.Str("x"), "n", value.Int(1), "f", value.Int(2), "b", value.Bool(true), "none", value.None)
	f := value.ReadFields("Thing", d, "s", "n", "f", "b", "none")
	if f.Str("s") != "x" || f.Int("n") != 1 || f.Float("f") != 2 || !f.Bool("b", false) || f.OptStr("none") != nil || f.Bool("gone", true) != true {
		t.Error("a field was read wrongly")
	}
	if f.Err() != nil {
		t.Error(f.Err())
	}
	if f.Str("none"); f.Err() == nil {
		t.Error("a missing field must be a problem")
	}
	if f := value.ReadFields("Thing", d, "s"); !fault.Is(f.Err(), fault.Invalid) {
		t.Error("an unknown field must be a problem")
	}
}

func sample() value.Value {
	items := &value.List{}
	for i := range 100 {
		items.Items = append(items.Items, value.NewDict("id", value.Int(i), "score", value.Float(float64(i)/7), "text",
			value.Str("The quick brown fox, \"it's\" said, jumps over é."), "tags", value.NewList(value.Str("a"), value.None, value.Bool(true))))
	}
	return items
}

func BenchmarkRepr(b *testing.B) {
	v := sample()
	b.SetBytes(int64(len(value.Repr(v))))
	b.ReportAllocs()
	for b.Loop() {
		value.Repr(v)
	}
}

func BenchmarkToStr(b *testing.B) {
	for name, v := range map[string]value.Value{"str": value.Str("hello"), "int": value.Int(123456), "float": value.Float(1.0 / 3)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				value.ToStr(v)
			}
		})
	}
}

func BenchmarkFromJSON(b *testing.B) {
	data := value.AppendJSON(nil, sample())
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := value.FromJSON(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	v := sample()
	buf := value.AppendJSON(nil, v)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = value.AppendJSON(buf[:0], v)
	}
}

func BenchmarkToJSON(b *testing.B) {
	v := sample()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := value.ToJSON(v, value.JSONOptions{SortKeys: true}); err != nil {
			b.Fatal(err)
		}
	}
}

// What CPython 3.11 says of bytes % args.
func TestFormatBytes(t *testing.T) {
	b := func(s string) value.Bytes { return value.Bytes(s) }
	for _, tc := range []struct {
		format string
		args   value.Value
		want   string // repr, or class and message
	}{
		{"%s", b("a"), "b'a'"}, {"%5s|%-5s", value.Tuple{b("\xff"), b("b")}, `b'    \xff|b    '`}, {"%.1s", b("ab"), "b'a'"},
		{"%r", value.Str("é"), `b"'\\xe9'"`}, {"%a", b("x"), `b"b'x'"`}, {"%c", value.Int(65), "b'A'"}, {"%c", b("z"), "b'z'"},
		{"%c", value.Bool(true), `b'\x01'`}, {"%d", value.Int(3), "b'3'"}, {"%x", value.Int(255), "b'ff'"}, {"%5.1f", value.Float(2.25), "b'  2.2'"},
		{"", value.NewDict(), "b''"}, {"x", value.Tuple{}, "b'x'"}, {"%%", value.Tuple{}, "b'%'"}, {"%*d", value.Tuple{value.Int(5), value.Int(1)}, "b'    1'"},
		{"", value.NewList(value.Int(1)), "b''"}, {"%i", value.Float(2.7), "b'2'"}, {"%u", value.Int(7), "b'7'"},
		{"%s", value.Str("a"), "TypeError: %b requires a bytes-like object, or an object that implements __bytes__, not 'str'"},
		{"%c", b("zz"), "TypeError: %c requires an integer in range(256) or a single byte"}, {"%c", value.Int(300), "OverflowError: %c arg not in range(256)"},
		{"%c", value.Float(1.5), "TypeError: %c requires an integer in range(256) or a single byte"},
		{"%d", b("x"), "TypeError: %d format: a real number is required, not bytes"}, {"%q", value.Int(1), "ValueError: unsupported format character 'q' (0x71) at index 1"},
		{"%\xe9", value.Int(1), "OverflowError: character argument not in range(0x110000)"}, {"", value.Int(1), "TypeError: not all arguments converted during bytes formatting"},
		{"", b("x"), "TypeError: not all arguments converted during bytes formatting"}, {"%(a)s", value.NewDict("a", b("q")), "KeyError: b'a'"},
		{"%(a)s", value.Int(1), "TypeError: format requires a mapping"}, {"%f", value.Str("x"), "TypeError: float argument required, not str"},
	} {
		out, err := value.FormatBytes(b(tc.format), tc.args)
		got := value.Repr(out)
		if err != nil {
			f := fault.From(err)
			got = f.Code + ": " + f.Message
		}
		if got != tc.want {
			t.Errorf("%q %% %s: %s, want %s", tc.format, value.Repr(tc.args), got, tc.want)
		}
	}
}
