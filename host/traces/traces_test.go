package traces_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/traces"
	"github.com/haywardhq/hayward/sealed"
)

// collector writes down what it is sent, and answers what it is told to.
type collector struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	auth   string
	answer func(n int, w http.ResponseWriter)
}

func newCollector(t *testing.T, answer func(n int, w http.ResponseWriter)) *collector {
	c := &collector{answer: answer}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		c.bodies, c.auth = append(c.bodies, r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(b)), r.Header.Get("Authorization")
		n := len(c.bodies)
		c.mu.Unlock()
		if c.answer != nil {
			c.answer(n, w)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.bodies...)
}

func (c *collector) exporter(t *testing.T, change func(*traces.ExporterOptions)) *traces.Exporter {
	t.Helper()
	p, err := egress.NewPolicy(strings.TrimPrefix(c.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	o := traces.ExporterOptions{Endpoint: c.URL + "/", Client: egress.New(p, egress.Options{})}
	if change != nil {
		change(&o)
	}
	return traces.NewExporter(o)
}

func provider(q sdktrace.SpanProcessor) *sdktrace.TracerProvider {
	return sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(q), sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "hayward"))))
}

// end opens and ends n spans.
func end(p *sdktrace.TracerProvider, n int, attrs ...attribute.KeyValue) {
	for range n {
		_, s := p.Tracer("hayward").Start(context.Background(), "s", trace.WithAttributes(attrs...))
		s.End()
	}
}

