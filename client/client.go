package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// MaxAnswer is the most bytes of an answer that are read.
const MaxAnswer = 256 << 20

// Client talks to one server. It is safe for concurrent use once made.
type Client struct {
	base  *url.URL
	dest  sealed.Destination
	http  *egress.Client
	token sealed.Value
}

// New returns a client for the server at base ("http://127.0.0.1:1416"), without a token.
func New(base string) (*Client, error) {
	dest, err := sealed.ParseDestination(base)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil || u.Host == "" {
		return nil, fault.New(fault.Invalid, "%q is not the address of a server", base).WithHint("write for example http://127.0.0.1:1416")
	}
	policy, err := egress.NewPolicy(dest.HostPort()) // this very server, and nothing else that is private
	if err != nil {
		return nil, err
	}
	return &Client{base: u, dest: dest, http: egress.New(policy, egress.Options{})}, nil
}

// WithToken returns a client that shows an access token.
func (c *Client) WithToken(token sealed.Value) *Client {
	out := *c
	out.token = token.For(c.dest)
	return &out
}

// URL returns the server's address.
func (c *Client) URL() string { return c.base.String() }

// Request is one call.
type Request struct {
	Method      string
	Path        string // begins with a slash; its segments are escaped already
	Query       url.Values
	JSON        any    // the body as a value
	Body        []byte // or the body as bytes
	Stream      io.Reader
	ContentType string // of Body or Stream; default application/json
	Accept      string
}

// Do sends a request and decodes a JSON answer into out, which may be nil.
func (c *Client) Do(ctx context.Context, r Request, out any) error {
	b, err := c.Bytes(ctx, r)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fault.Wrap(fault.Failed, err, "the server's answer is not what this client understands").
			WithHint("client and server may be of different versions")
	}
	return nil
}

// Bytes sends a request and returns the whole answer.
func (c *Client) Bytes(ctx context.Context, r Request) ([]byte, error) {
	resp, err := c.Open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.Unavailable, err, "the answer of %s broke off", c.base.Host)
	case len(b) > MaxAnswer:
		return nil, fault.New(fault.TooLarge, "the answer is larger than %d bytes", MaxAnswer)
	}
	return b, nil
}

// Open sends a request and returns the answer with its body open, unless it is an error.
func (c *Client) Open(ctx context.Context, r Request) (*http.Response, error) {
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	var creds []egress.Credential
	if !c.token.IsZero() {
		creds = append(creds, egress.Bearer(c.token))
	}
	resp, err := c.http.Do(req, creds...)
	if err != nil {
		if fault.Is(err, fault.Unavailable) {
			return nil, fault.From(err).WithHint("is the server running? start it with 'hayward serve', or name another one with --server")
		}
		return nil, err
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, readProblem(resp)
}

// noName stands in a path for a name that is empty; no name can be it.
const noName = "\x00"

// segment is a name as one segment of a path.
func segment(name string) string {
	if name == "" {
		return noName
	}
	return url.PathEscape(name)
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	if strings.Contains(r.Path, noName) {
		return nil, fault.New(fault.Invalid, "the name is empty")
	}
	body := r.Stream
	switch {
	case r.JSON != nil:
		b, err := json.Marshal(r.JSON)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the request cannot be encoded")
		}
		body = bytes.NewReader(b)
	case r.Body != nil:
		body = bytes.NewReader(r.Body)
	}
	u := c.base.String() + r.Path
	if len(r.Query) > 0 {
		u += "?" + r.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u, body)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the request cannot be made")
	}
	if body != nil {
		ct := r.ContentType
		if ct == "" {
			ct = "application/json"
		}
		req.Header.Set("Content-Type", ct)
	}
	if r.Accept != "" {
		req.Header.Set("Accept", r.Accept)
	}
	return req, nil
}

// problem is what both dialects of the server send: RFC 9457, or {"detail": ...}.
type problem struct {
	Detail    json.RawMessage `json:"detail"`
	Kind      string          `json:"kind"`
	Code      string          `json:"code"`
	Hint      string          `json:"hint"`
	Where     fault.Where     `json:"where"`
	RequestID string          `json:"request_id"`
	Problems  []struct {
		Detail string      `json:"detail"`
		Code   string      `json:"code"`
		Hint   string      `json:"hint"`
		Where  fault.Where `json:"where"`
	} `json:"problems"`
}

// Problems is several faults that the server found together; the first one is the main one.
type Problems []*fault.Error

// Error lists every problem, one to a line.
func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, e := range p {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "\n")
}

// Unwrap returns the problems in order.
func (p Problems) Unwrap() []error {
	out := make([]error, len(p))
	for i, e := range p {
		out[i] = e
	}
	return out
}

func readProblem(resp *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	mt, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if mt == "application/json" || mt == "application/problem+json" {
		if err := problemFault(resp.StatusCode, b); err != nil {
			return err
		}
	}
	return fault.New(kindOf(resp.StatusCode, ""), "the server answered %s", resp.Status)
}

// problemFault makes the fault again that a problem document came from; nil if b is none.
func problemFault(status int, b []byte) error {
	var p problem
	if json.Unmarshal(b, &p) != nil || len(p.Detail) == 0 {
		return nil
	}
	var detail string
	if json.Unmarshal(p.Detail, &detail) != nil {
		detail = string(p.Detail)
	}
	kind := kindOf(status, p.Kind)
	if len(p.Problems) > 1 {
		many := make(Problems, len(p.Problems))
		for i, one := range p.Problems {
			many[i] = &fault.Error{Kind: kind, Code: one.Code, Message: one.Detail, Hint: one.Hint, Where: one.Where}
		}
		return many
	}
	return &fault.Error{Kind: kind, Code: p.Code, Message: detail, Hint: p.Hint, Where: p.Where}
}

func kindOf(code int, name string) fault.Kind {
	for _, k := range fault.Kinds() {
		if k.String() == name {
			return k
		}
	}
	switch code {
	case http.StatusUnauthorized:
		return fault.Unauthenticated
	case http.StatusForbidden:
		return fault.Denied
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusConflict:
		return fault.Conflict
	case http.StatusRequestEntityTooLarge:
		return fault.TooLarge
	case http.StatusTooManyRequests:
		return fault.Limited
	case http.StatusServiceUnavailable, http.StatusBadGateway:
		return fault.Unavailable
	case http.StatusGatewayTimeout:
		return fault.Timeout
	}
	if code >= 400 && code < 500 {
		return fault.Invalid
	}
	return fault.Failed
}

// Token is a good login.
type Token struct {
	Access  sealed.Value
	Scope   string
	Expires time.Time
}
