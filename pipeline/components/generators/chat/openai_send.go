package chat

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// The OpenAI client's rules for trying again (openai/_base_client.py, openai/_constants.py).
const (
	firstDelay    = 500 * time.Millisecond
	longestDelay  = 8 * time.Second
	longestServer = 2 * time.Minute // a longer Retry-After is not waited for
	maxErrorBody  = 64 << 10
)

// response is an answer whose body is read under the idle timeout.
type response struct {
	io.Reader
	body   io.ReadCloser
	cancel context.CancelCauseFunc
	timer  *time.Timer
	paid   *payment // of an answer that is a success
}

// Close ends the exchange.
func (r *response) Close() {
	if r.paid != nil {
		r.paid.settle()
	}
	r.timer.Stop()
	r.body.Close()
	r.cancel(nil)
}

// send posts the request, and again where that may help, and returns a successful answer.
func (g *OpenAIChatGenerator) send(ctx context.Context, env *component.Env, req *request) (*response, error) {
	if env.HTTP() == nil || env.Secrets() == nil {
		return nil, fault.New(fault.Unavailable, "component '%s' needs the network and secrets, and has none here", env.Component())
	}
	key, err := g.key(ctx, env)
	if err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		paid, err := req.reserve(ctx, env)
		if err != nil {
			return nil, err
		}
		resp, status, header, err := g.attempt(ctx, env, req, key)
		if err == nil && status < 300 {
			resp.paid = paid
			return resp, nil
		}
		paid.unanswered(err, status)
		if err == nil {
			err = refusal(status, resp)
		}
		delay, again := g.again(ctx, attempt, status, header, err)
		if !again {
			return nil, err
		}
		if err := sleep(ctx, delay); err != nil {
			return nil, err
		}
	}
}

// key finds the first of the generator's keys that there is.
func (g *OpenAIChatGenerator) key(ctx context.Context, env *component.Env) (egress.Credential, error) {
	var names []string
	for _, k := range g.keys {
		v, err := env.Secrets().ResolveSecret(ctx, component.SecretRequest{Secret: k.secret, Component: env.Component(), Type: g.typ,
			Param: k.param, For: g.origin, Documented: g.documented})
		if err != nil {
			return egress.Credential{}, err
		}
		if !v.IsZero() {
			return egress.Credential{Header: k.header, Prefix: k.prefix, Value: v}, nil
		}
		names = append(names, k.secret.EnvVars...)
	}
	return egress.Credential{}, fault.New(fault.Invalid, "component '%s' has no API key: none of %s is set", env.Component(),
		strings.Join(names, ", ")).WithCode("OpenAIError").WithHint("set one of these secrets")
}

// attempt posts once. The timeout is for silence: it begins anew with every piece of the answer.
func (g *OpenAIChatGenerator) attempt(ctx context.Context, env *component.Env, req *request, key egress.Credential) (*response, int, http.Header, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	slow := fault.New(fault.Timeout, "%s did not answer within %s", g.origin, g.timeout).WithCode("APITimeoutError").
		WithHint("raise the init parameter 'timeout'")
	timer := time.AfterFunc(g.timeout, func() { cancel(slow) })
	fail := func(err error) (*response, int, http.Header, error) {
		timer.Stop()
		if context.Cause(ctx) == error(slow) {
			err = slow
		}
		cancel(nil)
		return nil, 0, nil, err
	}
	hr, err := http.NewRequestWithContext(ctx, http.MethodPost, req.url, bytes.NewReader(req.body))
	if err != nil {
		return fail(fault.Wrap(fault.Invalid, err, "the request could not be made"))
	}
	hr.Header = req.headers.Clone()
	if req.stream {
		hr.Header.Set("Accept", "text/event-stream")
	}
	resp, err := env.HTTP().Do(hr, key)
	if err != nil {
		return fail(err)
	}
	timer.Reset(g.timeout)
	body := &patient{ctx: ctx, body: resp.Body, timer: timer, timeout: g.timeout}
	return &response{Reader: body, body: resp.Body, cancel: cancel, timer: timer}, resp.StatusCode, resp.Header, nil
}

