package chat

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// FromOpenAI reads a message as OpenAI's Chat Completions API has it (ChatMessage.from_openai_dict_format of 3.4):
// content as text or as a list of parts, tool calls with and without ids, refusals into meta. Fields that no message of
// that API has a use for here (audio, annotations, function_call) are ignored, as Haystack ignores them.
func FromOpenAI(d *value.Dict) (*Message, error) {
	role, content, err := checkOpenAI(d)
	if err != nil {
		return nil, err
	}
	name, err := optionalText(d, "name")
	if err != nil {
		return nil, err
	}
	var m *Message
	switch role {
	case "assistant":
		m, err = assistantFromOpenAI(d, content)
	case "user":
		m, err = userFromOpenAI(content)
	case "system", "developer":
		m, err = systemFromOpenAI(content, role)
	default:
		return resultFromOpenAI(d, content)
	}
	if err != nil {
		return nil, err
	}
	m.Name = name
	return m, nil
}

// get returns a field, nil when it is missing or None.
func get(d *value.Dict, name string) value.Value {
	v, ok := d.Get(name)
	if !ok || v == value.None {
		return nil
	}
	return v
}

func optionalText(d *value.Dict, name string) (*string, error) {
	switch v := get(d, name).(type) {
	case nil:
		return nil, nil
	case value.Str:
		s := string(v)
		return &s, nil
	default:
		return nil, invalid("ValueError", "The `%s` field must be a string, got %s.", name, value.TypeName(v))
	}
}

// checkOpenAI is ChatMessage._validate_openai_message.
func checkOpenAI(d *value.Dict) (role string, content value.Value, err error) {
	r, ok := d.Get("role")
	if !ok {
		return "", nil, invalid("ValueError", "The `role` field is required in the message dictionary.")
	}
	name, _ := r.(value.Str)
	role = string(name)
	switch role {
	case "assistant", "user", "system", "developer", "tool":
	default:
		return "", nil, invalid("ValueError", "Unsupported role: %s", value.ToStr(r))
	}
	content = get(d, "content")
	if content != nil && content.Kind() != value.KindStr && content.Kind() != value.KindList {
		return "", nil, invalid("ValueError", "The `content` field must be a string or a list of content parts, got %s.",
			value.TypeName(content))
	}
	if role == "assistant" {
		return role, content, checkAssistant(d, content)
	}
	if !value.Truthy(content) {
		return "", nil, invalid("ValueError", "The `content` field is required for %s messages.", role)
	}
	return role, content, nil
}

func checkAssistant(d *value.Dict, content value.Value) error {
	refusal := get(d, "refusal")
	if refusal != nil && refusal.Kind() != value.KindStr {
		return invalid("ValueError", "The `refusal` field must be a string, got %s.", value.TypeName(refusal))
	}
	calls := get(d, "tool_calls")
	if !value.Truthy(content) && content != value.Str("") && !value.Truthy(calls) && !value.Truthy(refusal) {
		return invalid("ValueError", "For assistant messages, either `content`, `tool_calls`, or `refusal` must be present.")
	}
	return nil
}

func userFromOpenAI(content value.Value) (*Message, error) {
	if s, ok := content.(value.Str); ok {
		return FromUser(string(s)), nil
	}
	var parts []Part
	for _, it := range content.(*value.List).Items {
		p, err := partFromOpenAI(it)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return FromUserParts(parts, nil, nil)
}

func systemFromOpenAI(content value.Value, role string) (*Message, error) {
	if s, ok := content.(value.Str); ok {
		return FromSystem(string(s)), nil
	}
	texts, _, err := joinOpenAI(content.(*value.List), role)
	if err != nil {
		return nil, err
	}
	return FromSystem(strings.Join(texts, "\n")), nil
}

func assistantFromOpenAI(d *value.Dict, content value.Value) (*Message, error) {
	calls, err := callsFromOpenAI(get(d, "tool_calls"))
	if err != nil {
		return nil, err
	}
	var text *string
	var refusals []string
	if r, ok := get(d, "refusal").(value.Str); ok && r != "" {
		refusals = append(refusals, string(r))
	}
	switch c := content.(type) {
	case value.Str:
		s := string(c)
		text = &s
	case *value.List:
		texts, parts, err := joinOpenAI(c, "assistant")
		if err != nil {
			return nil, err
		}
		if texts != nil {
			s := strings.Join(texts, "\n")
			text = &s
		}
		if joined := strings.Join(parts, "\n"); parts != nil && (len(refusals) == 0 || refusals[0] != joined) {
			refusals = append(refusals, joined)
		}
	}
	meta := &value.Dict{}
	if len(refusals) > 0 {
		meta.Set("refusal", value.Str(strings.Join(refusals, "\n")))
	}
	return FromAssistant(text, WithToolCalls(calls...), WithMessageMeta(meta)), nil
}

func callsFromOpenAI(v value.Value) ([]*ToolCall, error) {
	if !value.Truthy(v) {
		return nil, nil
	}
	list, ok := v.(*value.List)
	if !ok {
		return nil, invalid("ValueError", "The `tool_calls` field must be a list, got %s.", value.TypeName(v))
	}
	out := make([]*ToolCall, 0, len(list.Items))
	for _, it := range list.Items {
		c, err := callFromOpenAI(it)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func callFromOpenAI(v value.Value) (*ToolCall, error) {
	d, _ := v.(*value.Dict)
	f, ok := get(d, "function").(*value.Dict)
	if !ok {
		return nil, invalid("ValueError", "Tool calls must contain the `function` field")
	}
	name, ok := get(f, "name").(value.Str)
	if !ok {
		return nil, invalid("KeyError", "the `function` of a tool call must contain its `name`")
	}
	id, err := optionalText(d, "id")
	if err != nil {
		return nil, err
	}
	arguments, err := ParseArguments(get(f, "arguments"))
	if err != nil {
		return nil, err
	}
	return &ToolCall{ToolName: string(name), Arguments: arguments, ID: id}, nil
}

// ParseArguments reads the arguments of a tool call as servers send them: JSON text, a dict as it is, and nothing, None
// or an empty text as {}. Text that is no JSON object is an error.
func ParseArguments(v value.Value) (*value.Dict, error) {
	if d, ok := v.(*value.Dict); ok {
		return d, nil
	}
	if !value.Truthy(v) {
		return &value.Dict{}, nil
	}
	s, ok := v.(value.Str)
	if !ok {
		return nil, invalid("TypeError", "the arguments of a tool call must be JSON text or an object, but are %s", value.TypeName(v))
	}
	parsed, err := value.FromJSON([]byte(s))
	if err != nil {
		return nil, err
	}
	d, ok := parsed.(*value.Dict)
	if !ok {
		return nil, invalid("TypeError", "the arguments of a tool call must be a JSON object, but are %s", value.TypeName(parsed))
	}
	return d, nil
}

func resultFromOpenAI(d *value.Dict, content value.Value) (*Message, error) {
	id, err := optionalText(d, "tool_call_id")
	if err != nil {
		return nil, err
	}
	result := &ToolCallResult{Origin: &ToolCall{Arguments: &value.Dict{}, ID: id}}
	if s, ok := content.(value.Str); ok {
		text := string(s)
		result.Text = &text
		return FromTool(result, nil), nil
	}
	for _, it := range content.(*value.List).Items {
		part, _ := it.(*value.Dict)
		text, ok := get(part, "text").(value.Str)
		if !ok {
			return nil, invalid("ValueError", "To be used with OpenAI, tool results must be a string or a list of TextContent")
		}
		result.Parts = append(result.Parts, NewText(string(text)))
	}
	return FromTool(result, nil), nil
}
