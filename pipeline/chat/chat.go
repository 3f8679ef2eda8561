package chat

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

// Role says who speaks.
type Role string

// The four roles.
const (
	User      Role = "user"
	System    Role = "system"
	Assistant Role = "assistant"
	Tool      Role = "tool"
)

const rolePath = "haystack.dataclasses.chat_message.ChatRole"

// Value returns the role as Python sees it: a member of the str enum ChatRole.
func (r Role) Value() *value.Enum {
	return &value.Enum{Path: rolePath, Name: value.PyUpper(string(r)), Value: value.Str(r), Mixin: true}
}

// Valid reports whether r is one of the four roles.
func (r Role) Valid() bool { return r == User || r == System || r == Assistant || r == Tool }

// Message is haystack.dataclasses.chat_message.ChatMessage. It is read-only once made.
type Message struct {
	Role    Role
	Content []Part
	Name    *string
	Meta    *value.Dict // never nil in a made message
}

// Part is one piece of a message's content: TextContent, ToolCall, ToolCallResult, ImageContent, ReasoningContent or
// FileContent.
type Part interface {
	value.Object
	part()
	key() string // under which a message's dict holds the part
}

// Kind returns value.KindObject.
func (*Message) Kind() value.Kind { return value.KindObject }

// Class returns the Python path of ChatMessage.
func (*Message) Class() string { return "haystack.dataclasses.chat_message.ChatMessage" }

// PyLen returns the number of content parts: an empty message is falsy, as in Python.
func (m *Message) PyLen() int { return len(m.Content) }

// Text returns the first text; ok is false when the message has none.
func (m *Message) Text() (text string, ok bool) {
	if t, ok := first[*TextContent](m); ok {
		return t.Text, true
	}
	return "", false
}

// Texts returns all texts.
func (m *Message) Texts() []string {
	var out []string
	for _, p := range m.Content {
		if t, ok := p.(*TextContent); ok {
			out = append(out, t.Text)
		}
	}
	return out
}

// ToolCalls returns the tool calls that the model prepared.
func (m *Message) ToolCalls() []*ToolCall { return all[*ToolCall](m) }

// ToolCallResults returns the results of tool calls.
func (m *Message) ToolCallResults() []*ToolCallResult { return all[*ToolCallResult](m) }

// Images returns the images.
func (m *Message) Images() []*ImageContent { return all[*ImageContent](m) }

// Files returns the files.
func (m *Message) Files() []*FileContent { return all[*FileContent](m) }

// Reasonings returns the pieces of reasoning.
func (m *Message) Reasonings() []*ReasoningContent { return all[*ReasoningContent](m) }

// WithMeta returns the message with another meta.
func (m *Message) WithMeta(meta *value.Dict) *Message {
	c := *m
	c.Meta = orEmpty(meta)
	return &c
}

// WithContent returns the message with other content parts.
func (m *Message) WithContent(parts ...Part) *Message {
	c := *m
	c.Content = parts
	return &c
}

func all[T Part](m *Message) []T {
	var out []T
	for _, p := range m.Content {
		if t, ok := p.(T); ok {
			out = append(out, t)
		}
	}
	return out
}

func first[T Part](m *Message) (T, bool) {
	for _, p := range m.Content {
		if t, ok := p.(T); ok {
			return t, true
		}
	}
	var zero T
	return zero, false
}

func firstValue[T Part](m *Message) value.Value {
	if t, ok := first[T](m); ok {
		return t
	}
	return value.None
}

func listValue[T Part](m *Message) value.Value {
	out := &value.List{}
	for _, p := range m.Content {
		if t, ok := p.(T); ok {
			out.Items = append(out.Items, t)
		}
	}
	return out
}

// Attr returns what templates and routers read of a message.
func (m *Message) Attr(name string) (value.Value, bool) {
	switch name {
	case "role", "_role":
		return m.Role.Value(), true
	case "meta", "_meta":
		return orEmpty(m.Meta), true
	case "name", "_name":
		return value.OptValue(m.Name), true
	case "text":
		if text, ok := m.Text(); ok {
			return value.Str(text), true
		}
		return value.None, true
	case "texts":
		return value.Strs(m.Texts()...), true
	case "_content":
		return partList(m.Content), true
	}
	return m.partAttr(name)
}

func (m *Message) partAttr(name string) (value.Value, bool) {
	switch name {
	case "tool_calls":
		return listValue[*ToolCall](m), true
	case "tool_call":
		return firstValue[*ToolCall](m), true
	case "tool_call_results":
		return listValue[*ToolCallResult](m), true
	case "tool_call_result":
		return firstValue[*ToolCallResult](m), true
	case "images":
		return listValue[*ImageContent](m), true
	case "image":
		return firstValue[*ImageContent](m), true
	case "files":
		return listValue[*FileContent](m), true
	case "file":
		return firstValue[*FileContent](m), true
	case "reasonings":
		return listValue[*ReasoningContent](m), true
	case "reasoning":
		return firstValue[*ReasoningContent](m), true
	}
	return nil, false
}

// ToDict returns {role, meta, name, content}.
func (m *Message) ToDict() *value.Dict {
	content := &value.List{Items: make([]value.Value, len(m.Content))}
	for i, p := range m.Content {
		content.Items[i] = partDict(p)
	}
	return value.NewDict("role", value.Str(m.Role), "meta", orEmpty(m.Meta), "name", value.OptValue(m.Name), "content", content)
}

// Repr returns the dataclass repr.
func (m *Message) Repr() string {
	return reprFields("ChatMessage", "_role", m.Role.Value(), "_content", partList(m.Content), "_name", value.OptValue(m.Name),
		"_meta", orEmpty(m.Meta))
}

// partDict is a part as a message's dict holds it: a text flat, every other part under its key.
func partDict(p Part) *value.Dict {
	if t, ok := p.(*TextContent); ok {
		return t.ToDict()
	}
	return value.NewDict(p.key(), value.Value(p.ToDict()))
}

func partList(parts []Part) *value.List {
	out := &value.List{Items: make([]value.Value, len(parts))}
	for i, p := range parts {
		out.Items[i] = p
	}
	return out
}

func orEmpty(d *value.Dict) *value.Dict {
	if d == nil {
		return &value.Dict{}
	}
	return d
}

// reprFields prints a dataclass; pairs are names and values.
func reprFields(class string, pairs ...any) string {
	out := append([]byte(class), '(')
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = append(append(out, pairs[i].(string)...), '=')
		out = value.AppendRepr(out, pairs[i+1].(value.Value))
	}
	return string(append(out, ')'))
}
