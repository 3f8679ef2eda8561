package pyre

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// The golden file is Python's own answers; conformance/oracle/values.py remakes it.

type goldenCase struct {
	line      int
	op        string
	args      []string
	want      value.Value
	err, text string
}

func loadGolden(t testing.TB) []goldenCase {
	t.Helper()
	data, err := os.ReadFile("testdata/regexps.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out []goldenCase
	for i, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		v, err := value.FromJSON(line)
		if err != nil {
			t.Fatal(err)
		}
		d := v.(*value.Dict)
		get := func(key string) value.Value { v, _ := d.Get(key); return v }
		text := func(key string) string { s, _ := get(key).(value.Str); return string(s) }
		c := goldenCase{line: i + 1, op: text("op"), want: untuple(get("want")), err: text("error"), text: text("text")}
		for _, a := range get("args").(*value.List).Items {
			c.args = append(c.args, string(a.(value.Str)))
		}
		out = append(out, c)
	}
	if len(out) < 1000 {
		t.Fatalf("only %d cases", len(out))
	}
	return out
}

// untuple reads {"$tuple": [...]}.
func untuple(v value.Value) value.Value {
	switch v := v.(type) {
	case *value.List:
		out := &value.List{}
		for _, it := range v.Items {
			out.Items = append(out.Items, untuple(it))
		}
		return out
	case *value.Dict:
		if items, ok := v.Get("$tuple"); ok {
			return value.Tuple(items.(*value.List).Items)
		}
		out := &value.Dict{}
		for k, it := range v.All() {
			out.SetKey(k, untuple(it))
		}
		return out
	}
	return v
}

func TestPythonRe(t *testing.T) {
	for _, c := range loadGolden(t) {
		got, err := c.run(t.Context())
		switch {
		case c.err != "" && err == nil:
			t.Errorf("line %d: %s %q: want %s: %s, got %s", c.line, c.op, c.args, c.err, c.text, value.Repr(got))
		case c.err != "":
			if f := fault.From(err); f.Message != c.text && "'"+f.Message+"'" != c.text {
				t.Errorf("line %d: %s %q: want %s: %s, got %s: %s", c.line, c.op, c.args, c.err, c.text, f.Code, f.Message)
			}
		case err != nil:
			t.Errorf("line %d: %s %q: %v", c.line, c.op, c.args, err)
		case !value.Equal(c.want, got):
			t.Errorf("line %d: %s %q:\nwant %s\n got %s", c.line, c.op, c.args, value.Repr(c.want), value.Repr(got))
		}
	}
}

func (c goldenCase) run(ctx context.Context) (value.Value, error) {
	if c.op == "escape" {
		return value.Str(Escape(c.args[0])), nil
	}
	r, err := Compile(c.args[0], 0)
	if err != nil {
		return nil, err
	}
	switch c.op {
	case "compile":
		return value.Str("ok"), nil
	case "sub":
		s, err := r.Sub(ctx, c.args[1], c.args[2], 0)
		return value.Str(s), err
	}
	return everything(ctx, r, c.args[1])
}

func everything(ctx context.Context, r *Regexp, s string) (value.Value, error) {
	var failed error
	out := &value.Dict{}
	put := func(name string, v value.Value, err error) {
		if err != nil && failed == nil {
			failed = err
		}
		out.Set(name, v)
	}
	all, err := r.FindAll(ctx, s)
	put("findall", all, err)
	m, err := r.Search(ctx, s)
	put("search", span(m), err)
	m, err = r.Match(ctx, s)
	put("match", span(m), err)
	m, err = r.FullMatch(ctx, s)
	put("fullmatch", span(m), err)
	l, err := r.Split(ctx, s, 0)
	put("split", l, err)
	l, err = r.Split(ctx, s, 1)
	put("split1", l, err)
	sub, err := r.Sub(ctx, `<\g<0>>`, s, 0)
	put("sub", value.Str(sub), err)
	sub, err = r.Sub(ctx, "-", s, 2)
	put("sub2", value.Str(sub), err)
	return out, failed
}

