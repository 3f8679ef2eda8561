package openbao

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// wire sends requests and reads answers. It knows retries and errors, no tokens of its own and no secrets engine.
type wire struct {
	o    Options
	dest sealed.Destination
}

// request is one request.
type request struct {
	method, path string // the path as escaped, below /v1/
	token        sealed.Value
	body         []byte
}

// answer is what came back. Data and auth are read by whoever asked.
type answer struct {
	status int
	Data   json.RawMessage `json:"data"`
	Auth   *authData       `json:"auth"`
	Errors []string        `json:"errors"`
}

type authData struct {
	ClientToken   string `json:"client_token"`
	LeaseDuration int64  `json:"lease_duration"` // seconds; 0: it does not end
	Renewable     bool   `json:"renewable"`
}

// ask sends a request until there is an answer worth reading: a server that is sealed, starting, overloaded or a standby asks
// to come again.
func (w *wire) ask(ctx context.Context, r request) (*answer, error) {
	for attempt := 1; ; attempt++ {
		a, wait, err := w.once(ctx, r)
		if err == nil && !again(a.status) {
			return a, nil
		}
		if err == nil {
			err = w.refused(a, r)
		} else if !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Timeout) {
			return nil, err
		}
		if attempt >= w.o.Attempts || !pause(ctx, w.delay(attempt, wait)) {
			return nil, err
		}
	}
}

// again says which statuses ask to come again. 412: a standby has not caught up with a write yet; 429: a quota, or in health
// a standby; 472 and 473: secondaries of a replication.
func again(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusPreconditionFailed, 472, 473:
		return true
	}
	return status >= 500
}

// delay doubles, is spread over its upper half so that clients do not come back together, and honours the server's wish.
func (w *wire) delay(attempt int, asked time.Duration) time.Duration {
	d := w.o.Backoff << min(attempt-1, 16)
	d = min(d/2+time.Duration(rand.Int64N(int64(d/2)+1)), w.o.MaxWait)
	return min(max(d, asked), w.o.MaxWait)
}

// pause waits, unless the caller's time is over first.
func pause(ctx context.Context, d time.Duration) bool {
	if end, bounded := ctx.Deadline(); bounded && time.Until(end) <= d {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (w *wire) once(ctx context.Context, r request) (*answer, time.Duration, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, w.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, w.dest.String()+"/v1/"+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, 0, fault.New(fault.Invalid, "the path of a request to %s cannot be written as a URL", w.dest)
	}
	req.Header.Set("X-Vault-Request", "true") // agents with a listener of their own ask for it
	if len(r.body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if w.o.Namespace != "" {
		req.Header.Set("X-Vault-Namespace", w.o.Namespace)
	}
	var creds []egress.Credential
	if !r.token.IsZero() {
		creds = append(creds, egress.Credential{Header: "X-Vault-Token", Value: r.token.For(w.dest)})
	}
	resp, err := w.o.Client.Do(req, creds...)
	if err != nil {
		return nil, 0, w.unreached(outer, err)
	}
	defer resp.Body.Close()
	a, err := w.read(outer, resp)
	return a, retryAfter(resp.Header.Get("Retry-After")), err
}

// unreached tells the caller's own end from a server that is slow.
func (w *wire) unreached(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		kind := fault.Canceled
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			kind = fault.Timeout
		}
		return fault.Wrap(kind, ctx.Err(), "the request to %s was given up", w.dest)
	}
	return err
}

func (w *wire) read(ctx context.Context, resp *http.Response) (*answer, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, w.o.MaxResponse+1))
	if err != nil {
		if ctx.Err() != nil {
			return nil, w.unreached(ctx, err)
		}
		return nil, fault.New(fault.Unavailable, "the answer of %s broke off", w.dest)
	}
	defer clear(body)
	if int64(len(body)) > w.o.MaxResponse {
		return nil, fault.New(fault.TooLarge, "the answer of %s has more than %d bytes", w.dest, w.o.MaxResponse)
	}
	a := &answer{status: resp.StatusCode}
	if len(bytes.TrimSpace(body)) == 0 {
		return a, nil
	}
	if err := json.Unmarshal(body, a); err != nil && resp.StatusCode < 300 {
		return nil, fault.New(fault.Failed, "the answer of %s is not that of an OpenBao server", w.dest).
			WithHint("is this the address of the server's API, and not of a proxy or a web page?")
	}
	return a, nil
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3).
func retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil && n > 0 {
		return time.Duration(min(n, 3600)) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// refused turns a status into an error, once. What the server says is for its log: only known, harmless sentences pass.
func (w *wire) refused(a *answer, r request) error {
	cause := errors.New("status " + strconv.Itoa(a.status))
	switch {
	case a.status == http.StatusForbidden:
		return fault.Wrap(fault.Denied, cause, "%s refuses %s", w.dest, what(r)).
			WithHint("the token's policies must allow it; a missing or ended token is refused likewise")
	case a.status == http.StatusTooManyRequests:
		return fault.Wrap(fault.Limited, cause, "%s has too much to do for %s", w.dest, what(r))
	case a.status == http.StatusServiceUnavailable && says(a, "sealed"):
		return fault.Wrap(fault.Unavailable, cause, "%s is sealed", w.dest).WithCode("Sealed").WithHint("its operator must unseal it")
	case a.status == http.StatusServiceUnavailable, a.status >= 500, again(a.status):
		return fault.Wrap(fault.Unavailable, cause, "%s cannot answer %s now", w.dest, what(r))
	case a.status >= 300 && a.status < 400:
		return fault.Wrap(fault.Unavailable, cause, "%s sends %s elsewhere, and a redirect is not followed with a token", w.dest, what(r)).
			WithHint("it may be a standby: use the address of the active server, or one that forwards")
	case a.status == http.StatusNotFound:
		return fault.Wrap(fault.NotFound, cause, "%s has nothing at %s", w.dest, what(r))
	}
	return fault.Wrap(fault.Failed, cause, "%s refuses %s as wrong", w.dest, what(r)).
		WithHint("is the mount a KV engine of version 2, and is the way to log in enabled at that path?")
}

// what names a request by method and path; paths are names.
func what(r request) string { return r.method + " /v1/" + r.path }

func says(a *answer, word string) bool {
	for _, e := range a.Errors {
		if strings.Contains(e, word) {
			return true
		}
	}
	return false
}
