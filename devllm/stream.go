package devllm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// chunk is one server-sent event of a stream. Usage is a pointer to a possibly null field: without include_usage there
// is none, with it every chunk but the last has null
// (https://platform.openai.com/docs/api-reference/chat-streaming/streaming).
type chunk struct {
	ID                string          `json:"id"`
	Object            string          `json:"object"`
	Created           int64           `json:"created"`
	Model             string          `json:"model"`
	ServiceTier       string          `json:"service_tier"`
	SystemFingerprint string          `json:"system_fingerprint"`
	Choices           []choice        `json:"choices"`
	Usage             json.RawMessage `json:"usage,omitempty"`
}

type choice struct {
	Index        int            `json:"index"`
	Delta        map[string]any `json:"delta"`
	Logprobs     any            `json:"logprobs"`
	FinishReason *string        `json:"finish_reason"`
}

func (s *Server) stream(ctx context.Context, w http.ResponseWriter, r *reply, withUsage bool) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	flush := http.NewResponseController(w).Flush
	base := chunk{ID: r.id, Object: "chat.completion.chunk", Created: r.created, Model: r.model, ServiceTier: "default", SystemFingerprint: fingerprintOfSystem}
	if withUsage {
		base.Usage = json.RawMessage("null")
	}
	send := func(choices []choice) bool {
		c := base
		c.Choices = choices
		b, _ := json.Marshal(c) // strings and numbers always encode
		_, err := fmt.Fprintf(w, "data: %s\n\n", b)
		return err == nil && flush() == nil && wait(ctx, s.o.ChunkDelay)
	}
	for i := range r.n {
		if !s.streamChoice(r, i, send) {
			return
		}
	}
	if withUsage {
		base.Usage, _ = json.Marshal(r.usage())
		if !send([]choice{}) {
			return
		}
	}
	_, _ = fmt.Fprint(w, "data: [DONE]\n\n")
	_ = flush()
}

func (s *Server) streamChoice(r *reply, index int, send func([]choice) bool) bool {
	if !send([]choice{{Index: index, Delta: map[string]any{"role": "assistant", "content": "", "refusal": nil}}}) {
		return false
	}
	for _, p := range r.pieces {
		if !send([]choice{{Index: index, Delta: map[string]any{"content": p}}}) {
			return false
		}
	}
	return send([]choice{{Index: index, Delta: map[string]any{}, FinishReason: &r.finish}})
}
