package inputs_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/inputs"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

type nothing struct {
	Done bool
}

func of[I any](name string) *component.Type {
	return component.Define(component.Definition[I, nothing]{Name: "haystack.t." + name, New: func(*component.Builder) (func(context.Context, *component.Env, I) (nothing, error), error) {
		return func(context.Context, *component.Env, I) (nothing, error) { return nothing{}, nil }, nil
	}})
}

var registry = component.NewRegistry([]*component.Type{
	of[struct {
		Text  string
		Count int         `default:"5"`
		Score *float64    `default:"None"`
		On    bool        `default:"true"`
		Tags  []string    `default:"None"`
		Any   value.Value `default:"None"`
	}]("Plain"),
	of[struct {
		Documents []*document.Document
		Messages  []*chat.Message `default:"None"`
		Meta      *value.Dict     `default:"None"`
	}]("Data"),
	of[struct {
		Sources []*document.ByteStream
		One     *document.ByteStream `default:"None"`
	}]("Files"),
}, nil)

func plan(t testing.TB, yaml string) *pipeline.Plan {
	t.Helper()
	p, err := pipeline.Load([]byte(yaml), "p", registry, pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const declaredYAML = `
components:
  a: {type: haystack.t.Plain}
  d: {type: haystack.t.Data}
  f: {type: haystack.t.Files}
inputs:
  query: a.text
  count: a.count
  score: a.score
  "on": a.on
  tags: a.tags
  docs: d.documents
  msgs: d.messages
  files: f.sources
`

const plainYAML = `
components:
  a: {type: haystack.t.Plain}
  d: {type: haystack.t.Data}
`

func dict(t testing.TB, json string) *value.Dict {
	t.Helper()
	v, err := value.FromJSON([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return v.(*value.Dict)
}

// base is the mandatory inputs of declaredYAML, for cases about others.
const base = `"query": "q", "docs": [], "files": []`

func TestDeclaredInputs(t *testing.T) {
	p := plan(t, declaredYAML)
	for _, tc := range []struct{ name, given, want, code, says string }{
		{"spread over their sockets", `{` + base + `, "count": 3}`, `'count': 3`, "", ""},
		{"defaults may be left out", `{` + base + `}`, `{'a': {'text': 'q'}, 'd': {'documents': []}, 'f': {'sources': []}}`, "", ""},
		{"all that is missing", `{"count": 1}`, "", inputs.CodeMissing, "missing inputs: query, docs, files"},
		{"one that is not there", `{` + base + `, "cuont": 1}`, "", inputs.CodeUnknown, "no input 'cuont'"},
		{"not nested", `{"a": {"text": "q"}}`, "", inputs.CodeUnknown, "no input 'a'"},
		{"null for an Optional", `{` + base + `, "score": null}`, `'score': None`, "", ""},
		{"null for another", `{` + base + `, "count": null}`, "", inputs.CodeType, "valid integer"},
		{"digits stay", `{` + base + `, "count": 123456789012345678901234567890}`, `'count': 123456789012345678901234567890`, "", ""},
		{"text for an int", `{` + base + `, "count": " 7 "}`, `'count': 7`, "", ""},
		{"a whole float for an int", `{` + base + `, "count": 7.0}`, `'count': 7`, "", ""},
		{"a fraction for an int", `{` + base + `, "count": 7.5}`, "", inputs.CodeType, "fractional part"},
		{"words for an int", `{` + base + `, "count": "x"}`, "", inputs.CodeType, "unable to parse string as an integer"},
		{"a list for an int", `{` + base + `, "count": []}`, "", inputs.CodeType, "count: Input should be a valid integer"},
		{"NaN for an int", `{` + base + `, "count": NaN}`, "", inputs.CodeType, "count:"},
		{"an int for a float", `{` + base + `, "score": 1}`, `'score': 1.0`, "", ""},
		{"text for a float", `{` + base + `, "score": "1e2"}`, `'score': 100.0`, "", ""},
		{"words for a float", `{` + base + `, "score": "0x1p4"}`, "", inputs.CodeType, "unable to parse string as a number"},
		{"a number for a string", `{"query": 1, "docs": [], "files": []}`, "", inputs.CodeType, "query: Input should be a valid string"},
		{"words for a bool", `{` + base + `, "on": "OFF"}`, `'on': False`, "", ""},
		{"a number for a bool", `{` + base + `, "on": 1}`, `'on': True`, "", ""},
		{"other words for a bool", `{` + base + `, "on": "maybe"}`, "", inputs.CodeType, "unable to interpret"},
		{"several that do not fit", `{"query": 1, "docs": [], "files": [], "on": [], "score": "x"}`, "", inputs.CodeType, "query: Input should be a valid string; score: Input should be a valid number, unable to parse string as a number; on: Input"},
		{"documents", `{"query": "q", "files": [], "docs": [{"content": "c"}]}`, `Document(`, "", ""},
		{"messages", `{` + base + `, "msgs": [{"role": "user", "content": [{"text": "hi"}]}]}`, `ChatMessage(`, "", ""},
		{"bytes", `{"query": "q", "docs": [], "files": [{"data": [104], "meta": {}, "mime_type": null}]}`, `ByteStream(`, "", ""},
		{"a component is no message", `{` + base + `, "msgs": [{"type": "haystack.t.Plain", "init_parameters": {}}]}`, "", "", "ChatMessage"},
		{"a component is only a document's meta", `{"query": "q", "files": [], "docs": [{"type": "haystack.t.Plain"}]}`, `meta: {'type': 'haystack.t.Plain'}`, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in, err := inputs.Read(p, inputs.Request{Given: dict(t, tc.given), DeclaredOnly: true})
			if tc.says != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.says) || (tc.code != "" && fault.From(err).Code != tc.code) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || in.BeyondDeclared {
				t.Fatalf("%v, beyond %v", err, in.BeyondDeclared)
			}
			if got := value.Repr(in.Inputs); !strings.Contains(got, tc.want) {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestMissingInputsAreListed(t *testing.T) {
	_, err := inputs.Read(plan(t, declaredYAML), inputs.Request{DeclaredOnly: true})
	var missing *inputs.MissingError
	if !errors.As(err, &missing) || strings.Join(missing.Names, ",") != "query,docs,files" {
		t.Errorf("got %v", err)
	}
}

// Haystack's own forms reach every open socket, and say so; a form that only uses declared names does not.
func TestFormsAndTheWall(t *testing.T) {
	with, without := plan(t, declaredYAML), plan(t, plainYAML)
	for _, tc := range []struct {
		name   string
		p      *pipeline.Plan
		given  string
		beyond bool
		want   string
		says   string
	}{
		{"nothing, declared", with, `{}`, false, "", "missing inputs"},
		{"declared names", with, `{` + base + `}`, false, `'text': 'q'`, ""},
		{"nested", with, `{"a": {"text": "q"}, "d": {"documents": [{"content": "x"}]}, "f": {"sources": []}}`, true, `Document(`, ""},
		{"a declared name and a socket", with, `{` + base + `, "any": 1}`, true, `'any': 1`, ""},
		{"a declared name and a socket, spread", with, `{` + base + `, "any": 1}`, true, `'sources': []`, ""},
		{"flat", with, `{"text": "q", "documents": [{"content": "x"}], "sources": []}`, true, `Document(`, ""},
		{"a name that is nowhere", with, `{"text": "q", "txet": 1}`, true, "", "no input 'txet'"},
		{"nothing, nothing declared", without, `{}`, true, `{}`, ""},
		{"nested, nothing declared", without, `{"a": {"text": "q"}}`, true, `{'a': {'text': 'q'}}`, ""},
		{"flat, nothing declared", without, `{"text": "q", "meta": {"a": {"b": 1}}}`, true, `{'a': {'text': 'q'}, 'd': {'meta': {'a': {'b': 1}}}}`, ""},
		{"flat with dictionaries only", without, `{"meta": {"x": 1}}`, true, `{'d': {'meta': {'x': 1}}}`, ""},
		{"an unknown component is the engine's to name", without, `{"b": {"text": "q"}}`, true, `{'b': {'text': 'q'}}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in, err := inputs.Read(tc.p, inputs.Request{Given: dict(t, tc.given)})
			if tc.says != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.says) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || in.BeyondDeclared != tc.beyond || !strings.Contains(value.Repr(in.Inputs), tc.want) {
				t.Errorf("%v, beyond %v, %s", err, in.BeyondDeclared, value.Repr(in.Inputs))
			}
		})
	}
}

// The flat form gives a value to every open socket of its name, decoded by the type of each.
func TestFlatReachesEverySocket(t *testing.T) {
	p := plan(t, "components:\n  a: {type: haystack.t.Plain}\n  b: {type: haystack.t.Plain}\n")
	in, err := inputs.Read(p, inputs.Request{Given: dict(t, `{"text": "q", "count": 1.0}`)})
	if err != nil || value.Repr(in.Inputs) != `{'a': {'text': 'q', 'count': 1.0}, 'b': {'text': 'q', 'count': 1.0}}` {
		t.Errorf("%v %s", err, value.Repr(in.Inputs))
	}
}

func file(field, name, content string) inputs.File {
	return inputs.File{Field: field, Name: name, ContentType: "text/plain; charset=utf-8", Data: []byte(content)}
}

func TestUploads(t *testing.T) {
	const sink = "components:\n  f: {type: haystack.t.Files}\n"
	for _, tc := range []struct {
		name, yaml, given string
		files             []inputs.File
		want, says        string
		beyond            bool
	}{
		{"a declared name", sink + "inputs: {files: f.sources}\n", `{}`, []inputs.File{file("files", "a.txt", "x"), file("files", "b.txt", "y")}, `'sources': [ByteStream(`, "", false},
		{"another name goes to the declared sources", sink + "inputs: {files: f.sources}\n", `{}`, []inputs.File{file("upload", "a.txt", "x")}, `'sources': [ByteStream(`, "", false},
		{"nothing is declared", sink, `{}`, []inputs.File{file("x", "a.txt", "x")}, `'sources': [ByteStream(`, "", true},
		{"beside what is given", sink + "inputs: {files: f.sources}\n", `{"files": [{"data": [1], "meta": {}, "mime_type": null}]}`, []inputs.File{file("files", "a.txt", "x")}, `ByteStream(`, "", false},
		{"the last element of a path", sink, `{}`, []inputs.File{file("x", `C:\Users\me\a.txt`, "x")}, `{'file_path': 'a.txt'}`, "", true},
		{"a name that is none", sink, `{}`, []inputs.File{file("x", `..`, "x")}, `meta={}`, "", true},
		{"one where one is taken", sink + "inputs: {files: f.sources, one: f.one}\n", `{"files": []}`, []inputs.File{file("one", "a.txt", "x")}, `'one': ByteStream(`, "", false},
		{"two where one is taken", sink + "inputs: {files: f.sources, one: f.one}\n", `{"files": []}`, []inputs.File{file("one", "a", "x"), file("one", "b", "y")}, "", "takes one file", false},
		{"no sources are declared", "components:\n  a: {type: haystack.t.Plain}\ninputs: {query: a.text}\n", `{"query": "q"}`, []inputs.File{file("x", "a", "x")}, "", `no input for the uploaded file in field "x"`, false},
		{"an input that takes text", "components:\n  a: {type: haystack.t.Plain}\ninputs: {query: a.text}\n", `{}`, []inputs.File{file("query", "a", "x")}, "", "takes no files: its type is str", false},
		{"an input that takes anything", "components:\n  a: {type: haystack.t.Plain}\ninputs: {query: a.text, any: a.any}\n", `{"query": "q"}`, []inputs.File{file("any", "a", "x")}, "ByteStream(", "", false},
		{"undeclared sources stay out of reach", sink + "  a: {type: haystack.t.Plain}\ninputs: {query: a.text}\n", `{"query": "q"}`, []inputs.File{file("x", "a", "x")}, "", "no input for the uploaded file", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in, err := inputs.Read(plan(t, tc.yaml), inputs.Request{Given: dict(t, tc.given), Files: tc.files, Text: true})
			if tc.says != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.says) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || in.BeyondDeclared != tc.beyond || !strings.Contains(value.Repr(in.Inputs), tc.want) {
				t.Errorf("%v, beyond %v, %s", err, in.BeyondDeclared, value.Repr(in.Inputs))
			}
		})
	}
}

// A form has only text: what a socket takes decides what it means.
func TestFormText(t *testing.T) {
	for _, tc := range []struct{ yaml, given, want string }{
		{declaredYAML, `{"query": "12", "docs": "[{\"content\": \"c\"}]", "files": "[]"}`, `'text': '12'`},
		{declaredYAML, `{"query": "q", "docs": "[]", "files": "[]", "count": "12", "on": "false"}`, `'count': 12, 'on': False`},
		{declaredYAML, `{"query": "q", "docs": "[]", "files": "[]", "tags": "one"}`, `'tags': ['one']`},
		{declaredYAML, `{"query": "q", "docs": "[]", "files": "[]", "tags": ["one", "two"]}`, `'tags': ['one', 'two']`},
		{declaredYAML, `{"query": "q", "docs": "[]", "files": "[]", "tags": "[\"one\"]"}`, `'tags': ['one']`},
		{plainYAML, `{"text": "1", "count": "12"}`, `{'a': {'text': '1', 'count': 12}}`},
	} {
		in, err := inputs.Read(plan(t, tc.yaml), inputs.Request{Given: dict(t, tc.given), Text: true})
		if err != nil || !strings.Contains(value.Repr(in.Inputs), tc.want) {
			t.Errorf("%s gives %v %s", tc.given, err, value.Repr(in.Inputs))
		}
	}
}

// Whoever may use declared inputs only reaches no other socket, whatever he sends.
func TestTheWallHolds(t *testing.T) {
	p := plan(t, declaredYAML)
	allowed := map[string]bool{}
	for _, in := range p.Declared().Inputs {
		for _, s := range in.Targets {
			allowed[s.String()] = true
		}
	}
	words := rapid.SampledFrom([]string{"query", "count", "tags", "docs", "files", "a", "d", "f", "text", "any", "meta", "one", "sources", "documents", "x"})
	rapid.Check(t, func(rt *rapid.T) {
		given := &value.Dict{}
		for range rapid.IntRange(0, 4).Draw(rt, "keys") {
			inner := value.Value(value.Str("v"))
			switch rapid.IntRange(0, 2).Draw(rt, "form") {
			case 0:
				inner = value.NewDict(words.Draw(rt, "inner"), value.Str("v"))
			case 1:
				inner = value.NewList()
			}
			given.Set(words.Draw(rt, "key"), inner)
		}
		var files []inputs.File
		if rapid.Bool().Draw(rt, "upload") {
			files = append(files, file(words.Draw(rt, "field"), "a", "x"))
		}
		in, err := inputs.Read(p, inputs.Request{Given: given, DeclaredOnly: rapid.Bool().Draw(rt, "only"), Text: rapid.Bool().Draw(rt, "text"), Files: files})
		if err != nil || in.BeyondDeclared {
			return
		}
		for comp, sockets := range in.Inputs.Strings() {
			for name := range sockets.(*value.Dict).Strings() {
				if !allowed[comp+"."+name] {
					rt.Fatalf("%s reaches %s.%s", value.Repr(given), comp, name)
				}
			}
		}
	})
}

// Whatever comes, reading it does not panic, an error is the sender's, and what was given is not changed.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"query":"q"}`, `{"a":{"text":1}}`, `{"docs":[{"content":"x","meta":{"a":[{}]}}]}`, `{"msgs":[{"_role":"user","_content":[{}]}]}`, `{"files":[{"data":[256]}]}`,
		`{"tags":"[1"}`, `{"meta":{"a":{"b":1}}}`, `{"count":"٣"}`} {
		f.Add(s, true, false, "files")
		f.Add(s, false, true, "any")
	}
	plans := []*pipeline.Plan{plan(f, declaredYAML), plan(f, plainYAML)}
	f.Fuzz(func(t *testing.T, text string, only, form bool, field string) {
		v, err := value.FromJSON([]byte(text))
		given, ok := v.(*value.Dict)
		if err != nil || !ok {
			return
		}
		before := value.Repr(given)
		for _, p := range plans {
			in, err := inputs.Read(p, inputs.Request{Given: given, DeclaredOnly: only, Text: form, Files: []inputs.File{file(field, field, text)}})
			if k := fault.KindOf(err); err != nil && k != fault.Invalid && k != fault.TooLarge && k != fault.Unsupported {
				t.Errorf("%s is %s: %v", text, k, err)
			}
			if err == nil && in.Inputs == nil {
				t.Error("no inputs and no error")
			}
		}
		if value.Repr(given) != before {
			t.Errorf("%s was changed to %s", before, value.Repr(given))
		}
	})
}
