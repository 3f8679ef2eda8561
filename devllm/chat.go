package devllm

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// request is the body of POST /v1/chat/completions, as far as an answer depends on it.
type request struct {
	Model               string          `json:"model"`
	Messages            []message       `json:"messages"`
	N                   *int            `json:"n"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Stop                json.RawMessage `json:"stop"`
	Stream              bool            `json:"stream"`
	StreamOptions       *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	ResponseFormat *struct {
		Type string `json:"type"`
	} `json:"response_format"`

	stops []string
	body  []byte
}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
	text    string
}

// Fields that the protocol has and that cannot change a quotation
// (https://platform.openai.com/docs/api-reference/chat/create).
var otherFields = strings.Fields(`audio frequency_penalty function_call functions logit_bias logprobs metadata modalities
parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_retention reasoning_effort safety_identifier seed service_tier
store temperature tool_choice tools top_logprobs top_p user verbosity web_search_options`)

var usedFields = strings.Fields(`model messages n max_tokens max_completion_tokens stop stream stream_options response_format`)

func invalid(param, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, Type: "invalid_request_error", Param: param, Message: fmt.Sprintf(format, args...)}
}

func (s *Server) decode(w http.ResponseWriter, r *http.Request) (*request, *apiError) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.o.MaxBody))
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		e := invalid("", "The request is larger than %d bytes.", large.Limit)
		e.status = http.StatusRequestEntityTooLarge
		return nil, e
	}
	var fields map[string]json.RawMessage
	if err != nil || json.Unmarshal(body, &fields) != nil || fields == nil {
		return nil, invalid("", "We could not parse the JSON body of your request. It has to be one JSON object.")
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(usedFields, name) && !slices.Contains(otherFields, name) {
			return nil, invalid(name, "Unrecognized request argument supplied: %s", name)
		}
	}
	q := &request{body: body}
	if err := json.Unmarshal(body, q); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return nil, invalid(wrong.Field, "Invalid type for '%s': got %s.", wrong.Field, wrong.Value)
		}
		return nil, invalid("", "We could not parse the JSON body of your request.")
	}
	return q, q.check(s.o.Models)
}

func (q *request) check(models []string) *apiError {
	switch {
	case q.Model == "":
		return invalid("model", "you must provide a model parameter")
	case len(models) > 0 && !slices.Contains(models, q.Model):
		return noModel(q.Model)
	case len(q.Messages) == 0:
		return invalid("messages", "Missing required parameter: 'messages'.")
	case q.N != nil && (*q.N < 1 || *q.N > 128):
		return invalid("n", "Invalid 'n': integer outside 1 to 128.")
	case q.MaxTokens != nil && *q.MaxTokens < 1:
		return invalid("max_tokens", "Invalid 'max_tokens': integer below minimum value.")
	case q.MaxCompletionTokens != nil && *q.MaxCompletionTokens < 1:
		return invalid("max_completion_tokens", "Invalid 'max_completion_tokens': integer below minimum value.")
	case q.MaxTokens != nil && q.MaxCompletionTokens != nil:
		return invalid("max_tokens", "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
	case q.StreamOptions != nil && !q.Stream:
		return invalid("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	case q.ResponseFormat != nil && q.ResponseFormat.Type != "text" && q.ResponseFormat.Type != "json_object":
		return invalid("response_format", "This server quotes: it knows the response formats text and json_object.")
	}
	for i := range q.Messages {
		if bad := q.Messages[i].read(fmt.Sprintf("messages[%d]", i)); bad != nil {
			return bad
		}
	}
	return q.readStops()
}

func (m *message) read(at string) *apiError {
	if !slices.Contains([]string{"system", "developer", "user", "assistant", "tool", "function"}, m.Role) {
		return invalid(at+".role", "Invalid value: '%s'. Supported values are: 'system', 'developer', 'user', 'assistant', 'tool' and 'function'.", m.Role)
	}
	if len(m.Content) == 0 || string(m.Content) == "null" {
		if m.Role != "assistant" {
			return invalid(at+".content", "Missing required parameter: '%s.content'.", at)
		}
		return nil
	}
	if json.Unmarshal(m.Content, &m.text) == nil {
		return nil
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(m.Content, &parts) != nil {
		return invalid(at+".content", "Invalid type for '%s.content': expected a string or an array of parts.", at)
	}
	var texts []string
	for _, p := range parts {
		if p.Type == "text" {
			texts = append(texts, p.Text)
		}
	}
	m.text = strings.Join(texts, "\n")
	return nil
}

func (q *request) readStops() *apiError {
	var one string
	switch {
	case len(q.Stop) == 0 || string(q.Stop) == "null":
		return nil
	case json.Unmarshal(q.Stop, &one) == nil:
		q.stops = []string{one}
		return nil
	case json.Unmarshal(q.Stop, &q.stops) != nil || len(q.stops) > 4:
		return invalid("stop", "Invalid 'stop': expected a string or an array of at most 4 strings.")
	}
	return nil
}

// reply is an answer cut into the pieces it streams in; each piece counts as one token.
type reply struct {
	id, model string
	created   int64
	n         int
	pieces    []string
	finish    string
	prompt    int // tokens
}

var piece = regexp.MustCompile(`\s*\S+\s*$|\s*\S+`)

func (s *Server) reply(q *request) *reply {
	text := answer(q.Messages)
	if q.ResponseFormat != nil && q.ResponseFormat.Type == "json_object" {
		b, _ := json.Marshal(map[string]string{"answer": text}) // a map of strings always encodes
		text = string(b)
	}
	for _, stop := range q.stops {
		if stop != "" {
			text, _, _ = strings.Cut(text, stop)
		}
	}
	sum := sha256.Sum256(fmt.Appendf(bytes.Clone(q.body), "\n%d", s.requests.Load()))
	r := &reply{id: fmt.Sprintf("chatcmpl-%x", sum[:12]), model: q.Model, created: s.o.Now().Unix(), n: 1, finish: "stop", pieces: piece.FindAllString(text, -1)}
	if q.N != nil {
		r.n = *q.N
	}
	for _, limit := range []*int{q.MaxTokens, q.MaxCompletionTokens} {
		if limit != nil && *limit < len(r.pieces) {
			r.pieces, r.finish = r.pieces[:*limit], "length"
		}
	}
	for _, m := range q.Messages {
		r.prompt += len(piece.FindAllString(m.text, -1))
	}
	return r
}

func (r *reply) usage() map[string]any {
	done := len(r.pieces) * r.n
	return map[string]any{"prompt_tokens": r.prompt, "completion_tokens": done, "total_tokens": r.prompt + done,
		"prompt_tokens_details":     map[string]int{"cached_tokens": 0, "audio_tokens": 0},
		"completion_tokens_details": map[string]int{"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}}
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) *apiError {
	q, bad := s.decode(w, r)
	if bad == nil {
		bad = s.misbehave(r.Context())
	}
	if bad != nil {
		return bad
	}
	out := s.reply(q)
	if q.Stream {
		s.stream(r.Context(), w, out, q.StreamOptions != nil && q.StreamOptions.IncludeUsage)
		return nil
	}
	choices := []map[string]any{}
	for i := range out.n {
		choices = append(choices, map[string]any{"index": i, "logprobs": nil, "finish_reason": out.finish,
			"message": map[string]any{"role": "assistant", "content": strings.Join(out.pieces, ""), "refusal": nil, "annotations": []any{}}})
	}
	writeJSON(w, http.StatusOK, map[string]any{"id": out.id, "object": "chat.completion", "created": out.created, "model": out.model,
		"choices": choices, "usage": out.usage(), "service_tier": "default", "system_fingerprint": fingerprintOfSystem})
	return nil
}

const fingerprintOfSystem = "fp_devllm"
