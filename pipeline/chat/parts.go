package chat

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

const modulePath = "haystack.dataclasses.chat_message."

// TextContent is a piece of text.
type TextContent struct{ Text string }

// ToolCall is a call of a tool that the model prepared.
type ToolCall struct {
	ToolName  string
	Arguments *value.Dict // never nil in a made call
	ID        *string     // nil is None
	Extra     *value.Dict // nil is None
}

// ToolCallResult is what a tool gave back.
type ToolCallResult struct {
	Text   *string // the result when it is a str; nil when it is Parts
	Parts  []Part  // the result when it is a list of TextContent, ImageContent and FileContent
	Origin *ToolCall
	Error  bool
}

// ReasoningContent is what a model thought before it answered.
type ReasoningContent struct {
	Text  string
	Extra *value.Dict // never nil in a made part
}

func (*TextContent) part()      {}
func (*ToolCall) part()         {}
func (*ToolCallResult) part()   {}
func (*ReasoningContent) part() {}

func (*TextContent) key() string      { return "text" }
func (*ToolCall) key() string         { return "tool_call" }
func (*ToolCallResult) key() string   { return "tool_call_result" }
func (*ReasoningContent) key() string { return "reasoning" }

// Kind returns value.KindObject.
func (*TextContent) Kind() value.Kind { return value.KindObject }

// Kind returns value.KindObject.
func (*ToolCall) Kind() value.Kind { return value.KindObject }

// Kind returns value.KindObject.
func (*ToolCallResult) Kind() value.Kind { return value.KindObject }

// Kind returns value.KindObject.
func (*ReasoningContent) Kind() value.Kind { return value.KindObject }

// Class returns the Python path of TextContent.
func (*TextContent) Class() string { return modulePath + "TextContent" }

// Class returns the Python path of ToolCall.
func (*ToolCall) Class() string { return modulePath + "ToolCall" }

// Class returns the Python path of ToolCallResult.
func (*ToolCallResult) Class() string { return modulePath + "ToolCallResult" }

// Class returns the Python path of ReasoningContent.
func (*ReasoningContent) Class() string { return modulePath + "ReasoningContent" }

// NewText returns a text part.
func NewText(text string) *TextContent { return &TextContent{Text: text} }

// Attr returns text.
func (t *TextContent) Attr(name string) (value.Value, bool) { return t.ToDict().Get(name) }

// ToDict returns {text}.
func (t *TextContent) ToDict() *value.Dict { return value.NewDict("text", value.Str(t.Text)) }

// Repr returns the dataclass repr.
func (t *TextContent) Repr() string { return reprFields("TextContent", "text", value.Str(t.Text)) }

// Attr returns tool_name, arguments, id or extra.
func (t *ToolCall) Attr(name string) (value.Value, bool) { return t.fields().Get(name) }

func (t *ToolCall) fields() *value.Dict {
	return value.NewDict("tool_name", value.Str(t.ToolName), "arguments", orEmpty(t.Arguments), "id", value.OptValue(t.ID),
		"extra", value.DictValue(t.Extra))
}

// ToDict returns {tool_name, arguments, id, extra}.
func (t *ToolCall) ToDict() *value.Dict { return value.AsDicts(t.fields()).(*value.Dict) }

// Repr returns the dataclass repr.
func (t *ToolCall) Repr() string {
	return reprFields("ToolCall", "tool_name", value.Str(t.ToolName), "arguments", orEmpty(t.Arguments), "id", value.OptValue(t.ID),
		"extra", value.DictValue(t.Extra))
}

// Value returns the result as Python holds it: a str or a list of parts.
func (t *ToolCallResult) Value() value.Value {
	if t.Text != nil {
		return value.Str(*t.Text)
	}
	return partList(t.Parts)
}

// Attr returns result, origin or error.
func (t *ToolCallResult) Attr(name string) (value.Value, bool) {
	switch name {
	case "result":
		return t.Value(), true
	case "origin":
		return t.Origin, true
	case "error":
		return value.Bool(t.Error), true
	}
	return nil, false
}

// ToDict returns {result, origin, error}.
func (t *ToolCallResult) ToDict() *value.Dict {
	result := t.Value()
	if t.Text == nil {
		list := &value.List{Items: make([]value.Value, len(t.Parts))}
		for i, p := range t.Parts {
			list.Items[i] = partDict(p)
		}
		result = list
	}
	return value.NewDict("result", result, "origin", t.Origin.ToDict(), "error", value.Bool(t.Error))
}

// Repr returns the dataclass repr.
func (t *ToolCallResult) Repr() string {
	return reprFields("ToolCallResult", "result", t.Value(), "origin", t.Origin, "error", value.Bool(t.Error))
}

// Attr returns reasoning_text or extra.
func (r *ReasoningContent) Attr(name string) (value.Value, bool) { return r.fields().Get(name) }

func (r *ReasoningContent) fields() *value.Dict {
	return value.NewDict("reasoning_text", value.Str(r.Text), "extra", orEmpty(r.Extra))
}

// ToDict returns {reasoning_text, extra}.
func (r *ReasoningContent) ToDict() *value.Dict { return value.AsDicts(r.fields()).(*value.Dict) }

// Repr returns the dataclass repr.
func (r *ReasoningContent) Repr() string {
	return reprFields("ReasoningContent", "reasoning_text", value.Str(r.Text), "extra", orEmpty(r.Extra))
}
