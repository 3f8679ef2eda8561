package devllm_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/devllm"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

const (
	key     = "sk-acme-canary"
	prompt  = `Documents:\nGo is a language. Its channels carry values between goroutines.\nQuestion: What do channels carry?\nAnswer:`
	answer  = "Its channels carry values between goroutines."
	request = `{"model":"gpt-5-mini","messages":[{"role":"user","content":"` + prompt + `"}]`
)

// start runs a server on a real socket and returns its address and its log.
func start(t *testing.T, o devllm.Options) (base string, log *lockedBuffer) {
	t.Helper()
	log = &lockedBuffer{}
	if o.Keys == nil {
		o.Keys = []sealed.Value{sealed.NewString("sk-other"), sealed.NewString(key)}
	}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	l, err := devllm.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- devllm.New(o).Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String(), log
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}
func (b *lockedBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

func call(t *testing.T, method, url, bearer, body string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(out), resp.Header
}

type completion struct {
	ID, Object, Model string
	Created           int64
	Choices           []struct {
		Index        int
		Message      struct{ Role, Content string }
		Delta        map[string]any
		FinishReason *string `json:"finish_reason"`
	}
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
	}
}

func ask(t *testing.T, base, body string) completion {
	t.Helper()
	status, out, _ := call(t, "POST", base+"/v1/chat/completions", key, body)
	var c completion
	if err := json.Unmarshal([]byte(out), &c); status != 200 || err != nil {
		t.Fatalf("%d %s %v", status, out, err)
	}
	return c
}

func TestAnAnswer(t *testing.T) {
	base, _ := start(t, devllm.Options{Now: func() time.Time { return time.Unix(1700000000, 0) }})
	c := ask(t, base, request+"}")
	if c.Object != "chat.completion" || c.Model != "gpt-5-mini" || c.Created != 1700000000 || !strings.HasPrefix(c.ID, "chatcmpl-") {
		t.Errorf("got %+v", c)
	}
	if len(c.Choices) != 1 || c.Choices[0].Message.Role != "assistant" || c.Choices[0].Message.Content != answer || *c.Choices[0].FinishReason != "stop" {
		t.Errorf("got %+v", c.Choices)
	}
	if u := c.Usage; u.Completion != 6 || u.Prompt != 17 || u.Total != 23 {
		t.Errorf("got %+v", u)
	}
	if again := ask(t, base, request+"}"); again.ID == c.ID {
		t.Error("two answers have one id")
	}
}

func TestOptionsOfARequest(t *testing.T) {
	base, _ := start(t, devllm.Options{})
	for _, tc := range []struct {
		field, content, finish string
		choices                int
	}{
		{`"n":3`, answer, "stop", 3},
		{`"max_tokens":2`, "Its channels", "length", 1},
		{`"max_completion_tokens":3`, "Its channels carry", "length", 1},
		{`"max_tokens":100`, answer, "stop", 1},
		{`"stop":"carry"`, "Its channels ", "stop", 1},
		{`"stop":["zzz","values"]`, "Its channels carry ", "stop", 1},
		{`"response_format":{"type":"json_object"}`, `{"answer":"` + answer + `"}`, "stop", 1},
		{`"temperature":0.2,"seed":1,"tools":[],"user":"u"`, answer, "stop", 1},
	} {
		c := ask(t, base, request+","+tc.field+"}")
		if len(c.Choices) != tc.choices || c.Choices[0].Message.Content != tc.content || *c.Choices[0].FinishReason != tc.finish {
			t.Errorf("%s: got %+v", tc.field, c.Choices)
		}
	}
	parts := `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"` + prompt + `"},{"type":"image_url","image_url":{"url":"x"}}]}]}`
	if c := ask(t, base, parts); c.Choices[0].Message.Content != answer {
		t.Errorf("parts: got %+v", c.Choices)
	}
}

