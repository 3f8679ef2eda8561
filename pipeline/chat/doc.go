// Package chat is Haystack's ChatMessage, its content parts and StreamingChunk: fields, JSON in every format Haystack
// 3.4 still reads, and the mapping to the OpenAI wire (haystack/dataclasses/chat_message.py, streaming_chunk.py).
//
// It calls no model and renders no template; it knows values, and neither documents nor components. Messages and parts
// are read-only once made: share them, and make changed copies.
package chat
