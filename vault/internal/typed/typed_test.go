package typed_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/internal/typed"
)

func back(t interface{ Fatalf(string, ...any) }, v any) any {
	e, err := typed.Encode(v)
	if err != nil {
		t.Fatalf("%T %v: %v", v, v, err)
	}
	out, err := typed.Decode(e)
	if err != nil {
		t.Fatalf("%T %v written as %v: %v", v, v, e, err)
	}
	return out
}

func TestEveryValueComesBackAsItWas(t *testing.T) {
	for _, v := range []any{nil, true, false, "", "text \"quoted\" \x00 é <&>", 30 * time.Second, time.Duration(math.MinInt64),
		int(7), int8(-8), int16(16), int32(32), int64(1<<53 + 1), int64(math.MinInt64), uint(7), uint8(255), uint16(16), uint32(32), uint64(math.MaxUint64),
		float32(0.1), 0.1, 3.0, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1),
		map[string]any{"a": []any{int64(1<<53 + 1), 1.5, "x", nil, true, uint64(math.MaxUint64)}, "<b>": map[string]any{}}, []any{}} {
		if got := back(t, v); !reflect.DeepEqual(got, v) || math.Signbit(asFloat(got)) != math.Signbit(asFloat(v)) {
			t.Errorf("%T %v came back as %T %v", v, v, got, got)
		}
	}
}

func asFloat(v any) float64 { f, _ := v.(float64); return f }

func TestOtherValuesBecomeWhatTheyMean(t *testing.T) {
	type named string
	type point struct {
		X int64 `json:"x"`
	}
	for _, tc := range []struct{ in, want any }{
		{named("n"), "n"}, {json.Number("9007199254740993"), int64(9007199254740993)}, {json.Number("0.5"), 0.5},
		{json.Number("123456789012345678901234567890"), json.Number("123456789012345678901234567890")},
		{json.RawMessage(`{"a": 1e2, "b": 0.1}`), map[string]any{"a": int64(100), "b": 0.1}},
		{json.RawMessage(`1e400`), json.Number("1e400")}, {json.RawMessage(`0.1000000000000000055`), json.Number("0.1000000000000000055")},
		{point{1<<53 + 1}, map[string]any{"x": int64(1<<53 + 1)}}, {[]string{"a"}, []any{"a"}}, {map[string]int{"a": 1}, map[string]any{"a": int64(1)}},
	} {
		if got := back(t, tc.in); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%T %v came back as %T %v, want %T %v", tc.in, tc.in, got, got, tc.want, tc.want)
		}
	}
}

func TestWhatIsNoValueIsRefused(t *testing.T) {
	deep := any(1)
	for range 100 {
		deep = []any{deep}
	}
	secret := sealed.New([]byte("sk-secret"))
	for _, v := range []any{math.NaN(), math.Inf(1), float32(math.Inf(-1)), "\xff", []byte("x"), func() {}, make(chan int), complex(1, 2), secret, &secret,
		map[string]any{"s": secret}, json.RawMessage(`{`), json.RawMessage(`{} {}`), json.RawMessage(``), json.Number("12x"), deep, json.RawMessage(`[1e5000]`), json.Number("1e-99999999999999999999"),
		json.RawMessage(strings.Repeat("9", 5000)),
		strings.Repeat("x", typed.MaxSize), json.RawMessage("[" + strings.Repeat("1,", typed.MaxSize) + "1]"), map[string]any{"a": math.NaN()}} {
		e, err := typed.Encode(v)
		if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) {
			t.Errorf("%T was written as %.60v, %v", v, e, err)
		}
		if err != nil && strings.Contains(err.Error(), "sk-secret") {
			t.Errorf("%v", err)
		}
	}
	for _, e := range []typed.Encoded{{"int8", "300"}, {"int", "x"}, {"bool", "maybe"}, {"json", "{"}, {"what", "1"}, {"string", "bare"}, {"float32", "1e40"}} {
		if v, err := typed.Decode(e); err == nil {
			t.Errorf("%v was read as %v", e, v)
		}
	}
}

