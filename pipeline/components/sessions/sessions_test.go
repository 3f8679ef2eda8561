package sessions_test

import (
	"context"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/value"
)

type memory map[string][]*chat.Message

func (m memory) Messages(_ context.Context, session string) ([]*chat.Message, error) {
	return m[session], nil
}

func (m memory) Append(_ context.Context, session string, messages ...*chat.Message) error {
	m[session] = append(m[session], messages...)
	return nil
}

const talk = `components:
  history: {type: hayward.components.sessions.reader.SessionReader, init_parameters: {last_k: 4}}
  shown:
    type: haystack.components.converters.output_adapter.OutputAdapter
    init_parameters: {template: "{% for m in messages %}{{ m.role.value }}:{{ m.text }} {% endfor %}", output_type: str}
  keep: {type: hayward.components.sessions.writer.SessionWriter, init_parameters: {}}
connections:
  - {sender: history.messages, receiver: shown.messages}
`

func TestAConversationGoesOn(t *testing.T) {
	plan, err := pipeline.Load([]byte(talk), "talk.yml", components.Registry(), pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	kept := memory{}
	say := func(session, text string) string {
		now := value.NewList(chat.FromUser(text))
		answer := "re " + text
		res, err := plan.Run(t.Context(), value.NewDict("history", value.NewDict("messages", now),
			"keep", value.NewDict("messages", now, "replies", value.NewList(chat.FromAssistant(&answer)))),
			pipeline.WithRunContext(pipeline.RunContext{Memory: kept, Session: session}))
		if err != nil {
			t.Fatal(err)
		}
		shown, _ := res.Outputs.Get("shown")
		out, _ := shown.(*value.Dict).Get("output")
		return value.ToStr(out)
	}
	for _, step := range []struct{ session, text, want string }{
		{"a", "one", "user:one "},
		{"a", "two", "user:one assistant:re one user:two "},
		{"b", "other", "user:other "},
		{"a", "three", "user:one assistant:re one user:two assistant:re two user:three "},
		{"a", "four", "user:two assistant:re two user:three assistant:re three user:four "},
		{"", "nobody", "user:nobody "},
	} {
		if got := say(step.session, step.text); got != step.want {
			t.Errorf("%s %s: %q", step.session, step.text, got)
		}
	}
	if len(kept["a"]) != 8 || len(kept["b"]) != 2 || len(kept[""]) != 0 {
		t.Errorf("%v", kept)
	}
	_, err = plan.Run(t.Context(), value.NewDict("keep", value.NewDict("messages", value.NewList(value.Str("x")))))
	if err == nil || fault.KindOf(err) == fault.Internal {
		t.Errorf("%v", err)
	}
}

func TestBadParameters(t *testing.T) {
	_, err := pipeline.Load([]byte("components:\n  a: {type: hayward.components.sessions.reader.SessionReader, init_parameters: {last_k: -1}}\nconnections: []\n"),
		"p.yml", components.Registry(), pipeline.LoadOptions{})
	if !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}
