package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// Options configures [New]. The zero value of each field is usable.
type Options struct {
	DialTimeout           time.Duration // default 10 s
	TLSHandshakeTimeout   time.Duration // default 10 s
	ResponseHeaderTimeout time.Duration // default 10 min: a model may think long; the caller's context is the real limit
	IdleConnTimeout       time.Duration // default 90 s
	MaxIdleConnsPerHost   int           // default 64
	MaxRedirects          int           // for requests without a credential; default 5
	MaxHeaderBytes        int64         // of an answer; default 1 MiB
	TLS                   *tls.Config   // extra roots; MinVersion is at least TLS 1.2
}

// Credential is a secret header of one request. Its value is opened when the request is written, for the origin of the
// request's URL and for nothing else.
type Credential struct {
	Header string // for example "Authorization"
	Prefix string // for example "Bearer "
	Value  sealed.Value
}

// Bearer returns the usual Authorization credential.
func Bearer(v sealed.Value) Credential {
	return Credential{Header: "Authorization", Prefix: "Bearer ", Value: v}
}

// Client is a guarded HTTP client. It is safe for concurrent use, and meant to be shared: connections are reused between
// callers, secrets are per request.
type Client struct {
	policy    Policy
	transport *http.Transport
	maxHops   int
}

// New returns a client that reaches what p allows.
func New(p Policy, o Options) *Client {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.DialTimeout, 10*time.Second)
	def(&o.TLSHandshakeTimeout, 10*time.Second)
	def(&o.ResponseHeaderTimeout, 10*time.Minute)
	def(&o.IdleConnTimeout, 90*time.Second)
	if o.MaxIdleConnsPerHost <= 0 {
		o.MaxIdleConnsPerHost = 64
	}
	if o.MaxRedirects <= 0 {
		o.MaxRedirects = 5
	}
	if o.MaxHeaderBytes <= 0 {
		o.MaxHeaderBytes = 1 << 20
	}
	tlsConfig := &tls.Config{}
	if o.TLS != nil {
		tlsConfig = o.TLS.Clone()
	}
	tlsConfig.MinVersion = max(tlsConfig.MinVersion, tls.VersionTLS12)
	c := &Client{policy: p, maxHops: o.MaxRedirects}
	c.transport = &http.Transport{
		Proxy:                  nil, // proxy variables belong to the server's operator, not to a tenant's request
		DialContext:            c.dialer(o.DialTimeout),
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    o.TLSHandshakeTimeout,
		ResponseHeaderTimeout:  o.ResponseHeaderTimeout,
		IdleConnTimeout:        o.IdleConnTimeout,
		MaxIdleConnsPerHost:    o.MaxIdleConnsPerHost,
		MaxResponseHeaderBytes: o.MaxHeaderBytes,
		ForceAttemptHTTP2:      true,
	}
	return c
}

// dialer refuses a connection by the address it would really be made to.
func (c *Client) dialer(timeout time.Duration) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		d := net.Dialer{Timeout: timeout, ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			return c.check(addr, network, address)
		}}
		return d.DialContext(ctx, network, addr)
	}
}

func (c *Client) check(asked, network, connecting string) error {
	if c.policy.Allows(asked) {
		return nil
	}
	ap, err := netip.ParseAddrPort(connecting)
	if err != nil || (network != "tcp4" && network != "tcp6") || !IsPublic(ap.Addr()) {
		return fault.New(fault.Denied, "connecting to %s is not allowed: it is not an address of the public internet", asked).
			WithCode("EgressDenied").WithHint("an operator can allow %s by name (setting egress.allow)", asked)
	}
	return nil
}

// Do sends req with the given credentials and returns the answer; the caller closes its body. With credentials, a
// redirect is returned as it is, never followed. Without, up to Options.MaxRedirects are followed, each guarded again.
// Errors are faults: Denied (address or destination), Timeout, Canceled, Unavailable.
func (c *Client) Do(req *http.Request, creds ...Credential) (*http.Response, error) {
	hc := http.Client{Transport: c.transport, CheckRedirect: c.redirects(len(creds) > 0)}
	if len(creds) > 0 {
		sealedReq, err := attach(req, creds)
		if err != nil {
			return nil, err
		}
		req = sealedReq
	}
	resp, err := hc.Do(req)
	if err != nil {
		return nil, classify(req, err)
	}
	return resp, nil
}

func attach(req *http.Request, creds []Credential) (*http.Request, error) {
	dest, err := sealed.FromURL(req.URL)
	if err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	for _, cr := range creds {
		value, err := reveal.For(cr.Value, dest)
		if err != nil {
			return nil, err
		}
		for _, b := range value {
			if b < 0x20 || b == 0x7f {
				return nil, fault.New(fault.Invalid, "a secret holds a control character and cannot be sent as a header").
					WithHint("it may have been set with a line break at its end")
			}
		}
		out.Header.Set(cr.Header, cr.Prefix+string(value))
		clear(value)
	}
	return out, nil
}

func (c *Client) redirects(secret bool) func(*http.Request, []*http.Request) error {
	return func(_ *http.Request, via []*http.Request) error {
		if secret {
			return http.ErrUseLastResponse
		}
		if len(via) > c.maxHops {
			return fault.New(fault.Failed, "more than %d redirects", c.maxHops)
		}
		return nil
	}
}

// classify keeps the sentence of a fault that came up from the dialer, and gives the rest a kind. A URL's query may hold
// a tenant's data, so only the origin is named.
func classify(req *http.Request, err error) error {
	var f *fault.Error
	origin := req.URL.Scheme + "://" + req.URL.Host
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(req.Context().Err(), context.Canceled):
		return fault.Wrap(fault.Canceled, context.Cause(req.Context()), "the request to %s was canceled", origin)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fault.Wrap(fault.Timeout, hideURL(err), "%s did not answer in time", origin)
	}
	return fault.Wrap(fault.Unavailable, hideURL(err), "cannot reach %s", origin)
}

// hideURL drops the url.Error around err, whose text holds the whole URL.
func hideURL(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// Policy returns what the client may reach.
func (c *Client) Policy() Policy { return c.policy }

// CloseIdle closes connections that nobody uses.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }
