package chat

// StreamingChunk is haystack.dataclasses.streaming_chunk.StreamingChunk.
type StreamingChunk struct {
	Content      string
	FinishReason string
}
