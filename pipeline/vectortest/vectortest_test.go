package vectortest

import (
	"strings"
	"testing"

	"github.com/haywardhq/hayward/pipeline/value"
)

// Every data class in the vectors must survive the way into Go and back.
func TestRoundTripOfAllVectors(t *testing.T) {
	n := 0
	check := func(where string, v value.Value) {
		plain, err := Decode(v)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			return
		}
		var d differ
		d.compare("", withoutPaths(v), Encode(plain))
		if len(d.lines) > 0 {
			t.Errorf("%s:\n%s", where, strings.Join(d.lines, "\n"))
		}
		n++
	}
	for _, c := range LoadLines(t, "component_calls.jsonl") {
		name, _ := c.Get("test")
		for _, part := range []string{"inputs", "outputs", "stores", "stores_after"} {
			if v, ok := c.Get(part); ok {
				check(value.ToStr(name)+" "+part, v)
			}
		}
	}
	runs := Load(t, "pipeline_run.json") // its documents are flattened: only the decoded forms can be compared
	plain, err := Decode(runs)
	if err != nil {
		t.Fatal(err)
	}
	if d := Diff(runs, plain); d != "" {
		t.Errorf("pipeline_run.json:\n%s", d)
	}
	if n < 500 {
		t.Fatalf("only %d values checked", n)
	}
}

// withoutPaths turns {"$path": p} into p, which is what Decode does.
func withoutPaths(v value.Value) value.Value {
	switch v := v.(type) {
	case *value.List:
		out := &value.List{}
		for _, it := range v.Items {
			out.Items = append(out.Items, withoutPaths(it))
		}
		return out
	case *value.Dict:
		if p, ok := v.Get("$path"); ok {
			return p
		}
		out := &value.Dict{}
		for k, it := range v.All() {
			out.SetKey(k, withoutPaths(it))
		}
		return out
	}
	return v
}

func TestNotation(t *testing.T) {
	for text, want := range map[string]string{
		`{"$tuple": [1, [2]]}`:                             "(1, [2])",
		`{"$set": [1, 1.0, "a"]}`:                          "{1, 'a'}",
		`{"$bytes": [97, 0]}`:                              `b'a\x00'`,
		`{"$path": "a/b"}`:                                 "'a/b'",
		`{"$datetime": "2024-01-02T03:04:05"}`:             "datetime.datetime(2024, 1, 2, 3, 4, 5)",
		`{"$datetime": "2024-01-02T03:04:05.5+00:00"}`:     "datetime.datetime(2024, 1, 2, 3, 4, 5, 500000, tzinfo=datetime.timezone.utc)",
		`{"$date": "2024-01-02"}`:                          "datetime.date(2024, 1, 2)",
		`{"$enum": "ChatRole.USER"}`:                       "<ChatRole.USER: 'user'>",
		`{"$type": "TextContent", "text": "x"}`:            "TextContent(text='x')",
		`{"$type": "Document", "id": "i", "content": "c"}`: "Document(id=i, content: 'c')",
		`{"a": {"$tuple": []}}`:                            "{'a': ()}",
	} {
		v, err := DecodeJSON([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := value.Repr(v); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{`{"$tuple": 1}`, `{"$what": 1}`, `{"$tuple": [], "a": 1}`, `{"$type": "Nope"}`, `{"$bytes": [256]}`,
		`{"$set": [[]]}`, `{"$datetime": "soon"}`, `{"$enum": "USER"}`} {
		if v, err := DecodeJSON([]byte(text)); err == nil {
			t.Errorf("%s decoded to %s", text, value.Repr(v))
		}
	}
}

func TestDiffSaysWhere(t *testing.T) {
	for _, c := range []struct{ want, got, diff string }{
		{`{"a": [1, 2]}`, `{"a": [1, 2]}`, ""},
		{`{"a": [1, 2]}`, `{"a": [1, 3]}`, ".a[1]: want 2, got 3"},
		{`1`, `1.0`, "(top): want 1, got 1.0"},
		{`1`, `true`, "(top): want 1, got True"},
		{`{"score": 1}`, `{"score": 1.0}`, ""},
		{`{"$set": [1, 2]}`, `{"$set": [2, 1]}`, ""},
		{`{"$tuple": [1]}`, `[1]`, "(top): want {'$tuple': [1]}, got [1]"},
		{`{"a": 1}`, `{"b": 1}`, ".a: want 1, got nothing\n.b: want nothing, got 1"},
		{`[1]`, `[]`, "(top): want 1 items, got 0: want [1], got []"},
	} {
		want, _ := value.FromJSON([]byte(c.want))
		got, _ := DecodeJSON([]byte(c.got))
		if d := Diff(want, got); d != c.diff {
			t.Errorf("Diff(%s, %s) = %q, want %q", c.want, c.got, d, c.diff)
		}
	}
	if d := DiffWithin(value.Float(1), value.Float(1+1e-12), 1e-9); d != "" {
		t.Error(d)
	}
	if d := DiffWithin(value.Float(1), value.Float(1.1), 1e-9); d == "" {
		t.Error("1.1 passes for 1")
	}
}
