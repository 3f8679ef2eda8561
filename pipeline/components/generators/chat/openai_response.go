package chat

import (
	"io"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/value"
)

// maxCompletion bounds an answer that is not streamed, in bytes.
const maxCompletion = 64 << 20

// object reads fields of JSON that a provider sent: missing ones are None, wrong ones are told apart by the caller.
type object struct{ d *value.Dict }

func asObject(v value.Value) object {
	d, _ := v.(*value.Dict)
	return object{d}
}

func (o object) get(name string) value.Value {
	if v, ok := o.d.Get(name); ok {
		return v
	}
	return value.None
}

func (o object) object(name string) object { return asObject(o.get(name)) }

func (o object) items(name string) []value.Value {
	items, _ := part.Items(o.get(name))
	return items
}

// text returns a string field; nil for anything else.
func (o object) text(name string) *string {
	s, ok := o.get(name).(value.Str)
	if !ok {
		return nil
	}
	out := string(s)
	return &out
}

func badAnswer(format string, args ...any) error {
	return fault.New(fault.Failed, "the provider's answer cannot be read: "+format, args...).WithCode("APIResponseValidationError")
}

// readCompletion reads an answer that came in one piece.
func readCompletion(env *component.Env, body *response) ([]*chat.Message, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxCompletion+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxCompletion {
		return nil, fault.New(fault.TooLarge, "the provider's answer is larger than %d bytes", maxCompletion)
	}
	v, err := value.FromJSON(data)
	if err != nil {
		return nil, badAnswer("it is not JSON")
	}
	answer := asObject(v)
	choices, ok := part.Items(answer.get("choices"))
	if !ok {
		return nil, badAnswer("it holds no choices")
	}
	out := make([]*chat.Message, len(choices))
	for i, c := range choices {
		out[i] = readChoice(env, answer, asObject(c))
		warnAboutEnd(env, out[i])
	}
	body.paid.whole(answer, out)
	return out, nil
}

func readChoice(env *component.Env, answer, choice object) *chat.Message {
	message := choice.object("message")
	var calls []*chat.ToolCall
	for _, it := range message.items("tool_calls") {
		call := asObject(it)
		if t := call.text("type"); t != nil && *t == "custom" {
			continue
		}
		fn := call.object("function")
		if made, ok := toolCall(env, call.text("id"), fn.text("name"), fn.get("arguments")); ok {
			calls = append(calls, made)
		}
	}
	meta := value.NewDict("model", answer.get("model"), "index", choice.get("index"), "finish_reason", choice.get("finish_reason"),
		"usage", usage(answer.get("usage")))
	if p := logprobs(choice.get("logprobs")); p != nil {
		meta.Set("logprobs", p)
	}
	return chat.FromAssistant(message.text("content"), chat.WithToolCalls(calls...), chat.WithMessageMeta(meta))
}

// toolCall reads a call's arguments: JSON text, nothing at all, or a mapping. A call whose arguments are not JSON is left
// out with a warning, as in Haystack.
func toolCall(env *component.Env, id, name *string, arguments value.Value) (*chat.ToolCall, bool) {
	args, ok := arguments.(*value.Dict)
	if !ok {
		args = &value.Dict{}
		if s, _ := arguments.(value.Str); s != "" {
			v, err := value.FromJSON([]byte(s))
			if args, ok = v.(*value.Dict); err != nil || !ok {
				part.Log(env).Warn("a tool call whose arguments are not a JSON object is left out", "component", env.Component())
				return nil, false
			}
		}
	}
	call := &chat.ToolCall{Arguments: args, ID: id}
	if name != nil {
		call.ToolName = *name
	}
	return call, true
}

// The fields of the OpenAI client's CompletionUsage (openai/types/completion_usage.py), which it writes out even when
// the provider left them out.
var (
	usageFields      = []string{"completion_tokens", "prompt_tokens", "total_tokens", "completion_tokens_details", "prompt_tokens_details"}
	completionFields = []string{"accepted_prediction_tokens", "audio_tokens", "reasoning_tokens", "rejected_prediction_tokens", "text_tokens"}
	promptFields     = []string{"audio_tokens", "cache_write_tokens", "cached_tokens", "image_tokens", "text_tokens"}
)

func usage(v value.Value) value.Value {
	if _, ok := v.(*value.Dict); !ok {
		return value.None
	}
	out := filled(v, usageFields)
	for name, fields := range map[string][]string{"completion_tokens_details": completionFields, "prompt_tokens_details": promptFields} {
		if d, _ := out.Get(name); d != value.None {
			if _, ok := d.(*value.Dict); ok {
				out.Set(name, filled(d, fields))
			}
		}
	}
	return out
}

// filled returns a dict with the named fields first, None where they are missing, and what else there is after them.
func filled(v value.Value, names []string) *value.Dict {
	given := asObject(v)
	out := &value.Dict{}
	for _, n := range names {
		out.Set(n, given.get(n))
	}
	for k, v := range given.d.All() {
		out.SetKey(k, v)
	}
	return out
}

// logprobs returns nil when there are none.
func logprobs(v value.Value) value.Value {
	if d, ok := v.(*value.Dict); ok && d.Len() > 0 {
		return filled(d, []string{"content", "refusal"})
	}
	return nil
}

// warnAboutEnd logs that a reply was cut off.
func warnAboutEnd(env *component.Env, m *chat.Message) {
	reason, _ := m.Meta.Get("finish_reason")
	switch reason {
	case value.Str("length"):
		part.Log(env).Warn("a completion was cut off at its length limit; raise max_completion_tokens", "component", env.Component())
	case value.Str("content_filter"):
		part.Log(env).Warn("a completion was cut off by the content filter", "component", env.Component())
	}
}