// patient restarts the timer with every piece, and explains why a read was cut off.
type patient struct {
	ctx     context.Context
	body    io.Reader
	timer   *time.Timer
	timeout time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	if n > 0 {
		p.timer.Reset(p.timeout)
	}
	if err == nil || err == io.EOF {
		return n, err
	}
	if cause := context.Cause(p.ctx); cause != nil {
		if f, ok := cause.(*fault.Error); ok {
			return n, f
		}
		return n, stopped(cause, "the answer was not waited for")
	}
	return n, fault.Wrap(fault.Unavailable, err, "the connection broke while the answer was read")
}

// again says whether to try once more, and when.
func (g *OpenAIChatGenerator) again(ctx context.Context, attempt, status int, header http.Header, err error) (time.Duration, bool) {
	if attempt >= g.retries || ctx.Err() != nil {
		return 0, false
	}
	if status == 0 { // no answer at all
		if !fault.Is(err, fault.Timeout) && !fault.Is(err, fault.Unavailable) {
			return 0, false
		}
		return backoff(attempt), true
	}
	wait, told := retryAfter(header, time.Now())
	if told && wait > longestServer {
		return 0, false
	}
	switch header.Get("X-Should-Retry") {
	case "true":
	case "false":
		return 0, false
	default:
		if status != 408 && status != 409 && status != 429 && status < 500 {
			return 0, false
		}
	}
	if told && wait > 0 {
		return wait, true
	}
	return backoff(attempt), true
}

// backoff doubles from half a second to eight, less up to a quarter by chance.
func backoff(attempt int) time.Duration {
	d := min(float64(firstDelay)*math.Pow(2, float64(attempt)), float64(longestDelay))
	return time.Duration(d * (1 - 0.25*rand.Float64()))
}

// retryAfter reads Retry-After-Ms, or Retry-After in seconds or as a date.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	seconds := func(s string, unit time.Duration) (time.Duration, bool) {
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) > 1e9 {
			return 0, false
		}
		return time.Duration(f * float64(unit)), true
	}
	if d, ok := seconds(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d, true
	}
	if d, ok := seconds(h.Get("Retry-After"), time.Second); ok {
		return d, true
	}
	if t, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		return t.Sub(now), true
	}
	return 0, false
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return stopped(context.Cause(ctx), "the request was not tried again")
	}
}

// stopped tells a run's deadline from a caller who went away.
func stopped(cause error, text string) error {
	kind := fault.Canceled
	if errors.Is(cause, context.DeadlineExceeded) {
		kind = fault.Timeout
	}
	return fault.Wrap(kind, cause, "%s", text)
}

// errorNames are the OpenAI client's names for what a status means.
var errorNames = map[int]string{400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
	409: "ConflictError", 422: "UnprocessableEntityError", 429: "RateLimitError"}

// refusal reads an answer that is no success, and closes it.
func refusal(status int, resp *response) error {
	defer resp.Close()
	if status < 400 {
		return fault.New(fault.Failed, "the provider answered with a redirect (%d), which is not followed with a key", status).
			WithHint("set 'api_base_url' to the address it redirects to, and let the secret go there")
	}
	body, _ := io.ReadAll(io.LimitReader(resp, maxErrorBody))
	text := strings.TrimSpace(string(body))
	if v, err := value.FromJSON(body); err == nil {
		text = value.Repr(v)
	}
	name := errorNames[status]
	switch {
	case name == "" && status >= 500:
		name = "InternalServerError"
	case name == "":
		name = "APIStatusError"
	}
	return fault.New(fault.Failed, "Error code: %d - %s", status, hideKeys(cutText(text, 4000))).WithCode(name)
}

func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}

// keys are what providers quote back of a key, whole or in part.
var keys = regexp.MustCompile(`(?i)\b(?:sk|pk|rk|sess)[-_][A-Za-z0-9*_\-.]{4,}|(bearer\s+)\S+|(api[ _-]?key provided:\s*)\S+`)

func hideKeys(s string) string { return keys.ReplaceAllString(s, "${1}${2}[redacted]") }
