package chat_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	message "github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/component/componenttest"
	"github.com/haywardhq/hayward/pipeline/components/generators/chat"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

const key = "sk-test-0123456789"

// provider is a server that answers as a test says, and remembers what it was asked.
type provider struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []map[string]any
	heads  []http.Header
}

func newProvider(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		var body map[string]any
		if err := json.Unmarshal(data, &body); err != nil {
			t.Errorf("the body is not JSON: %s", data)
		}
		p.mu.Lock()
		p.bodies, p.heads = append(p.bodies, body), append(p.heads, r.Header.Clone())
		n := len(p.bodies)
		p.mu.Unlock()
		answer(n, w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) asked() int { p.mu.Lock(); defer p.mu.Unlock(); return len(p.bodies) }

func (p *provider) env(t *testing.T) *component.Env {
	t.Helper()
	u, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := egress.NewPolicy(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	return componenttest.With(componenttest.NewEnv(t), func(w *componenttest.World) {
		w.HTTP, w.Secrets = egress.New(policy, egress.Options{}), componenttest.Secrets{"OPENAI_API_KEY": key}
	})
}

// heard is env with a listener.
func heard(env *component.Env, listen func(*message.StreamingChunk)) *component.Env {
	return componenttest.With(env, func(w *componenttest.World) {
		w.Stream = func(_ *component.Place, c *message.StreamingChunk) error { listen(c); return nil }
	})
}

func (p *provider) generator(t *testing.T, params ...any) *component.Child {
	t.Helper()
	reg := component.NewRegistry([]*component.Type{chat.OpenAIChatGeneratorType()}, nil)
	return componenttest.New(t, reg, chat.OpenAIChatGeneratorType().Name,
		value.NewDict(append([]any{"api_base_url", value.Str(p.URL + "/v1")}, params...)...))
}

func ask(t *testing.T, g *component.Child, env *component.Env, more ...any) ([]*message.Message, error) {
	t.Helper()
	out, err := componenttest.Run(t, g, env, value.NewDict(append([]any{"messages", value.NewList(message.FromUser("hello"))}, more...)...))
	if err != nil {
		return nil, err
	}
	var replies []*message.Message
	for _, it := range out["replies"].(*value.List).Items {
		replies = append(replies, it.(*message.Message))
	}
	return replies, nil
}

const completion = `{"id":"x","model":"m-1","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"hi"}}],
	"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}`

func say(text string) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
}

func TestCompletion(t *testing.T) {
	p := newProvider(t, say(completion))
	g := p.generator(t, "model", value.Str("m"), "organization", value.Str("org"),
		"generation_kwargs", value.NewDict("temperature", value.Float(0.5), "seed", value.Int(1)))
	replies, err := ask(t, g, p.env(t), "generation_kwargs", value.NewDict("temperature", value.Int(0)))
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := replies[0].Text(); text != "hi" {
		t.Errorf("got %q", text)
	}
	const meta = "{'model': 'm-1', 'index': 0, 'finish_reason': 'stop', 'usage': {'completion_tokens': 1, 'prompt_tokens': 3, " +
		"'total_tokens': 4, 'completion_tokens_details': None, 'prompt_tokens_details': None}}"
	if got := value.Repr(replies[0].Meta); got != meta {
		t.Errorf("meta %s", got)
	}
	body, _ := json.Marshal(p.bodies[0])
	if want := `{"messages":[{"content":"hello","role":"user"}],"model":"m","n":1,"seed":1,"stream":false,"temperature":0}`; string(body) != want {
		t.Errorf("body %s", body)
	}
	if h := p.heads[0]; h.Get("Authorization") != "Bearer "+key || h.Get("OpenAI-Organization") != "org" {
		t.Errorf("headers %v", h)
	}
}

func TestSeveralRepliesToolCallsAndFormats(t *testing.T) {
	p := newProvider(t, say(`{"model":"m","choices":[
		{"index":0,"finish_reason":"tool_calls","message":{"content":null,"tool_calls":[
			{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}},
			{"id":"2","type":"function","function":{"name":"g","arguments":""}},
			{"id":"3","type":"function","function":{"name":"broken","arguments":"{"}}]}},
		{"index":1,"finish_reason":"length","message":{"content":"cut"}}]}`))
	format := value.NewDict("type", value.Str("json_schema"))
	replies, err := ask(t, p.generator(t), p.env(t), "generation_kwargs", value.NewDict("n", value.Int(2), "response_format", format))
	if err != nil || len(replies) != 2 {
		t.Fatal(replies, err)
	}
	calls := replies[0].ToolCalls()
	if len(calls) != 2 || value.Repr(calls[0].Arguments) != "{'a': 1}" || calls[1].Arguments.Len() != 0 || *calls[1].ID != "2" {
		t.Errorf("calls %v", calls)
	}
	if usage, _ := replies[1].Meta.Get("usage"); usage != value.None {
		t.Errorf("usage %v", usage)
	}
	if _, there := p.bodies[0]["stream"]; there || p.bodies[0]["n"] != 2.0 || p.bodies[0]["response_format"] == nil {
		t.Errorf("body %v", p.bodies[0])
	}
}

func stream(events ...string) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, _ *http.Request) {
		for _, e := range events {
			io.WriteString(w, "data: "+e+"\n\n")
			w.(http.Flusher).Flush()
		}
	}
}

