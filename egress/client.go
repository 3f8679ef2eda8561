package egress

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/haywardhq/hayward/fault"
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

// Client is a guarded HTTP client. It is safe for concurrent use, and meant to be shared: connections are reused between
// callers, secrets are per request.
type Client struct {
	policy    Policy
	transport *http.Transport
	maxHops   int
	resolver  *net.Resolver // nil: the system's
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
		d := net.Dialer{Timeout: timeout, Resolver: c.resolver, ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
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
			WithCode("EgressDenied").WithHint("an operator can allow %s by name (setting egress-allow)", asked)
	}
	return nil
}

// Do sends req with the given credentials and returns the answer; the caller closes its body. With credentials, a
// redirect is returned as it is, never followed. Without, up to Options.MaxRedirects are followed, each guarded again and
// without a Referer. The answer's Request is req: it never shows a credential.
// Errors are faults: Denied (address or destination), Timeout, Canceled, Unavailable.
func (c *Client) Do(req *http.Request, creds ...Credential) (*http.Response, error) {
	hc := http.Client{Transport: c.transport, CheckRedirect: c.redirects(len(creds) > 0)}
	send := req
	if len(creds) > 0 {
		var err error
		if send, err = attach(req, creds); err != nil {
			return nil, err
		}
	}
	resp, err := hc.Do(send)
	if err != nil {
		return nil, classify(req, err)
	}
	if len(creds) > 0 {
		resp.Request = req
	}
	return resp, nil
}

func (c *Client) redirects(secret bool) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		switch {
		case secret:
			return http.ErrUseLastResponse
		case len(via) > c.maxHops:
			return fault.New(fault.Failed, "%s answered with more than %d redirects", origin(via[0].URL), c.maxHops)
		}
		next.Header.Del("Referer") // it would tell the next host the path and query of this one
		return nil
	}
}

// Policy returns what the client may reach.
func (c *Client) Policy() Policy { return c.policy }

// CloseIdle closes connections that nobody uses.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }
