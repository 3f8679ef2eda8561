package document_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// The golden file is Haystack's own answers; conformance/oracle/dataclasses_cases.py remakes it.

var readers = map[string]func(*value.Dict) (value.Object, error){
	"Document":        func(d *value.Dict) (value.Object, error) { return document.FromDict(d) },
	"ByteStream":      func(d *value.Dict) (value.Object, error) { return document.BytesFromDict(d) },
	"SparseEmbedding": func(d *value.Dict) (value.Object, error) { return document.SparseFromDict(d) },
	"GeneratedAnswer": func(d *value.Dict) (value.Object, error) { return document.GeneratedFromDict(d) },
	"ExtractedAnswer": func(d *value.Dict) (value.Object, error) { return document.ExtractedFromDict(d) },
}

func TestAsHaystack(t *testing.T) {
	data, err := os.ReadFile("testdata/documents.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		v, err := value.FromJSON(line)
		if err != nil {
			t.Fatal(err)
		}
		c := v.(*value.Dict)
		class, _ := c.Get("class")
		fields, _ := c.Get("data")
		want, _ := c.Get("want")
		before := value.Repr(fields)
		o, err := readers[value.ToStr(class)](fields.(*value.Dict))
		judge(t, i+1, want.(*value.Dict), o, err)
		if after := value.Repr(fields); after != before {
			t.Errorf("line %d: reading changed its input", i+1)
		}
		n++
	}
	if n < 50 {
		t.Fatalf("only %d cases", n)
	}
}

func judge(t *testing.T, line int, want *value.Dict, o value.Object, err error) {
	t.Helper()
	if text, failed := want.Get("text"); failed {
		class, _ := want.Get("error")
		if err == nil {
			t.Errorf("line %d: want %s, got %s", line, value.ToStr(text), o.Repr())
		} else if f := fault.From(err); f.Kind != fault.Invalid || class == value.Str("ValueError") && f.Message != value.ToStr(text) {
			t.Errorf("line %d: want %s, got %v", line, value.ToStr(text), err)
		}
		return
	}
	if err != nil {
		t.Errorf("line %d: %v", line, err)
		return
	}
	if repr, _ := want.Get("repr"); value.ToStr(repr) != o.Repr() {
		t.Errorf("line %d: repr:\nwant %s\n got %s", line, value.ToStr(repr), o.Repr())
	}
	check := func(form string, got *value.Dict) {
		if d, ok := want.Get(form); ok && !sameText(d, got) {
			t.Errorf("line %d: %s:\nwant %s\n got %s", line, form, value.Repr(d), value.Repr(got))
		}
	}
	check("dict", o.ToDict())
	check("plain", value.ObjectDict(o))
	if compact := string(value.AppendJSON(nil, o)); compact != string(value.AppendJSON(nil, value.ObjectDict(o))) {
		t.Errorf("line %d: AppendJSON differs from the dict: %s", line, compact)
	}
}

// sameText compares values and, for dicts, their order; an int where Go holds a float is no difference.
func sameText(want, got value.Value) bool {
	if !value.Equal(want, got) {
		return false
	}
	x, ok := want.(*value.Dict)
	if !ok {
		return true
	}
	y := got.(*value.Dict)
	return value.Repr(keys(x)) == value.Repr(keys(y))
}

func keys(d *value.Dict) *value.List {
	out := &value.List{}
	for k := range d.All() {
		out.Items = append(out.Items, k)
	}
	return out
}

func TestDocumentedIDs(t *testing.T) {
	for content, want := range map[string]string{
		"hello": "75e6bf62", "": "d4675c57",
	} {
		if got := document.Text(content).ID; got[:8] != want {
			t.Errorf("%q: got %s, want %s...", content, got, want)
		}
	}
}

func TestEquality(t *testing.T) {
	a := document.Text("x")
	for name, c := range map[string]struct {
		b    *document.Document
		want bool
	}{
		"same":      {document.Text("x"), true},
		"content":   {document.Text("y"), false},
		"score":     {a.WithScore(1), false},
		"meta":      {a.WithMetaField("k", value.Int(1)), false},
		"embedding": {a.WithEmbedding([]float64{1}), false},
		"id":        {a.WithID("other"), false},
		"back":      {a.WithScore(1).WithoutScore(), true},
	} {
		if got := value.Equal(a, c.b); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if a.Meta.Len() != 0 || a.Score != nil {
		t.Error("a With method changed the original")
	}
}

func TestUnknownFieldsAreErrors(t *testing.T) {
	for class, read := range readers {
		if class == "Document" {
			continue // its unknown fields are meta
		}
		if _, err := read(value.NewDict("bogus", value.Int(1))); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v", class, err)
		}
	}
}

func TestIDOfMeta(t *testing.T) {
	mixed := &value.Dict{}
	mixed.SetKey(value.Str("a"), value.Int(1))
	mixed.SetKey(value.Int(1), value.Int(2))
	if _, err := document.New(document.Document{Meta: mixed}); fault.From(err) == nil || fault.From(err).Code != "TypeError" {
		t.Errorf("keys that do not sort: got %v", err)
	}
	x, err := document.New(document.Document{Meta: value.NewDict("d", value.Date{Year: 2024, Month: 1, Day: 2})})
	if err != nil {
		t.Fatal(err)
	}
	y, err := document.New(document.Document{Meta: value.NewDict("d", value.Str("2024-01-02"))})
	if err != nil || x.ID != y.ID {
		t.Errorf("a date must hash as its str: %v", err)
	}
}

func TestAttributes(t *testing.T) {
	d := document.Text("x").WithMetaField("k", value.Int(1))
	for name, want := range map[string]string{"content": "'x'", "meta": "{'k': 1}", "score": "None", "embedding": "None", "blob": "None",
		"sparse_embedding": "None", "content_type": "'text'", "id": "'" + d.ID + "'"} {
		if got, ok := d.Attr(name); !ok || value.Repr(got) != want {
			t.Errorf("%s: got %v, want %s", name, got, want)
		}
	}
	if _, ok := d.Attr("__class__"); ok {
		t.Error("an attribute that templates must not see")
	}
}

func BenchmarkID(b *testing.B) {
	embedding := make([]float64, 1536)
	for i := range embedding {
		embedding[i] = float64(i) / 7
	}
	content := string(bytes.Repeat([]byte("hello "), 200))
	for name, d := range map[string]document.Document{"text": {Content: &content}, "embedding": {Content: &content, Embedding: embedding}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := document.New(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkJSON(b *testing.B) {
	d := document.Text("hello world").WithMetaField("name", value.Str("a.txt")).WithEmbedding(make([]float64, 384))
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf = value.AppendJSON(buf[:0], d)
	}
}

func FuzzFromDict(f *testing.F) {
	f.Add([]byte(`{"content": "a", "meta": {"k": [1, 2.5]}, "embedding": [1, 2], "blob": {"data": [1]}}`))
	f.Add([]byte(`{"content": null, "sparse_embedding": {"indices": [1], "values": [2]}, "score": 1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := value.FromJSON(data)
		if err != nil {
			return
		}
		d, err := document.FromValue(v)
		if err != nil {
			if fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
			return
		}
		again, err := document.FromDict(d.PlainDict())
		if err != nil || value.Repr(again.PlainDict()) != value.Repr(d.PlainDict()) {
			t.Fatalf("does not survive the way through its dict: %v\n%s", err, d.Repr())
		}
	})
}
