package main

import (
	"io"
	"net/http"
	"net/http/httptest"
)

const modelKey = "sk-bench-key-that-opens-nothing"

const completion = `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"stub","choices":[{"index":0,"logprobs":null,
"finish_reason":"stop","message":{"role":"assistant","content":"Hay.","refusal":null,"annotations":[]}}],
"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}`

// newModel answers every completion with the same word, to whoever brings the key. It costs next to nothing, so that the
// figures are the servers'.
func newModel() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+modelKey {
			http.Error(w, `{"error":{"message":"wrong key"}}`, http.StatusUnauthorized)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, completion) // a client that went away is the client's business
	}))
}
