// Package chat is Haystack's ChatMessage, its content parts and StreamingChunk: fields, JSON in every format Haystack
// 3.4 still reads, and the mapping to the OpenAI wire (haystack/dataclasses/chat_message.py, streaming_chunk.py).
package chat

import "github.com/haywardhq/hayward/pipeline/value"

// Role says who speaks.
type Role string

// The four roles.
const (
	User      Role = "user"
	System    Role = "system"
	Assistant Role = "assistant"
	Tool      Role = "tool"
)

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
}

// Kind returns value.KindObject.
func (*Message) Kind() value.Kind { return value.KindObject }
