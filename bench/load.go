package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// target is what a load asks for: one pipeline on one server, or one thing of it.
type target struct {
	url, token string
	body       func() string // nil: the body of a run
}

func (t target) text() string {
	if t.body == nil {
		return body
	}
	return t.body()
}

// result is what a load gave. Rounds are added up.
type result struct {
	took  time.Duration
	times []time.Duration
}

func (r *result) add(more result) {
	r.took += more.took
	r.times = append(r.times, more.times...)
}

func (r *result) perSecond() float64 { return float64(len(r.times)) / r.took.Seconds() }

func (r *result) percentile(p int) time.Duration {
	slices.Sort(r.times)
	return r.times[min(len(r.times)-1, len(r.times)*p/100)]
}

// load has so many clients send requests one after the other for a while. Any answer but 200 ends it.
func load(ctx context.Context, t target, clients int, for_ time.Duration) (result, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport, Timeout: time.Minute}
	times := make([][]time.Duration, clients)
	errs := make([]error, clients)
	var wg sync.WaitGroup
	began := time.Now()
	for i := range clients {
		wg.Go(func() {
			for errs[i] == nil && time.Since(began) < for_ && ctx.Err() == nil {
				at := time.Now()
				errs[i] = request(ctx, c, t)
				times[i] = append(times[i], time.Since(at))
			}
		})
	}
	wg.Wait()
	r := result{took: time.Since(began)}
	for i := range clients {
		if errs[i] != nil {
			return r, errs[i]
		}
		r.times = append(r.times, times[i]...)
	}
	return r, ctx.Err()
}

func request(ctx context.Context, c *http.Client, t target) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, strings.NewReader(t.text()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if t.token != "" {
		req.Header.Set("Authorization", "Bearer "+t.token)
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return fmt.Errorf("%s: %s: %s", t.url, resp.Status, b)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
