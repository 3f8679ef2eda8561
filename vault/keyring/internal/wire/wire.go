package wire

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
)

// Client sends. The zero value of a field is its default.
type Client struct {
	HTTP     *egress.Client // needed
	What     string         // the service, for errors: "Google Cloud KMS"
	Attempts int            // default 4
	Timeout  time.Duration  // of one attempt; default 10 s
	Pause    time.Duration  // before the second attempt, doubled each time; default 250 ms
}

// maxAnswer bounds an answer: a wrapped key takes less than a kibibyte.
const maxAnswer = 64 << 10

// Request is one request.
type Request struct {
	URL         string
	ContentType string
	Body        []byte
	Header      http.Header
	Credentials []egress.Credential
}

// Post sends a request until there is an answer other than "come again". It returns the status and the body; err is a fault
// of the kind Denied, Timeout, Canceled or Unavailable.
func (c Client) Post(ctx context.Context, r Request) (status int, body []byte, err error) {
	attempts, pause := max(c.Attempts, 0), c.Pause
	if attempts == 0 {
		attempts = 4
	}
	if pause <= 0 {
		pause = 250 * time.Millisecond
	}
	for n := 1; ; n++ {
		status, body, err = c.once(ctx, r)
		passing := fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout) || status == http.StatusTooManyRequests || status >= 500
		if !passing || n >= attempts || !wait(ctx, pause<<(n-1)) {
			break
		}
	}
	if err == nil && (status == http.StatusTooManyRequests || status >= 500) {
		err = fault.New(fault.Unavailable, "%s answers %d: it cannot do its work now", c.What, status)
	}
	return status, body, err
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (c Client) once(ctx context.Context, r Request) (int, []byte, error) {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return 0, nil, fault.New(fault.Invalid, "the address of %s is none", c.What)
	}
	req.GetBody = nil // a redirect cannot take the body along
	for name, values := range r.Header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", r.ContentType)
	req.Header.Set("User-Agent", "hayward")
	resp, err := c.HTTP.Do(req, r.Credentials...)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return 0, nil, fault.Wrap(fault.Unavailable, err, "the answer of %s broke off", c.What)
	case len(body) > maxAnswer:
		return 0, nil, fault.New(fault.TooLarge, "the answer of %s is longer than %d bytes", c.What, maxAnswer)
	}
	return resp.StatusCode, body, nil
}