func TestWhatACollectorGets(t *testing.T) {
	c := newCollector(t, nil)
	e := c.exporter(t, func(o *traces.ExporterOptions) {
		o.Credentials = []egress.Credential{egress.Bearer(sealed.NewString("tok").For(sealed.MustDestination(c.URL)))}
	})
	p := provider(traces.NewQueue(e, traces.QueueOptions{}))
	ctx, outer := p.Tracer("hayward").Start(t.Context(), "outer")
	_, inner := p.Tracer("hayward").Start(ctx, "inner", trace.WithSpanKind(trace.SpanKindClient), trace.WithLinks(trace.LinkFromContext(ctx)), trace.WithAttributes(
		attribute.String("s", "x\"y"), attribute.Int64("i", math.MaxInt64), attribute.Bool("b", true), attribute.Float64("f", 0.5), attribute.Float64("nan", math.NaN()),
		attribute.StringSlice("list", []string{"a", "b"}), attribute.Int64Slice("ints", []int64{1}), attribute.BoolSlice("bools", []bool{false}), attribute.Float64Slice("floats", []float64{2})))
	inner.AddEvent("happened", trace.WithAttributes(attribute.Int("n", 1)))
	inner.SetStatus(codes.Error, "bad")
	inner.End()
	outer.SetStatus(codes.Ok, "")
	outer.End()
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := c.got()
	if len(got) != 1 || c.auth != "Bearer tok" {
		t.Fatalf("%d requests, %q", len(got), c.auth)
	}
	body, ok := strings.CutPrefix(got[0], "/v1/traces application/json ")
	if !ok {
		t.Fatal(got[0])
	}
	var in struct {
		ResourceSpans []struct {
			ScopeSpans []struct {
				Spans []map[string]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		t.Fatal(err)
	}
	spans := in.ResourceSpans[0].ScopeSpans[0].Spans
	if len(spans) != 2 || spans[0]["parentSpanId"] != spans[1]["spanId"] || spans[0]["traceId"] != spans[1]["traceId"] || len(spans[0]["traceId"].(string)) != 32 {
		t.Errorf("%v", spans)
	}
	for _, part := range []string{`"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"hayward"}}]}`, `"name":"inner","kind":3`, `"name":"outer","kind":1`,
		`{"key":"s","value":{"stringValue":"x\"y"}}`, `{"key":"i","value":{"intValue":"9223372036854775807"}}`, `{"key":"b","value":{"boolValue":true}}`,
		`{"key":"f","value":{"doubleValue":0.5}}`, `{"key":"nan","value":{"stringValue":"NaN"}}`, `{"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":"b"}]}}`,
		`"status":{"message":"bad","code":2}`, `"status":{"code":1}`, `"events":[{"timeUnixNano":"`, `"links":[{"traceId":"`, `{"values":[{"boolValue":false}]}`, `{"values":[{"doubleValue":2}]}`} {
		if !strings.Contains(body, part) {
			t.Errorf("%s\nis not in\n%s", part, body)
		}
	}
}

// What may be sent again, and what may not (OTLP specification, "Failures").
func TestAnswersOfACollector(t *testing.T) {
	for _, tc := range []struct {
		code  int
		body  string
		kind  fault.Kind
		fails bool
	}{{200, "", 0, false}, {202, "{}", 0, false}, {429, "", fault.Unavailable, true}, {503, "", fault.Unavailable, true}, {502, "", fault.Unavailable, true}, {400, "", fault.Failed, true},
		{500, "", fault.Failed, true}, {302, "", fault.Failed, true}} {
		c := newCollector(t, func(_ int, w http.ResponseWriter) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(tc.code)
		})
		err := c.exporter(t, nil).ExportSpans(t.Context(), nil)
		if (err != nil) != tc.fails || tc.fails && !fault.Is(err, tc.kind) || len(c.got()) != 1 {
			t.Errorf("%d: %v, %d requests", tc.code, err, len(c.got()))
		}
	}
	for _, n := range []string{`3`, `"3"`} {
		c := newCollector(t, func(_ int, w http.ResponseWriter) {
			fmt.Fprintf(w, `{"partialSuccess": {"rejectedSpans": %s, "errorMessage": "why"}}`, n)
		})
		told := ""
		e := c.exporter(t, func(o *traces.ExporterOptions) { o.Rejected = func(n int64, why string) { told = fmt.Sprint(n, why) } })
		if err := e.ExportSpans(t.Context(), nil); err != nil || told != "3why" {
			t.Errorf("%s: %v, told %q", n, err, told)
		}
	}
}

func TestABatchIsSentAgain(t *testing.T) {
	c := newCollector(t, func(n int, w http.ResponseWriter) {
		if n < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	q := traces.NewQueue(c.exporter(t, nil), traces.QueueOptions{Retry: time.Millisecond})
	p := provider(q)
	end(p, 1)
	if err := p.ForceFlush(t.Context()); err != nil || len(c.got()) != 3 || q.Lost() != 0 {
		t.Errorf("%v, %d requests, %d lost", err, len(c.got()), q.Lost())
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// A collector that never answers costs spans, which are counted and logged, and nobody's time.
func TestACollectorThatHangsDelaysNobody(t *testing.T) {
	release := make(chan struct{})
	c := newCollector(t, func(int, http.ResponseWriter) { <-release })
	defer close(release)
	var log strings.Builder
	dropped := 0
	var mu sync.Mutex
	q := traces.NewQueue(c.exporter(t, nil), traces.QueueOptions{Size: 8, Batch: 4, Every: time.Hour, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Dropped: func(n int) { mu.Lock(); dropped += n; mu.Unlock() }})
	p := provider(q)
	end(p, 1000) // would hang here
	if q.Lost() < 1000-8-4-4 {
		t.Errorf("only %d were lost", q.Lost())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_ = p.Shutdown(ctx) // ends with its time, not with the collector's
	mu.Lock()
	defer mu.Unlock()
	if q.Lost() != 1000 || dropped != 1000 || !strings.Contains(log.String(), "spans were lost") {
		t.Errorf("%d lost, %d told, %s", q.Lost(), dropped, log.String())
	}
}

func TestContentIsBoundedInBytes(t *testing.T) {
	c := newCollector(t, nil)
	q := traces.NewQueue(c.exporter(t, nil), traces.QueueOptions{Bytes: 10_000, Every: time.Hour})
	p := provider(q)
	end(p, 20, attribute.String("text", strings.Repeat("x", 1000)))
	if lost := q.Lost(); lost != 11 {
		t.Errorf("%d lost", lost)
	}
	if err := p.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	end(p, 5, attribute.String("text", strings.Repeat("x", 1000)))
	if lost := q.Lost(); lost != 11 {
		t.Errorf("the room is not given back: %d lost", lost)
	}
	if err := p.Shutdown(t.Context()); err != nil || strings.Count(strings.Join(c.got(), ""), `"name":"s"`) != 14 {
		t.Errorf("%v", err)
	}
	end(p, 1) // after the end: nothing happens
}

func BenchmarkEndOfASpan(b *testing.B) {
	q := traces.NewQueue(discard{}, traces.QueueOptions{})
	p := provider(q)
	b.ReportAllocs()
	for b.Loop() {
		end(p, 1, attribute.String("a", "b"))
	}
	_ = p.Shutdown(context.Background())
}

type discard struct{}

func (discard) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discard) Shutdown(context.Context) error                             { return nil }