func TestAStream(t *testing.T) {
	base, _ := start(t, devllm.Options{})
	for _, usage := range []bool{false, true} {
		body := request + `,"stream":true,"max_tokens":4,"stream_options":{"include_usage":` + fmt.Sprint(usage) + `}}`
		status, out, header := call(t, "POST", base+"/v1/chat/completions", key, body)
		if status != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/event-stream") {
			t.Fatalf("%d %v", status, header)
		}
		var text, roles, finish string
		var last *completion
		lines := strings.Split(strings.TrimSuffix(out, "\n\n"), "\n\n")
		for i, line := range lines {
			data, ok := strings.CutPrefix(line, "data: ")
			if !ok || strings.Contains(data, "\n") {
				t.Fatalf("line %d: %q", i, line)
			}
			if data == "[DONE]" {
				if i != len(lines)-1 {
					t.Errorf("[DONE] is not the last event")
				}
				continue
			}
			if has := strings.Contains(data, `"usage":`); has != usage {
				t.Errorf("event %d: %s", i, data)
			}
			c := completion{}
			if err := json.Unmarshal([]byte(data), &c); err != nil || c.Object != "chat.completion.chunk" {
				t.Fatalf("%v %s", err, data)
			}
			last = &c
			for _, ch := range c.Choices {
				s, _ := ch.Delta["content"].(string)
				r, _ := ch.Delta["role"].(string)
				text, roles = text+s, roles+r
				if ch.FinishReason != nil {
					finish += *ch.FinishReason
				}
			}
		}
		if text != "Its channels carry values" || roles != "assistant" || finish != "length" {
			t.Errorf("got %q %q %q", text, roles, finish)
		}
		if usage != (last.Usage != nil && len(last.Choices) == 0 && last.Usage.Completion == 4) {
			t.Errorf("the last chunk is %+v", last)
		}
		if want := 7 + map[bool]int{true: 1}[usage]; len(lines) != want {
			t.Errorf("%d events, want %d", len(lines), want)
		}
	}
}

