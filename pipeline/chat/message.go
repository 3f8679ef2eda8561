package chat

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// FromUser returns a user message of one text.
func FromUser(text string) *Message {
	return &Message{Role: User, Content: []Part{NewText(text)}, Meta: &value.Dict{}}
}

// FromUserParts returns a user message of texts, images and files; none, or another kind of part, is an error.
func FromUserParts(parts []Part, name *string, meta *value.Dict) (*Message, error) {
	for _, p := range parts {
		switch p.(type) {
		case *TextContent, *ImageContent, *FileContent:
		default:
			return nil, fault.New(fault.Invalid, "The user message must contain only text or image parts. Unsupported part: %s", p.Repr()).
				WithCode("TypeError")
		}
	}
	if len(parts) == 0 {
		return nil, fault.New(fault.Invalid, "The user message must contain at least one content part (text, image, file).").
			WithCode("ValueError")
	}
	return &Message{Role: User, Content: parts, Name: name, Meta: orEmpty(meta)}, nil
}

// FromSystem returns a system message.
func FromSystem(text string) *Message {
	return &Message{Role: System, Content: []Part{NewText(text)}, Meta: &value.Dict{}}
}

// AssistantOption adds to an assistant message.
type AssistantOption func(*Message)

// WithReasoning puts reasoning before everything else.
func WithReasoning(r *ReasoningContent) AssistantOption {
	return func(m *Message) {
		if r != nil {
			m.Content = append([]Part{r}, m.Content...)
		}
	}
}

// WithToolCalls adds tool calls after the text.
func WithToolCalls(calls ...*ToolCall) AssistantOption {
	return func(m *Message) {
		for _, c := range calls {
			m.Content = append(m.Content, c)
		}
	}
}

// WithMessageMeta sets meta; nil gives an empty one.
func WithMessageMeta(meta *value.Dict) AssistantOption {
	return func(m *Message) { m.Meta = orEmpty(meta) }
}

// FromAssistant returns an assistant message; a nil text leaves the text out.
func FromAssistant(text *string, opts ...AssistantOption) *Message {
	m := &Message{Role: Assistant, Meta: &value.Dict{}}
	if text != nil {
		m.Content = append(m.Content, NewText(*text))
	}
	for _, o := range opts {
		o(m)
	}
	return m
}

// FromTool returns the message that carries a tool's result.
func FromTool(result *ToolCallResult, meta *value.Dict) *Message {
	return &Message{Role: Tool, Content: []Part{result}, Meta: orEmpty(meta)}
}

// NewToolResult returns a tool's result that is text.
func NewToolResult(text string, origin *ToolCall, failed bool) *ToolCallResult {
	return &ToolCallResult{Text: &text, Origin: origin, Error: failed}
}
