package chat_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/value"
)

// The golden file is Haystack's own answers; conformance/oracle/dataclasses_cases.py remakes it.

var readers = map[string]func(*value.Dict) (value.Object, error){
	"ChatMessage":    func(d *value.Dict) (value.Object, error) { return chat.FromDict(d) },
	"FileContent":    func(d *value.Dict) (value.Object, error) { return chat.FileFromDict(d) },
	"ImageContent":   func(d *value.Dict) (value.Object, error) { return chat.ImageFromDict(d) },
	"StreamingChunk": func(d *value.Dict) (value.Object, error) { return chat.ChunkFromDict(d) },
	"openai":         func(d *value.Dict) (value.Object, error) { return chat.FromOpenAI(d) },
}

func TestAsHaystack(t *testing.T) {
	data, err := os.ReadFile("testdata/messages.jsonl")
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
		o, err := readers[value.ToStr(class)](fields.(*value.Dict))
		judge(t, i+1, want.(*value.Dict), o, err)
		n++
	}
	if n < 200 {
		t.Fatalf("only %d cases", n)
	}
}

func judge(t *testing.T, line int, want *value.Dict, o value.Object, err error) {
	t.Helper()
	if _, failed := want.Get("text"); failed {
		judgeError(t, line, want, o, err)
		return
	}
	if err != nil {
		t.Errorf("line %d: %v", line, err)
		return
	}
	if repr, _ := want.Get("repr"); value.ToStr(repr) != o.Repr() {
		t.Errorf("line %d: repr:\nwant %s\n got %s", line, value.ToStr(repr), o.Repr())
	}
	if d, _ := want.Get("dict"); value.Repr(d) != value.Repr(o.ToDict()) {
		t.Errorf("line %d: dict:\nwant %s\n got %s", line, value.Repr(d), value.Repr(o.ToDict()))
	}
	for form, strict := range map[string]bool{"openai": true, "openai_lax": false} {
		d, ok := want.Get(form)
		if !ok {
			continue
		}
		wire, err := o.(*chat.Message).ToOpenAI(strict)
		if _, failed := d.(*value.Dict).Get("text"); failed {
			judgeError(t, line, d.(*value.Dict), wire, err)
		} else if err != nil || value.Repr(d) != value.Repr(wire) {
			t.Errorf("line %d: %s:\nwant %s\n got %s, %v", line, form, value.Repr(d), value.Repr(wire), err)
		}
	}
}

// judgeError compares Haystack's own sentences; those of the interpreter about a wrong call are said in our own words.
func judgeError(t *testing.T, line int, want *value.Dict, got value.Value, err error) {
	t.Helper()
	text, _ := want.Get("text")
	s := value.ToStr(text)
	if err == nil {
		t.Errorf("line %d: want %s, got %s", line, s, value.Repr(got))
		return
	}
	f := fault.From(err)
	if f.Kind != fault.Invalid {
		t.Errorf("line %d: the error has the kind %s: %v", line, f.Kind, err)
	}
	if !strings.Contains(s, "__init__()") && f.Message != s {
		t.Errorf("line %d:\nwant %s\n got %s", line, s, f.Message)
	}
}

func TestUnknownFieldsAreErrors(t *testing.T) {
	for _, text := range []string{`{"role": "user", "content": "a", "bogus": 1}`, `{"_role": "user", "_content": [], "bogus": 1}`,
		`{"role": "user", "content": [{"tool_call": {"tool_name": "a", "arguments": {}, "bogus": 1}}]}`,
		`{"role": "user", "content": [{"image": {"base64_image": "", "bogus": 1}}]}`} {
		v, err := value.FromJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := chat.FromValue(v); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "bogus") && !strings.Contains(err.Error(), "Hint") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestAttributes(t *testing.T) {
	text := "hi"
	m := chat.FromAssistant(&text, chat.WithReasoning(&chat.ReasoningContent{Text: "r"}), chat.WithToolCalls(&chat.ToolCall{ToolName: "t"}))
	for name, want := range map[string]string{
		"role": "<ChatRole.ASSISTANT: 'assistant'>", "text": "'hi'", "texts": "['hi']", "name": "None", "meta": "{}",
		"tool_call": "ToolCall(tool_name='t', arguments={}, id=None, extra=None)", "tool_call_result": "None", "images": "[]", "file": "None",
		"reasoning": "ReasoningContent(reasoning_text='r', extra={})",
	} {
		if got, ok := m.Attr(name); !ok || value.Repr(got) != want {
			t.Errorf("%s: got %v, want %s", name, got, want)
		}
	}
	if _, ok := m.Attr("__dict__"); ok {
		t.Error("an attribute that templates must not see")
	}
	role, _ := m.Attr("role")
	if !value.Equal(role, value.Str("assistant")) || value.ToStr(role) != "ChatRole.ASSISTANT" {
		t.Error("a role must equal its text and print as its name")
	}
	if value.Truthy(&chat.Message{Role: chat.Assistant}) || !value.Truthy(m) {
		t.Error("a message is as true as it is long")
	}
}

func TestConstructors(t *testing.T) {
	id := "1"
	call := &chat.ToolCall{ToolName: "t", ID: &id}
	m := chat.FromTool(chat.NewToolResult("ok", call, false), nil)
	if got := len(m.ToolCallResults()); got != 1 || m.Role != chat.Tool {
		t.Errorf("got %s", m.Repr())
	}
	if _, err := chat.FromUserParts([]chat.Part{call}, nil, nil); fault.From(err) == nil || fault.From(err).Code != "TypeError" {
		t.Errorf("a tool call in a user message: got %v", err)
	}
	if _, err := chat.FromUserParts(nil, nil, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("no parts: got %v", err)
	}
	refused := chat.FromAssistant(nil, chat.WithToolCalls(call), chat.WithMessageMeta(value.NewDict("refusal", value.Str("no"))))
	if !refused.DropsRefusal() {
		t.Error("a refusal beside a tool call is dropped, and said to be")
	}
	if _, err := chat.ParseRole("nobody"); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

func FuzzFromDict(f *testing.F) {
	f.Add([]byte(`{"role": "user", "content": [{"text": "a"}, {"image": {"base64_image": "aGVsbG8="}}]}`))
	f.Add([]byte(`{"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}`))
	f.Add([]byte(`{"_role": "tool", "_content": [{"result": "a", "origin": {"tool_name": "t", "arguments": {}}, "error": false}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := value.FromJSON(data)
		if err != nil {
			return
		}
		d, ok := v.(*value.Dict)
		if !ok {
			return
		}
		for _, read := range []func(*value.Dict) (*chat.Message, error){chat.FromDict, chat.FromOpenAI} {
			m, err := read(d)
			if err != nil {
				if fault.KindOf(err) == fault.Internal {
					t.Fatal(err)
				}
				continue
			}
			again, err := chat.FromDict(m.ToDict())
			if err != nil || again.Repr() != m.Repr() {
				t.Fatalf("does not survive the way through its dict: %v\n%s", err, m.Repr())
			}
			if _, err := m.ToOpenAI(false); err != nil && fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
		}
	})
}

func FuzzGuessMIME(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic"))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"))
	f.Fuzz(func(_ *testing.T, data []byte) { chat.GuessMIME(data) })
}
