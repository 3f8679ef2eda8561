package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/haywardhq/hayward/fault"
)

// classify keeps the sentence of a fault that came up from the dialer, and gives the rest a kind. A URL's query may hold
// a tenant's data, so only the origin is named.
func classify(req *http.Request, err error) error {
	var f *fault.Error
	var timeout interface{ Timeout() bool }
	at := origin(req.URL)
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(req.Context().Err(), context.Canceled):
		return fault.Wrap(fault.Canceled, quiet(err), "the request to %s was canceled", at)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fault.Wrap(fault.Timeout, quiet(err), "%s did not answer in time", at)
	}
	return fault.Wrap(fault.Unavailable, quiet(err), "cannot reach %s", at)
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// quiet keeps the text of causes that name addresses and certificates only. Every other text is hidden, the cause stays
// reachable: net/http quotes whole URLs, redirect targets and pieces of answers, and a hostile server may echo a secret.
func quiet(err error) error {
	var (
		op    *net.OpError
		dns   *net.DNSError
		certs *tls.CertificateVerificationError
		name  x509.HostnameError
		alert tls.AlertError
	)
	switch {
	case errors.As(err, &op):
		return op
	case errors.As(err, &dns):
		return dns
	case errors.As(err, &certs):
		return certs
	case errors.As(err, &name):
		return name
	case errors.As(err, &alert):
		return alert
	}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, http.ErrSchemeMismatch, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	return silent{err}
}

// silent keeps a cause reachable without its text.
type silent struct{ cause error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.cause }
