package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/components"
)

func TestThePipelinesLoad(t *testing.T) {
	for _, src := range []string{twoNodes, withModel("http://127.0.0.1:1")} {
		if _, err := pipeline.Load([]byte(src), "bench.yml", components.Registry(), pipeline.LoadOptions{}); err != nil {
			t.Error(err)
		}
	}
}

func TestLoadCountsAnswersAndStopsAtAFailure(t *testing.T) {
	status := http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer x" {
			t.Error("no token")
		}
		w.WriteHeader(status)
	}))
	defer srv.Close()
	r, err := load(t.Context(), target{url: srv.URL, token: "x"}, 3, 20*time.Millisecond)
	if err != nil || len(r.times) < 3 || r.perSecond() <= 0 {
		t.Fatalf("%d requests, %v", len(r.times), err)
	}
	status = http.StatusTooManyRequests
	if _, err := load(t.Context(), target{url: srv.URL, token: "x"}, 3, time.Minute); err == nil {
		t.Error("a refusal counts as an answer")
	}
}

func TestPercentiles(t *testing.T) {
	var r result
	for i := 100; i > 0; i-- {
		r.times = append(r.times, time.Duration(i))
	}
	if r.percentile(50) != 51 || r.percentile(99) != 100 {
		t.Errorf("p50 %d, p99 %d", r.percentile(50), r.percentile(99))
	}
}