func TestAStreamArrivesWordByWord(t *testing.T) {
	base, _ := start(t, devllm.Options{ChunkDelay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel() // or the test would take hours
	req, _ := http.NewRequestWithContext(ctx, "POST", base+"/v1/chat/completions", strings.NewReader(request+`,"stream":true}`))
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || !strings.Contains(line, `"role":"assistant"`) {
		t.Fatalf("%q %v", line, err)
	}
}

func TestErrorsHaveOpenAIsShape(t *testing.T) {
	base, _ := start(t, devllm.Options{Models: []string{"gpt-5-mini"}, MaxBody: 2000})
	chat := "POST /v1/chat/completions"
	for _, tc := range []struct {
		name, call, key, body string
		status                int
		code, param           string
	}{
		{"no key", chat, "", request + "}", 401, "", ""},
		{"an unknown key", chat, "sk-wrong-canary", request + "}", 401, "invalid_api_key", ""},
		{"a key is whole", chat, key[:len(key)-1], request + "}", 401, "invalid_api_key", ""},
		{"models need a key", "GET /v1/models", "", "", 401, "", ""},
		{"not JSON", chat, key, "{", 400, "", ""},
		{"not an object", chat, key, "[]", 400, "", ""},
		{"null", chat, key, "null", 400, "", ""},
		{"no model", chat, key, `{"messages":[]}`, 400, "", "model"},
		{"an unknown model", chat, key, `{"model":"gpt-9","messages":[]}`, 404, "model_not_found", "model"},
		{"no messages", chat, key, `{"model":"gpt-5-mini"}`, 400, "", "messages"},
		{"a wrong type", chat, key, `{"model":"gpt-5-mini","messages":3}`, 400, "", "messages"},
		{"an unknown role", chat, key, `{"model":"gpt-5-mini","messages":[{"role":"boss","content":"x"}]}`, 400, "", "messages[0].role"},
		{"no content", chat, key, `{"model":"gpt-5-mini","messages":[{"role":"user"}]}`, 400, "", "messages[0].content"},
		{"content of a wrong type", chat, key, `{"model":"gpt-5-mini","messages":[{"role":"user","content":4}]}`, 400, "", "messages[0].content"},
		{"an unknown field", chat, key, request + `,"temprature":1}`, 400, "", "temprature"},
		{"n", chat, key, request + `,"n":0}`, 400, "", "n"},
		{"max_tokens", chat, key, request + `,"max_tokens":0}`, 400, "", "max_tokens"},
		{"both limits", chat, key, request + `,"max_tokens":1,"max_completion_tokens":1}`, 400, "", "max_tokens"},
		{"stream options without a stream", chat, key, request + `,"stream_options":{}}`, 400, "", "stream_options"},
		{"a schema", chat, key, request + `,"response_format":{"type":"json_schema"}}`, 400, "", "response_format"},
		{"stop", chat, key, request + `,"stop":[1]}`, 400, "", "stop"},
		{"too large", chat, key, request + `,"user":"` + strings.Repeat("x", 2000) + `"}`, 413, "", ""},
		{"another path", "POST /v1/completions", key, "{}", 404, "", ""},
		{"another method", "GET /v1/chat/completions", key, "", 405, "method_not_supported", ""},
		{"another model", "GET /v1/models/gpt-9", key, "", 404, "model_not_found", "model"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			method, path, _ := strings.Cut(tc.call, " ")
			status, out, _ := call(t, method, base+path, tc.key, tc.body)
			var e struct {
				Error *struct {
					Message, Type string
					Code, Param   *string
				}
			}
			if err := json.Unmarshal([]byte(out), &e); err != nil || e.Error == nil || e.Error.Message == "" || e.Error.Type == "" {
				t.Fatalf("%d %s %v", status, out, err)
			}
			if status != tc.status || deref(e.Error.Code) != tc.code || deref(e.Error.Param) != tc.param {
				t.Errorf("got %d %s", status, out)
			}
			if strings.Contains(out, "canary") {
				t.Errorf("the answer shows a key: %s", out)
			}
		})
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestHealthAndModels(t *testing.T) {
	base, _ := start(t, devllm.Options{Models: []string{"a", "org/b"}})
	if status, out, _ := call(t, "GET", base+"/healthz", "", ""); status != 200 || !strings.Contains(out, "ok") {
		t.Errorf("%d %s", status, out)
	}
	_, out, _ := call(t, "GET", base+"/v1/models", key, "")
	if !strings.Contains(out, `"id":"a"`) || !strings.Contains(out, `"object":"list"`) {
		t.Errorf("got %s", out)
	}
	if status, out, _ := call(t, "GET", base+"/v1/models/org/b", key, ""); status != 200 || !strings.Contains(out, `"id":"org/b"`) {
		t.Errorf("%d %s", status, out)
	}
}

func TestFailingOnPurpose(t *testing.T) {
	for _, tc := range []struct{ status, want int }{{0, 500}, {429, 429}, {503, 503}} {
		base, _ := start(t, devllm.Options{FailEvery: 3, Status: tc.status})
		var got []int
		for range 6 {
			status, _, _ := call(t, "POST", base+"/v1/chat/completions", key, request+"}")
			got = append(got, status)
		}
		if want := fmt.Sprint([]int{200, 200, tc.want, 200, 200, tc.want}); fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}

func TestSlowOnPurpose(t *testing.T) {
	base, _ := start(t, devllm.Options{Latency: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "POST", base+"/v1/chat/completions", strings.NewReader(request+"}"))
	req.Header.Set("Authorization", "Bearer "+key)
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Error("an answer came at once")
	}
}

func TestTheLogShowsAFingerprintAndNeverAKey(t *testing.T) {
	base, log := start(t, devllm.Options{})
	call(t, "POST", base+"/v1/chat/completions", key, request+"}")
	call(t, "POST", base+"/v1/chat/completions", "sk-wrong-canary", request+"}")
	call(t, "POST", base+"/v1/chat/completions", "", request+"}")
	// The line is written after the answer is sent.
	for range 200 {
		if strings.Count(log.String(), "\n") == 3 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("got %q", lines)
	}
	for i, want := range []string{devllm.Fingerprint(sealed.NewString(key)), devllm.Fingerprint(sealed.NewString("sk-wrong-canary")), "none"} {
		if !strings.Contains(lines[i], "key="+want) || len(want) > 8 {
			t.Errorf("line %d: %s, want %s", i, lines[i], want)
		}
	}
	if strings.Contains(log.String(), "canary") || strings.Contains(log.String(), "channels") {
		t.Errorf("the log shows too much: %s", log)
	}
}

func TestAllow(t *testing.T) {
	s := devllm.New(devllm.Options{})
	l, err := devllm.Listen(t.Context(), "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { _ = s.Serve(ctx, l) }()
	base := "http://" + l.Addr().String()
	if status, _, _ := call(t, "GET", base+"/v1/models", key, ""); status != 401 {
		t.Errorf("a server without keys answered %d", status)
	}
	if status, _, _ := call(t, "GET", base+"/v1/models", "", ""); status != 401 {
		t.Errorf("a server without keys answered nobody with %d", status)
	}
	s.Allow(sealed.NewString(key))
	if status, _, _ := call(t, "GET", base+"/v1/models", key, ""); status != 200 {
		t.Errorf("got %d", status)
	}
}

func TestListenStaysOnThisMachine(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "127.0.0.1.example.com:0", "[::ffff:0.0.0.0]:0"} {
		l, err := devllm.Listen(t.Context(), addr)
		if !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", addr, err)
		}
		if err == nil {
			_ = l.Close()
		}
	}
	if _, err := devllm.Listen(t.Context(), "127.0.0.1"); !fault.Is(err, fault.Invalid) {
		t.Errorf("no port: %v", err)
	}
	l, err := devllm.Listen(t.Context(), "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := devllm.Listen(t.Context(), l.Addr().String()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a busy port: %v", err)
	}
}

func TestReadKeys(t *testing.T) {
	keys, err := devllm.ReadKeys(strings.NewReader("# demo\n\n  a  \r\nb\n"))
	if err != nil || len(keys) != 2 || devllm.Fingerprint(keys[0]) != devllm.Fingerprint(sealed.NewString("a")) {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	if _, err := devllm.ReadKeys(strings.NewReader("# nothing\n")); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}
