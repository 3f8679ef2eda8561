package metrics_test

import (
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/vault/metrics"
)

// TestThirteenInstruments: each has an instrument of its own and a documented name.
func TestThirteenInstruments(t *testing.T) {
	r := metrics.NewRegistry()
	c := reflect.ValueOf(metrics.NewCollector(r)).Elem()
	if c.NumField() != 13 {
		t.Fatalf("%d instruments", c.NumField())
	}
	for i := range c.NumField() {
		switch m := c.Field(i).Interface().(type) {
		case metrics.Counter:
			m.Inc()
			m.Add(float64(i))
		case metrics.Histogram:
			for range i + 1 {
				m.Observe(1)
			}
		}
	}
	for i, name := range []string{"secret_accessed_total", "secret_set_total", "secret_deleted_total", "secret_rotated_total", "flag_evaluated_total",
		"flag_eval_duration_seconds", "config_read_total", "config_written_total", "override_read_total", "audit_recorded_total", "encrypted_total",
		"decrypted_total", "source_latency_seconds"} {
		if got := r.Value("vault_" + name); got != float64(i+1) {
			t.Errorf("%s: %v, want %d", name, got, i+1)
		}
	}
}

func TestTheTextFormat(t *testing.T) {
	r := metrics.NewRegistry()
	r.Counter("b_total").Add(2.5)
	r.Counter("b_total").Add(-1)
	r.Counter("b_total").Add(math.NaN())
	r.Counter("b_total").Add(math.Inf(1))
	r.Counter("a_total")
	h := r.Histogram("h_seconds")
	for _, v := range []float64{1e-7, 0.3, 0.3, 99, math.NaN()} {
		h.Observe(v)
	}
	var b strings.Builder
	n, err := r.WriteTo(&b)
	text := b.String()
	if err != nil || n != int64(len(text)) || !strings.HasPrefix(text, "# TYPE a_total counter\na_total 0\n# TYPE b_total counter\nb_total 2.5\n# TYPE h_seconds histogram\n") {
		t.Errorf("%d, %v\n%s", n, err, text)
	}
	for _, line := range []string{`h_seconds_bucket{le="1e-07"} 1`, `h_seconds_bucket{le="0.1"} 1`, `h_seconds_bucket{le="0.5"} 3`, `h_seconds_bucket{le="10"} 3`,
		`h_seconds_bucket{le="+Inf"} 4`, "h_seconds_sum 99.6000001", "h_seconds_count 4"} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
	if _, err := r.WriteTo(broken{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestNothingIsLostBetweenCores(t *testing.T) {
	r := metrics.NewRegistry()
	c, h := r.Counter("c"), r.Histogram("h")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10_000 {
				c.Inc()
				c.Add(0.5)
				h.Observe(0.5)
			}
		})
	}
	wg.Wait()
	if c, h := r.Value("c"), r.Value("h"); c != 120_000 || h != 80_000 {
		t.Errorf("%v, %v", c, h)
	}
}

func TestNoopCountsNothing(t *testing.T) {
	c := metrics.NewNoopCollector()
	c.SecretSet.Inc()
	c.SecretSet.Add(1)
	c.SourceLatency.Observe(1)
}

func BenchmarkInc(b *testing.B) {
	c := metrics.NewRegistry().Counter("c")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Inc()
		}
	})
}

func TestGauges(t *testing.T) {
	r := metrics.NewRegistry()
	lag := 3.0
	r.Counter("a_total").Inc()
	r.Gauge("lag", "sink", "webhook", func() float64 { return lag })
	r.Gauge("lag", "sink", "file", func() float64 { return 0 })
	r.Gauge("up", "", "", func() float64 { return 1 })
	var b strings.Builder
	if _, err := r.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	const want = "# TYPE a_total counter\na_total 1\n# TYPE lag gauge\nlag{sink=\"file\"} 0\nlag{sink=\"webhook\"} 3\n# TYPE up gauge\nup 1\n"
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
	lag = 4
	r.Gauge("up", "", "", func() float64 { return 0 })
	b.Reset()
	if _, err := r.WriteTo(&b); err != nil || !strings.Contains(b.String(), `lag{sink="webhook"} 4`) || !strings.Contains(b.String(), "up 0") {
		t.Errorf("%s %v", b.String(), err)
	}
}
