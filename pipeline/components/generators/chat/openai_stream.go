package chat

import (
	"errors"
	"io"
	"sort"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/sse"
	"github.com/haywardhq/hayward/pipeline/value"
)

// maxChunks bounds how many chunks one reply may have.
const maxChunks = 1 << 20

// readStream passes each chunk on as it arrives, and makes one reply of all of them.
func (g *OpenAIChatGenerator) readStream(env *component.Env, resp *response) ([]*chat.Message, error) {
	events := sse.NewReader(resp, sse.Limits{})
	acc := &accumulator{env: env}
	for {
		ev, err := events.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(string(ev.Data), "[DONE]") {
			break
		}
		chunk, err := acc.take(ev.Data)
		if err != nil {
			return nil, err
		}
		if err := resp.paid.chunk(chunk); err != nil {
			return nil, err
		}
		if env.Streams() {
			if err := env.Stream(chunk); err != nil {
				return nil, err
			}
		}
	}
	reply := acc.message()
	warnAboutEnd(env, reply)
	return []*chat.Message{reply}, nil
}

// accumulator gathers a streamed reply (haystack/components/generators/utils.py).
type accumulator struct {
	env     *component.Env
	chunks  int
	text    strings.Builder
	calls   map[int]*partialCall
	logs    []value.Value
	model   value.Value // of the last chunk
	started value.Value // when the first chunk came
	reason  string      // the last one given
	usage   value.Value // the last one given
}

type partialCall struct {
	id, name, arguments string
}

// take reads one event.
func (a *accumulator) take(data []byte) (*chat.StreamingChunk, error) {
	v, err := value.FromJSON(data)
	if err != nil {
		return nil, badAnswer("a streamed event is not JSON")
	}
	event := asObject(v)
	if event.d == nil {
		return nil, badAnswer("a streamed event is not a mapping")
	}
	if e := event.get("error"); value.Truthy(e) {
		text := asObject(e).text("message")
		if text == nil || *text == "" {
			fallback := "An error occurred during streaming"
			text = &fallback
		}
		return nil, fault.New(fault.Failed, "%s", hideKeys(cutText(*text, 4000))).WithCode("APIError")
	}
	choices := event.items("choices")
	if len(choices) > 1 {
		return nil, badAnswer("a streamed event holds more than one choice")
	}
	if a.chunks >= maxChunks {
		return nil, fault.New(fault.TooLarge, "a streamed reply has more than %d chunks", maxChunks)
	}
	chunk := a.chunk(event, choices)
	a.add(chunk)
	return chunk, nil
}

func (a *accumulator) now() value.Value {
	return value.Str(value.DateTime{Time: a.env.Now().UTC()}.ISO('T'))
}

// chunk is Haystack's _convert_chat_completion_chunk_to_streaming_chunk.
func (a *accumulator) chunk(event object, choices []value.Value) *chat.StreamingChunk {
	name := a.env.Component()
	out := &chat.StreamingChunk{ComponentInfo: &chat.ComponentInfo{Type: openAIType, Name: &name}}
	if len(choices) == 0 {
		out.Meta = value.NewDict("model", event.get("model"), "received_at", a.now(), "usage", usage(event.get("usage")))
		return out
	}
	choice := asObject(choices[0])
	delta := choice.object("delta")
	calls := value.None
	if list := delta.items("tool_calls"); len(list) > 0 {
		calls = delta.get("tool_calls")
		out.ToolCalls = deltas(list)
		out.Index, out.Start = &out.ToolCalls[0].Index, out.ToolCalls[0].ToolName != nil
	} else {
		if content := delta.get("content"); !value.IsNone(content) && value.IsNone(delta.get("role")) {
			zero := 0
			out.Index = &zero
		}
		out.Start = a.chunks == 1 // the first chunk only says who speaks
	}
	if s := delta.text("content"); s != nil {
		out.Content = *s
	}
	out.FinishReason = finishReason(choice.text("finish_reason"))
	out.Meta = value.NewDict("model", event.get("model"), "index", choice.get("index"), "tool_calls", calls,
		"finish_reason", choice.get("finish_reason"), "received_at", a.now(), "usage", usage(event.get("usage")))
	if p := logprobs(choice.get("logprobs")); p != nil && out.ToolCalls == nil {
		out.Meta.Set("logprobs", p)
	}
	return out
}

func deltas(list []value.Value) []*chat.ToolCallDelta {
	out := make([]*chat.ToolCallDelta, len(list))
	for i, it := range list {
		call := asObject(it)
		fn := call.object("function")
		index, _ := call.get("index").(value.Int)
		d := &chat.ToolCallDelta{Index: int(index), ID: call.text("id"), ToolName: fn.text("name")}
		if args := fn.text("arguments"); args != nil && *args != "" {
			d.Arguments = args
		}
		out[i] = d
	}
	return out
}

func finishReason(s *string) string {
	if s == nil {
		return ""
	}
	switch *s {
	case "stop", "length", "content_filter", "tool_calls":
		return *s
	case "function_call":
		return "tool_calls"
	}
	return ""
}

func (a *accumulator) add(c *chat.StreamingChunk) {
	meta := asObject(c.Meta)
	if a.chunks == 0 {
		a.started = meta.get("received_at")
	}
	a.chunks++
	a.model = meta.get("model")
	a.text.WriteString(c.Content)
	if c.FinishReason != "" {
		a.reason = c.FinishReason
	}
	if u := meta.get("usage"); !value.IsNone(u) {
		a.usage = u
	}
	if p := meta.get("logprobs"); value.Truthy(p) {
		a.logs = append(a.logs, p)
	}
	for _, d := range c.ToolCalls {
		if a.calls == nil {
			a.calls = map[int]*partialCall{}
		}
		call := a.calls[d.Index]
		if call == nil {
			call = &partialCall{}
			a.calls[d.Index] = call
		}
		if d.ID != nil {
			call.id = *d.ID
		}
		if d.ToolName != nil {
			call.name += *d.ToolName
		}
		if d.Arguments != nil {
			call.arguments += *d.Arguments
		}
	}
}

// message is Haystack's _convert_streaming_chunks_to_chat_message.
func (a *accumulator) message() *chat.Message {
	var calls []*chat.ToolCall
	indexes := make([]int, 0, len(a.calls))
	for i := range a.calls {
		indexes = append(indexes, i)
	}
	sort.Ints(indexes)
	for _, i := range indexes {
		c := a.calls[i]
		if made, ok := toolCall(a.env, &c.id, &c.name, value.Str(c.arguments)); ok {
			calls = append(calls, made)
		}
	}
	or := func(v value.Value) value.Value {
		if v == nil {
			return value.None
		}
		return v
	}
	reason := value.None
	if a.reason != "" {
		reason = value.Str(a.reason)
	}
	meta := value.NewDict("model", or(a.model), "index", value.Int(0), "finish_reason", reason,
		"completion_start_time", or(a.started), "usage", or(a.usage))
	if len(a.logs) > 0 {
		meta.Set("logprobs", value.NewList(a.logs...))
	}
	var text *string
	if s := a.text.String(); s != "" {
		text = &s
	}
	return chat.FromAssistant(text, chat.WithToolCalls(calls...), chat.WithMessageMeta(meta))
}