func TestStream(t *testing.T) {
	p := newProvider(t, stream(
		`{"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}`,
		`{"model":"m","choices":[{"index":0,"delta":{"content":"He"}}]}`,
		`{"model":"m","choices":[{"index":0,"delta":{"content":"llo"},"finish_reason":"stop"}]}`,
		`{"model":"m-last","choices":[],"usage":{"total_tokens":4}}`, "[DONE]"))
	var chunks []*message.StreamingChunk
	env := heard(p.env(t), func(c *message.StreamingChunk) { chunks = append(chunks, c) })
	replies, err := ask(t, p.generator(t), env)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := replies[0].Text(); text != "Hello" {
		t.Errorf("got %q", text)
	}
	const meta = "{'model': 'm-last', 'index': 0, 'finish_reason': 'stop', 'completion_start_time': '2026-01-02T03:04:05', 'usage': " +
		"{'completion_tokens': None, 'prompt_tokens': None, 'total_tokens': 4, 'completion_tokens_details': None, 'prompt_tokens_details': None}}"
	if got := value.Repr(replies[0].Meta); got != meta {
		t.Errorf("meta %s", got)
	}
	if len(chunks) != 4 || chunks[0].Start || !chunks[1].Start || chunks[0].Index != nil || *chunks[1].Index != 0 || chunks[2].FinishReason != "stop" {
		t.Errorf("chunks %v", chunks)
	}
	if p.bodies[0]["stream"] != true {
		t.Errorf("body %v", p.bodies[0])
	}
}

func TestStreamedToolCalls(t *testing.T) {
	p := newProvider(t, stream(
		`{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":""}}]}}]}`,
		`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]}}]}`,
		`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":": 1}"}}]},"finish_reason":"tool_calls"}]}`, "[DONE]"))
	replies, err := ask(t, p.generator(t, "streaming_callback", value.Str("haystack.components.generators.utils.print_streaming_chunk")), p.env(t))
	if err != nil {
		t.Fatal(err)
	}
	calls := replies[0].ToolCalls()
	if len(calls) != 2 || calls[0].ToolName != "f" || value.Repr(calls[0].Arguments) != "{'x': 1}" || *calls[1].ID != "b" {
		t.Errorf("calls %s", value.Repr(replies[0]))
	}
}

// What goes wrong, how often it is tried again, and what the error says.
func TestFailures(t *testing.T) {
	status := func(code int, header, body string) func(int, http.ResponseWriter, *http.Request) {
		return func(_ int, w http.ResponseWriter, _ *http.Request) {
			if k, v, ok := strings.Cut(header, ": "); ok {
				w.Header().Set(k, v)
			}
			w.WriteHeader(code)
			io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		answer func(int, http.ResponseWriter, *http.Request)
		params []any
		kind   fault.Kind
		code   string
		says   string
		asked  int
	}{
		"unauthorized": {status(401, "", `{"error": {"message": "Incorrect API key provided: `+key+`"}}`), nil, fault.Failed,
			"AuthenticationError", "Error code: 401 - {'error': {'message': 'Incorrect API key provided: [redacted]", 1},
		"rate limit":      {status(429, "Retry-After-Ms: 1", "slow down"), []any{"max_retries", value.Int(2)}, fault.Failed, "RateLimitError", "Error code: 429 - slow down", 3},
		"server error":    {status(500, "Retry-After: 0.001", ""), []any{"max_retries", value.Int(1)}, fault.Failed, "InternalServerError", "500", 2},
		"told not to":     {status(500, "X-Should-Retry: false", ""), nil, fault.Failed, "InternalServerError", "500", 1},
		"too long a wait": {status(429, "Retry-After: 3600", ""), nil, fault.Failed, "RateLimitError", "429", 1},
		"redirect":        {status(307, "Location: http://127.0.0.1:1/", ""), nil, fault.Failed, "", "redirect", 1},
		"not JSON":        {say("<html>"), nil, fault.Failed, "APIResponseValidationError", "not JSON", 1},
		"no choices":      {say("{}"), nil, fault.Failed, "APIResponseValidationError", "no choices", 1},
		"slow": {func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			[]any{"timeout", value.Float(0.05), "max_retries", value.Int(0)}, fault.Timeout, "APITimeoutError", "did not answer", 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t, c.answer)
			_, err := ask(t, p.generator(t, c.params...), p.env(t))
			f := fault.From(err)
			if f == nil || f.Kind != c.kind || f.Code != c.code || !strings.Contains(f.Message, c.says) || strings.Contains(err.Error(), key) {
				t.Errorf("got %v %v", f, err)
			}
			if p.asked() != c.asked {
				t.Errorf("asked %d times, want %d", p.asked(), c.asked)
			}
		})
	}
}