func TestReadingAsAnotherType(t *testing.T) {
	const no = "no"
	for _, tc := range []struct {
		v             any
		i, f, b, s, d any
		name, kind    string
	}{
		{int32(5), int64(5), 5.0, no, no, no, "an integer", "int"},
		{uint64(math.MaxUint64), no, no, no, no, no, "an integer", "int"},
		{int64(1<<53 + 1), int64(1<<53 + 1), no, no, no, no, "an integer", "int"},
		{int64(math.MaxInt64), int64(math.MaxInt64), no, no, no, no, "an integer", "int"},
		{uint64(1) << 63, no, 9.223372036854775808e18, no, no, no, "an integer", "int"},
		{3.0, int64(3), 3.0, no, no, no, "a number", "float"},
		{3.9, no, 3.9, no, no, no, "a number", "float"},
		{1e17, no, 1e17, no, no, no, "a number", "float"},
		{float32(0.1), no, 0.1, no, no, no, "a number", "float"},
		{true, no, no, true, no, no, "a bool", "bool"},
		{"1m30s", no, no, no, "1m30s", 90 * time.Second, "text", "string"},
		{"30", no, no, no, "30", no, "text", "string"},
		{time.Minute, no, no, no, no, time.Minute, "a duration", "duration"},
		{nil, no, no, no, no, no, "null", "json"},
		{json.Number("1e400"), no, no, no, no, no, "a number too long for a float", "json"},
		{map[string]any{}, no, no, no, no, no, "a JSON object", "json"},
		{[]any{}, no, no, no, no, no, "a JSON array", "json"},
	} {
		check := func(what string, got any, err error, want any) {
			if want == no {
				if !fault.Is(err, fault.Invalid) || fault.From(err).Code != typed.CodeMismatch {
					t.Errorf("%v as %s: %v, %v", tc.v, what, got, err)
				}
			} else if err != nil || got != want {
				t.Errorf("%v as %s: %v, %v, want %v", tc.v, what, got, err, want)
			}
		}
		i, err := typed.AsInt(tc.v)
		check("int", i, err, tc.i)
		f, err := typed.AsFloat(tc.v)
		check("float", f, err, tc.f)
		b, err := typed.AsBool(tc.v)
		check("bool", b, err, tc.b)
		s, err := typed.AsString(tc.v)
		check("string", s, err, tc.s)
		d, err := typed.AsDuration(tc.v)
		check("duration", d, err, tc.d)
		if typed.Name(tc.v) != tc.name || typed.Type(tc.v) != tc.kind {
			t.Errorf("%v is %s, %s", tc.v, typed.Name(tc.v), typed.Type(tc.v))
		}
	}
	var target struct{ N int64 }
	if err := typed.AsJSON(map[string]any{"N": int64(1<<53 + 1)}, &target); err != nil || target.N != 1<<53+1 {
		t.Errorf("%v %v", target, err)
	}
	if err := typed.AsJSON("text", &target); fault.From(err).Code != typed.CodeMismatch || strings.Contains(err.Error(), `"text"`) {
		t.Errorf("text as a struct: %v", err)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	v := map[string]any{"a": []any{map[string]any{"b": int64(1)}}}
	c := typed.Clone(v).(map[string]any)
	c["a"].([]any)[0].(map[string]any)["b"] = int64(2)
	if v["a"].([]any)[0].(map[string]any)["b"] != int64(1) {
		t.Error("a clone's change reached the original")
	}
}

func TestEqual(t *testing.T) {
	for _, tc := range []struct {
		a, b any
		want bool
	}{{1, int64(1), true}, {1, 1.0, true}, {int64(1 << 53), float64(1<<53 + 2), false}, {0.5, float32(0.5), true}, {"a", "a", true}, {"a", true, false}, {nil, nil, true},
		{nil, 0, false}, {map[string]any{"a": []any{1}}, map[string]any{"a": []any{int64(1)}}, true}, {[]any{1}, []any{2}, false}, {time.Second, int64(time.Second), false}} {
		if typed.Equal(tc.a, tc.b) != tc.want || typed.Equal(tc.b, tc.a) != tc.want {
			t.Errorf("%v and %v: want %v", tc.a, tc.b, tc.want)
		}
	}
}

// TestTheCodecsLaw: reading and writing again changes nothing, and no digit of an integer is lost.
func TestTheCodecsLaw(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		v := rapid.OneOf(rapid.Int64().AsAny(), rapid.Uint64().AsAny(), rapid.Float64Range(-1e300, 1e300).AsAny(), rapid.String().AsAny(), rapid.Int32().AsAny(),
			rapid.Float32Range(-1e30, 1e30).AsAny()).Draw(r, "v")
		if got := back(r, v); !reflect.DeepEqual(got, v) {
			r.Fatalf("%T %v came back as %T %v", v, v, got, got)
		}
	})
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,"x",null,true]}`, `1e400`, `-0`, `0.10`, `9007199254740993`, `1E+2`, `[[[]]]`, `{"$secret":"K"}`, `"\ud800"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !json.Valid(b) {
			if v, err := typed.ParseJSON(b); err == nil {
				t.Fatalf("%q was read as %v", b, v)
			}
			return
		}
		e, err := typed.Encode(json.RawMessage(b))
		if err != nil {
			return
		}
		v, err := typed.Decode(e)
		if err != nil {
			t.Fatalf("%q written as %v: %v", b, e, err)
		}
		again, err := typed.Encode(json.RawMessage(e.Text))
		if err != nil || again != e || !typed.Equal(v, back(t, json.RawMessage(e.Text))) {
			t.Fatalf("%q: %v became %v, %v", b, e, again, err)
		}
	})
}
