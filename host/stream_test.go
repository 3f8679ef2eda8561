package host

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/host/redact"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

const streamed = "sk-streamed-secret"

func ptr[T any](v T) *T { return &v }

// play sends chunks through a streamer and returns what came out, and every word of it in one text.
func play(t interface{ Fatal(...any) }, chunks ...*chat.StreamingChunk) ([]*chat.StreamingChunk, string) {
	set := &redact.Set{}
	set.Add(sealed.NewString(streamed))
	var out []*chat.StreamingChunk
	var all strings.Builder
	s := newStreamer(set, func(_ string, c *chat.StreamingChunk) error {
		if err := c.Check(); err != nil {
			return err
		}
		out = append(out, c)
		all.Write(value.AppendJSON(nil, c.ToDict()))
		return nil
	})
	for _, c := range chunks {
		if err := s.next(pipeline.StreamEvent{Component: "llm", Chunk: c}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	return out, all.String()
}

func texts(chunks []*chat.StreamingChunk) (text, reasoning, arguments string) {
	for _, c := range chunks {
		text += c.Content
		if c.Reasoning != nil {
			reasoning += c.Reasoning.Text
		}
		for _, call := range c.ToolCalls {
			if call.Arguments != nil {
				arguments += *call.Arguments
			}
		}
	}
	return text, reasoning, arguments
}

// Every field of a chunk that can hold words is cleaned.
func TestEveryFieldOfAChunkIsCleaned(t *testing.T) {
	secret := "it is " + streamed
	dict := value.NewDict("k", value.NewList(value.Str(secret)))
	origin := &chat.ToolCall{ToolName: "tool", Arguments: value.NewDict("a", value.Str(secret)), ID: ptr("1")}
	for name, chunk := range map[string]*chat.StreamingChunk{
		"content":     {Content: secret},
		"meta":        {Content: "x", Meta: dict},
		"reasoning":   {Index: ptr(0), Reasoning: &chat.ReasoningContent{Text: secret, Extra: dict}},
		"arguments":   {Index: ptr(0), ToolCalls: []*chat.ToolCallDelta{{Arguments: &secret}}},
		"tool name":   {Index: ptr(0), ToolCalls: []*chat.ToolCallDelta{{ToolName: &secret}}},
		"tool id":     {Index: ptr(0), ToolCalls: []*chat.ToolCallDelta{{ID: &secret, Extra: dict}}},
		"tool result": {Index: ptr(0), ToolCallResult: &chat.ToolCallResult{Text: &secret, Origin: origin}},
		"parts":       {Index: ptr(0), ToolCallResult: &chat.ToolCallResult{Parts: []chat.Part{&chat.TextContent{Text: secret}}, Origin: origin, Error: true}},
	} {
		t.Run(name, func(t *testing.T) {
			before := value.Repr(chunk.ToDict())
			out, all := play(t, chunk)
			if strings.Contains(all, streamed) || !strings.Contains(all, redact.Mark) || len(out) == 0 {
				t.Errorf("got %s", all)
			}
			if value.Repr(chunk.ToDict()) != before {
				t.Error("the component's own chunk was changed")
			}
		})
	}
}

// What is held back comes out in its place: before what is of another kind, and with the last chunk.
func TestWhatIsHeldBackComesInItsPlace(t *testing.T) {
	out, _ := play(t, &chat.StreamingChunk{Start: true, Content: "s"}, &chat.StreamingChunk{Content: "k"}, &chat.StreamingChunk{Content: "-no secret s"},
		&chat.StreamingChunk{Index: ptr(0), ToolCalls: []*chat.ToolCallDelta{{ToolName: ptr("t"), Arguments: ptr("{s")}}},
		&chat.StreamingChunk{FinishReason: "stop"})
	var said []string
	for _, c := range out {
		text, _, arguments := texts([]*chat.StreamingChunk{c})
		said = append(said, text+"|"+arguments+"|"+c.FinishReason)
	}
	if got, want := strings.Join(said, " "), "sk-no secret || s|| |{| |s| ||stop"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !out[0].Start {
		t.Error("the start of a chunk that was held back is lost")
	}
	out, _ = play(t, &chat.StreamingChunk{Index: ptr(0), Reasoning: &chat.ReasoningContent{Text: "thinks", Extra: &value.Dict{}}}, &chat.StreamingChunk{Content: "says s", FinishReason: "stop"})
	if text, reasoning, _ := texts(out); text != "says s" || reasoning != "thinks" || out[len(out)-1].FinishReason != "stop" {
		t.Errorf("text %q, reasoning %q", text, reasoning)
	}
}

// However a text is cut into chunks, what comes out is the text with the value replaced, whole and in order.
func TestCutsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{streamed, streamed[:9], "sk-", "s", " text ", "ü", streamed[3:]}), 0, 8).Draw(rt, "words")
		whole := strings.Join(words, "")
		set := &redact.Set{}
		set.Add(sealed.NewString(streamed))
		want := set.String(whole)
		var chunks []*chat.StreamingChunk
		kind := rapid.IntRange(0, 2).Draw(rt, "kind")
		for rest := whole; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(rt, "cut")
			piece := rest[:n]
			rest = rest[n:]
			switch kind {
			case 0:
				chunks = append(chunks, &chat.StreamingChunk{Content: piece})
			case 1:
				chunks = append(chunks, &chat.StreamingChunk{Index: ptr(0), Reasoning: &chat.ReasoningContent{Text: piece, Extra: &value.Dict{}}})
			case 2:
				chunks = append(chunks, &chat.StreamingChunk{Index: ptr(0), ToolCalls: []*chat.ToolCallDelta{{Index: 3, Arguments: &piece}}})
			}
		}
		if rapid.Bool().Draw(rt, "finish") && len(chunks) > 0 {
			chunks[len(chunks)-1].FinishReason = "stop"
		}
		out, _ := play(rt, chunks...)
		text, reasoning, arguments := texts(out)
		if got := text + reasoning + arguments; got != want {
			rt.Fatalf("%q became %q, want %q", whole, got, want)
		}
	})
}
