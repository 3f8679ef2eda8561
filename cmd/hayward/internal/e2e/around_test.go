package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/host/traces"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/server/metrics"
)

// collector takes spans.
type collector struct {
	*httptest.Server
	mu   sync.Mutex
	text strings.Builder
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.text.Write(append(b, '\n'))
	}))
	t.Cleanup(c.Close)
	return c
}

// got returns the bodies so far.
func (c *collector) got() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// collected is one span.
type collected struct {
	Name, SpanID, ParentSpanID string
	Attributes                 []struct {
		Key   string
		Value struct{ StringValue string }
	}
}

func (s collected) tag(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.StringValue
		}
	}
	return ""
}

func (c *collector) spans(t *testing.T) (out []collected) {
	t.Helper()
	for line := range strings.Lines(c.got()) {
		var in struct {
			ResourceSpans []struct{ ScopeSpans []struct{ Spans []collected } }
		}
		if err := json.Unmarshal([]byte(line), &in); err != nil {
			t.Fatal(err)
		}
		for _, r := range in.ResourceSpans {
			for _, s := range r.ScopeSpans {
				out = append(out, s.Spans...)
			}
		}
	}
	return out
}

func TestRunsAreTraced(t *testing.T) {
	for _, content := range []bool{false, true} {
		c := newCollector(t)
		s := apptest.Start(t, func(set *app.Settings) { set.Traces.Endpoint, set.Traces.Content = c.URL, content })
		s.Member("acme", "ann", password, policy.Admin)
		ann := s.Login("ann", password)
		s.Deploy(ann, "hello", helloYAML)
		resp := s.Send(ann, "POST", "/hello/run", "application/json", strings.NewReader(`{"name": "what-ann-asks"}`))
		resp.Body.Close()
		id := resp.Header.Get("X-Request-Id")
		s.Stop() // sends what waits
		spans := c.spans(t)
		if len(spans) != 2 || id == "" {
			t.Fatalf("%d spans of request %q: %s", len(spans), id, c.got())
		}
		part, whole := spans[0], spans[1]
		if part.Name != "haystack.component.run" || whole.Name != "haystack.pipeline.run" || part.ParentSpanID != whole.SpanID ||
			part.tag("haystack.component.name") != "prompt" || part.tag("haystack.request_id") != id || whole.tag("haystack.request_id") != id {
			t.Errorf("%+v", spans)
		}
		if got := strings.Contains(c.got(), "what-ann-asks"); got != content {
			t.Errorf("content %v, but the spans hold what was asked: %v", content, got)
		}
	}
}

// A collector that hangs, or is not there, costs no run anything.
func TestABrokenCollectorDelaysNoRun(t *testing.T) {
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hangs.Close()
	defer close(release)
	s := apptest.Start(t, func(set *app.Settings) {
		set.Traces.Endpoint, set.Traces.Queue = hangs.URL, traces.QueueOptions{Size: 4, Batch: 1, Every: time.Millisecond}
	})
	s.Member("acme", "ann", password, policy.Admin)
	s.Operator("olga", password)
	ann, olga := s.Login("ann", password), s.Login("olga", password)
	s.Deploy(ann, "hello", helloYAML)
	for range 20 {
		s.Must(200, ann, "POST", "/hello/run", `{"name": "x"}`)
	}
	if text := s.Must(200, olga, "GET", "/metrics", ""); !strings.Contains(text, "hayward_trace_spans_lost_total") || strings.Contains(text, "hayward_trace_spans_lost_total 0\n") {
		t.Errorf("the lost spans are not counted: %s", text)
	}
}

func TestMetricsAreAnOperators(t *testing.T) {
	s := apptest.Start(t, nil)
	s.Member("acme", "ann", password, policy.Admin)
	s.Operator("olga", password)
	ann, olga := s.Login("ann", password), s.Login("olga", password)
	s.Must(200, ann, "PUT", "/api/v1/secrets/THE_KEY", `{"value": "acmes-own-value"}`)
	s.Must(200, ann, "POST", "/api/v1/secrets/THE_KEY/reveal", "")
	s.Must(200, ann, "PUT", "/api/v1/config/limit", `{"value": 1}`)
	resp := s.Send(olga, "GET", "/metrics", "", nil)
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != metrics.ContentType {
		t.Fatalf("%s %s", resp.Status, resp.Header)
	}
	for _, want := range []string{"vault_secret_set_total 1\n", "vault_secret_accessed_total 1\n", "vault_config_written_total 1\n", "vault_encrypted_total", "vault_decrypted_total",
		"vault_audit_recorded_total", "# TYPE vault_source_latency_seconds histogram", "vault_flag_evaluated_total 0\n"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%q is not in\n%s", want, b)
		}
	}
	if strings.Contains(string(b), "vault_audit_recorded_total 0\n") || strings.Contains(string(b), "vault_encrypted_total 0\n") {
		t.Errorf("nothing is counted:\n%s", b)
	}
	s.Must(401, "", "GET", "/metrics", "")
	s.Must(403, ann, "GET", "/metrics", "")
	if got := entries(t, s, "ann", "metrics.read"); len(got) != 1 || got[0].Outcome != "denied" {
		t.Errorf("the refusal is recorded as %+v", got)
	}
	if got := entries(t, s, "olga", "metrics.read"); len(got) != 0 {
		t.Errorf("reading is recorded each time: %+v", got)
	}
}

func TestPricesLimitTheCost(t *testing.T) {
	model := newListener(t) // 1000 tokens in, 10 out
	s := apptest.Start(t, func(set *app.Settings) {
		set.EgressAllow = []string{strings.TrimPrefix(model.URL, "http://")}
		set.Prices, set.Concurrency = pipeline.Prices{"": {In: 2000, Out: 10_000}}, 4
	})
	s.Member("acme", "ann", password, policy.Admin)
	ann := s.Login("ann", password)
	s.Must(200, ann, "PUT", "/api/v1/secrets/OPENAI_API_KEY", `{"value": "sk-paid", "destinations": ["`+model.URL+`"]}`)
	s.Deploy(ann, "ask", fmt.Sprintf(askYAML, model.URL))
	run := func(budget string) (int, string) {
		return s.Call(ann, "POST", "/api/v1/pipelines/ask/runs", `{"inputs": {"name": "x"}, "context": {"budget": {"cost": `+budget+`}}}`)
	}
	if code, text := run("1"); code != 200 || !strings.Contains(text, `"cost":0.0021`) {
		t.Errorf("%d %s", code, text)
	}
	if code, text := run("0.0000001"); code < 400 || !strings.Contains(text, "BudgetExceeded") {
		t.Errorf("%d %s", code, text)
	}
}