func TestRetryThatHelps(t *testing.T) {
	p := newProvider(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			w.Header().Set("Retry-After-Ms", "1")
			w.WriteHeader(503)
			return
		}
		io.WriteString(w, completion)
	})
	if replies, err := ask(t, p.generator(t), p.env(t)); err != nil || len(replies) != 1 || p.asked() != 2 {
		t.Errorf("%v, %v, asked %d times", replies, err, p.asked())
	}
}

func TestStreamFailures(t *testing.T) {
	for name, c := range map[string]struct {
		event string
		says  string
	}{
		"an error":       {`{"error": {"message": "overloaded"}}`, "overloaded"},
		"not JSON":       {`{`, "not JSON"},
		"not a mapping":  {`[]`, "not a mapping"},
		"two choices":    {`{"choices":[{},{}]}`, "more than one choice"},
		"a nameless one": {`{"error": true}`, "An error occurred during streaming"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t, stream(c.event))
			env := heard(p.env(t), func(*message.StreamingChunk) {})
			if _, err := ask(t, p.generator(t), env); !fault.Is(err, fault.Failed) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("two replies at once", func(t *testing.T) {
		p := newProvider(t, stream("[DONE]"))
		env := heard(p.env(t), func(*message.StreamingChunk) {})
		_, err := ask(t, p.generator(t), env, "generation_kwargs", value.NewDict("n", value.Int(2)))
		if f := fault.From(err); f == nil || f.Message != "Cannot stream multiple responses, please set n=1." || p.asked() != 0 {
			t.Errorf("got %v", err)
		}
	})
}

// A key that belongs elsewhere does not leave.
func TestKeyForAnotherOriginStays(t *testing.T) {
	p := newProvider(t, say(completion))
	env := componenttest.With(p.env(t), func(w *componenttest.World) { w.Secrets = elsewhere{} })
	if _, err := ask(t, p.generator(t), env); err == nil || p.asked() != 0 {
		t.Errorf("%v, asked %d times", err, p.asked())
	}
}

func TestBadParameters(t *testing.T) {
	reg := component.NewRegistry([]*component.Type{chat.OpenAIChatGeneratorType()}, nil)
	for name, params := range map[string]*value.Dict{
		"tools":     value.NewDict("tools", value.NewList(value.NewDict("type", value.Str("x")))),
		"callback":  value.NewDict("streaming_callback", value.Str("os.system")),
		"client":    value.NewDict("http_client_kwargs", value.NewDict("proxy", value.Str("http://x"))),
		"timeout":   value.NewDict("timeout", value.Int(-1)),
		"retries":   value.NewDict("max_retries", value.Int(-1)),
		"url":       value.NewDict("api_base_url", value.Str("ftp://x")),
		"user info": value.NewDict("api_base_url", value.Str("https://a:b@x")),
		"key":       value.NewDict("api_key", value.Str(key)),
		"unknown":   value.NewDict("apikey", value.Str("x")),
	} {
		_, err := reg.Build("llm", chat.OpenAIChatGeneratorType().Name, params, fault.Where{})
		if err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCanceledRunStops(t *testing.T) {
	p := newProvider(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	g := p.generator(t)
	in := component.In{value.Str("hello"), value.None, value.None, value.None, value.None}
	if _, err := g.Component.Run(ctx, p.env(t), in); err == nil || p.asked() > 2 {
		t.Errorf("%v after %d requests", err, p.asked())
	}
}

// elsewhere resolves every secret to one that may only go to api.openai.com.
type elsewhere struct{}

func (elsewhere) ResolveSecret(_ context.Context, req component.SecretRequest) (sealed.Value, error) {
	return sealed.NewString(key).For(req.Documented...), nil
}