func span(m *Match) value.Value {
	if m == nil {
		return value.None
	}
	return value.NewList(append([]value.Value{value.Int(m.Start(0)), value.Int(m.End(0))}, m.Values()...)...)
}

func TestRunawayPatternStops(t *testing.T) {
	r := MustCompile(`(a+)+$`, 0, Timeout(200*time.Millisecond))
	text := strings.Repeat("a", 40) + "!"
	if _, err := r.Search(t.Context(), text); !fault.Is(err, fault.Timeout) && !fault.Is(err, fault.Limited) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	slow := MustCompile(`(a+)+$`, 0, Timeout(time.Hour))
	start := time.Now()
	if _, err := slow.FindAll(ctx, text); !fault.Is(err, fault.Timeout) && !fault.Is(err, fault.Limited) {
		t.Errorf("got %v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("the deadline of the context was passed by %s", d)
	}
	canceled, stop := context.WithCancel(t.Context())
	stop()
	if _, err := slow.Search(canceled, "a"); !fault.Is(err, fault.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLimits(t *testing.T) {
	for name, pattern := range map[string]string{"length": strings.Repeat("a", MaxPattern+1), "nesting": strings.Repeat("(", 200) + strings.Repeat(")", 200),
		"repetition": "a{1000000}", "groups": strings.Repeat("()", 2000)} {
		if _, err := Compile(pattern, 0); !fault.Is(err, fault.TooLarge) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestOffsets(t *testing.T) {
	r := MustCompile(`(?P<word>\w+)(x)?`, 0)
	m, err := r.Search(t.Context(), "é— añb")
	if err != nil || m == nil {
		t.Fatal(m, err)
	}
	all, err := r.FindIter(t.Context(), "é— añb")
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	last := all[1]
	start, end := last.ByteSpan(0)
	if last.Start(0) != 3 || last.End(0) != 6 || start != 6 || end != 10 {
		t.Errorf("got %d %d %d %d", last.Start(0), last.End(0), start, end)
	}
	if s, ok := last.Named("word"); !ok || s != "añb" {
		t.Errorf("got %q %v", s, ok)
	}
	if s, ok := last.Group(2); ok || last.Start(2) != -1 {
		t.Errorf("got %q %v", s, ok)
	}
	if n, ok := r.GroupIndex("word"); n != 1 || !ok || r.Groups() != 2 || r.Names()["word"] != 1 {
		t.Error("the names of the groups are wrong")
	}
	words, err := r.FindStrings(t.Context(), "a bc")
	if err != nil || len(words) != 2 || words[1] != "bc" {
		t.Errorf("got %q %v", words, err)
	}
}

func FuzzCompile(f *testing.F) {
	seen := map[string]bool{}
	for _, c := range loadGolden(f) {
		if !seen[c.args[0]] {
			f.Add(c.args[0], "some text 123 é")
		}
		seen[c.args[0]] = true
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		r, err := Compile(pattern, 0, Timeout(50*time.Millisecond))
		if err != nil {
			if fault.KindOf(err) == fault.Internal || fault.KindOf(err) == fault.Unsupported && !strings.Contains(pattern, `\`) {
				t.Fatalf("%q: %v", pattern, err)
			}
			return
		}
		matches, err := r.FindIter(t.Context(), text)
		if err != nil {
			return
		}
		last := 0
		for _, m := range matches {
			if m.Start(0) < last && m.Start(0) != m.End(0) || m.End(0) < m.Start(0) {
				t.Fatalf("%q on %q: a match at %d..%d after %d", pattern, text, m.Start(0), m.End(0), last)
			}
			last = m.End(0)
		}
	})
}

func BenchmarkTokens(b *testing.B) {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog, 42 times. ", 200)
	for name, pattern := range map[string]string{"words": `(?u)\b\w+\b`, "cjk": `[^\W\u4e00-\u9fff]+|[\u4e00-\u9fff]`} {
		r := MustCompile(pattern, 0)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := r.FindStrings(b.Context(), text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
